"""What a consumer says in JoinGroup that it reads.

The metadata of a protocol is the members' own affair; only for groups of type `consumer` is it
known to begin like this, whatever follows: version int16, topics as an array of strings.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_COUNT = struct.Struct(">hi")
_LENGTH = struct.Struct(">h")


def subscribed_topics(metadata: Iterable[bytes]) -> frozenset[str] | None:
    """All topics that any of the members reads; None if one's metadata is something else."""
    topics: set[str] = set()
    for one in metadata:
        found = _topics_of(one)
        if found is None:
            return None
        topics.update(found)
    return frozenset(topics)


def _topics_of(metadata: bytes) -> list[str] | None:
    topics: list[str] = []
    try:
        _, count = _COUNT.unpack_from(metadata)
        position = _COUNT.size
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(metadata, position)
            position += _LENGTH.size
            name = bytes(metadata[position : position + length])
            if length < 0 or len(name) != length:
                return None
            topics.append(name.decode())
            position += length
    except (struct.error, UnicodeDecodeError):
        return None
    return topics
