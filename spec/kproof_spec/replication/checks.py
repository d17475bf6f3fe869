"""What we expect of the replication models, in the smallest scopes that show it."""

from __future__ import annotations

from ..catalog_types import Check, check, family, mutant_checks
from . import (
    async_isr,
    fence_by_leader_epoch,
    fence_by_record_epoch,
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
ENTRIES = {"replication": REPLICATION, "async_isr": ASYNC_ISR}

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
            "is_following_any_epoch": ("weak_isr",),
            "leader_raise_high_watermark_by_offset": ("strong_isr",),
            "become_follower_of_whoever_is_named": ("strong_isr",),
            "end_of_shorter_log": ("strong_isr",),
        },
    ),
    check("async_isr", ASYNC_ISR, {"replicas": 3, "max_offset": 2, "max_version": 2}),
    *mutant_checks("async_isr", ASYNC_ISR),
    _replication(_scope(3, 2, 2, 2), size="medium"),
    _replication(_scope(3, 2, 2, 3), size="medium"),
    _replication(_scope(3, 2, 2, 2), variant="kip_320_first_try", violated=_BOTH, size="medium"),
    check(
        "async_isr",
        ASYNC_ISR,
        {"replicas": 4, "max_offset": 2, "max_version": 3},
        size="medium",
    ),
]
