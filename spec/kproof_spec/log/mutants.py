"""Each rule of the log left out once, and what becomes of it.

First writing and recovery, then deleting, then reading, then topics that come again.
"""

from kproof_spec.lang import each, max_, min_over, require, span

from .partition import (
    broker_recover,
    cleaner_delete_by_age,
    controller_recreate_topic,
    leader_append_fails,
    leader_delete_records,
    leader_flush,
    model,
    reader_fetch,
)
from .properties import (
    deleted_records_are_not_read,
    flushed_records_survive,
    log_has_no_hole,
    log_start_never_goes_back,
    no_offset_of_a_deleted_topic_is_used,
    no_record_of_a_deleted_topic_is_left,
    nothing_is_deleted_early,
    nothing_is_left_out,
    offsets_are_in_order,
    offsets_are_unique,
    only_committed_records_are_read,
    readers_are_independent,
    there_is_an_active_segment,
)
from .state import (
    EndOffset,
    ReaderId,
    Residue,
    State,
    active_base_offset,
    clear_files,
    delete_first_segment,
    first_base_offset,
    give,
    go_to,
    largest_timestamp_is_expired,
    log_size,
    max_topic_id,
    move_log_start,
    recovered_end_offset,
    retention_bytes,
    retention_ms,
    second_base_offset,
    size_exceeds_retention,
    write_batch,
)

__all__ = ["model"]

TWO = {"log_size": 2}
"""Two offsets are enough for most."""

# -- writing and recovery ------------------------------------------------------------------------


@model.mutant(replaces=leader_append_fails, breaks=offsets_are_unique, scope=TWO)
def leader_append_fails_and_goes_on(s: State, residue: Residue) -> None:
    """After an I/O error the broker goes on as if nothing was written.

    The batch was in the file already, only what came after it failed: the index, or the flush.  The
    log end offset stayed, so the next batch takes the same offset, and the file holds both.
    REF: KAFKA-10778, KAFKA-7866.
    """
    require(s.is_online)
    require(s.log_end_offset < log_size)
    if residue != Residue.NOTHING:
        write_batch(s, s.log_end_offset, 0)
        s.files[s.log_end_offset].is_torn = residue == Residue.TORN


@model.mutant(replaces=leader_append_fails, breaks=offsets_are_in_order, scope=TWO)
def leader_append_fails_and_is_undone_too_far(s: State, residue: Residue) -> None:
    """A failed append is undone by truncating the last batch, which was the one before it.

    The failed one had not come into the file.  A record that was acknowledged, and perhaps read, is
    gone, and the next one takes its offset.  REF: our own.
    """
    require(s.is_online)
    require(residue == Residue.NOTHING)
    require(s.log_end_offset > active_base_offset(s))
    clear_files(s, s.log_end_offset - 1, s.log_end_offset)
    s.log_end_offset -= 1


@model.mutant(replaces=leader_flush, breaks=flushed_records_survive, scope=TWO)
def leader_flush_without_directory(s: State) -> None:
    """The file of a new segment is flushed, but not the directory that has its name.

    The broker rolled, wrote, flushed and moved its recovery point.  The disk has the bytes, but
    after a crash no file: all since the roll is lost.  REF: KAFKA-3968.
    """
    require(s.is_online)
    require(s.recovery_point < s.log_end_offset)
    if first_base_offset(s) < active_base_offset(s):
        s.flushed_offset = max_(s.flushed_offset, active_base_offset(s))
    else:
        s.flushed_offset = s.log_end_offset
    s.recovery_point = s.log_end_offset


@model.mutant(replaces=leader_flush, breaks=log_has_no_hole, scope=TWO)
def leader_checkpoint_without_flush(s: State) -> None:
    """The recovery point is written before the data is flushed.

    A crash tears a record below the recovery point.  Recovery does not look there, so a reader is
    given what nobody wrote; or the file ends below the recovery point, and what was reported as
    flushed is lost.  REF: our own; KAFKA-16541 is near, a checkpoint that was not flushed itself.
    """
    require(s.is_online)
    require(s.recovery_point < s.log_end_offset)
    s.recovery_point = s.log_end_offset


@model.mutant(replaces=recovered_end_offset, breaks=log_has_no_hole, scope=TWO)
def recovered_end_offset_by_length(s: State) -> int:
    """Recovery believes the length of the file, and checks no CRC.

    The file system had made the file longer before the data was there, so its last record is torn,
    and is kept.  REF: our own; it is what the CRC of a batch is for.
    """
    return s.log_end_offset


