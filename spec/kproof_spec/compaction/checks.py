"""What the catalogue checks of compaction: two small scopes, every mutant, one for the night."""

from ..catalog_types import check, family, mutant_checks
from .mutants import model

ENTRY = family(model.title, model)

CHECKS = [
    check("compaction", ENTRY, {"log_size": 3, "keys": 2}),
    check("compaction", ENTRY, {"log_size": 3, "keys": 1, "producers": 2}),
    *mutant_checks(
        "compaction",
        ENTRY,
        {
            "cleaner_step_and_close_gaps": (
                "latest_values_are_kept",
                "tombstones_stay_for_their_time",
                "the_log_says_the_same",
                "a_reader_in_time_has_the_latest_values",
            ),
            "cleaner_step_keeps_the_first": (
                "tombstones_stay_for_their_time",
                "the_log_says_the_same",
                "a_reader_in_time_has_the_latest_values",
            ),
            "cleaner_begin_past_the_high_watermark": (
                "only_closed_and_committed_records_are_cleaned",
                "tombstones_stay_for_their_time",
                "the_log_says_the_same",
                "a_reader_in_time_has_the_latest_values",
                "the_last_batch_is_kept",
            ),
            "cleaner_step_without_delete_retention": ("a_reader_in_time_has_the_latest_values",),
            "cleaner_step_in_the_second_round": ("tombstones_stay_for_their_time",),
            "cleaner_step_from_the_newest": ("a_reader_in_time_has_the_latest_values",),
        },
        # A round with something behind it and something before it takes three records.
        unreachable=dict.fromkeys(model.mutants, ("a_round_is_half_done",)),
    ),
    check("compaction", ENTRY, {"log_size": 4, "keys": 2, "delete_retention_ms": 2}, size="medium"),
]
