"""What we expect of the full picture, in the smallest scopes that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..catalog_types import Check, check, family, mutant_checks
from . import mutants

ENTRY = family(mutants.model.title, mutants.model)
ENTRIES = {"picture": ENTRY}

_READ = "each_group_reads_what_is_acknowledged"
_ACKNOWLEDGED = "everything_is_acknowledged"
_LED = "a_live_replica_in_sync_leads_to_a_leader"
_CAUGHT_UP = "every_replica_gets_what_is_acknowledged"
_LIVENESS = (_READ, _ACKNOWLEDGED, _LED, _CAUGHT_UP)
_NO_WAIT = ("a_partition_waits_for_its_last_replica",)
_NOBODY_AGAIN = ("a_group_reads_again",)
_NO_SUCCESSOR = ("an_acknowledged_record_survives_its_leader",)
_NO_FAILURE = (*_NO_SUCCESSOR, "all_in_sync_again", *_NO_WAIT)
_QUIET = (*_NO_FAILURE, "a_record_is_sent_again", *_NOBODY_AGAIN)


def _with_liveness(one: Check, violated: Iterable[str] = (), word: str = "exhausted") -> Check:
    """The check with a verdict for the liveness properties too."""
    verdicts = {name: "violated" if name in violated else word for name in _LIVENESS}
    return replace(one, expected={**one.expected, **verdicts})


def _picture(
    *, unreachable: tuple[str, ...] = (), size: str = "small", live: bool = True, **scope: int
) -> Check:
    one = check("picture", ENTRY, scope, unreachable=unreachable, size=size)
    return _with_liveness(one, word="exhausted" if live else "unknown")


def _mutants() -> list[Check]:
    """A check of every mutant, with what it breaks besides its own property."""
    live = {
        "producer_send_without_waiting": (_READ, _CAUGHT_UP),
        "controller_promote_anyone": (_READ, _CAUGHT_UP),
        "controller_promote_of_enough": _LIVENESS,
        "broker_die_last_in_sync": _LIVENESS,
        "member_commit_for_everyone": (_READ,),
        "member_read_and_remove": (_READ, _CAUGHT_UP),
        "member_take_at_the_end": (_READ,),
    }
    found = mutant_checks(
        "picture",
        ENTRY,
        {
            "producer_send_without_waiting": ("acknowledged_records_are_kept",),
            "leader_acknowledge_alone": ("acknowledged_records_are_on_enough_replicas",),
            "controller_promote_anyone": ("what_was_read_is_kept",),
            "member_take_at_the_end": ("an_offset_covers_what_its_group_has_read",),
        },
        unreachable={
            "producer_send_without_waiting": _NO_WAIT,
            "producer_retry_without_sequence": _QUIET,
            "leader_acknowledge_alone": _QUIET,
            "leader_acknowledge_with_the_isr_it_has": (*_NOBODY_AGAIN, *_NO_WAIT),
            "leader_expand_isr_at_once": (*_NOBODY_AGAIN, *_NO_WAIT),
            "controller_promote_anyone": (*_NOBODY_AGAIN, *_NO_WAIT),
            "controller_promote_of_enough": (*_NOBODY_AGAIN, *_NO_WAIT),
            "broker_die_last_in_sync": _QUIET,
            "member_commit_for_everyone": (*_QUIET, "groups_are_apart"),
            "member_read_and_remove": (
                *_NO_FAILURE,
                "groups_are_apart",
                "a_record_is_read_before_it_is_acknowledged",
            ),
            "member_read_uncommitted": (*_NOBODY_AGAIN, *_NO_WAIT),
            "member_take_at_the_end": _QUIET,
        },
    )
    return [_with_liveness(one, live.get(one.mutant, ())) for one in found]


CHECKS: list[Check] = [
    _picture(unreachable=_NO_WAIT),
    _picture(brokers=2, max_broker_failures=2),
    _picture(brokers=2, partitions=2, unreachable=_NO_WAIT),
    *_mutants(),
    _picture(size="medium", partitions=2, unreachable=_NO_WAIT),
    _picture(size="medium", max_broker_failures=3),
    _picture(size="medium", records=2, unreachable=_NO_WAIT),
    # Of these the state graph is too large to look for a lasso.
    _picture(size="medium", partitions=2, records=2, unreachable=_NO_WAIT, live=False),
    _picture(size="medium", partitions=3, unreachable=_NO_WAIT, live=False),
]