@model.mutant(replaces=recovered_end_offset, breaks=log_has_no_hole, scope=TWO)
def recovered_end_offset_by_last_record(s: State) -> int:
    """Recovery checks the last record only, as if pages reached the disk in order.

    They do not: a record in the middle is torn, and the last is whole.  REF: our own.
    """
    return min_over(
        span(s.recovery_point, s.log_end_offset),
        lambda offset: (
            offset
            if offset == s.log_end_offset - 1 and s.files[offset].is_torn
            else s.log_end_offset
        ),
        start=s.log_end_offset,
    )


@model.mutant(replaces=broker_recover, breaks=offsets_are_in_order, scope=TWO)
def broker_recover_without_log_start(s: State) -> None:
    """Recovery takes the files' end for the log's end, wherever the log starts.

    Records were deleted up to an offset by DeleteRecords, and the crash took all that was written.
    The log ends below its start, and offsets that a reader was told are deleted are given again.
    REF: KAFKA-10101.
    """
    require(not s.is_online)
    end = recovered_end_offset(s)
    clear_files(s, end, s.log_end_offset)
    for base in range(end + 1, s.log_end_offset + 1):
        s.segments.remove(base)
    s.log_end_offset = end
    s.is_online = True


# -- deleting ------------------------------------------------------------------------------------


@model.mutant(replaces=cleaner_delete_by_age, breaks=there_is_an_active_segment, scope=TWO)
def cleaner_delete_active_segment(s: State) -> None:
    """Retention takes the active segment too, without rolling first.

    Nobody has written for as long as records are kept, so all are old.  With the file goes its
    name, which is what says where the log goes on: the next append has no segment.
    REF: our own; Kafka rolls before it deletes the last segment.
    """
    require(s.is_online)
    require(first_base_offset(s) < s.log_end_offset)
    require(second_base_offset(s) <= s.high_watermark)
    require(largest_timestamp_is_expired(s))
    delete_first_segment(s)


@model.mutant(replaces=cleaner_delete_by_age, breaks=offsets_are_in_order, scope=TWO)
def cleaner_delete_beyond_high_watermark(s: State) -> None:
    """Retention deletes a segment that is not committed yet.

    The followers are slow or gone, and the records old.  The log now starts beyond its high
    watermark.  REF: KAFKA-5634.
    """
    require(s.is_online)
    require(first_base_offset(s) < active_base_offset(s))
    require(largest_timestamp_is_expired(s))
    delete_first_segment(s)


@model.mutant(
    replaces=largest_timestamp_is_expired,
    breaks=nothing_is_deleted_early,
    scope=TWO,
)
def first_timestamp_is_expired(s: State) -> bool:
    """A segment's age is taken from its first record.

    A young record shares the segment with an old one and is deleted with it.
    REF: KIP-33: the largest timestamp of a segment decides.
    """
    return s.files[first_base_offset(s)].age > retention_ms


@model.mutant(
    replaces=largest_timestamp_is_expired,
    breaks=nothing_is_deleted_early,
    scope=TWO,
)
def last_timestamp_is_expired(s: State) -> bool:
    """A segment's age is taken from its last record, as if timestamps rose with offsets.

    Producers choose them (CreateTime): one that was late, or whose clock is wrong, appends an old
    record behind a young one, and both go.  REF: KIP-33, and KIP-32 for CreateTime.
    """
    return s.files[second_base_offset(s) - 1].age > retention_ms


@model.mutant(
    replaces=size_exceeds_retention,
    breaks=nothing_is_deleted_early,
    scope=TWO,
)
def size_with_first_segment_exceeds_retention(s: State) -> bool:
    """The log is too large, so its first segment goes, though too little is left without it.

    `retention.bytes` is what is kept at least, not at most.  REF: our own.
    """
    return s.log_end_offset - first_base_offset(s) > retention_bytes - 1


@model.mutant(replaces=leader_delete_records, breaks=log_start_never_goes_back, scope=TWO)
def leader_delete_records_to_any_offset(s: State, offset: EndOffset) -> None:
    """DeleteRecords sets the log start to what it is asked for, also if that is lower.

    A request was repeated, or came late, behind one that deleted more: records that are deleted
    come back as long as their segment is there.  REF: our own; KIP-107 takes the larger.
    """
    require(s.is_online)
    require(offset <= s.high_watermark)
    require(first_base_offset(s) <= offset)
    s.log_start_offset = offset
    s.history_log_start_offset = max_(s.history_log_start_offset, offset)
    s.durable_log_start_offset = offset


@model.mutant(replaces=leader_delete_records, breaks=log_start_never_goes_back, scope=TWO)
def leader_delete_records_and_checkpoint_later(s: State, offset: EndOffset) -> None:
    """The answer to DeleteRecords does not wait until the new log start is on disk.

    So it is in Kafka, which writes the checkpoint once a minute.  A crash in between, of all
    replicas, and the records are there again.
    REF: `log.flush.start.offset.checkpoint.interval.ms`, KIP-107.
    """
    require(s.is_online)
    require(s.log_start_offset < offset)
    require(offset <= s.high_watermark)
    move_log_start(s, offset)


