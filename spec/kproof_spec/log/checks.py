"""What the catalogue checks of the log, and of its cleaner in the end: scopes, and every mutant."""

from ..catalog_types import check, family, mutant_checks
from . import (
    settling,
    settling_claims,  # noqa: F401 - gives the model of the end its properties and mutants
)
from .mutants import model

ENTRY = family(model.title, model)
SETTLING = family(settling.model.title, settling.model)
ENTRIES = {"log": ENTRY, "log_settling": SETTLING}

CHECKS = [
    check("log", ENTRY, {"log_size": 2, "readers": 2}),
    check("log", ENTRY, {"log_size": 3, "readers": 1}),
    *mutant_checks(
        "log",
        ENTRY,
        {
            "leader_append_fails_and_goes_on": ("no_record_of_a_deleted_topic_is_left",),
            "leader_append_fails_and_is_undone_too_far": ("flushed_records_survive",),
            "leader_flush_without_directory": ("log_has_no_hole",),
            "leader_checkpoint_without_flush": ("flushed_records_survive",),
            "cleaner_delete_active_segment": (
                "offsets_are_unique",
                "no_record_of_a_deleted_topic_is_left",
            ),
        },
        unreachable={
            "leader_delete_records_and_checkpoint_later": ("a_crash_ends_the_log_below_its_start",),
        },
    ),
    check("log_settling", SETTLING, {"log_size": 2, "max_failures": 2}),
    check("log_settling", SETTLING, {"log_size": 3}),
    *mutant_checks("log_settling", SETTLING),
    check("log", ENTRY, {"log_size": 4, "readers": 2, "retention_ms": 1}, size="medium"),
    check("log_settling", SETTLING, {"log_size": 4, "retention_ms": 1}, size="medium"),
]
