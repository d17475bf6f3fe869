"""What can happen to a partition's log: writing, reading, deleting, crashing and coming back."""

from kproof_spec.lang import Model, SetOf, exists, max_, min_, require, span

from .state import (
    Age,
    EndOffset,
    ReaderId,
    Residue,
    State,
    active_base_offset,
    clear_files,
    delete_first_segment,
    first_base_offset,
    give,
    go_offline,
    go_to,
    largest_timestamp_is_expired,
    log_size,
    max_topic_id,
    move_log_start,
    readers,
    recovered_end_offset,
    retention_bytes,
    retention_ms,
    second_base_offset,
    size_exceeds_retention,
    write_batch,
)

model = Model(
    "log",
    State,
    constants=[log_size, readers, max_topic_id, retention_ms, retention_bytes],
    title="One partition's log: segments, retention, crash and recovery, readers",
)


@model.init
def an_empty_log(s: State) -> None:
    """The topic was just created: one segment, empty and active."""
    s.is_online = True
    s.segments.add(0)


# -- writing -------------------------------------------------------------------------------------


@model.action
def leader_append(s: State, age: Age) -> None:
    """A record is appended.

    WHO   the broker, for a producer, which chose the timestamp (CreateTime).
    WHEN  the log is online.
    THEN  the record is in the active segment, at the log end offset, which rises by one.
    REF   Kafka, "Design", Persistence; `message.timestamp.type`.
    """
    # WHEN
    require(s.is_online)
    require(s.log_end_offset < log_size)  # Bound.
    # THEN
    write_batch(s, s.log_end_offset, age)
    s.log_end_offset += 1


@model.action
def leader_append_fails(s: State, residue: Residue) -> None:
    """An append ends in an I/O error, and the log goes offline.

    WHO   the broker.
    WHEN  the log is online.
    THEN  the log end offset is where it was.  The file may hold nothing more, a part of the batch,
          or all of it, so nobody may append until recovery has looked.
    REF   KAFKA-10778: no append after a write that failed; KIP-112: the directory goes offline.
    """
    # WHEN
    require(s.is_online)
    require(s.log_end_offset < log_size)  # Bound.
    # THEN
    end = s.log_end_offset
    if residue != Residue.NOTHING:
        write_batch(s, end, 0)
        s.files[end].is_torn = residue == Residue.TORN
        end = end + 1
    go_offline(s, end)


@model.action
def leader_raise_high_watermark(s: State) -> None:
    """One more record is committed.

    WHO   the broker; that all in-sync replicas have the record is another model's matter.
    WHEN  the log is online and has a record that is not committed.
    THEN  the high watermark rises by one.
    REF   Kafka, "Design", Replication.
    """
    # WHEN
    require(s.is_online)
    require(s.high_watermark < s.log_end_offset)
    # THEN
    s.high_watermark += 1


@model.action
def leader_roll(s: State) -> None:
    """A new segment becomes the active one.

    WHO   the broker.
    WHEN  the active segment is not empty.  (That it is full, or old, is left open.)
    THEN  an empty segment is there, named by the log end offset.
    REF   `segment.bytes`, `segment.ms`.
    """
    # WHEN
    require(s.is_online)
    require(active_base_offset(s) < s.log_end_offset)
    # THEN
    s.segments.add(s.log_end_offset)


@model.action
def leader_flush(s: State) -> None:
    """All that is written is forced to the disk: the data, and the directory's names of the files.

    WHO   the broker.
    WHEN  something is not flushed.
    THEN  no crash can take it any more, and the recovery point is at the log end.
    REF   KAFKA-3968, for the directory; `recovery-point-offset-checkpoint`.
    """
    # WHEN
    require(s.is_online)
    require(s.recovery_point < s.log_end_offset)
    # THEN
    s.flushed_offset = s.log_end_offset
    s.recovery_point = s.log_end_offset


# -- deleting ------------------------------------------------------------------------------------


