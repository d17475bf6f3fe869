"""What a log remembers of each producer with an id: its epoch and its last five batches (KIP-98).

A batch that repeats one of the five is recognised by its first and last sequence number; it is not
written again, and its producer is told the offset that the first copy got.  Otherwise its first
sequence must follow the last one of that producer, 2^31 - 1 being followed by 0; a producer with a
newer epoch starts at 0, and one that the log does not know may start anywhere, since its earlier
batches may have been deleted.  A producer with an older epoch is refused: a newer instance of it
has taken over.

A producer is forgotten when its last record is older than `producer.id.expiration.ms`, by the
record's own timestamp, as in Kafka.

REF   KIP-98, KIP-360; Kafka's `ProducerAppendInfo` and `ProducerStateManager`.
"""

from typing import NamedTuple

from kproof_impl.core.ports import ActiveProducer
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.batch import BatchHeader
from kproof_impl.records.errors import ProducerRefused

BATCHES_MAX = 5
"""As many requests as a producer may have in flight."""
SEQUENCE_MAX = (1 << 31) - 1
NO_OFFSET = -1


class WrittenBatch(NamedTuple):
    """Sequences and offsets inclusive; the timestamp in milliseconds is the batch's largest."""

    first_sequence: int
    last_sequence: int
    base_offset: int
    last_offset: int
    timestamp_ms: int


class ProducerEntry:
    """One producer; `batches` are its last, oldest first, and are never empty."""

    __slots__ = ("batches", "coordinator_epoch", "current_txn_first_offset", "producer_epoch")

    def __init__(
        self,
        producer_epoch: int,
        batch: WrittenBatch,
        coordinator_epoch: int = -1,
        current_txn_first_offset: int = NO_OFFSET,
    ) -> None:
        self.producer_epoch = producer_epoch
        self.batches = [batch]
        self.coordinator_epoch = coordinator_epoch
        self.current_txn_first_offset = current_txn_first_offset


def last_sequence(first: int, last_offset_delta: int) -> int:
    """The sequence of the last record of a batch: after 2^31 - 1 comes 0."""
    return (first + last_offset_delta) & SEQUENCE_MAX


class ProducerState:
    """All producers of one log, by their id."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: dict[int, ProducerEntry] = {}

    def duplicate_of(self, batch: BatchHeader) -> int | None:
        """The base offset of the batch that this one repeats, `None` if it is new.

        Raises `ProducerRefused`: INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER.
        """
        entry = self.entries.get(batch.producer_id)
        if entry is None:
            return None
        first = batch.base_sequence
        if entry.producer_epoch == batch.producer_epoch:
            last = entry.batches[-1].last_sequence
            if first == (last + 1) & SEQUENCE_MAX:
                return None
            wanted = last_sequence(first, batch.last_offset_delta)
            for written in entry.batches:
                if written.first_sequence == first and written.last_sequence == wanted:
                    return written.base_offset
            raise ProducerRefused(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"Producer {batch.producer_id} sent sequence {first} after {last}.",
            )
        if batch.producer_epoch < entry.producer_epoch:
            raise ProducerRefused(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"Producer {batch.producer_id} has epoch {entry.producer_epoch}; "
                f"{batch.producer_epoch} is over.",
            )
        if first != 0:
            raise ProducerRefused(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"Producer {batch.producer_id} begins epoch {batch.producer_epoch} with sequence "
                f"{first}; it should be 0.",
            )
        return None

    def note(self, batch: BatchHeader, base_offset: int) -> None:
        """Remembers a batch with producer id that has been written at an offset."""
        written = WrittenBatch(
            batch.base_sequence,
            last_sequence(batch.base_sequence, batch.last_offset_delta),
            base_offset,
            base_offset + batch.last_offset_delta,
            batch.max_timestamp,
        )
        entry = self.entries.get(batch.producer_id)
        if entry is None:
            self.entries[batch.producer_id] = ProducerEntry(batch.producer_epoch, written)
        elif entry.producer_epoch != batch.producer_epoch:
            entry.producer_epoch = batch.producer_epoch
            entry.batches = [written]
        else:
            entry.batches.append(written)
            if len(entry.batches) > BATCHES_MAX:
                del entry.batches[0]

    def forget_silent(self, before_ms: int) -> None:
        """Forgets the producers whose last record is not later than a time."""
        silent = [
            producer_id
            for producer_id, entry in self.entries.items()
            if entry.batches[-1].timestamp_ms <= before_ms
            and entry.current_txn_first_offset == NO_OFFSET
        ]
        for producer_id in silent:
            del self.entries[producer_id]

    def active(self) -> list[ActiveProducer]:
        return [
            ActiveProducer(
                producer_id,
                entry.producer_epoch,
                entry.batches[-1].last_sequence,
                entry.batches[-1].last_offset,
                entry.batches[-1].timestamp_ms,
            )
            for producer_id, entry in sorted(self.entries.items())
        ]
