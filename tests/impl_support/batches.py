"""Record batches for tests, built and read without the code under test.

What is built is uncompressed and right in all its fields, unless a test gives it wrong ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crc32c import crc32c

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import CRC_START, HEADER, HEADER_BYTES, header_at


class Sent(NamedTuple):
    """A record: `timestamp_ms` is the batch's if it is None."""

    value: bytes | None = b""
    key: bytes | None = None
    timestamp_ms: int | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


class Got(NamedTuple):
    """A record as it stands in a log."""

    offset: int
    value: bytes | None
    key: bytes | None
    timestamp_ms: int


def varint(number: int) -> bytes:
    """A signed number, in the zigzag form of Kafka's records."""
    rest = (number << 1) ^ (number >> 63)
    rest &= (1 << 64) - 1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _varint_at(data: Buffer, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at


def _bytes_or_none(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def batch(
    *records: bytes | Sent,
    timestamp_ms: int = 1_000,
    producer_id: int = -1,
    producer_epoch: int = -1,
    sequence: int = -1,
    attributes: int = 0,
    base_offset: int = 0,
) -> bytes:
    """A batch as a client sends it: `batch(b"one", Sent(b"two", key=b"k"))`."""
    sent = [one if isinstance(one, Sent) else Sent(one) for one in records]
    times = [timestamp_ms if one.timestamp_ms is None else one.timestamp_ms for one in sent]
    base_timestamp = times[0] if times else timestamp_ms
    body = bytearray()
    for delta, (one, time) in enumerate(zip(sent, times, strict=True)):
        record = b"\0" + varint(time - base_timestamp) + varint(delta)
        record += _bytes_or_none(one.key) + _bytes_or_none(one.value) + varint(len(one.headers))
        for name, value in one.headers:
            record += _bytes_or_none(name) + _bytes_or_none(value)
        body += varint(len(record)) + record
    fields = (
        attributes,
        len(sent) - 1,
        base_timestamp,
        max(times, default=timestamp_ms),
        producer_id,
        producer_epoch,
        sequence,
        len(sent),
    )
    length = HEADER_BYTES - 12 + len(body)
    data = bytearray(HEADER.pack(base_offset, length, -1, 2, 0, *fields) + body)
    return with_crc(data)


def with_crc(data: Buffer) -> bytes:
    """A batch whose CRC is right again after a test has changed it."""
    whole = bytearray(data)
    whole[CRC_START - 4 : CRC_START] = crc32c(bytes(whole[CRC_START:])).to_bytes(4, "big")
    return bytes(whole)


def read_batches(data: Buffer | None) -> list[list[Got]]:
    """The records of each whole uncompressed batch, with the offsets they have there."""
    out: list[list[Got]] = []
    data = bytes(data or b"")
    position = 0
    while len(data) - position >= HEADER_BYTES:
        header = header_at(data, position)
        end = position + header.size_bytes
        at = position + HEADER_BYTES
        found: list[Got] = []
        for _ in range(header.records_count):
            _, at = _varint_at(data, at)
            at += 1
            time, at = _varint_at(data, at)
            delta, at = _varint_at(data, at)
            parts: list[bytes | None] = []
            for _part in range(2):
                length, at = _varint_at(data, at)
                parts.append(None if length < 0 else data[at : at + length])
                at += max(length, 0)
            headers, at = _varint_at(data, at)
            for _header in range(2 * headers):
                length, at = _varint_at(data, at)
                at += max(length, 0)
            key, value = parts
            is_log_time = header.attributes & 8
            stamp = header.max_timestamp if is_log_time else header.base_timestamp + time
            found.append(Got(header.base_offset + delta, value, key, stamp))
        assert at == end, f"the batch at {position} ends at {end}, its records at {at}"
        out.append(found)
        position = end
    assert position == len(data), f"{len(data) - position} bytes are left after the last batch"
    return out


def read_records(data: Buffer | None) -> list[Got]:
    """The records of whole uncompressed batches, with the offsets they have there."""
    return [record for found in read_batches(data) for record in found]


def values(data: Buffer | None) -> list[bytes | None]:
    """The values of `read_records`."""
    return [record.value for record in read_records(data)]