@model.action
def time_pass(s: State) -> None:
    """Every record grows older by a tick."""
    # WHEN
    require(s.is_online)
    require(
        exists(
            span(first_base_offset(s), s.log_end_offset),
            lambda offset: s.files[offset].age <= retention_ms,
        )
    )
    # THEN
    for offset in range(first_base_offset(s), s.log_end_offset):
        s.files[offset].age = min_(s.files[offset].age + 1, retention_ms + 1)


@model.action
def cleaner_delete_by_age(s: State) -> None:
    """Retention deletes the first segment because all of it is old.

    WHO   the broker's retention thread.
    WHEN  the segment is not active, is committed, and its largest timestamp is older than the
          retention time.  (Where all of a log is old, Kafka rolls first: here that is a step.)
    THEN  the segment is gone, and the log starts with the next.
    REF   `retention.ms`; KIP-33, for the timestamp; KAFKA-5634, for the high watermark.
    """
    # WHEN
    require(s.is_online)
    require(first_base_offset(s) < active_base_offset(s))
    require(second_base_offset(s) <= s.high_watermark)
    require(largest_timestamp_is_expired(s))
    # THEN
    delete_first_segment(s)


@model.action
def cleaner_delete_by_size(s: State) -> None:
    """Retention deletes the first segment because the log is large.

    WHO   the broker's retention thread.
    WHEN  the segment is not active, is committed, and the log without it is large enough.
    THEN  the segment is gone, and the log starts with the next.
    REF   `retention.bytes`.
    """
    # WHEN
    require(s.is_online)
    require(first_base_offset(s) < active_base_offset(s))
    require(second_base_offset(s) <= s.high_watermark)
    require(size_exceeds_retention(s))
    # THEN
    delete_first_segment(s)


@model.action
def cleaner_delete_below_log_start(s: State) -> None:
    """Retention deletes the first segment because nothing in it may be read any more.

    WHO   the broker's retention thread.
    WHEN  the segment is not active and ends at or below the log start offset.
    THEN  the segment is gone; the log starts where it did.
    REF   KIP-107, DeleteRecords.
    """
    # WHEN
    require(s.is_online)
    require(first_base_offset(s) < active_base_offset(s))
    require(second_base_offset(s) <= s.log_start_offset)
    # THEN
    delete_first_segment(s)


@model.action
def leader_delete_records(s: State, offset: EndOffset) -> None:
    """Records below an offset are deleted at an operator's request.

    WHO   the broker; the log is not touched, only where it starts.
    WHEN  the offset is above the log start, and committed; else it answers OFFSET_OUT_OF_RANGE, or
          that there is nothing to do.
    THEN  the log starts there, also after a crash.
    REF   KIP-107.
    """
    # WHEN
    require(s.is_online)
    require(s.log_start_offset < offset)
    require(offset <= s.high_watermark)
    # THEN
    move_log_start(s, offset)
    s.durable_log_start_offset = offset


@model.action
def controller_recreate_topic(s: State) -> None:
    """The topic is deleted, and another of the same name is created.

    WHO   the controller, for an operator; the broker carries it out.
    WHEN  the log is online.
    THEN  there is an empty log under a new topic id, in a directory of its own.
    REF   KIP-516: a topic is its id, not its name.
    """
    # WHEN
    require(s.is_online)
    require(s.topic_id < max_topic_id)  # Bound.
    # THEN
    clear_files(s, first_base_offset(s), s.log_end_offset)
    s.topic_id += 1
    s.segments = SetOf([0])
    s.log_start_offset = 0
    s.durable_log_start_offset = 0
    s.high_watermark = 0
    s.log_end_offset = 0
    s.flushed_offset = 0
    s.recovery_point = 0
    s.history_log_start_offset = 0


# -- crashing ------------------------------------------------------------------------------------