@model.mutant(replaces=leader_delete_records, breaks=offsets_are_in_order, scope=TWO)
def leader_delete_uncommitted_records(s: State, offset: EndOffset) -> None:
    """DeleteRecords is granted up to the log end, not up to the high watermark only.

    The log starts beyond what is committed.  REF: KIP-107: OFFSET_OUT_OF_RANGE beyond it.
    """
    require(s.is_online)
    require(s.log_start_offset < offset)
    require(offset <= s.log_end_offset)
    move_log_start(s, offset)
    s.durable_log_start_offset = offset


# -- reading -------------------------------------------------------------------------------------


@model.mutant(replaces=reader_fetch, breaks=deleted_records_are_not_read, scope=TWO)
def reader_fetch_from_segment(s: State, reader: ReaderId) -> None:
    """The broker serves whatever its segments hold, also below the log start.

    DeleteRecords, which is there to take personal data out of reach, hides nothing until retention
    has come by.  REF: our own; KIP-107.
    """
    me = s.reader[reader]
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(first_base_offset(s) <= me.position)
    require(me.position < s.high_watermark)
    give(s, reader)


@model.mutant(replaces=reader_fetch, breaks=only_committed_records_are_read, scope=TWO)
def reader_fetch_to_log_end(s: State, reader: ReaderId) -> None:
    """The broker serves consumers up to the log end, as it does followers.

    A record is read that another leader will not have.  REF: KAFKA-9835.
    """
    me = s.reader[reader]
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(s.log_start_offset <= me.position)
    require(me.position < s.log_end_offset)
    give(s, reader)


@model.mutant(
    replaces=reader_fetch, breaks=readers_are_independent, scope={"log_size": 2, "readers": 2}
)
def reader_fetch_with_a_shared_position(s: State, reader: ReaderId) -> None:
    """The broker keeps one position for all, as a queue does.

    What one reads, the others miss.  REF: our own; the position is the consumer's.
    """
    me = s.reader[reader]
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(s.log_start_offset <= me.position)
    require(me.position < s.high_watermark)
    give(s, reader)
    for other in each(ReaderId):
        s.reader[other].position = s.reader[reader].position


@model.mutant(replaces=reader_fetch, breaks=log_has_no_hole, scope=TWO)
def reader_fetch_and_delete(s: State, reader: ReaderId) -> None:
    """A record that was read is deleted, as a queue does.

    The log has a hole at its offset, and the next reader finds nothing.  REF: our own.
    """
    me = s.reader[reader]
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(s.log_start_offset <= me.position)
    require(me.position < s.high_watermark)
    clear_files(s, me.position, me.position + 1)
    give(s, reader)


@model.mutant(replaces=reader_fetch, breaks=nothing_is_left_out, scope=TWO)
def reader_fetch_behind_the_roll(s: State, reader: ReaderId) -> None:
    """The first record of each segment is left out: a look-up is wrong by one.

    The broker looks for the last entry of the index that is not beyond the position.  A new segment
    has none before its first record, and the answer begins with the second.  REF: our own.
    """
    me = s.reader[reader]
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(s.log_start_offset <= me.position)
    require(me.position < s.high_watermark)
    give(s, reader)
    if me.position in s.segments and me.position < s.high_watermark:
        go_to(s, reader, me.position + 1)


# -- topics that come again ----------------------------------------------------------------------


@model.mutant(
    replaces=controller_recreate_topic, breaks=no_record_of_a_deleted_topic_is_left, scope=TWO
)
def controller_recreate_topic_over_old_files(s: State) -> None:
    """The new topic finds the directory of the old one, because it has the same name.

    The broker was away, or slow to delete.  The new topic begins with the old one's records.
    REF: KIP-516, "Motivation"; KAFKA-13488.
    """
    require(s.is_online)
    require(s.topic_id < max_topic_id)
    s.topic_id += 1


@model.mutant(replaces=reader_fetch, breaks=no_offset_of_a_deleted_topic_is_used, scope=TWO)
def reader_fetch_by_name(s: State, reader: ReaderId) -> None:
    """A reader asks for a topic by its name, and goes on in the new one where it was in the old.

    It has read one record of the old topic, and misses the first of the new.
    REF: KIP-516, "Motivation".
    """
    me = s.reader[reader]
    require(s.is_online)
    require(s.log_start_offset <= me.position)
    require(me.position < s.high_watermark)
    give(s, reader)
