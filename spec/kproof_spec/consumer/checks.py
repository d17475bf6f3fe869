"""What we expect of the consumer models, in the smallest scopes that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..catalog_types import Check, check, family, mutant_checks
from . import auto_commit, commit_after_processing, commit_before_processing, pool_mutants

CONSUMER = family(
    "A consumer with one thread: position, poll, commit, and delivery semantics",
    auto_commit.model,
    commit_after_processing.model,
    commit_before_processing.model,
)
WORKER_POOL = family(pool_mutants.model.title, pool_mutants.model)
ENTRIES = {"consumer": CONSUMER, "worker_pool": WORKER_POOL}

_VARIANTS = ("auto_commit", "commit_after_processing", "commit_before_processing")
_NO_ZOMBIE = ("a_zombie_has_records_in_hand",)
_ONCE = ("a_record_is_processed_twice",)
_NO_KEY_TWICE = ("records_of_a_key_queue_at_one_worker",)
_NO_ORPHAN = ("an_orphan_is_at_work",)
_ONE_RECORD = ("workers_finish_out_of_order", "two_workers_are_at_work", *_NO_KEY_TWICE)
_NO_FULL_WINDOW = ("the_window_is_full",)
_EVERY_RECORD = "every_record_is_processed"
_LIVENESS = (_EVERY_RECORD, "nothing_stays_in_flight")


def _consumer(variant: str, *, size: str = "small", **scope: int) -> Check:
    return check("consumer", CONSUMER, scope, variant=variant, size=size)


def _with_liveness(one: Check, violated: Iterable[str] = (), word: str = "exhausted") -> Check:
    """The check with a verdict for the liveness properties too."""
    verdicts = {name: "violated" if name in violated else word for name in _LIVENESS}
    return replace(one, expected={**one.expected, **verdicts})


def _pool_mutants() -> list[Check]:
    """A check of every mutant of the worker pool, with what it breaks besides its own property."""
    live = {
        "poll_thread_commit_highest_finished": (_EVERY_RECORD,),
        "poll_thread_commit_position": (_EVERY_RECORD,),
        "worker_finish_and_report_nothing": _LIVENESS,
        "poll_thread_finish_revocation_at_once": (_EVERY_RECORD,),
        "poll_thread_begin_revocation_and_drop": (_EVERY_RECORD,),
        "poll_thread_finish_revocation_with_position": (_EVERY_RECORD,),
    }
    found = mutant_checks(
        "worker_pool",
        WORKER_POOL,
        {
            "poll_thread_commit_highest_finished": ("commits_stay_within_the_finished_prefix",),
            "poll_thread_commit_position": ("nothing_is_skipped",),
            "poll_thread_finish_revocation_at_once": ("records_repeat_only_after_a_failure",),
            "poll_thread_finish_revocation_with_position": ("given_back_means_given_up",),
        },
        unreachable={
            "poll_thread_commit_highest_finished": _NO_KEY_TWICE,
            "poll_thread_commit_position": _NO_KEY_TWICE,
            "poll_thread_notice_loss_and_commit": _NO_KEY_TWICE,
            "may_dispatch_in_turn": (*_ONCE, *_NO_ORPHAN),
            "poll_thread_dispatch_without_pausing": (
                *_NO_KEY_TWICE,
                *_ONCE,
                *_NO_ORPHAN,
                *_NO_FULL_WINDOW,
            ),
            "consumer_assign_unpaused": (*_ONE_RECORD, *_ONCE, *_NO_ORPHAN),
            "worker_finish_and_commit": (*_ONE_RECORD, *_ONCE, *_NO_ORPHAN, *_NO_FULL_WINDOW),
            "worker_finish_and_report_nothing": (
                "workers_finish_out_of_order",
                *_NO_KEY_TWICE,
                "everything_is_read_and_committed",
                *_ONCE,
            ),
            "poll_thread_finish_revocation_at_once": (*_NO_KEY_TWICE, *_NO_ORPHAN),
            "poll_thread_begin_revocation_and_drop": (*_NO_KEY_TWICE, *_NO_ORPHAN),
            "poll_thread_finish_revocation_with_position": (
                *_ONE_RECORD,
                *_ONCE,
                *_NO_ORPHAN,
                *_NO_FULL_WINDOW,
            ),
        },
    )
    return [_with_liveness(one, live.get(one.mutant, ())) for one in found]


CHECKS: list[Check] = [
    *(_consumer(variant, log_size=3, max_failures=2) for variant in _VARIANTS),
    *(_consumer(v, partitions=2, log_size=1, max_poll_records=1) for v in _VARIANTS),
    *mutant_checks(
        "consumer",
        CONSUMER,
        {
            "consumer_poll_what_is_in_memory": (
                "poll_returns_each_record_in_turn",
                "records_repeat_only_after_a_failure",
            ),
            "is_fetch_current_always": ("records_repeat_only_after_a_failure",),
            "consumer_fetch_and_move_position": ("nothing_is_skipped",),
            "consumer_assign_and_reset": ("nothing_is_skipped", "a_reset_follows_the_policy"),
        },
        unreachable={
            "consumer_close_with_records_in_hand": (*_NO_ZOMBIE, *_ONCE),
            "is_fetchable_while_revoking": _NO_ZOMBIE,
            "is_fetchable_while_paused": (*_NO_ZOMBIE, *_ONCE),
            "is_fetch_current_always": _NO_ZOMBIE,
            "consumer_fetch_and_move_position": (*_NO_ZOMBIE, *_ONCE),
        },
    ),
    *mutant_checks(
        "consumer",
        CONSUMER,
        {"application_commit_position": ("committed_offsets_never_go_back",)},
        variant="commit_after_processing",
        unreachable={"consumer_begin_revocation_without_commit": _NO_ZOMBIE},
    ),
    *mutant_checks(
        "consumer",
        CONSUMER,
        {"is_committed_in_hand_when_sent": ("records_repeat_only_after_a_failure",)},
        variant="commit_before_processing",
        unreachable={"application_drop_committed": _NO_ZOMBIE},
    ),
    _with_liveness(check("worker_pool", WORKER_POOL, {})),
    _with_liveness(
        check(
            "worker_pool",
            WORKER_POOL,
            {"partitions": 2, "log_size": 1, "max_in_flight": 1},
            unreachable=("workers_finish_out_of_order", *_NO_KEY_TWICE),
        )
    ),
    *_pool_mutants(),
    _consumer("auto_commit", size="medium", partitions=2, log_size=2, max_poll_records=1),
    _with_liveness(
        check(
            "worker_pool",
            WORKER_POOL,
            {"partitions": 2, "log_size": 3, "max_in_flight": 3},
            size="medium",
        ),
        word="unknown",  # The state graph is too large to look for a lasso.
    ),
]
