"""The producer state as a file: `.snapshot`, named by the offset up to which it holds.

| bytes | field |
|---|---|
| 2 | version, 1 |
| 4 | CRC-32C of what follows |
| 4 | number of producers |
| 42 each | a producer |

Of a producer: its id (8 bytes), epoch (2), last sequence (4), last offset (8), the distance from
there to the first offset of that batch (4), timestamp (8), coordinator epoch (4), and the first
offset of its transaction (8).

Of the five batches of a producer only the last is kept, as in Kafka; the others come back only as
far as the log is read again.
"""

import struct

from kproof_impl.records.crc import crc32c
from kproof_impl.storage.files import Files
from kproof_impl.storage.producer_state import (
    SEQUENCE_MAX,
    ProducerEntry,
    ProducerState,
    WrittenBatch,
)

VERSION = 1
_HEAD = struct.Struct(">hIi")
_CRC_START = 6
_ENTRY = struct.Struct(">qhiqiqiq")


def snapshot_bytes(state: ProducerState) -> bytes:
    body = bytearray(struct.pack(">i", len(state.entries)))
    for producer_id, entry in state.entries.items():
        last = entry.batches[-1]
        body += _ENTRY.pack(
            producer_id,
            entry.producer_epoch,
            last.last_sequence,
            last.last_offset,
            last.last_offset - last.base_offset,
            last.timestamp_ms,
            entry.coordinator_epoch,
            entry.current_txn_first_offset,
        )
    return struct.pack(">hI", VERSION, crc32c(body)) + body


def parse_snapshot(data: bytes) -> ProducerState | None:
    """`None` if it is damaged or of a version unknown."""
    if len(data) < _HEAD.size:
        return None
    version, crc, count = _HEAD.unpack_from(data)
    is_whole = count >= 0 and len(data) == _HEAD.size + count * _ENTRY.size
    if version != VERSION or not is_whole or crc32c(data[_CRC_START:]) != crc:
        return None
    state = ProducerState()
    for row in _ENTRY.iter_unpack(data[_HEAD.size :]):
        producer_id, epoch, sequence, offset, delta, timestamp_ms, coordinator_epoch, first = row
        batch = WrittenBatch(
            (sequence - delta) & SEQUENCE_MAX, sequence, offset - delta, offset, timestamp_ms
        )
        state.entries[producer_id] = ProducerEntry(epoch, batch, coordinator_epoch, first)
    return state


def write_snapshot(files: Files, path: str, state: ProducerState) -> None:
    files.write(path, snapshot_bytes(state))


def read_snapshot(files: Files, path: str) -> ProducerState | None:
    """`None` if it is not there or damaged."""
    return parse_snapshot(files.read_all(path)) if files.size(path) >= 0 else None
