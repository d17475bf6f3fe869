"""What we expect of the replication models, in the smallest scopes that show it."""

from __future__ import annotations

from dataclasses import replace

from ..catalog_types import Check, check, family, mutant_checks
from . import (
    async_isr,
    fence_by_leader_epoch,
    fence_by_record_epoch,
    settling,
    settling_claims,  # noqa: F401 - gives the model of rest its properties and mutants
    truncate_by_leader_epoch,
    truncate_to_high_watermark,
    truncate_to_last_common_record,
)

REPLICATION = family(
    "Replication of one partition: leader epochs, truncation, the high watermark, the ISR",
    truncate_to_high_watermark.model,
    truncate_by_leader_epoch.model,
    truncate_to_last_common_record.model,
    fence_by_record_epoch.model,
    fence_by_leader_epoch.model,
    default="kip_320",
)
ASYNC_ISR = family(async_isr.model.title, async_isr.model)
SETTLING = family(settling.model.title, settling.model)
ENTRIES = {
    "replication": REPLICATION,
    "async_isr": ASYNC_ISR,
    "replication_settling": SETTLING,
}

_BOTH = ("strong_isr", "weak_isr")


def _scope(replicas: int, log_size: int, max_records: int, max_leader_epoch: int) -> dict[str, int]:
    return {
        "replicas": replicas,
        "log_size": log_size,
        "max_records": max_records,
        "max_leader_epoch": max_leader_epoch,
    }


def _replication(
    scope: dict[str, int],
    *,
    variant: str = "",
    violated: tuple[str, ...] = (),
    size: str = "small",
) -> Check:
    return check("replication", REPLICATION, scope, variant=variant, violated=violated, size=size)


_LIVENESS = [name for name, claim in settling.model.properties.items() if claim.kind.is_liveness]


def _settling(scope: dict[str, int], max_disturbances: int, *, size: str = "small") -> Check:
    scope = {**scope, "max_disturbances": max_disturbances}
    return check("replication_settling", SETTLING, scope, size=size)


def _settling_mutants() -> list[Check]:
    """A check of every mutant.  Of one that elects for ever, only a bound is the end."""
    found = mutant_checks(
        "replication_settling",
        SETTLING,
        {
            "leader_raise_high_watermark_in_a_fetch": (
                "every_live_replica_gets_what_is_committed",
            ),
        },
        unreachable={
            "has_session_while_it_leads": (
                "a_successor_commits_alone",
                "a_partition_waits_for_its_last_replica",
            ),
            "leader_raise_high_watermark_in_a_fetch": (
                "a_successor_commits_alone",
                "a_replica_is_back",
            ),
            "controller_elect_leader_again": (
                "a_successor_commits_alone",
                "a_replica_is_back",
                "a_partition_waits_for_its_last_replica",
            ),
        },
    )
    unknown = dict.fromkeys(_LIVENESS, "unknown")
    return [
        replace(one, expected={**one.expected, **unknown})
        if one.mutant == "controller_elect_leader_again"
        else one
        for one in found
    ]


CHECKS: list[Check] = [
    _replication(_scope(2, 1, 1, 1), variant="truncate_to_high_watermark", violated=_BOTH),
    _replication(_scope(2, 2, 2, 2), variant="kip_101", violated=_BOTH),
    _replication(_scope(3, 1, 1, 2), variant="kip_279", violated=_BOTH),
    _replication(_scope(3, 1, 1, 2), variant="kip_320_first_try", violated=_BOTH),
    _replication(_scope(3, 1, 1, 2)),
    _replication(_scope(2, 2, 2, 3)),
    *mutant_checks(
        "replication",
        REPLICATION,
        {
            "is_leader_by_its_own_word": ("strong_isr",),
            "is_following_any_epoch": ("weak_isr", "epochs_never_go_down"),
            "leader_raise_high_watermark_by_offset": ("strong_isr",),
            "become_follower_of_whoever_is_named": ("strong_isr",),
            "end_of_shorter_log": ("strong_isr",),
            "become_leader_of_any_epoch": ("strong_isr", "weak_isr"),
        },
    ),
    check("async_isr", ASYNC_ISR, {"replicas": 3, "max_offset": 2, "max_version": 2}),
    *mutant_checks("async_isr", ASYNC_ISR),
    _settling(_scope(2, 1, 1, 4), 2),
    _settling(_scope(3, 1, 1, 2), 1),
    *_settling_mutants(),
    _replication(_scope(3, 2, 2, 2), size="medium"),
    _replication(_scope(3, 2, 2, 3), size="medium"),
    _replication(_scope(3, 2, 2, 2), variant="kip_320_first_try", violated=_BOTH, size="medium"),
    check(
        "async_isr",
        ASYNC_ISR,
        {"replicas": 4, "max_offset": 2, "max_version": 3},
        size="medium",
    ),
    _settling(_scope(2, 2, 2, 4), 2, size="medium"),
    _settling(_scope(3, 2, 2, 2), 1, size="medium"),
]
