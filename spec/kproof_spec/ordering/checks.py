"""What the catalogue checks of ordering: the variant that keeps it, those that do not, mutants."""

from ..catalog_types import check, family, mutant_checks
from . import base, by_key, partitions_added, round_robin, sticky

ENTRY = family(
    base.model.title,
    by_key.model,
    round_robin.model,
    sticky.model,
    partitions_added.model,
    default="by_key",
)

_BROKEN = ("no_order_is_paid_before_it_is_created", "a_key_keeps_to_one_partition")
_FIXED = {"max_partitions": 2, "hashes": 2}

CHECKS = [
    check("ordering", ENTRY, _FIXED),
    check("ordering", ENTRY, {"partitions": 3, "hashes": 3}),
    check("ordering", ENTRY, _FIXED, variant="round_robin", violated=_BROKEN),
    check("ordering", ENTRY, _FIXED, variant="sticky", violated=_BROKEN),
    check("ordering", ENTRY, {}, variant="partitions_added", violated=_BROKEN),
    *mutant_checks(
        "ordering",
        ENTRY,
        {
            "partition_by_each_clients_default": ("a_key_keeps_to_one_partition",),
            "partition_by_whole_record": ("no_order_is_paid_before_it_is_created",),
        },
    ),
    check("ordering", ENTRY, {"orders": 3, "max_partitions": 2, "hashes": 2}, size="medium"),
    check(
        "ordering",
        ENTRY,
        {"orders": 2, "partitions": 3, "max_partitions": 4, "hashes": 12},
        variant="partitions_added",
        violated=_BROKEN,
        size="medium",
    ),
]
