"""What can happen to a compacted log: writing, cleaning, time, a crash, and somebody who reads."""

from kproof_spec.lang import Model, each, exists, min_, require, span

from .state import (
    EndOffset,
    Key,
    Offset,
    ProducerId,
    State,
    clear_files,
    delete_retention_ms,
    end_round,
    go_on,
    has_written,
    is_needed,
    is_over,
    is_superseded,
    keys,
    log_size,
    look_at,
    next_record,
    producers,
)

model = Model(
    "compaction",
    State,
    constants=[log_size, keys, producers, delete_retention_ms],
    title="A compacted log: the cleaner's rounds, tombstones, and a reader of the whole",
)


@model.init
def an_empty_log(s: State) -> None:
    """The topic was just created."""


# -- writing -------------------------------------------------------------------------------------


@model.action
def leader_append(s: State, key: Key, producer: ProducerId, is_tombstone: bool) -> None:
    """A record is appended, a value or a tombstone.

    WHO   the broker, for a producer.
    WHEN  always.
    THEN  the record is in the active segment, at the log end offset, which rises by one, and the
          log remembers its producer.
    REF   Kafka, "Design", Log Compaction; KIP-98 for producers.
    """
    # WHEN
    require(s.log_end_offset < log_size)  # Bound.
    # THEN
    slot = s.files[s.log_end_offset]
    slot.is_record = True
    slot.is_batch = True
    slot.key = key
    slot.is_tombstone = is_tombstone
    slot.producer = producer
    slot.age = 0
    s.log_end_offset += 1
    slot.written_at = s.log_end_offset
    s.is_remembered[producer] = True


@model.action
def leader_raise_high_watermark(s: State) -> None:
    """One more record is committed.

    WHO   the broker.
    WHEN  a record is not committed.
    THEN  the high watermark rises by one.
    REF   Kafka, "Design", Replication.
    """
    # WHEN
    require(s.high_watermark < s.log_end_offset)
    # THEN
    s.high_watermark += 1


@model.action
def leader_roll(s: State) -> None:
    """A new segment becomes the active one, and what is in the old one may be cleaned.

    WHO   the broker.
    WHEN  the active segment is not empty.
    THEN  the active segment begins at the log end offset.
    REF   `segment.bytes`, `segment.ms`, `max.compaction.lag.ms`.
    """
    # WHEN
    require(s.active_base_offset < s.log_end_offset)
    # THEN
    s.active_base_offset = s.log_end_offset


@model.action
def follower_truncate(s: State, offset: Offset) -> None:
    """Uncommitted records are cut off, because another replica leads and does not have them.

    WHO   the broker, as a follower.
    WHEN  the offset is not committed, and the log reaches beyond it.
    THEN  the log ends there, and its producers are known by what is left.
    REF   KIP-101.
    """
    # WHEN
    require(s.high_watermark <= offset)
    require(offset < s.log_end_offset)
    # THEN
    clear_files(s, offset)
    s.log_end_offset = offset
    s.active_base_offset = min_(s.active_base_offset, offset)
    end_round(s)
    for producer in each(ProducerId):
        if not has_written(s, producer):
            s.is_remembered[producer] = False


@model.action
def log_forget_producer(s: State, producer: ProducerId) -> None:
    """A producer has been silent for long, and the log forgets it.

    WHO   the broker.
    WHEN  the log remembers it.  (That it is long is left open.)
    THEN  its last batch need not stay.
    REF   `producer.id.expiration.ms`.
    """
    # WHEN
    require(s.is_remembered[producer])
    # THEN
    s.is_remembered[producer] = False


# -- cleaning ------------------------------------------------------------------------------------


@model.action
def cleaner_begin(s: State, end: EndOffset) -> None:
    """A round begins.

    WHO   the cleaner.
    WHEN  no other is on; its end is not above the high watermark and not in the active segment.
    THEN  the oldest record is looked at next.
    REF   Kafka's `LogCleanerManager.cleanableOffsets`; KAFKA-13194 for the high watermark.
    """
    # WHEN
    require(s.round_end == 0)
    require(end > 0)
    require(end <= s.high_watermark)
    require(end <= s.active_base_offset)
    # THEN
    s.round_end = end


@model.action
def cleaner_step(s: State) -> None:
    """The cleaner looks at one record.

    WHO   the cleaner.
    WHEN  a round is on.
    THEN  the record is gone if a later one of its key is there, or if it is a tombstone whose time
          is over; a tombstone that is met for the first time has its time from now.  A batch that
          has lost its record goes, unless it is the last of its producer or of the round.
    REF   Kafka's `Cleaner.shouldRetainRecord`; KIP-534; KAFKA-8335 for the last of a producer.
    """
    # WHEN
    require(s.round_end > 0)
    # THEN
    offset = s.position
    goes = is_superseded(s, offset) or is_over(s, offset)
    look_at(s, offset, goes, is_needed(s, offset))
    go_on(s)


@model.action
def broker_crash(s: State) -> None:
    """The broker ends in the middle of a round, and starts again.

    WHO   the machine.
    WHEN  a round is on.
    THEN  what the round has done stays done, for it was on the disk; the rest is as it was.
    REF   Kafka's `LogLoader`, for files with the suffixes `.cleaned` and `.swap`.
    """
    # WHEN
    require(s.round_end > 0)
    # THEN
    end_round(s)


# -- time and reading ----------------------------------------------------------------------------


@model.action
def time_pass(s: State) -> None:
    """A tick of the clock, for tombstones that a round has met and for the reader on its way."""
    # WHEN
    require(
        (s.reader_position > 0 and s.reader_age < delete_retention_ms)
        or exists(
            span(0, s.log_end_offset),
            lambda offset: (
                s.files[offset].is_record and 0 < s.files[offset].age <= delete_retention_ms
            ),
        )
    )
    # THEN
    for offset in range(s.log_end_offset):
        slot = s.files[offset]
        if slot.is_record and slot.age > 0:
            slot.age = min_(slot.age + 1, delete_retention_ms + 1)
    if s.reader_position > 0:
        s.reader_age = min_(s.reader_age + 1, delete_retention_ms)


@model.action
def reader_fetch(s: State) -> None:
    """The reader is given the next record that is there, whatever was removed before it.

    WHO   a consumer that began at the start of the log.
    WHEN  it is below the high watermark.
    THEN  its table has what the record says; if no record is left, it is at the end.
    REF   Kafka, "Design", Log Compaction: any reader that starts at the beginning.
    """
    # WHEN
    require(s.reader_position < s.high_watermark)
    # THEN
    offset = next_record(s, s.reader_position)
    if offset < s.high_watermark:
        slot = s.files[offset]
        for key in each(Key):
            if slot.key == key:
                s.value[key] = 0 if slot.is_tombstone else slot.written_at
        s.reader_position = offset + 1
    else:
        s.reader_position = s.high_watermark
