"""What a Fetch finds in its partitions, and its answer: the part that may be done twice.

REF   Kafka's `ReplicaManager.readFromLog`, `Partition.readRecords`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.fetch_sessions import (
    TOPIC_IDS_VERSION,
    FetchContext,
    Result,
    WantedPartition,
)
from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.core.partition import NO_LEADER_EPOCH
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import (
    EpochEndOffset,
    FetchableTopicResponse,
    FetchRequest,
    FetchResponse,
    LeaderIdAndEpoch,
    NodeEndpoint,
    PartitionData,
    SnapshotId,
)
from kproof_impl.messages.ids import NO_ID, Buffer
from kproof_impl.records.batch import header_at
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.partition import Partition

READ_COMMITTED = 1
NO_OFFSET = -1
NO_REPLICA = -1
STORAGE_ERROR_VERSION = 6
"""Clients of older versions would not try again after a KAFKA_STORAGE_ERROR."""

_NO_EPOCH_END = EpochEndOffset()
_NO_LEADER = LeaderIdAndEpoch()
_NO_SNAPSHOT = SnapshotId()
_LEADER_ERRORS = (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH)
"""With these a client is told who leads (KIP-951)."""


class Reading:
    """One fetch being read, as often as it takes until it is answered."""

    __slots__ = (
        "_broker",
        "_context",
        "_is_committed",
        "_max_bytes",
        "_replica_id",
        "_results",
        "_version",
        "bytes_count",
        "is_urgent",
        "min_bytes",
        "partitions",
    )

    def __init__(
        self, broker: Broker, request: FetchRequest, context: FetchContext, version: int
    ) -> None:
        self._broker = broker
        self._context = context
        self._version = version
        self._is_committed = request.isolation_level == READ_COMMITTED
        config = broker.config
        self._max_bytes = min(request.max_bytes, config.fetch_max_bytes, config.fetch_answer_bytes)
        self._replica_id = request.replica_state.replica_id
        self._results: list[Result] = []
        self.min_bytes = min(request.min_bytes, self._max_bytes)
        self.bytes_count = 0
        self.is_urgent = False
        """A partition that exists has an error or a diverging epoch: a client knows it at once."""
        self.partitions: list[tuple[Partition, WantedPartition, Buffer]] = []
        """Those that exist, and what has been found in them."""

    def read(self) -> None:
        """Reads all partitions, in their order, as far as the limits allow."""
        results = self._results = []
        partitions = self.partitions = []
        self.is_urgent = False
        bytes_left = self._max_bytes
        bytes_count = 0
        topics = self._broker.topics
        uses_ids = self._version >= TOPIC_IDS_VERSION
        is_incremental = self._context.session is not None
        for wanted in self._context.wanted:
            if uses_ids:
                partition = topics.partition_by_id(wanted.topic_id, wanted.partition)
            else:
                partition = topics.partition(wanted.topic, wanted.partition)
            if partition is None:
                is_known = not uses_ids or wanted.topic_id in topics.by_id
                code = (
                    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION if is_known else ErrorCode.UNKNOWN_TOPIC_ID
                )
                results.append((wanted, self._refusal(wanted, code)))
                continue
            log = partition.log
            if (
                wanted.fetch_offset == log.log_end_offset
                and wanted.current_leader_epoch in (NO_LEADER_EPOCH, partition.leader_epoch)
                and wanted.last_fetched_epoch == NO_LEADER_EPOCH
                and self._replica_id < 0
            ):
                # A consumer at the end of the log: the usual case, and nothing to read.
                partitions.append((partition, wanted, b""))
                if not is_incremental or not wanted.knows(partition):
                    results.append((wanted, self._found(wanted, partition, b"", _NO_EPOCH_END)))
                continue
            found = self._read_partition(wanted, partition, bytes_left, bytes_count == 0)
            results.append((wanted, found))
            records = found.records or b""
            partitions.append((partition, wanted, records))
            if records:
                size = len(records)
                bytes_count += size
                bytes_left = max(0, bytes_left - size)
        self.bytes_count = bytes_count

    def lacks(self) -> tuple[int, list[tuple[Partition, int]]]:
        """How many bytes are missing, and what it can wait for: partitions and how much of each.

        Where a limit has cut what was read, the partition has given all that it may.
        """
        bytes_missing = self.min_bytes
        waits_for = []
        for partition, wanted, records in self.partitions:
            bytes_allowed = max(0, wanted.max_bytes)
            is_cut = _end_offset(records, wanted.fetch_offset) < partition.high_watermark
            taken = bytes_allowed if is_cut else len(records)
            bytes_missing -= taken
            waits_for.append((partition, max(0, bytes_allowed - taken)))
        return bytes_missing, waits_for

    def _read_partition(
        self, wanted: WantedPartition, partition: Partition, bytes_left: int, is_first: bool
    ) -> PartitionData:
        code = partition.leader_epoch_error(wanted.current_leader_epoch)
        if code:
            return self._error(wanted, code, partition)
        if self._replica_id >= 0:
            is_told = wanted.current_leader_epoch != NO_LEADER_EPOCH
            code = ErrorCode.UNKNOWN_LEADER_EPOCH if is_told else ErrorCode.NOT_LEADER_OR_FOLLOWER
            return self._error(wanted, code, partition)
        log = partition.log
        offset = wanted.fetch_offset
        log_start_offset = log.log_start_offset
        high_watermark = log.log_end_offset
        if wanted.last_fetched_epoch != NO_LEADER_EPOCH:
            end = log.end_offset_for_epoch(wanted.last_fetched_epoch)
            if end.leader_epoch < 0 or end.end_offset < 0 or offset < log_start_offset:
                return self._error(wanted, ErrorCode.OFFSET_OUT_OF_RANGE)
            if end.leader_epoch < wanted.last_fetched_epoch or end.end_offset < offset:
                self.is_urgent = True
                diverging = EpochEndOffset(end.leader_epoch, end.end_offset)
                return self._found(wanted, partition, b"", diverging)
        if not log_start_offset <= offset <= high_watermark:
            return self._error(wanted, ErrorCode.OFFSET_OUT_OF_RANGE)
        records: Buffer = b""
        limit = max(0, min(wanted.max_bytes, bytes_left))
        if offset < high_watermark and (limit or is_first):
            try:
                records = log.read(offset, limit, high_watermark, is_first)
            except LogFailed:
                is_known = self._version >= STORAGE_ERROR_VERSION
                return self._error(
                    wanted,
                    ErrorCode.KAFKA_STORAGE_ERROR if is_known else ErrorCode.NOT_LEADER_OR_FOLLOWER,
                )
        return self._found(wanted, partition, records, _NO_EPOCH_END)

    def _found(
        self,
        wanted: WantedPartition,
        partition: Partition,
        records: Buffer,
        diverging: EpochEndOffset,
    ) -> PartitionData:
        return PartitionData(
            wanted.partition,
            0,
            partition.high_watermark,
            partition.last_stable_offset,
            partition.log_start_offset,
            diverging,
            _NO_LEADER,
            _NO_SNAPSHOT,
            () if self._is_committed else None,
            NO_REPLICA,
            records,
        )

    def _error(
        self, wanted: WantedPartition, code: ErrorCode, partition: Partition | None = None
    ) -> PartitionData:
        """An error in a partition that exists."""
        self.is_urgent = True
        leader = _NO_LEADER
        if partition is not None and code in _LEADER_ERRORS:
            leader = LeaderIdAndEpoch(self._broker.config.node_id, partition.leader_epoch)
        return self._refusal(wanted, code, leader)

    def _refusal(
        self, wanted: WantedPartition, code: ErrorCode, leader: LeaderIdAndEpoch = _NO_LEADER
    ) -> PartitionData:
        return PartitionData(
            wanted.partition,
            int(code),
            NO_OFFSET,
            NO_OFFSET,
            NO_OFFSET,
            _NO_EPOCH_END,
            leader,
            _NO_SNAPSHOT,
            None,
            NO_REPLICA,
            b"",
        )

    def response(self) -> FetchResponse:
        """The answer with what has been read, as the session shows it."""
        broker = self._broker
        error_code, session_id, shown = broker.fetch_sessions.end(
            self._context, self._results, self._version, broker.now_ms
        )
        uses_ids = self._version >= TOPIC_IDS_VERSION
        if broker.observe is not None:
            self._tell(shown)
        topics: list[FetchableTopicResponse] = []
        partitions: list[PartitionData] = []
        last: object = None
        for wanted, found in shown:
            name = wanted.topic_id if uses_ids else wanted.topic
            if name != last or not topics:
                partitions = []
                topic_id = wanted.topic_id if uses_ids else NO_ID
                topics.append(FetchableTopicResponse(topic_id, partitions, wanted.topic))
                last = name
            partitions.append(found)
        endpoints: Sequence[NodeEndpoint] = ()
        if self.is_urgent and any(found.current_leader is not _NO_LEADER for _, found in shown):
            endpoints = (_this_node(broker),)
        return FetchResponse(0, int(error_code), session_id, topics, endpoints)

    def _tell(self, shown: Sequence[Result]) -> None:
        """Tells whoever observes the broker what is about to be answered."""
        logs = {id(wanted): partition.log for partition, wanted, _ in self.partitions}
        for wanted, found in shown:
            log = logs.get(id(wanted))
            if isinstance(log, ObservedLog) and wanted.last_fetched_epoch == NO_LEADER_EPOCH:
                log.tell_fetch(wanted.fetch_offset, found)


def _end_offset(records: Buffer, fetch_offset: int) -> int:
    """The offset after the last record of some whole batches."""
    position = 0
    end_offset = fetch_offset
    while position < len(records):
        header = header_at(records, position)
        end_offset = header.last_offset + 1
        position += header.size_bytes
    return end_offset


def _this_node(broker: Broker) -> NodeEndpoint:
    config = broker.config
    return NodeEndpoint(config.node_id, config.advertised_host, config.advertised_port, config.rack)
