"""Compacted logs for tests: small segments, few keys, and what a reader makes of them."""

from __future__ import annotations

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import Cleaned
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import build_batch
from kproof_impl.records.read import Record, records_of
from kproof_impl.storage.partition_log import FilePartitionLog

from .logs import append, batches_in, whole

PLENTY = 1 << 30
COMPACTED = LogConfig(
    segment_bytes=400,
    index_interval_bytes=100,
    cleanup_policy="compact",
    min_cleanable_dirty_ratio=0.01,
    delete_retention_ms=1_000,
    file_delete_delay_ms=0,
)


def put(
    log: FilePartitionLog,
    *records: tuple[str, str | None],
    now_ms: int = 1_000,
    codec: int = 0,
    producer: tuple[int, int] | None = None,
) -> int:
    """Appends one batch of keys and values; the producer is its id and its first sequence."""
    producer_id, sequence = producer or (-1, -1)
    batch = build_batch(
        [
            (now_ms, key.encode(), None if value is None else value.encode())
            for key, value in records
        ],
        codec=codec,
        producer_id=producer_id,
        producer_epoch=0 if producer else -1,
        base_sequence=sequence,
    )
    return append(log, batch, now_ms=now_ms)


def records_in(data: Buffer) -> list[Record]:
    """All records of what `read` returned."""
    found: list[Record] = []
    position = 0
    for header in batches_in(data):
        batch = bytes(data[position : position + header.size_bytes])
        found += records_of(header_at(batch), batch, may_have_gaps=True)
        position += header.size_bytes
    return found


def records(log: FilePartitionLog) -> list[Record]:
    return records_in(whole(log))


def fold(found: list[Record]) -> dict[bytes | None, bytes]:
    """What a reader of these records has of each key."""
    state: dict[bytes | None, bytes] = {}
    for record in found:
        state.pop(record.key, None)
        if record.value is not None:
            state[record.key] = record.value
    return state


def clean(log: FilePartitionLog, now_ms: int = 2_000, map_bytes_max: int = PLENTY) -> list[Cleaned]:
    """One whole cleaning; what it swapped in.  It must not be refused."""
    log.tick(now_ms)  # So that the closed segments are known to be on the disk.
    found = []
    while True:
        step = log.clean(now_ms, log.log_end_offset, map_bytes_max)
        assert not step.refusal
        if step.cleaned is not None:
            found.append(step.cleaned)
        if step.is_done:
            return found
