"""Signed numbers in a few bytes: zigzag, seven bits a byte, as Protocol Buffers has them."""

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.errors import BatchRefused

MAX_INT_BYTES = 5
MAX_LONG_BYTES = 10


def varint(value: int) -> bytes:
    """The bytes of a signed number of at most 64 bits."""
    rest = (value << 1) ^ (value >> 63)
    if rest < 0x80:
        return bytes((rest,))
    out = bytearray()
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def read_varint(data: bytes, position: int, max_bytes: int = MAX_INT_BYTES) -> tuple[int, int]:
    """The number at a position, and the position after it.

    Raises `BatchRefused` if it does not end within `max_bytes`, or within the data.
    """
    value = shift = 0
    end = min(position + max_bytes, len(data))
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position
        shift += 7
    raise BatchRefused(
        ErrorCode.INVALID_RECORD, f"A number in a record does not end by byte {end} of the records."
    )
