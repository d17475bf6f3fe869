"""The codecs of record batches, with a bound on what comes out.

| number | codec | |
|---|---|---|
| 0 | none | |
| 1 | gzip | by zlib, in a stream |
| 2 | snappy | raw, as librdkafka sends it, or in the frames of xerial's Java library |
| 3 | lz4 | the frame format, not the block (KIP-57) |
| 4 | zstd | KIP-110 |

A client's few kilobytes may claim gigabytes.  So each codec writes into room of a fixed size:
`allowed_bytes` of the compressed size, and what does not fit is refused.  The bound leaves room for
honest data that compresses well, such as a megabyte of one letter.

REF   KIP-57, KIP-110; CVE-2023-34455 and CVE-2023-43642 for the lengths inside xerial's frames.
"""

import struct
import zlib
from collections.abc import Callable

import cramjam

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.errors import BatchRefused

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
CODEC_NAMES = ("none", "gzip", "snappy", "lz4", "zstd")

MAX_BYTES = 256 << 20
"""No batch may grow beyond this."""
FREE_BYTES = 16 << 20
"""So much is allowed at any ratio."""
MAX_RATIO = 64
"""Above `FREE_BYTES`, so many times its size may a batch grow."""

_FIRST_ROOM = 64 << 10
_GZIP_WINDOW = 31
"""zlib's number for a gzip header and the largest window."""
XERIAL_MAGIC = b"\x82SNAPPY\x00"
XERIAL_HEADER = XERIAL_MAGIC + struct.pack(">ii", 1, 1)
_XERIAL_BLOCK = 32 << 10
_INT = struct.Struct(">i")
_LZ4_HEADER = b"\x04\x22\x4d\x18\x60\x40\x82"
"""Magic; version 1, independent blocks; blocks of 64 KiB at most; a checksum of these two bytes."""
_LZ4_BLOCK = 64 << 10
_LZ4_SIZE = struct.Struct("<I")
_LZ4_PLAIN = 1 << 31
"""Marks the size of a block that is not compressed."""


def allowed_bytes(compressed_bytes: int) -> int:
    """How many bytes may come out of so many."""
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * compressed_bytes))


def compress(codec: int, data: bytes) -> bytes:
    """The data by a codec; snappy is framed as Java's clients frame it."""
    match codec:
        case 0:
            return data
        case 1:
            packer = zlib.compressobj(wbits=_GZIP_WINDOW)
            return packer.compress(data) + packer.flush()
        case 2:
            return _compress_xerial(data)
        case 3:
            return _compress_lz4(data)
        case 4:
            return bytes(cramjam.zstd.compress(data, 3))
    raise _unknown(codec)


def decompress(codec: int, data: Buffer) -> bytes:
    """What was compressed.

    Raises `BatchRefused`: CORRUPT_MESSAGE for bytes that are no data of this codec,
    INVALID_RECORD for more than `allowed_bytes`.
    """
    limit = allowed_bytes(len(data))
    try:
        match codec:
            case 0:
                return bytes(data)
            case 1:
                return _decompress_gzip(data, limit)
            case 2:
                return _decompress_snappy(bytes(data), limit)
            case 3:
                return _decompress_into(cramjam.lz4.decompress_into, data, limit)
            case 4:
                return _decompress_into(cramjam.zstd.decompress_into, data, limit)
    except (zlib.error, cramjam.DecompressionError, struct.error) as error:
        raise BatchRefused(
            ErrorCode.CORRUPT_MESSAGE, f"The records are no {CODEC_NAMES[codec]} data: {error}."
        ) from error
    raise _unknown(codec)


def _unknown(codec: int) -> BatchRefused:
    return BatchRefused(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        f"Codec {codec} is unknown; known are 0 (none) to 4 (zstd).",
    )


def _too_large(codec: int, limit: int) -> BatchRefused:
    return BatchRefused(
        ErrorCode.INVALID_RECORD,
        f"The {CODEC_NAMES[codec]} data grows beyond the {limit} bytes allowed for its size.",
    )


def _decompress_gzip(data: Buffer, limit: int) -> bytes:
    out: list[bytes] = []
    size = 0
    rest: Buffer = data
    while len(rest):
        unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
        part = unpacker.decompress(rest, limit - size + 1)
        size += len(part)
        if size > limit:
            raise _too_large(GZIP, limit)
        if not unpacker.eof:
            raise zlib.error("it ends too early")
        out.append(part)
        rest = unpacker.unused_data
    if not out:
        raise zlib.error("it is empty")
    return b"".join(out)


def _decompress_snappy(data: bytes, limit: int) -> bytes:
    if not data.startswith(XERIAL_MAGIC):
        return _decompress_snappy_block(data, limit)
    out: list[bytes] = []
    position = len(XERIAL_HEADER)
    if len(data) < position:
        raise struct.error("its frame ends too early")
    while position < len(data):
        (length,) = _INT.unpack_from(data, position)
        position += 4
        if not 0 < length <= len(data) - position:
            raise BatchRefused(
                ErrorCode.CORRUPT_MESSAGE,
                f"A block of the snappy data claims {length} bytes, and "
                f"{len(data) - position} are there.",
            )
        block = _decompress_snappy_block(data[position : position + length], limit)
        limit -= len(block)
        out.append(block)
        position += length
    return b"".join(out)


def _decompress_snappy_block(block: bytes, limit: int) -> bytes:
    size = cramjam.snappy.decompress_raw_len(block)
    if size > limit:
        raise _too_large(SNAPPY, limit)
    room = bytearray(size)
    written = cramjam.snappy.decompress_raw_into(block, room)
    return bytes(room[:written])


def _compress_xerial(data: bytes) -> bytes:
    parts = [XERIAL_HEADER]
    for start in range(0, len(data), _XERIAL_BLOCK):
        block = bytes(cramjam.snappy.compress_raw(data[start : start + _XERIAL_BLOCK]))
        parts += (_INT.pack(len(block)), block)
    return b"".join(parts)


def _compress_lz4(data: bytes) -> bytes:
    """A frame of independent blocks: Java's clients refuse blocks that refer to each other."""
    parts = [_LZ4_HEADER]
    for start in range(0, len(data), _LZ4_BLOCK):
        plain = data[start : start + _LZ4_BLOCK]
        block = bytes(cramjam.lz4.compress_block(plain, store_size=False))
        if len(block) < len(plain):
            parts += (_LZ4_SIZE.pack(len(block)), block)
        else:
            parts += (_LZ4_SIZE.pack(len(plain) | _LZ4_PLAIN), plain)
    return b"".join((*parts, _LZ4_SIZE.pack(0)))


def _decompress_into(
    decompress_into: Callable[[Buffer, bytearray], int], data: Buffer, limit: int
) -> bytes:
    """Tries rooms of growing size: the formats need not say how much will come out."""
    size = min(limit, max(_FIRST_ROOM, 8 * len(data)))
    while True:
        room = bytearray(size)
        try:
            written = decompress_into(data, room)
        except cramjam.DecompressionError as error:
            if not _is_full(error):
                raise
            if size == limit:
                raise _too_large(LZ4, limit) from error
            size = min(limit, size * 4)
        else:
            return bytes(memoryview(room)[:written])


def _is_full(error: Exception) -> bool:
    return "whole buffer" in str(error)
