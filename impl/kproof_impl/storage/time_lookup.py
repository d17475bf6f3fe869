"""Finding records by their time (KIP-79, KIP-734)."""

from kproof_impl.core.ports import TimestampOffset
from kproof_impl.records.batch import BatchHeader
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.read import records_of
from kproof_impl.storage.batch_scan import headers
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Segments
from kproof_impl.storage.time_index import NO_TIMESTAMP


def find_timestamp(
    segments: Segments, timestamp_ms: int, start_offset: int, end_offset: int
) -> TimestampOffset | None:
    """The first record from `start_offset` on, below `end_offset`, that is not older."""
    for segment in segments.from_offset(start_offset):
        if segment.base_offset >= end_offset:
            break
        if segment.largest_timestamp() < timestamp_ms:
            continue
        position = segment.locate(segment.time_index.floor(timestamp_ms))
        for place, header in headers(segment.file, position, segment.size):
            if header.base_offset >= end_offset:
                break
            if header.max_timestamp < timestamp_ms or header.last_offset < start_offset:
                continue
            found = _record_at(segment, place, header, timestamp_ms, start_offset)
            if found is not None:
                return found if found.offset < end_offset else None
    return None


def find_max_timestamp(
    segments: Segments, start_offset: int, end_offset: int
) -> TimestampOffset | None:
    """The first of the records with the largest timestamp, between two offsets."""
    best: tuple[Segment, int, BatchHeader] | None = None
    best_ms = NO_TIMESTAMP
    for segment in segments.from_offset(start_offset):
        if segment.base_offset >= end_offset:
            break
        if segment.largest_timestamp() <= best_ms:
            continue
        position, stop = 0, segment.size
        if segment.base_offset >= start_offset and segment.next_offset <= end_offset:
            position = segment.locate(segment.offset_of_max_timestamp)
            stop = segment.first_batch_end(position)
            if all(
                header.records_count == 0 for _, header in headers(segment.file, position, stop)
            ):
                position, stop = 0, segment.size  # A cleaning has left the header of it only.
        for place, header in headers(segment.file, position, stop):
            if header.base_offset >= end_offset:
                break
            if header.max_timestamp <= best_ms or header.last_offset < start_offset:
                continue
            if header.records_count == 0:
                continue
            found_ms = header.max_timestamp
            if header.base_offset < start_offset or header.last_offset >= end_offset:
                found_ms = _largest_between(segment, place, header, start_offset, end_offset)
            if found_ms > best_ms:
                best, best_ms = (segment, place, header), found_ms
    if best is None:
        return None
    return _record_at(*best, best_ms, start_offset)


def _largest_between(
    segment: Segment, position: int, header: BatchHeader, start_offset: int, end_offset: int
) -> int:
    """The largest timestamp in the part of a batch that lies between two offsets."""
    data = segment.file.read(position, header.size_bytes)
    try:
        times = [
            record.timestamp_ms
            for record in records_of(header, data, may_have_gaps=True)
            if start_offset <= record.offset < end_offset
        ]
        return max(times, default=NO_TIMESTAMP)
    except BatchRefused:
        return header.max_timestamp


def _record_at(
    segment: Segment, position: int, header: BatchHeader, timestamp_ms: int, start_offset: int
) -> TimestampOffset | None:
    """The first record of a batch that is not older.

    A batch whose records cannot be read, which the broker stored as it came, counts as one record.
    """
    epoch = header.partition_leader_epoch
    data = segment.file.read(position, header.size_bytes)
    try:
        for record in records_of(header, data, may_have_gaps=True):
            if record.timestamp_ms >= timestamp_ms and record.offset >= start_offset:
                return TimestampOffset(record.offset, record.timestamp_ms, epoch)
    except BatchRefused:
        first = max(header.base_offset, start_offset)
        return TimestampOffset(first, header.max_timestamp, epoch)
    return None
