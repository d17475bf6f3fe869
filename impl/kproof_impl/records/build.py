"""Building batches: for the logs that the broker writes itself, and for tests."""

import struct
from collections.abc import Iterable, Sequence

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import (
    CONTROL,
    CRC_START,
    HEADER,
    HEADER_BYTES,
    LENGTH_END,
    LOG_APPEND_TIME,
    MAGIC,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    TRANSACTIONAL,
    BatchHeader,
    header_at,
)
from kproof_impl.records.compression import compress
from kproof_impl.records.crc import crc32c
from kproof_impl.records.varints import varint

PATCH = struct.Struct(">qii")
"""The first 16 bytes of a batch, which its leader writes: base offset, length, leader epoch."""
NO_EPOCH = -1

_CRC = struct.Struct(">I")
_ATTRIBUTES = struct.Struct(">h")
_TIMESTAMP = struct.Struct(">q")
_CRC_AT = 17
_MAX_TIMESTAMP_AT = 35

KeyValue = tuple[bytes | None, bytes | None]
Headers = Sequence[tuple[str, bytes | None]]


def build_batch(
    records: Iterable[
        tuple[int, bytes | None, bytes | None] | tuple[int, bytes | None, bytes | None, Headers]
    ],
    *,
    codec: int = 0,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = -1,
    base_sequence: int = NO_SEQUENCE,
    is_transactional: bool = False,
    is_control: bool = False,
) -> bytes:
    """One batch of records (timestamp_ms, key, value[, headers]), with base offset 0.

    Raises `ValueError` if there are no records.
    """
    payload = bytearray()
    timestamps: list[int] = []
    for offset_delta, record in enumerate(records):
        timestamps.append(record[0])
        headers = record[3] if len(record) == 4 else ()
        timestamp_delta = record[0] - timestamps[0]
        payload += record_bytes(timestamp_delta, offset_delta, record[1], record[2], headers)
    if not timestamps:
        raise ValueError("A batch has at least one record.")
    packed = compress(codec, bytes(payload))
    attributes = codec | is_transactional * TRANSACTIONAL | is_control * CONTROL
    header = BatchHeader(
        base_offset=0,
        batch_length=HEADER_BYTES - LENGTH_END + len(packed),
        partition_leader_epoch=NO_EPOCH,
        magic=MAGIC,
        crc=0,
        attributes=attributes,
        last_offset_delta=len(timestamps) - 1,
        base_timestamp=timestamps[0],
        max_timestamp=max(timestamps),
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
        records_count=len(timestamps),
    )
    return with_crc(HEADER.pack(*header) + packed)


def record_bytes(
    timestamp_delta: int,
    offset_delta: int,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
) -> bytes:
    """One record with its length before it, as it stands in a batch."""
    body = b"".join(
        (
            b"\0",
            varint(timestamp_delta),
            varint(offset_delta),
            _sized(key),
            _sized(value),
            varint(len(headers)),
            *(_sized(name.encode()) + _sized(value) for name, value in headers),
        )
    )
    return varint(len(body)) + body


def batch_of(pairs: Iterable[KeyValue], timestamp_ms: int) -> bytes:
    """One batch of keys and values, all of one time: what the broker writes to its own logs."""
    return build_batch((timestamp_ms, key, value) for key, value in pairs)


def with_crc(batch: Buffer) -> bytes:
    """The same batch with the CRC-32C that its bytes have."""
    data = bytearray(batch)
    _CRC.pack_into(data, _CRC_AT, crc32c(memoryview(data)[CRC_START:]))
    return bytes(data)


def assign(batch: Buffer, base_offset: int, leader_epoch: int) -> bytes:
    """The same batch at its place in a log.  Both fields stand before what the CRC is about."""
    return PATCH.pack(base_offset, len(batch) - LENGTH_END, leader_epoch) + bytes(
        memoryview(batch)[PATCH.size :]
    )


def with_log_append_time(batch: Buffer, timestamp_ms: int) -> bytes:
    """The same batch with the broker's time for all its records (KIP-32): the timestamp type, the
    largest timestamp and the CRC change, the records do not."""
    data = bytearray(batch)
    header = header_at(data)
    _ATTRIBUTES.pack_into(data, CRC_START, header.attributes | LOG_APPEND_TIME)
    _TIMESTAMP.pack_into(data, _MAX_TIMESTAMP_AT, timestamp_ms)
    return with_crc(data)


def _sized(field: bytes | None) -> bytes:
    return b"\x01" if field is None else varint(len(field)) + field
