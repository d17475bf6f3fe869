"""The records inside a batch, read with a check of every length.

| field | |
|---|---|
| length | varint, of what follows it |
| attributes | one byte, unused |
| timestamp delta | varlong, to the batch's base timestamp |
| offset delta | varint, to the batch's base offset |
| key, value | varint length, -1 for null, and the bytes |
| headers | varint count; each a key (never null) and a value |

REF   Kafka's documentation, "Record"; KIP-98; KIP-467 for errors of single records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import (
    CODEC_MASK,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    BatchHeader,
)
from kproof_impl.records.compression import decompress
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.varints import MAX_LONG_BYTES, read_varint

NO_TIMESTAMP = -1
MAX_RECORD_ERRORS_IN_MESSAGE = 3


class Record(NamedTuple):
    """One record; its offset is counted from the batch's base offset as it is in the header."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class RecordRules:
    """What a topic asks of each record; times in milliseconds."""

    is_key_needed: bool = False
    """A compacted topic refuses a record without key."""
    is_log_append_time: bool = False
    """The broker sets the time, so the client's does not matter."""
    timestamp_before_max_ms: int = (1 << 63) - 1
    timestamp_after_max_ms: int = (1 << 63) - 1


def records_of(
    header: BatchHeader, data: Buffer, *, may_have_gaps: bool = False
) -> Iterator[Record]:
    """The records of one whole batch, whose header this is, in their order.

    A producer numbers them one by one; a batch in a log may have lost some by compaction, so
    whoever reads a log says `may_have_gaps`.  Raises `BatchRefused` at the first that is malformed.
    """
    payload = decompress(header.attributes & CODEC_MASK, memoryview(data)[HEADER_BYTES:])
    is_append_time = header.attributes & LOG_APPEND_TIME
    position = 0
    delta = -1
    for index in range(header.records_count):
        length, start = read_varint(payload, position)
        position = start + length
        if length < 1 or position > len(payload):
            raise _refused(index, f"it claims {length} bytes and {len(payload) - start} are left")
        record = _record(header, payload, (start + 1, position), index, bool(is_append_time))
        delta, least = record.offset - header.base_offset, delta + 1
        if delta != index and not (may_have_gaps and least <= delta <= header.last_offset_delta):
            wanted = f"{least} to {header.last_offset_delta}" if may_have_gaps else index
            raise _refused(index, f"its offset delta is {delta} and should be {wanted}")
        yield record
    if position != len(payload):
        raise BatchRefused(
            ErrorCode.INVALID_RECORD,
            f"After the {header.records_count} records of the batch come "
            f"{len(payload) - position} other bytes.",
        )


def check_records(header: BatchHeader, data: Buffer, rules: RecordRules, now_ms: int) -> None:
    """Looks at each record of a batch from a client, as Kafka does.

    Raises `BatchRefused` with the records at fault by index (KIP-467): INVALID_RECORD for a record
    without key where one is needed, INVALID_TIMESTAMP for a time out of range or for a batch that
    claims to have the broker's time.
    """
    if header.attributes & LOG_APPEND_TIME:
        reason = "A producer should not set the timestamp type to LogAppendTime."
        raise BatchRefused(ErrorCode.INVALID_TIMESTAMP, reason, ((0, reason),))
    earliest = now_ms - rules.timestamp_before_max_ms
    latest = now_ms + rules.timestamp_after_max_ms
    is_time_checked = not rules.is_log_append_time
    errors: list[tuple[int, str]] = []
    codes: set[ErrorCode] = set()
    for index, record in enumerate(records_of(header, data)):
        time = record.timestamp_ms
        if rules.is_key_needed and record.key is None:
            code, reason = (
                ErrorCode.INVALID_RECORD,
                "Compacted topic cannot accept message without key",
            )
        elif is_time_checked and time != NO_TIMESTAMP and not earliest <= time <= latest:
            code = ErrorCode.INVALID_TIMESTAMP
            reason = (
                f"Timestamp {time} is out of range; it should be within {earliest} and {latest}"
            )
        else:
            continue
        errors.append((index, f"{reason}."))
        codes.add(code)
    if errors:
        code = max(codes, key=(ErrorCode.INVALID_RECORD, ErrorCode.INVALID_TIMESTAMP).index)
        raise BatchRefused(code, _summary(code, errors), tuple(errors))


def _summary(code: ErrorCode, errors: list[tuple[int, str]]) -> str:
    if code == ErrorCode.INVALID_TIMESTAMP:
        return "One or more records have been rejected due to invalid timestamp"
    shown = "; ".join(f"record {i}: {text}" for i, text in errors[:MAX_RECORD_ERRORS_IN_MESSAGE])
    return f"{len(errors)} records have been rejected, of which the first: {shown}"


def _refused(index: int, fault: str) -> BatchRefused:
    reason = f"Record {index} of the batch is malformed: {fault}."
    return BatchRefused(ErrorCode.INVALID_RECORD, reason, ((index, reason),))


def _record(
    header: BatchHeader, payload: bytes, bounds: tuple[int, int], index: int, is_append_time: bool
) -> Record:
    position, end = bounds
    timestamp_delta, position = read_varint(payload, position, MAX_LONG_BYTES)
    offset_delta, position = read_varint(payload, position)
    key, position = _bytes_at(payload, position, end, index)
    value, position = _bytes_at(payload, position, end, index)
    headers_count, position = read_varint(payload, position)
    if not 0 <= headers_count <= end - position:
        raise _refused(index, f"it claims {headers_count} headers in {end - position} bytes")
    headers = []
    for _ in range(headers_count):
        name, position = _bytes_at(payload, position, end, index)
        header_value, position = _bytes_at(payload, position, end, index)
        try:
            headers.append(((name if name is not None else b"\xff").decode(), header_value))
        except UnicodeDecodeError:
            raise _refused(index, "the name of a header is null or not UTF-8") from None
    if position != end:
        raise _refused(index, f"it has {end - position} bytes more or less than it claims")
    timestamp_ms = (
        header.max_timestamp if is_append_time else header.base_timestamp + timestamp_delta
    )
    return Record(header.base_offset + offset_delta, timestamp_ms, key, value, tuple(headers))


def _bytes_at(payload: bytes, position: int, end: int, index: int) -> tuple[bytes | None, int]:
    length, position = read_varint(payload, position)
    if length == -1:
        return None, position
    if not 0 <= length <= end - position:
        raise _refused(index, f"a field claims {length} bytes and {end - position} are left")
    return payload[position : position + length], position + length
