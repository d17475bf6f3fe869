"""`__consumer_offsets`: where a coordinator keeps what must outlive it.

A group has its partition by the hash of its id, and all that is stored of it is there.  What one
request changes is one batch, written before anybody is told: so the log, folded (the last value of
each key), is at any time what the coordinator would answer with.

**It is kept short by compaction**, as any topic with `cleanup.policy=compact`.  Its segments are
smaller than Kafka's, because what is in the active one is read whole at the start.

REF   Kafka's `GroupMetadataManager`; "Log compaction".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.partition import Partition
from kproof_impl.core.topics import CONSUMER_OFFSETS, Topic
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.batch import LENGTH_END, header_at
from kproof_impl.records.build import batch_of
from kproof_impl.records.errors import BatchRefused, LogFailed
from kproof_impl.records.read import records_of

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

KeyValue = tuple[bytes, bytes | None]

READ_BYTES = 1 << 20
"""So much is read of a log at once."""


class StoreRefused(Exception):
    """Something could not be stored, and nothing of it was; `error_code` is what clients are told.

    NOT_COORDINATOR if the disk refuses, as Kafka has it: the client looks for another coordinator,
    and comes again.  UNKNOWN_SERVER_ERROR for more than `message.max.bytes` allows in a batch.
    """

    def __init__(self, error_code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.error_code = error_code


class OffsetsLog:
    """The log of all groups."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._topic: Topic | None = None
        self._partitions_count = 0

    def partition_index(self, group_id: str) -> int:
        """Where a group is stored."""
        self._ensure_topic()
        return java_hash(group_id) % self._partitions_count

    def append(self, group_id: str, records: Sequence[KeyValue]) -> None:
        """Stores what changes of one group, as one batch; nothing if there are no records.

        Raises `StoreRefused`.
        """
        if not records:
            return
        try:
            partition = self._ensure_topic().partitions[self.partition_index(group_id)]
            self._append(partition, self._checked_batch(partition, records))
        except LogFailed as failure:
            self._broker.report_refusal("the log of the groups", failure)
            raise StoreRefused(ErrorCode.NOT_COORDINATOR, str(failure)) from failure

    def load(self) -> Iterator[tuple[bytes, bytes]]:
        """All that is alive, by key.  Raises `LogFailed` if a log cannot be read."""
        if self._broker.topics.has_committed_offsets():
            for partition in self._ensure_topic().partitions:
                yield from fold(partition).items()

    def forget(self) -> None:
        """The topic has been deleted, with all that was in it."""
        self._topic = None

    # -- parts ---------------------------------------------------------------------------------

    def _ensure_topic(self) -> Topic:
        if self._topic is None:
            config = self._broker.config
            self._topic = self._broker.topics.ensure_internal(
                CONSUMER_OFFSETS,
                config.offsets_topic_num_partitions,
                {
                    "cleanup.policy": "compact",
                    "compression.type": "producer",
                    "segment.bytes": str(config.offsets_topic_segment_bytes),
                },
            )
            # Not what CreatePartitions may make of it: a group would be looked for elsewhere.
            self._partitions_count = len(self._topic.partitions)
        return self._topic

    def _checked_batch(self, partition: Partition, records: Iterable[KeyValue]) -> bytes:
        data = batch_of(records, self._broker.now_ms)
        if len(data) > self._broker.config.log.max_message_bytes:
            raise StoreRefused(
                ErrorCode.UNKNOWN_SERVER_ERROR,
                f"{len(data)} bytes for {CONSUMER_OFFSETS}-{partition.index}, and at most "
                f"{self._broker.config.log.max_message_bytes} are allowed",
            )
        return data

    def _append(self, partition: Partition, data: bytes) -> None:
        partition.append(header_at(data), data, self._broker.now_ms)
        self._broker.waiting_fetches.appended(partition)


def java_hash(text: str) -> int:
    """Java's `String.hashCode` without its sign, as Kafka takes it to find a group's partition."""
    number = 0
    units = text.encode("utf-16-be")
    for position in range(0, len(units), 2):
        number = (31 * number + (units[position] << 8 | units[position + 1])) & 0xFFFFFFFF
    if number >= 1 << 31:
        number = (1 << 32) - number
    # The one number whose opposite Java cannot hold counts as 0.
    return 0 if number == 1 << 31 else number


def fold(partition: Partition) -> dict[bytes, bytes]:
    """The last value of each key in a log, without the keys whose last record is a tombstone.

    What is not a record batch of ours (a control batch, a compressed one that is broken) is passed
    over.  Raises `LogFailed` if the log cannot be read.
    """
    alive: dict[bytes, bytes] = {}
    log = partition.log
    offset = start_offset = log.log_start_offset
    while offset < log.log_end_offset:
        data = memoryview(log.read(offset, READ_BYTES, log.log_end_offset, at_least_one=True))
        if not data:
            raise LogFailed(
                f"{CONSUMER_OFFSETS}-{partition.index}: nothing to read at offset {offset}, "
                f"although the log ends at {log.log_end_offset}"
            )
        while data:
            header = header_at(data)
            size = LENGTH_END + header.batch_length
            if not header.is_control:
                try:
                    for record in records_of(header, data[:size], may_have_gaps=True):
                        if record.key is None or record.offset < start_offset:
                            continue
                        alive.pop(record.key, None)
                        if record.value is not None:
                            alive[record.key] = record.value
                except BatchRefused:
                    pass
            offset = header.last_offset + 1
            data = data[size:]
    return alive
