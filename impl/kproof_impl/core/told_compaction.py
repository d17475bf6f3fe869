"""What a compacted log tells beside its other steps: the keys of its records, and what is left.

The records are told by a checksum of their keys, so that whoever follows can say which of them a
cleaning may remove.  After a cleaning the log is read, and what is told is what stands there, not
what the cleaner believes to have written.

| action | parameters |
|---|---|
| `open` | `log_start_offset`, `active_base_offset`; `records`: of each the offset, the key, |
| | whether it is a tombstone, and its delete horizon or null |
| `append` | `base_offset`, `producer_id`, `records`: key and whether it is a tombstone |
| `roll` | `base_offset` |
| `clean` | `base_offset`, `end_offset`, `map_end_offset`, `began_ms`, `delete_retention_ms`; |
| | `kept`: records as in `open`; `batches`: their last offsets; `producers`: the ids known |

The state is `log_end_offset`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

from kproof_impl.core.ports import Cleaned, PartitionLog
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import BatchHeader, header_at
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.read import Record, records_of

READ_BYTES = 1 << 20


def key_text(key: bytes | None) -> str | None:
    """A key as events name it: short keys as they are, longer ones by checksum and length."""
    if key is None:
        return None
    return key.hex() if len(key) <= 16 else f"{crc32(key):08x}{crc32(key[::-1]):08x}-{len(key)}"


def appended(header: BatchHeader, data: Buffer, base_offset: int) -> dict[str, Any]:
    """The parameters of `append`."""
    return {
        "base_offset": base_offset,
        "producer_id": header.producer_id,
        "records": [[key_text(r.key), r.value is None] for r in _records(header, data)],
    }


def found(log: PartitionLog) -> dict[str, Any]:
    """The parameters of `open`."""
    rows = [row for _, rows in _batches(log, 0, log.log_end_offset) for row in rows]
    return {
        "log_start_offset": log.log_start_offset,
        "active_base_offset": log.active_base_offset,
        "records": rows,
    }


def cleaned(log: PartitionLog, part: Cleaned, delete_retention_ms: int) -> dict[str, Any]:
    """The parameters of `clean`."""
    batches = list(_batches(log, part.base_offset, part.end_offset))
    return {
        "base_offset": part.base_offset,
        "end_offset": part.end_offset,
        "map_end_offset": part.map_end_offset,
        "began_ms": part.began_ms,
        "delete_retention_ms": delete_retention_ms,
        "kept": [row for _, rows in batches for row in rows],
        "batches": [header.last_offset for header, _ in batches],
        "producers": [producer.producer_id for producer in log.active_producers()],
    }


def _batches(
    log: PartitionLog, offset: int, end_offset: int
) -> Iterator[tuple[BatchHeader, list[list[Any]]]]:
    while offset < end_offset:
        data = memoryview(log.read(offset, READ_BYTES, log.log_end_offset, at_least_one=True))
        if not data:
            return
        while data:
            header = header_at(data)
            offset = header.last_offset + 1
            if header.base_offset >= end_offset:
                return
            horizon_ms = header.delete_horizon_ms
            yield (
                header,
                [
                    [record.offset, key_text(record.key), record.value is None, horizon_ms]
                    for record in _records(header, data[: header.size_bytes])
                ],
            )
            data = data[header.size_bytes :]


def _records(header: BatchHeader, data: Buffer) -> list[Record]:
    """None of a batch that cannot be read: no cleaning touches it."""
    try:
        return [] if header.is_control else list(records_of(header, data, may_have_gaps=True))
    except BatchRefused:
        return []