@model.action
def broker_crash(s: State, end: EndOffset, torn: EndOffset) -> None:
    """The machine loses power.

    WHO   nobody.
    WHEN  at any time.  `end` and `torn` are what the disk happens to have written: what is flushed
          is there, and the file of the first segment.
    THEN  the files end at `end`, and the record at `torn` is not what was written; if `torn` is the
          end, none is torn.  Pages reach the disk in any order, so whole records may follow.
    REF   Kafka, "Implementation", Log: recovery.
    """
    # WHEN
    require(s.is_online)
    require(s.flushed_offset <= torn)
    require(first_base_offset(s) <= torn)
    require(torn <= end)
    require(end <= s.log_end_offset)
    # THEN
    clear_files(s, end, s.log_end_offset)
    if torn < end:
        s.files[torn].is_torn = True
    for base in range(end + 1, s.log_end_offset + 1):
        s.segments.remove(base)
    go_offline(s, end)


@model.action
def broker_recover(s: State) -> None:
    """The broker starts again and makes a log of the files that it finds.

    WHO   the broker.
    WHEN  the log is offline.
    THEN  the log ends at the first record from the recovery point on whose CRC is wrong, or where
          the files do; what is beyond is truncated.  If that is below the log start, the log is
          empty and starts, and ends, at its log start: offsets are never given twice.
    REF   KAFKA-10101; `LogLoader.recoverLog`.
    """
    # WHEN
    require(not s.is_online)
    # THEN
    end, start = recovered_end_offset(s), s.durable_log_start_offset
    clear_files(s, end, s.log_end_offset)
    if end < start:
        clear_files(s, first_base_offset(s), end)
        s.segments = SetOf([start])
        s.flushed_offset = start
        s.recovery_point = start
    else:
        for base in range(end + 1, s.log_end_offset + 1):
            s.segments.remove(base)
    s.log_end_offset = max_(start, end)
    s.is_online = True


# -- reading -------------------------------------------------------------------------------------


@model.action
def reader_fetch(s: State, reader: ReaderId) -> None:
    """A reader is given the record at its position.

    WHO   a consumer; the broker looks the record up and remembers nothing.
    WHEN  both speak of the same topic, and the position is in the log and committed; else the
          answer is UNKNOWN_TOPIC_ID, OFFSET_OUT_OF_RANGE, or no record yet.
    THEN  the reader moves on by one.
    REF   Kafka, "Design", Consumer Position; KIP-516, for the topic id.
    """
    me = s.reader[reader]
    # WHEN
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(s.log_start_offset <= me.position)
    require(me.position < s.high_watermark)
    # THEN
    give(s, reader)


@model.action
def reader_reset(s: State, reader: ReaderId) -> None:
    """A reader whose offset is gone, or not there yet, begins anew where the log starts.

    WHO   a consumer with `auto.offset.reset` = `earliest`.
    WHEN  its position is below the log start or beyond the log end: OFFSET_OUT_OF_RANGE.
    THEN  it is at the log start.
    REF   `auto.offset.reset`.
    """
    me = s.reader[reader]
    # WHEN
    require(s.is_online)
    require(me.topic_id == s.topic_id)
    require(me.position < s.log_start_offset or me.position > s.log_end_offset)
    # THEN
    go_to(s, reader, s.log_start_offset)


@model.action
def reader_seek(s: State, reader: ReaderId, offset: EndOffset) -> None:
    """A reader goes back, to read again what it has read.

    WHO   a consumer; the broker is not asked.
    WHEN  it has read something.
    THEN  it is at an earlier offset.
    REF   `Consumer.seek`.
    """
    # WHEN
    require(offset < s.reader[reader].position)
    # THEN
    go_to(s, reader, offset)


@model.action
def reader_learn_topic_id(s: State, reader: ReaderId) -> None:
    """A reader learns that the topic is another by now.

    WHO   a consumer, from a Metadata answer.
    WHEN  it knows the topic by an earlier id.
    THEN  it knows the new one, and no position in the old one means anything.
    REF   KIP-516.
    """
    # WHEN
    require(s.is_online)
    require(s.reader[reader].topic_id != s.topic_id)
    # THEN
    s.reader[reader].topic_id = s.topic_id
    go_to(s, reader, 0)
