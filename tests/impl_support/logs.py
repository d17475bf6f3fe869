"""Logs of the storage for tests: small segments, and batches with producer ids."""

from __future__ import annotations

from uuid import UUID

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import PartitionLog
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import BatchHeader, header_at
from kproof_impl.records.build import build_batch
from kproof_impl.records.validate import checked_batch
from kproof_impl.storage.files import Files
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.partition_log import FilePartitionLog

TOPIC = UUID("7b5ed9d7-2c2f-4f3c-9e58-0c1f6c1e2a10")
TOPIC_TEXT = "e17Z1ywvTzyeWAwfbB4qEA"
DIRECTORY = "/data"
LOG_DIRECTORY = f"{DIRECTORY}/{TOPIC_TEXT}-0"
MESSAGE_MAX = 1 << 20
SMALL = LogConfig(segment_bytes=700, index_interval_bytes=100, retention_ms=-1)


def open_store(files: Files, directory: str = DIRECTORY) -> FileLogStore:
    return FileLogStore(files, directory)


def open_log(store: FileLogStore, config: LogConfig = SMALL) -> FilePartitionLog:
    return store.open(TOPIC, "orders", 0, config)


def batch_of_size(
    count: int = 1,
    *,
    timestamp_ms: int = 1000,
    value: bytes = b"v",
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
    codec: int = 0,
) -> bytes:
    """So many records, one millisecond apart, with distinct values."""
    return build_batch(
        [(timestamp_ms + i, b"k%d" % i, value + b"%d" % i) for i in range(count)],
        codec=codec,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
    )


def append(log: PartitionLog, batch: bytes, *, leader_epoch: int = 0, now_ms: int = 1000) -> int:
    """Checks and appends, as the core does; a duplicate is not written."""
    header = checked_batch(batch, MESSAGE_MAX)
    original = log.duplicate_of(header)
    if original is not None:
        return original
    return log.append(header, batch, leader_epoch, now_ms)


def batches_in(data: Buffer) -> list[BatchHeader]:
    """The headers of what `read` returned, which must be whole batches."""
    found = []
    position = 0
    while position < len(data):
        found.append(header_at(data, position))
        position += found[-1].size_bytes
    assert position == len(data)
    return found


def whole(log: FilePartitionLog) -> bytes:
    """Everything from the log start on."""
    parts = []
    offset = log.log_start_offset
    while offset < log.log_end_offset:
        part = bytes(log.read(offset, 1 << 20, log.log_end_offset, True))
        parts.append(part)
        offset = batches_in(part)[-1].last_offset + 1
    return b"".join(parts)
