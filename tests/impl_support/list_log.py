"""Logs that are Python lists: the smallest storage that fulfils `kproof_impl.core.ports`.

Its batches must be uncompressed.  Segments are not there: retention drops whole batches, and
`fails` makes every change fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from impl_support.batches import read_records
from kproof_impl.core.log_config import UNLIMITED, LogConfig
from kproof_impl.core.ports import (
    ActiveProducer,
    CleaningStep,
    EpochEnd,
    SegmentFacts,
    TimestampOffset,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import BatchHeader, header_at
from kproof_impl.records.errors import LogFailed, ProducerRefused

SEQUENCES = 1 << 31


class _Producer:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.batches: list[tuple[int, int, int]] = []  # First and last sequence, base offset.
        self.last_offset = -1
        self.last_timestamp_ms = -1


class ListLog:
    """The log of one partition, in memory."""

    def __init__(self, config: LogConfig) -> None:
        self.config = config
        self.batches: list[tuple[BatchHeader, bytes]] = []
        self.epochs: list[tuple[int, int]] = []
        self.producers: dict[int, _Producer] = {}
        self.log_start_offset = 0
        self.log_end_offset = 0
        self.fails = False
        self.is_closed = False

    @property
    def size_bytes(self) -> int:
        return sum(len(data) for _, data in self.batches)

    @property
    def latest_epoch(self) -> int:
        return self.epochs[-1][0] if self.epochs else -1

    @property
    def recovery_point(self) -> int:
        return self.log_end_offset

    @property
    def active_base_offset(self) -> int:
        return 0

    def segment_facts(self) -> Sequence[SegmentFacts]:
        largest = max((header.max_timestamp for header, _ in self.batches), default=-1)
        return [SegmentFacts(0, self.log_end_offset, largest, self.size_bytes)]

    def begin_epoch(self, leader_epoch: int) -> None:
        if leader_epoch > self.latest_epoch:
            self.epochs = [one for one in self.epochs if one[1] < self.log_end_offset]
            self.epochs.append((leader_epoch, self.log_end_offset))

    def duplicate_of(self, batch: BatchHeader) -> int | None:
        if batch.producer_id < 0 or batch.producer_id not in self.producers:
            return None
        known = self.producers[batch.producer_id]
        last = (batch.base_sequence + batch.last_offset_delta) % SEQUENCES
        if batch.producer_epoch < known.epoch:
            raise ProducerRefused(ErrorCode.INVALID_PRODUCER_EPOCH, "an old epoch")
        if batch.producer_epoch > known.epoch:
            if batch.base_sequence != 0:
                raise ProducerRefused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, "not from 0")
            return None
        for first, end, base_offset in known.batches:
            if (first, end) == (batch.base_sequence, last):
                return base_offset
        if batch.base_sequence != (known.batches[-1][1] + 1) % SEQUENCES:
            raise ProducerRefused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, "a gap")
        return None

    def append(self, batch: BatchHeader, data: Buffer, leader_epoch: int, now_ms: int) -> int:
        if self.fails:
            raise LogFailed("this log fails on purpose")
        self.begin_epoch(leader_epoch)
        base_offset = self.log_end_offset
        written = bytearray(data)
        written[0:8] = base_offset.to_bytes(8, "big")
        written[12:16] = leader_epoch.to_bytes(4, "big")
        header = header_at(written)
        self.batches.append((header, bytes(written)))
        self.log_end_offset = header.last_offset + 1
        if batch.producer_id >= 0:
            known = self.producers.get(batch.producer_id)
            if known is None or known.epoch != batch.producer_epoch:
                known = self.producers[batch.producer_id] = _Producer(batch.producer_epoch)
            last = (batch.base_sequence + batch.last_offset_delta) % SEQUENCES
            known.batches = [*known.batches[-4:], (batch.base_sequence, last, base_offset)]
            known.last_offset, known.last_timestamp_ms = header.last_offset, batch.max_timestamp
        return base_offset

    def read(self, offset: int, max_bytes: int, end_offset: int, at_least_one: bool) -> Buffer:
        out = bytearray()
        for header, data in self.batches:
            if header.last_offset < offset:
                continue
            if header.last_offset >= end_offset:
                break
            if len(out) + len(data) > max_bytes and (out or not at_least_one):
                break
            out += data
        return bytes(out)

    def _found(self, end_offset: int) -> Iterator[TimestampOffset]:
        for header, data in self.batches:
            for record in read_records(data):
                if self.log_start_offset <= record.offset < end_offset:
                    epoch = header.partition_leader_epoch
                    yield TimestampOffset(record.offset, record.timestamp_ms, epoch)

    def find_timestamp(self, timestamp_ms: int, end_offset: int) -> TimestampOffset | None:
        found = self._found(end_offset)
        return next((one for one in found if one.timestamp_ms >= timestamp_ms), None)

    def find_max_timestamp(self, end_offset: int) -> TimestampOffset | None:
        return max(self._found(end_offset), key=lambda one: one.timestamp_ms, default=None)

    def end_offset_for_epoch(self, leader_epoch: int) -> EpochEnd:
        if not self.epochs or leader_epoch < 0:
            return EpochEnd(-1, -1)
        if leader_epoch == self.latest_epoch:
            return EpochEnd(leader_epoch, self.log_end_offset)
        later = [one for one in self.epochs if one[0] > leader_epoch]
        if not later:
            return EpochEnd(-1, -1)
        earlier = [one[0] for one in self.epochs if one[0] <= leader_epoch]
        return EpochEnd(earlier[-1] if earlier else leader_epoch, later[0][1])

    def active_producers(self) -> Sequence[ActiveProducer]:
        return [
            ActiveProducer(number, one.epoch, one.batches[-1][1], one.last_offset,
                           one.last_timestamp_ms)
            for number, one in self.producers.items()
        ]  # fmt: skip

    def advance_log_start_offset(self, offset: int) -> None:
        if self.fails:
            raise LogFailed("this log fails on purpose")
        self.log_start_offset = max(self.log_start_offset, offset)
        self.batches = [one for one in self.batches if one[0].last_offset >= offset]

    def apply_retention(self, now_ms: int, high_watermark: int) -> int:
        before = len(self.batches)
        config = self.config
        while self.batches and self.batches[0][0].last_offset < high_watermark:
            header, data = self.batches[0]
            is_old = config.retention_ms != UNLIMITED
            is_old = is_old and now_ms - header.max_timestamp > config.retention_ms
            is_more = config.retention_bytes != UNLIMITED
            is_more = is_more and self.size_bytes - len(data) >= config.retention_bytes
            if not is_old and not is_more:
                break
            self.advance_log_start_offset(header.last_offset + 1)
        return before - len(self.batches)

    def dirty_ratio(self, now_ms: int, high_watermark: int) -> float:
        return 0.0

    def clean(self, now_ms: int, high_watermark: int, map_bytes_max: int) -> CleaningStep:
        return CleaningStep(is_done=True)

    def tick(self, now_ms: int) -> None:
        pass

    def truncate_to(self, offset: int) -> None:
        self.batches = [one for one in self.batches if one[0].last_offset < offset]
        self.log_end_offset = self.batches[-1][0].last_offset + 1 if self.batches else offset

    def configure(self, config: LogConfig) -> None:
        self.config = config

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class ListStore:
    """All logs, in a dictionary that outlives the broker."""

    log_dir = "/memory"

    def __init__(self) -> None:
        self.logs: dict[tuple[UUID, int], ListLog] = {}

    def open(self, topic_id: UUID, topic: str, partition: int, config: LogConfig) -> ListLog:
        log = self.logs.setdefault((topic_id, partition), ListLog(config))
        log.configure(config)
        return log

    def existing(self) -> Iterator[tuple[UUID, int]]:
        return iter(list(self.logs))

    def delete(self, topic_id: UUID, partitions: Iterable[int]) -> None:
        for partition in partitions:
            del self.logs[topic_id, partition]

    def usable_bytes(self) -> tuple[int, int]:
        return -1, -1

    def tick(self, now_ms: int) -> None:
        pass

    def close(self, is_clean: bool = True) -> None:
        for log in self.logs.values():
            log.close()
