"""Numbers of variable length, strings and tagged fields: what readers and writers by hand share.

Readers take the data, a position and where the data ends, and give the value and the position
after it.  They raise `MalformedRequest`; an `IndexError` or `struct.error`, from data that ends
too early, is left to the caller, for whom a `try` around all of it costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.errors import MalformedRequest

MAX_ELEMENTS = 250_000
"""Array elements and tagged fields in one request.  Kafka bounds them by the bytes of a request
only; a client that sends empty strings would have 100 million objects made of 100 MB, and keep all
others waiting for minutes.  So many take under a second."""


def unsigned_varint(data: Buffer, position: int, end: int) -> tuple[int, int]:
    """A number of at most 32 bits in at most five bytes."""
    value = 0
    for shift in (0, 7, 14, 21, 28):
        if position >= end:
            raise MalformedRequest(f"a number at byte {position} is cut off by the end")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 32:
                raise MalformedRequest(f"a number at byte {position} is {value}, beyond 32 bits")
            return value, position
    raise MalformedRequest(f"a number at byte {position} has more than five bytes")


_ONE_BYTE = tuple(bytes((value,)) for value in range(0x80))


def varint_bytes(value: int) -> bytes:
    """A number of variable length; at most 32 bits, and not negative."""
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def text(data: Buffer, position: int, length: int, end: int) -> str:
    """A string of so many bytes.

    Raises `MalformedRequest` for a negative length, which is null, and for what is no UTF-8.
    """
    if length < 0:
        raise MalformedRequest(f"a string of {length} bytes before byte {position}")
    after = position + length
    if after > end:
        raise too_long(position, length, end)
    try:
        return str(data[position:after], "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"a string at byte {position} is not UTF-8: {error}") from None


def too_long(position: int, length: int, end: int) -> MalformedRequest:
    """The error of something that claims more bytes than there are."""
    return MalformedRequest(
        f"{length} bytes are claimed at byte {position}, and {end - position} are left"
    )


def check_count(count: int, smallest: int, position: int, end: int) -> int:
    """How many elements of at least so many bytes there are: 0 for null, which none of ours is.

    Raises `MalformedRequest` for more than fit into the bytes that are left, or than are taken.
    """
    if count < 0:
        raise MalformedRequest(f"an array before byte {position} is null, which it may not be")
    if count * smallest > end - position:
        raise too_long(position, count * smallest, end)
    if count > MAX_ELEMENTS:
        raise too_many(position)
    return count


def too_many(position: int) -> MalformedRequest:
    """The error of a request of more elements than are taken."""
    return MalformedRequest(f"more than {MAX_ELEMENTS} elements before byte {position}")


def tagged_fields(data: Buffer, position: int, end: int) -> tuple[list[tuple[int, int, int]], int]:
    """The tagged fields that begin at a position, each as tag, start and end of its value.

    Raises `MalformedRequest` for tags that do not rise (KIP-482).
    """
    count, position = unsigned_varint(data, position, end)
    check_count(count, 2, position, end)
    found = []
    last_tag = -1
    for _ in range(count):
        tag, position = unsigned_varint(data, position, end)
        if tag <= last_tag:
            raise MalformedRequest(f"tag {tag} before byte {position} comes after tag {last_tag}")
        last_tag = tag
        size, position = unsigned_varint(data, position, end)
        if size > end - position:
            raise too_long(position, size, end)
        found.append((tag, position, position + size))
        position += size
    return found, position


def skip_tagged_fields(data: Buffer, position: int, end: int, elements: int) -> tuple[int, int]:
    """The position after tagged fields none of which is known, and how many elements there are
    with them."""
    found, position = tagged_fields(data, position, end)
    elements += len(found)
    if elements > MAX_ELEMENTS:
        raise too_many(position)
    return position, elements


def compact_text(value: str) -> bytes:
    """A string with its length plus one before it."""
    encoded = value.encode()
    return varint_bytes(len(encoded) + 1) + encoded


def compact_nullable_text(value: str | None) -> bytes:
    return b"\0" if value is None else compact_text(value)


def legacy_text(value: str) -> bytes:
    """A string with its length in two bytes before it.  Raises `OverflowError` beyond 32767."""
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big", signed=True) + encoded


def legacy_nullable_text(value: str | None) -> bytes:
    return b"\xff\xff" if value is None else legacy_text(value)


class NodeEndpoint(Protocol):
    """Where a broker is: Produce and Fetch have a class each, with the same fields."""

    node_id: int
    host: str
    port: int
    rack: str | None


def write_node_endpoints(frame: bytearray, endpoints: Sequence[NodeEndpoint]) -> None:
    """The one tagged field, 0, at the end of a response: where the leaders are that it names."""
    value = bytearray(varint_bytes(len(endpoints) + 1))
    for endpoint in endpoints:
        value += endpoint.node_id.to_bytes(4, "big", signed=True)
        value += compact_text(endpoint.host)
        value += endpoint.port.to_bytes(4, "big", signed=True)
        value += compact_nullable_text(endpoint.rack)
        value.append(0)
    frame += b"\1\0"
    frame += varint_bytes(len(value))
    frame += value
