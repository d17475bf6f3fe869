"""What a partition's log is, in memory and on disk, and the words to speak of it.

First the sizes of the world, then the state, then definitions (which change nothing), then what the
THEN of several actions has in common (which changes the state and refuses nothing).
"""

from enum import Enum

from kproof_spec.lang import (
    Bounded,
    Id,
    SetOf,
    Struct,
    Table,
    bound,
    constant,
    flag,
    history,
    integer,
    max_,
    max_over,
    min_,
    min_over,
    pure,
    span,
    subset,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

log_size = bound("log_size", default=3, low=1, doc="Offsets that are ever assigned, per topic.")
readers = bound("readers", default=1, low=1, doc="Consumers, each with a position of its own.")
max_topic_id = bound("max_topic_id", default=1, doc="How often the topic is deleted and made anew.")
retention_ms = constant(
    "retention_ms", default=0, doc="Age up to which a record has to be kept; in ticks of the clock."
)
retention_bytes = constant(
    "retention_bytes", default=1, doc="Size up to which the log has to be kept; a record is 1."
)


class ReaderId(Id, size=readers, symmetric=True, prefix="r"):
    """A consumer.  Groups and commits are another model's matter: this one has a position."""


class Offset(Bounded, low=0, high=log_size - 1):
    """The offset of a record, 0-based."""


class EndOffset(Bounded, low=0, high=log_size):
    """An offset at which something begins or ends: of a segment, or, exclusive, of the log."""


_OFFSET: type[int] = Offset
_END_OFFSET: type[int] = EndOffset
"""For the type checker: an offset that was computed is an int, and no less an offset."""


class Age(Bounded, low=0, high=retention_ms + 1):
    """How old a record is; whatever is older than it has to be kept counts as the oldest."""


class Residue(Enum):
    """What a failed write has left in the file."""

    NOTHING = 0
    TORN = 1
    WHOLE = 2


# -- state ---------------------------------------------------------------------------------------


class Slot(Struct):
    """What the segment files hold at one offset.  All fields are 0 where they hold nothing."""

    batches: int = integer(0, 2)
    """How many batches in the files claim this offset; 2 is two or more."""
    is_torn: bool = flag()
    """Whether the bytes are not the ones that were written: the CRC is wrong."""
    age: int = integer(0, retention_ms + 1)
    """Since the timestamp that the producer gave it."""
    topic_id: int = integer(0, max_topic_id)
    """The topic it was written to."""


class Reader(Struct):
    """What a consumer knows."""

    position: int = integer(0, log_size)
    """The offset of the record that it reads next."""
    topic_id: int = integer(0, max_topic_id)
    """The topic that it reads, as it last heard of it by that name."""
    history_position: int = history(integer(0, log_size))
    """Where its last move of its own has brought it."""


class State(Struct):
    """One partition on one broker."""

    is_online: bool = flag()
    """Whether the broker serves the log.  If not, there are only files."""
    topic_id: int = integer(0, max_topic_id)
    """Which of the topics that had this name there is now."""
    files: Table[int, Slot] = table(_OFFSET, Slot)
    """The records, whichever segment they are in."""
    segments: SetOf[int] = subset(_END_OFFSET)
    """The base offset of each segment; it ends where the next begins.  The last is active."""
    log_start_offset: int = integer(0, log_size)
    """The first offset that may be read.  The first segment may begin before it."""
    durable_log_start_offset: int = integer(0, log_size)
    """What a restart would find: the checkpoint's, or the first segment's if that is higher."""
    high_watermark: int = integer(0, log_size)
    """Exclusive: records below it are committed."""
    log_end_offset: int = integer(0, log_size)
    """Exclusive: where the next record goes.  While offline, where the files end."""
    flushed_offset: int = integer(0, log_size)
    """Exclusive: what the disk is known to hold, by nobody but us."""
    recovery_point: int = integer(0, log_size)
    """Exclusive: what the broker believes to be flushed, in memory and in a checkpoint."""
    reader: Table[ReaderId, Reader] = table(ReaderId, Reader)
    history_log_start_offset: int = history(integer(0, log_size))
    """The highest log start offset that anyone was told of, for this topic."""
    history_deleted_early: bool = history(flag())
    """Whether retention ever deleted a record that neither age nor size, nor anyone, asked for."""
    history_read_deleted: bool = history(flag())
    """Whether a reader was ever given a record below the log start offset."""
    history_read_uncommitted: bool = history(flag())
    """Whether a reader was ever given a record at or above the high watermark."""
    history_read_of_another_topic: bool = history(flag())
    """Whether a position in one topic was ever used in another."""
    history_left_out: bool = history(flag())
    """Whether a reader ever went on past a record that it could have read."""


# -- definitions ---------------------------------------------------------------------------------


@pure
def first_base_offset(s: State) -> int:
    """The base offset of the first segment."""
    return min_over(s.segments, lambda base: base, start=s.log_end_offset)


@pure
def active_base_offset(s: State) -> int:
    """The base offset of the active segment."""
    return max_over(s.segments, lambda base: base, start=0)


@pure
def second_base_offset(s: State) -> int:
    """Where the first segment ends: the base of the second, or the log end if there is one only."""
    first = first_base_offset(s)
    return min_over(
        s.segments, lambda base: base if base > first else s.log_end_offset, start=s.log_end_offset
    )


@pure
def is_intact(s: State, offset: int) -> bool:
    """Whether the files hold a record at an offset, with the right CRC."""
    return s.files[offset].batches > 0 and not s.files[offset].is_torn


@pure
def largest_timestamp_is_expired(s: State) -> bool:
    """Whether even the youngest record of the first segment is older than it has to be kept."""
    return (
        min_over(
            span(first_base_offset(s), second_base_offset(s)),
            lambda offset: s.files[offset].age,
            start=retention_ms + 1,
        )
        > retention_ms
    )


@pure
def size_exceeds_retention(s: State) -> bool:
    """Whether the log is large enough without its first segment."""
    return s.log_end_offset - second_base_offset(s) >= retention_bytes


@pure
def recovered_end_offset(s: State) -> int:
    """Where a restarting broker finds the log to end: at the first record that is not intact.

    It looks from the recovery point on.  What is below is flushed, and reading a log of terabytes
    would take hours.
    """
    return min_over(
        span(s.recovery_point, s.log_end_offset),
        lambda offset: s.log_end_offset if is_intact(s, offset) else offset,
        start=s.log_end_offset,
    )


# -- changes ---------------------------------------------------------------------------------------


def clear_files(s: State, start: int, end: int) -> None:
    """The bytes of the records from `start` up to but not including `end` are gone."""
    for offset in range(start, end):
        s.files[offset] = Slot(batches=0, is_torn=False, age=0, topic_id=0)


def write_batch(s: State, offset: int, age: int) -> None:
    """A batch that claims an offset is written behind whatever else the file holds."""
    slot = s.files[offset]
    slot.batches = min_(slot.batches + 1, 2)
    slot.is_torn = False
    slot.age = age
    slot.topic_id = s.topic_id


def move_log_start(s: State, offset: int) -> None:
    """The log starts at an offset from now on, if it did not start later already."""
    s.log_start_offset = max_(s.log_start_offset, offset)
    s.history_log_start_offset = max_(s.history_log_start_offset, s.log_start_offset)


def delete_first_segment(s: State) -> None:
    """The first segment is deleted, and the log starts with the second.

    The history notes whether anything in it had to be kept: a record that could be read, is not
    older than the retention time, and without which the log is smaller than the retention size.
    """
    first, end = first_base_offset(s), second_base_offset(s)
    if s.log_end_offset - end < retention_bytes:
        for offset in range(max_(first, s.log_start_offset), end):
            if s.files[offset].age <= retention_ms:
                s.history_deleted_early = True
    clear_files(s, first, end)
    s.segments.remove(first)
    move_log_start(s, end)
    s.durable_log_start_offset = max_(s.durable_log_start_offset, end)
    s.flushed_offset = max_(s.flushed_offset, end)
    s.recovery_point = max_(s.recovery_point, end)


def go_offline(s: State, end: int) -> None:
    """The broker stops; its memory is gone, and its files end at `end`."""
    s.is_online = False
    s.log_end_offset = end
    s.log_start_offset = s.durable_log_start_offset
    s.high_watermark = s.durable_log_start_offset


def give(s: State, reader: ReaderId) -> None:
    """A reader is given the record at its position, and moves on.  History notes what it was."""
    me = s.reader[reader]
    if me.position < s.log_start_offset:
        s.history_read_deleted = True
    if me.position >= s.high_watermark:
        s.history_read_uncommitted = True
    if me.topic_id != s.topic_id:
        s.history_read_of_another_topic = True
    me.position += 1
    me.history_position = me.position


def go_to(s: State, reader: ReaderId, position: int) -> None:
    """A reader goes to a position of its choice.  History notes whether it leaves a record out."""
    me = s.reader[reader]
    if max_(me.position, s.log_start_offset) < min_(position, s.high_watermark):
        s.history_left_out = True
    me.position = position
    me.history_position = position
