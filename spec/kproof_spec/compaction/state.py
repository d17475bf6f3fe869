"""What a compacted log is, its cleaner and its readers, and the words to speak of them."""

from kproof_spec.lang import (
    NONE,
    Bounded,
    Id,
    Struct,
    Table,
    bound,
    constant,
    exists,
    flag,
    integer,
    max_over,
    maybe,
    min_over,
    pure,
    span,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

log_size = bound("log_size", default=3, low=1, doc="Offsets that are ever assigned.")
keys = bound("keys", default=2, low=1, doc="Keys of records.")
producers = bound(
    "producers", default=1, low=1, doc="Producers with an id, that the log remembers."
)
delete_retention_ms = constant(
    "delete_retention_ms", default=1, doc="How long a tombstone stays; in ticks of the clock."
)


class Key(Id, size=keys, symmetric=True, prefix="k"):
    """What a record is about."""


class ProducerId(Id, size=producers, symmetric=True, prefix="p"):
    """An idempotent producer."""


class Offset(Bounded, low=0, high=log_size - 1):
    """The offset of a record, 0-based."""


class EndOffset(Bounded, low=0, high=log_size):
    """An offset at which something ends, exclusive."""


_OFFSET: type[int] = Offset
"""For the type checker: an offset that was computed is an int, and no less an offset."""


# -- state ---------------------------------------------------------------------------------------


class Slot(Struct):
    """What was written at one offset, and what of it is left."""

    is_record: bool = flag()
    """Whether the record is there."""
    is_batch: bool = flag()
    """Whether its batch is there, with the record or without."""
    key: Key = maybe(Key)
    is_tombstone: bool = flag()
    """Whether it was written without a value."""
    producer: ProducerId = maybe(ProducerId)
    """Who wrote it; nobody, if the producer has no id."""
    written_at: int = integer(0, log_size)
    """Which record it is: one more than the offset that it was given; 0 if none was ever here."""
    age: int = integer(0, delete_retention_ms + 1)
    """Of a tombstone: 0 before a round has met it, then from 1 up, by the clock."""


class State(Struct):
    """One partition on one broker, and a consumer that makes a table of it."""

    files: Table[int, Slot] = table(_OFFSET, Slot)
    log_end_offset: int = integer(0, log_size)
    high_watermark: int = integer(0, log_size)
    """Exclusive: records below it are committed."""
    active_base_offset: int = integer(0, log_size)
    """Where the segment begins that is written to."""
    round_end: int = integer(0, log_size)
    """Exclusive: where the present round of the cleaner ends; 0 if there is none."""
    position: int = integer(0, log_size)
    """What the cleaner looks at next."""
    is_remembered: Table[ProducerId, bool] = table(ProducerId, flag())
    """Whether the log knows a producer's last sequence number."""
    reader_position: int = integer(0, log_size)
    """The offset that the reader reads next; at 0 it has not begun."""
    reader_age: int = integer(0, delete_retention_ms)
    """How long it has been on its way from the start; whatever is too long counts the same."""
    value: Table[Key, int] = table(Key, integer(0, log_size))
    """What the reader has of a key: the record, as `written_at`; 0 if nothing, or deleted."""


# -- definitions ---------------------------------------------------------------------------------


@pure
def latest(s: State, key: Key) -> int:
    """Which record was the last of a key to be written, as `written_at`; 0 if none was."""
    return max_over(
        span(0, s.log_end_offset),
        lambda offset: offset + 1 if s.files[offset].key == key else 0,
        start=0,
    )


@pure
def latest_left(s: State, key: Key) -> int:
    """The same of the records that are there."""
    return max_over(
        span(0, s.log_end_offset),
        lambda offset: (
            offset + 1 if s.files[offset].key == key and s.files[offset].is_record else 0
        ),
        start=0,
    )


@pure
def has_written(s: State, producer: ProducerId) -> bool:
    """Whether a batch of a producer is in the log."""
    return exists(
        span(0, s.log_end_offset),
        lambda offset: s.files[offset].is_batch and s.files[offset].producer == producer,
    )


@pure
def is_superseded(s: State, offset: int) -> bool:
    """Whether a later record of its key is there, below the end of the round."""
    return exists(
        span(offset + 1, s.round_end),
        lambda later: s.files[later].is_record and s.files[later].key == s.files[offset].key,
    )


@pure
def is_over(s: State, offset: int) -> bool:
    """Whether a record is a tombstone whose time has passed since a round met it."""
    return s.files[offset].is_tombstone and s.files[offset].age > delete_retention_ms


@pure
def is_last_of_producer(s: State, offset: int) -> bool:
    """Whether a batch is the last of a producer that the log remembers."""
    return exists(
        ProducerId,
        lambda producer: (
            s.files[offset].producer == producer
            and s.is_remembered[producer]
            and not exists(
                span(offset + 1, s.log_end_offset),
                lambda later: s.files[later].producer == producer,
            )
        ),
    )


@pure
def is_needed(s: State, offset: int) -> bool:
    """Whether a batch has to stay though its record goes."""
    return offset + 1 == s.round_end or is_last_of_producer(s, offset)


@pure
def next_record(s: State, offset: int) -> int:
    """The first committed record that is there, from an offset on; the high watermark, if none."""
    return min_over(
        span(offset, s.high_watermark),
        lambda place: place if s.files[place].is_record else s.high_watermark,
        start=s.high_watermark,
    )


# -- changes ---------------------------------------------------------------------------------------


def end_round(s: State) -> None:
    """The cleaner has nothing in hand."""
    s.round_end = 0
    s.position = 0


def clear_files(s: State, start: int) -> None:
    """Nothing is left of what was written from an offset on."""
    for offset in range(start, s.log_end_offset):
        s.files[offset] = Slot(
            is_record=False,
            is_batch=False,
            key=NONE,
            is_tombstone=False,
            producer=NONE,
            written_at=0,
            age=0,
        )


def look_at(s: State, offset: int, goes: bool, is_needed: bool) -> None:
    """The cleaner removes a record, or leaves it; a tombstone that it leaves is met by that.

    What is left of a batch without its record goes too, unless it is needed.
    """
    slot = s.files[offset]
    if slot.is_record and goes:
        slot.is_record = False
        if not is_over(s, offset):
            slot.age = 0
    if slot.is_record and slot.is_tombstone and slot.age == 0:
        slot.age = 1
    if not slot.is_record and not is_needed:
        slot.is_batch = False


def go_on(s: State) -> None:
    """The cleaner goes to the next record; after the last the round is over."""
    s.position += 1
    if s.position == s.round_end:
        end_round(s)
