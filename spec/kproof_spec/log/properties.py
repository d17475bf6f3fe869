"""What must hold of a partition's log, and what must be possible.

The names L1, RT1 and so on are those of the project's list of properties.
"""

from kproof_spec.lang import exists, forall, span

from .partition import model
from .state import (
    EndOffset,
    Offset,
    ReaderId,
    State,
    active_base_offset,
    first_base_offset,
    is_intact,
    retention_bytes,
    retention_ms,
)

# -- always --------------------------------------------------------------------------------------


@model.invariant
def offsets_are_in_order(s: State) -> bool:
    """Log start offset, high watermark and log end offset never pass each other (L4).

    Else the same offset is deleted and not yet committed, or committed and not yet written.
    """
    return not s.is_online or s.log_start_offset <= s.high_watermark <= s.log_end_offset


@model.invariant
def log_has_no_hole(s: State, offset: Offset) -> bool:
    """There is an intact record at every offset from log start to log end (L1, L8, L10).

    So recovery leaves no torn one behind, and a failed append leaves all or nothing.
    """
    return (
        not s.is_online
        or not s.log_start_offset <= offset < s.log_end_offset
        or is_intact(s, offset)
    )


@model.invariant
def offsets_are_unique(s: State, offset: Offset) -> bool:
    """No two batches claim the same offset (L5).

    Else it depends on the index which of them a reader is given, and followers copy both.
    """
    return s.files[offset].batches <= 1


@model.invariant
def flushed_records_survive(s: State) -> bool:
    """Whatever was reported as flushed is in the log still, unless it was deleted (L9)."""
    return not s.is_online or s.recovery_point <= s.log_end_offset


@model.invariant
def log_start_never_goes_back(s: State) -> bool:
    """What was once deleted stays so (RT1): nobody has to count with deleted records again."""
    return s.log_start_offset >= s.history_log_start_offset


@model.invariant
def there_is_an_active_segment(s: State) -> bool:
    """There is a segment to append to, and it is not retention's (RT2)."""
    return not s.is_online or (
        not s.segments.is_empty
        and first_base_offset(s) <= s.log_start_offset
        and active_base_offset(s) <= s.log_end_offset
    )


@model.invariant
def nothing_is_deleted_early(s: State) -> bool:
    """Retention keeps what is young if the log is not too large (RT3): it was promised so long."""
    return not s.history_deleted_early


@model.invariant
def deleted_records_are_not_read(s: State) -> bool:
    """No reader is given a record below the log start (RT4), whether its file is there or not."""
    return not s.history_read_deleted


@model.invariant
def only_committed_records_are_read(s: State) -> bool:
    """No reader is given a record at or beyond the high watermark (L7): it may yet be lost."""
    return not s.history_read_uncommitted


@model.invariant
def readers_are_independent(s: State, reader: ReaderId) -> bool:
    """A reader is where its own reads have brought it, whatever others do (L7).

    That is the difference between a log and a queue: any number can read the same records.
    """
    return s.reader[reader].position == s.reader[reader].history_position


@model.invariant
def nothing_is_left_out(s: State) -> bool:
    """No reader goes past a record that it has not read, unless that is deleted (L7).

    A record that nobody is given is as good as lost, though it is on every disk.
    """
    return not s.history_left_out


@model.invariant
def no_record_of_a_deleted_topic_is_left(s: State, offset: Offset) -> bool:
    """Every record was written to the topic that there is now (RT6)."""
    return s.files[offset].batches == 0 or s.files[offset].topic_id == s.topic_id


@model.invariant
def no_offset_of_a_deleted_topic_is_used(s: State) -> bool:
    """No reader carries a position from a topic to its successor of the same name (RT6).

    Else it silently skips what the new topic has below it.
    """
    return not s.history_read_of_another_topic


# -- sometimes -----------------------------------------------------------------------------------


@model.sometimes
def a_log_is_deleted_to_its_end(s: State) -> bool:
    """Everything was deleted, and the next offset is not 0."""
    return s.is_online and s.log_start_offset == s.log_end_offset == first_base_offset(s) > 0


@model.sometimes
def the_log_starts_inside_a_segment(s: State) -> bool:
    """DeleteRecords has taken a part of a segment, whose bytes are there still."""
    return s.is_online and first_base_offset(s) < s.log_start_offset < s.log_end_offset


@model.sometimes
def an_old_record_is_kept_by_a_young_one(s: State) -> bool:
    """A record is older than it has to be kept, and stays for its neighbour in the segment."""
    return (
        s.is_online
        and active_base_offset(s) >= 2
        and 1 not in s.segments
        and s.log_start_offset == 0
        and s.files[0].age > retention_ms
        and s.files[1].age <= retention_ms
    )


@model.sometimes
def a_log_is_larger_than_retention_asks(s: State) -> bool:
    """The size is beyond the bound, because the active segment is never deleted."""
    return (
        s.is_online
        and active_base_offset(s) == first_base_offset(s)
        and s.log_end_offset - s.log_start_offset > retention_bytes
    )


@model.sometimes
def a_torn_record_is_at_the_end(s: State, offset: Offset) -> bool:
    """A failed append, or a crash, has left a part of a batch where the next would go."""
    return not s.is_online and s.log_end_offset == offset + 1 and s.files[offset].is_torn


@model.sometimes
def a_torn_record_hides_a_whole_one(s: State, torn: Offset, whole: Offset) -> bool:
    """A crash has torn a record and spared one behind it: recovery has to give up both."""
    return torn < whole and s.files[torn].is_torn and is_intact(s, whole)


@model.sometimes
def a_committed_record_is_lost_with_its_only_replica(s: State, reader: ReaderId) -> bool:
    """A reader was given a record that a crash then took: one replica that does not flush."""
    return s.is_online and s.reader[reader].position > s.log_end_offset


@model.sometimes
def a_crash_ends_the_log_below_its_start(s: State, end: EndOffset) -> bool:
    """Records were deleted up to a point, and a crash took all that was written there."""
    return not s.is_online and s.log_end_offset == end < s.log_start_offset


@model.sometimes
def a_reader_waits_for_a_commit(s: State, reader: ReaderId) -> bool:
    """A reader has read all that is committed, and the next record is there."""
    return (
        s.is_online
        and s.reader[reader].topic_id == s.topic_id
        and 0 < s.reader[reader].position == s.high_watermark < s.log_end_offset
    )


@model.sometimes
def a_reader_is_too_slow(s: State, reader: ReaderId) -> bool:
    """Retention has deleted what a reader was to read next."""
    return (
        s.is_online
        and s.reader[reader].topic_id == s.topic_id
        and s.reader[reader].position < s.log_start_offset
    )


@model.sometimes
def a_reader_has_a_position_in_a_deleted_topic(s: State, reader: ReaderId) -> bool:
    """A reader knows the former topic only, and the new one has a record at its position."""
    me = s.reader[reader]
    return (
        me.topic_id != s.topic_id
        and me.position > 0
        and s.log_start_offset <= me.position < s.high_watermark
    )


@model.sometimes
def all_have_read_everything(s: State) -> bool:
    """A log of full length, all of it flushed, committed, and read by every reader."""
    return (
        s.is_online
        and s.log_start_offset == 0
        and s.recovery_point == s.high_watermark == s.log_end_offset > 1
        and forall(ReaderId, lambda reader: s.reader[reader].position == s.log_end_offset)
        and exists(span(0, s.log_end_offset), lambda offset: s.files[offset].age <= retention_ms)
    )
