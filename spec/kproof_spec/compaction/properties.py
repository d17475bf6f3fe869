"""What must hold of a compacted log, and what must be reachable."""

from kproof_spec.lang import exists, min_, span

from .cleaner import model
from .state import (
    Key,
    Offset,
    ProducerId,
    State,
    delete_retention_ms,
    is_superseded,
    latest,
    latest_left,
)

# -- always --------------------------------------------------------------------------------------


@model.invariant
def records_keep_their_offsets(s: State, offset: Offset) -> bool:
    """A record that is there stands where it was written (CP1): readers remember offsets."""
    return not s.files[offset].is_record or s.files[offset].written_at == offset + 1


@model.invariant
def latest_values_are_kept(s: State, key: Key) -> bool:
    """The last record of a key is there, if it is a value (CP2): it is all there is of the key."""
    return not exists(
        span(0, s.log_end_offset),
        lambda offset: (
            latest(s, key) == offset + 1
            and not s.files[offset].is_tombstone
            and not s.files[offset].is_record
        ),
    )


@model.invariant
def only_closed_and_committed_records_are_cleaned(s: State) -> bool:
    """Nothing is missing above the high watermark or in the active segment (CP3)."""
    return not exists(
        span(min_(s.high_watermark, s.active_base_offset), s.log_end_offset),
        lambda offset: not s.files[offset].is_record,
    )


@model.invariant
def tombstones_stay_for_their_time(s: State, key: Key) -> bool:
    """The last record of a key, if it is a tombstone, is there until its time is over (CP4)."""
    return not exists(
        span(0, s.log_end_offset),
        lambda offset: (
            latest(s, key) == offset + 1
            and not s.files[offset].is_record
            and s.files[offset].age <= delete_retention_ms
            and s.files[offset].is_tombstone
        ),
    )


@model.invariant
def producers_last_batches_are_kept(s: State, producer: ProducerId) -> bool:
    """The last batch of a producer is there while the log remembers it (CP6).

    A broker that lost its memory reads it from the log: without the last sequence number a batch
    that is sent again is not recognised, and one that follows is refused.
    """
    return not s.is_remembered[producer] or exists(
        span(0, s.log_end_offset),
        lambda offset: (
            s.files[offset].producer == producer
            and s.files[offset].is_batch
            and not exists(
                span(offset + 1, s.log_end_offset),
                lambda later: s.files[later].producer == producer,
            )
        ),
    )


@model.invariant
def the_log_says_the_same(s: State, key: Key) -> bool:
    """At any moment the last record left of a key is the last that was written (CP7, CP9).

    Or none is left, and the last was a tombstone.  It holds in the middle of a round and after a
    crash, so a coordinator may load its state from any mixture of old and new segments.
    """
    return latest_left(s, key) == latest(s, key) or (
        latest_left(s, key) == 0
        and exists(
            span(0, s.log_end_offset),
            lambda offset: latest(s, key) == offset + 1 and s.files[offset].is_tombstone,
        )
    )


@model.invariant
def a_reader_in_time_has_the_latest_values(s: State, key: Key) -> bool:
    """Who comes from the start to the end in less than delete.retention.ms has them all (CP7)."""
    return (
        s.reader_position != s.high_watermark
        or s.reader_position < s.log_end_offset
        or s.reader_age >= delete_retention_ms
        or s.value[key] == latest(s, key)
        or (
            s.value[key] == 0
            and exists(
                span(0, s.log_end_offset),
                lambda offset: latest(s, key) == offset + 1 and s.files[offset].is_tombstone,
            )
        )
    )


@model.invariant
def the_last_batch_is_kept(s: State) -> bool:
    """The batch before the log end is there (CP8): a restart finds the end by it.

    Else offsets that readers have seen would be given again.
    """
    return s.log_end_offset == 0 or exists(
        span(0, s.log_end_offset),
        lambda offset: offset + 1 == s.log_end_offset and s.files[offset].is_batch,
    )


# -- sometimes -----------------------------------------------------------------------------------


@model.sometimes
def a_value_is_cleaned_away(s: State, offset: Offset) -> bool:
    """A record that a later one has superseded is gone, with its batch."""
    return s.files[offset].written_at > 0 and not s.files[offset].is_batch


@model.sometimes
def a_tombstone_is_cleaned_away(s: State, key: Key) -> bool:
    """Nothing is left of a key that was deleted."""
    return latest(s, key) > 0 and latest_left(s, key) == 0


@model.sometimes
def a_batch_is_empty(s: State, offset: Offset) -> bool:
    """A batch stays though its record is gone."""
    return s.files[offset].is_batch and not s.files[offset].is_record


@model.sometimes
def a_superseded_record_waits_above_the_high_watermark(s: State, offset: Offset) -> bool:
    """A record is superseded by one that is not committed, and stays."""
    return (
        s.files[offset].is_record
        and offset < s.high_watermark == s.active_base_offset
        and exists(
            span(s.high_watermark, s.log_end_offset),
            lambda later: s.files[later].key == s.files[offset].key,
        )
    )


@model.sometimes
def a_round_is_half_done(s: State) -> bool:
    """The cleaner has removed a record, and another that is superseded is still there."""
    return (
        s.position > 0
        and exists(span(0, s.position), lambda offset: not s.files[offset].is_record)
        and exists(
            span(s.position, s.round_end),
            lambda offset: s.files[offset].is_record and is_superseded(s, offset),
        )
    )


@model.sometimes
def a_reader_is_where_a_record_was(s: State, offset: Offset) -> bool:
    """The offset that the reader reads next is there no more."""
    return (
        s.reader_position == offset
        and 0 < offset < s.high_watermark
        and not s.files[offset].is_record
    )


@model.sometimes
def a_slow_reader_keeps_what_was_deleted(s: State, key: Key) -> bool:
    """A reader at the end has a key that is deleted: it took longer than delete.retention.ms."""
    return (
        s.reader_position == s.log_end_offset == s.high_watermark
        and s.value[key] > 0
        and latest_left(s, key) == 0
    )
