"""Each rule of compaction left out once, and what becomes of it."""

from kproof_spec.lang import exists, require, span

from .cleaner import cleaner_begin, cleaner_step, model
from .properties import (
    a_reader_in_time_has_the_latest_values,
    latest_values_are_kept,
    only_closed_and_committed_records_are_cleaned,
    producers_last_batches_are_kept,
    records_keep_their_offsets,
    the_last_batch_is_kept,
    the_log_says_the_same,
    tombstones_stay_for_their_time,
)
from .state import (
    EndOffset,
    State,
    go_on,
    is_last_of_producer,
    is_needed,
    is_over,
    is_superseded,
    look_at,
)

__all__ = ["model"]

TWO = {"log_size": 2, "keys": 1}
"""Two records of one key are enough for most."""
PAIR = {**TWO, "producers": 2}

# -- which records go ----------------------------------------------------------------------------


@model.mutant(replaces=cleaner_step, breaks=records_keep_their_offsets, scope=TWO)
def cleaner_step_and_close_gaps(s: State) -> None:
    """A record moves down into the place of the one that was removed before it.

    The log has no gaps then; but whoever has committed an offset now reads another record at it, or
    skips one.  REF: Kafka, "Design", Log Compaction: the offset of a record never changes.
    """
    require(s.round_end > 0)
    offset = s.position
    goes = is_superseded(s, offset) or is_over(s, offset)
    look_at(s, offset, goes, is_needed(s, offset))
    if offset > 0 and s.files[offset].is_record and not s.files[offset - 1].is_record:
        place, moved = s.files[offset - 1], s.files[offset]
        place.is_record = True
        place.is_batch = True
        place.written_at = moved.written_at
        moved.is_record = False
    go_on(s)


@model.mutant(replaces=cleaner_step, breaks=latest_values_are_kept, scope=TWO)
def cleaner_step_keeps_the_first(s: State) -> None:
    """The map keeps the first offset of a key, so the last value goes and the first stays.

    REF: our own; it is what the order of the map is for.
    """
    require(s.round_end > 0)
    offset = s.position
    is_repeated = exists(
        span(0, offset),
        lambda earlier: s.files[earlier].is_record and s.files[earlier].key == s.files[offset].key,
    )
    look_at(s, offset, is_repeated or is_over(s, offset), is_needed(s, offset))
    go_on(s)


@model.mutant(replaces=cleaner_begin, breaks=latest_values_are_kept, scope=TWO)
def cleaner_begin_past_the_high_watermark(s: State, end: EndOffset) -> None:
    """A round goes up to the active segment, committed or not.

    A committed value goes for one that is not committed; then another replica leads, which does not
    have that one, and it is truncated.  The key has no value any more.  REF: KAFKA-13194.
    """
    require(s.round_end == 0)
    require(end > 0)
    require(end <= s.active_base_offset)
    s.round_end = end


@model.mutant(
    replaces=cleaner_begin, breaks=only_closed_and_committed_records_are_cleaned, scope=TWO
)
def cleaner_begin_in_the_active_segment(s: State, end: EndOffset) -> None:
    """A round goes up to the high watermark, in the segment that is written to.

    The cleaner swaps files under the feet of whoever appends.  REF: `LogCleanerManager`: the active
    segment is always uncleanable.
    """
    require(s.round_end == 0)
    require(end > 0)
    require(end <= s.high_watermark)
    s.round_end = end


# -- tombstones ----------------------------------------------------------------------------------


@model.mutant(replaces=cleaner_step, breaks=tombstones_stay_for_their_time, scope=TWO)
def cleaner_step_without_delete_retention(s: State) -> None:
    """A tombstone goes in the first round that meets it.

    It has removed what it was there to remove, so it seems; delete.retention.ms is not looked at.
    REF: `delete.retention.ms`; KIP-534.
    """
    require(s.round_end > 0)
    offset = s.position
    goes = is_superseded(s, offset) or s.files[offset].is_tombstone
    look_at(s, offset, goes, is_needed(s, offset))
    go_on(s)


@model.mutant(replaces=cleaner_step, breaks=a_reader_in_time_has_the_latest_values, scope=TWO)
def cleaner_step_in_the_second_round(s: State) -> None:
    """A tombstone goes in the second round that meets it, however soon that comes.

    A reader has read the value; then two rounds come, before delete.retention.ms is over.  The
    tombstone is gone when the reader comes by, and the reader keeps a key that is deleted.
    REF: `delete.retention.ms`; KIP-534.
    """
    require(s.round_end > 0)
    offset = s.position
    is_met = s.files[offset].is_tombstone and s.files[offset].age > 0
    look_at(s, offset, is_superseded(s, offset) or is_met, is_needed(s, offset))
    go_on(s)


@model.mutant(replaces=cleaner_step, breaks=the_log_says_the_same, scope=TWO)
def cleaner_step_from_the_newest(s: State) -> None:
    """A round goes from the newest record to the oldest.

    It meets a tombstone, and the broker crashes before it comes to the value that the tombstone
    deletes.  When its time is over the next round removes the tombstone first, and for a while the
    deleted value is the last of its key.  REF: our own; Kafka goes from the oldest segment on.
    """
    require(s.round_end > 0)
    offset = s.round_end - 1 - s.position
    goes = is_superseded(s, offset) or is_over(s, offset)
    look_at(s, offset, goes, is_needed(s, offset))
    go_on(s)


# -- batches without records ---------------------------------------------------------------------


@model.mutant(
    replaces=cleaner_step, breaks=producers_last_batches_are_kept, scope={**TWO, "producers": 2}
)
def cleaner_step_forgets_producers(s: State) -> None:
    """The last batch of a producer goes with its record.

    After a restart the log does not know the producer's last sequence number: the next batch is
    taken for the first, also if it is one that was sent before.  REF: KAFKA-8335.
    """
    require(s.round_end > 0)
    offset = s.position
    goes = is_superseded(s, offset) or is_over(s, offset)
    look_at(s, offset, goes, offset + 1 == s.round_end)
    go_on(s)


@model.mutant(replaces=cleaner_step, breaks=the_last_batch_is_kept, scope=TWO)
def cleaner_step_forgets_the_end(s: State) -> None:
    """The last batch of a round goes with its record, a tombstone whose time is over.

    The log has no batch at its end.  Should the empty active segment's file be lost in a crash, the
    log ends earlier, and offsets are given again.  REF: Kafka's `Cleaner.cleanInto`: the last batch
    of the cleaning round is retained, even if it is empty.
    """
    require(s.round_end > 0)
    offset = s.position
    goes = is_superseded(s, offset) or is_over(s, offset)
    look_at(s, offset, goes, is_last_of_producer(s, offset))
    go_on(s)
