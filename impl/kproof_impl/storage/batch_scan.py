"""Walking through the batches of a `.log` file by their headers."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kproof_impl.records.batch import (
    CRC_START,
    HEADER,
    HEADER_BYTES,
    LENGTH_END,
    MAGIC,
    BatchHeader,
)
from kproof_impl.records.crc import crc32c
from kproof_impl.records.errors import LogDamaged
from kproof_impl.storage.files import File

_CHUNK_FIRST_BYTES = 8 << 10
_CHUNK_BYTES = 256 << 10
_PLACE = struct.Struct(">qi11xi")


class BatchPlace(NamedTuple):
    """Where a batch stands; offsets inclusive, positions in bytes, `end` exclusive."""

    position: int
    end: int
    base_offset: int
    last_offset: int


def places(file: File, position: int, stop: int) -> Iterator[BatchPlace]:
    """The batches between two positions of a file that is known to be sound.

    Raises `LogFailed` at a batch that cannot be one.
    """
    for at, end, chunk, start in _walk(file, position, stop):
        base_offset, _, last_offset_delta = _PLACE.unpack_from(chunk, start)
        yield BatchPlace(at, end, base_offset, base_offset + last_offset_delta)


def headers(file: File, position: int, stop: int) -> Iterator[tuple[int, BatchHeader]]:
    """The same with the whole headers."""
    for at, _, chunk, start in _walk(file, position, stop):
        yield at, BatchHeader._make(HEADER.unpack_from(chunk, start))


def whole_batches(
    file: File, position: int, stop: int
) -> Iterator[tuple[int, BatchHeader, memoryview]]:
    """The batches between two positions, with all their bytes.

    Raises `LogDamaged` at one that cannot be a batch or does not have the CRC-32C it says.
    """
    chunk = memoryview(b"")
    chunk_start = position
    while position < stop:
        at = position - chunk_start
        if at + HEADER_BYTES > len(chunk):
            chunk = memoryview(file.read(position, min(_CHUNK_BYTES, stop - position)))
            chunk_start, at = position, 0
            if len(chunk) < HEADER_BYTES:
                raise _damaged(position)
        header = BatchHeader._make(HEADER.unpack_from(chunk, at))
        size = header.size_bytes
        if header.magic != MAGIC or not HEADER_BYTES <= size <= stop - position:
            raise _damaged(position)
        if at + size > len(chunk):
            chunk = memoryview(file.read(position, max(size, min(_CHUNK_BYTES, stop - position))))
            chunk_start, at = position, 0
        data = chunk[at : at + size]
        if crc32c(data[CRC_START:]) != header.crc:
            raise _damaged(position)
        yield position, header, data
        position += size


def _walk(file: File, position: int, stop: int) -> Iterator[tuple[int, int, bytes, int]]:
    """Of each batch where it begins and ends, and where its header is found."""
    chunk = b""
    chunk_start = position
    chunk_bytes = _CHUNK_FIRST_BYTES
    while position < stop:
        at = position - chunk_start
        if at + HEADER_BYTES > len(chunk):
            chunk = file.read(position, min(chunk_bytes, stop - position))
            chunk_start, at, chunk_bytes = position, 0, _CHUNK_BYTES
            if len(chunk) < HEADER_BYTES:
                raise _damaged(position)
        _, length, last_offset_delta = _PLACE.unpack_from(chunk, at)
        end = position + length + LENGTH_END
        if length < HEADER_BYTES - LENGTH_END or end > stop or last_offset_delta < 0:
            raise _damaged(position)
        yield position, end, chunk, at
        position = end


def sound_batches(
    file: File, size_bytes: int, first_offset: int
) -> Iterator[tuple[int, BatchHeader]]:
    """The whole batches from the start of a file up to the first that is not sound.

    A batch is sound if it ends within the file, is of format 2, has the CRC-32C that its header
    says, and does not begin below the offset expected.
    """
    position = 0
    chunk = b""
    chunk_start = 0
    while position + HEADER_BYTES <= size_bytes:
        at = position - chunk_start
        if at + HEADER_BYTES > len(chunk):
            chunk = file.read(position, min(_CHUNK_BYTES, size_bytes - position))
            chunk_start, at = position, 0
        header = BatchHeader._make(HEADER.unpack_from(chunk, at))
        size = header.size_bytes
        if (
            header.magic != MAGIC
            or not HEADER_BYTES <= size <= size_bytes - position
            or header.base_offset < first_offset
            or header.last_offset_delta < 0
        ):
            return
        if at + size > len(chunk):
            chunk = file.read(position, max(size, min(_CHUNK_BYTES, size_bytes - position)))
            chunk_start, at = position, 0
        if crc32c(memoryview(chunk)[at + CRC_START : at + size]) != header.crc:
            return
        yield position, header
        position += size
        first_offset = header.last_offset + 1


def _damaged(position: int) -> LogDamaged:
    return LogDamaged(
        f"The log is damaged at byte {position}: what stands there is no batch. Stop the broker, "
        "remove .kafka_cleanshutdown and the recovery point checkpoint, and start it again."
    )
