"""Every model of the catalogue, and the tutorial's, in a scope that takes a moment."""

from pathlib import Path
from typing import Any

from kproof_checker.models import find_model
from kproof_spec.catalog import MODELS
from kproof_spec.lang import Machine, Model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

TINY: dict[str, dict[str, int]] = {
    "replication": {"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
    "async_isr": {"replicas": 3, "max_offset": 1, "max_version": 1},
    "replication_settling": {
        "replicas": 2,
        "log_size": 1,
        "max_records": 1,
        "max_leader_epoch": 2,
    },
    "log": {"log_size": 1, "readers": 2},
    "log_settling": {"log_size": 2},
    "compaction": {"log_size": 1, "keys": 1},
    "ordering": {"max_partitions": 3, "hashes": 2},
    "group": {"members": 2, "partitions": 1, "max_generation": 1, "max_failovers": 0},
    "group_offsets": {"members": 2, "records": 1, "max_generation": 2, "max_failovers": 0},
    "group_settling": {},
    "group_member_ids": {},
    "consumer": {"log_size": 1, "max_poll_records": 1, "max_failures": 0},
    "worker_pool": {"log_size": 2, "workers": 1, "max_in_flight": 1, "max_failures": 0},
    "picture": {},
}
"""Up to about a thousand states each, so that CPython is quick too."""


def two_phase_commit(resource_managers: int) -> Machine[Any]:
    """The tutorial's model."""
    model = find_model(str(EXAMPLES / "two_phase_commit.py"))
    return model.closed(resource_managers=resource_managers)


def catalogue() -> dict[str, Model[Any]]:
    """Every variant of every model."""
    return {
        f"{name}-{variant}": model
        for name, entry in MODELS.items()
        for variant, model in entry.variants.items()
    }


def tiny_machine(name: str) -> Machine[Any]:
    """A variant by its name in `catalogue`, in its tiny scope."""
    family = name.split("-", maxsplit=1)[0]
    return catalogue()[name].closed(**TINY[family])
