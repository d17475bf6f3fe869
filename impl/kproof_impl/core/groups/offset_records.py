"""The records of `__consumer_offsets`, as Kafka writes them: its own tools can read ours.

A key begins with its version, which tells what it is about; so does a value.  A record without
value (a tombstone) says that what its key is about is no more.

| key | fields | value |
|---|---|---|
| 1 `OffsetCommitKey` (0 too is read) | group, topic, partition | `OffsetCommitValue` |
| 2 `GroupMetadataKey` | group | `GroupMetadataValue` |

| value | fields |
|---|---|
| `OffsetCommitValue` 3 | offset, leader_epoch, metadata, commit_timestamp |
| 1, if the client said when it expires | offset, metadata, commit_timestamp, expire_timestamp |
| `GroupMetadataValue` 3 | protocol_type, generation, protocol, leader, state timestamp, members |
| its member | id, group.instance.id, client id, host, both timeouts, subscription, assignment |

Older values are read too: 0 and 2 lack what 1 and 3 have more.  Numbers are big-endian, a string
has an int16 of length (-1 is null), bytes an int32.

REF   group-coordinator's message schemas `OffsetCommitKey`, `OffsetCommitValue`,
      `GroupMetadataKey`, `GroupMetadataValue`; KIP-915 (why 3 is written and not 4).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from kproof_impl.core.groups.group import Group
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offsets import NO_EXPIRY, NO_LEADER_EPOCH, CommittedOffset

MAX_STRING_BYTES = 0x7FFF

_SHORT = struct.Struct(">h")
_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")
_OFFSET_3 = struct.Struct(">hqi")
_OFFSET_1 = struct.Struct(">hq")
_TWO_LONGS = struct.Struct(">qq")

OFFSET_KEY_VERSIONS = (0, 1)
GROUP_KEY_VERSION = 2
_OFFSET_KEY_PREFIX = _SHORT.pack(1)
_GROUP_KEY_PREFIX = _SHORT.pack(GROUP_KEY_VERSION)
_GROUP_VALUE_VERSION = 3


class OffsetKey(NamedTuple):
    """Whose offset, and of what."""

    group_id: str
    topic: str
    partition: int


class GroupKey(NamedTuple):
    """Which group."""

    group_id: str


class StoredMember(NamedTuple):
    """A member as the log has it; times in milliseconds."""

    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    subscription: bytes
    assignment: bytes


class StoredGroup(NamedTuple):
    """The last generation of a group that was complete; -1: the time is not known."""

    protocol_type: str
    generation_id: int
    protocol_name: str | None
    leader: str | None
    state_since_ms: int
    members: tuple[StoredMember, ...]


class UnknownRecord(Exception):
    """A key or value that is none of ours, or is cut short."""


# -- writing -------------------------------------------------------------------------------------


def fits(text: str) -> bool:
    """Whether a string can be stored: its UTF-8 has at most 32,767 bytes."""
    return len(text) <= MAX_STRING_BYTES // 4 or len(text.encode()) <= MAX_STRING_BYTES


def group_key(group_id: str) -> bytes:
    return _GROUP_KEY_PREFIX + _string(group_id)


def offset_key_start(group_id: str) -> bytes:
    """What the keys of all offsets of a group begin with."""
    return _OFFSET_KEY_PREFIX + _string(group_id)


def offset_key(group_id: str, topic: str, partition: int) -> bytes:
    return offset_key_start(group_id) + _string(topic) + _INT.pack(partition)


def offset_value(committed: CommittedOffset) -> bytes:
    metadata = _string(committed.metadata)
    if committed.expire_timestamp_ms != NO_EXPIRY:
        times = _TWO_LONGS.pack(committed.commit_timestamp_ms, committed.expire_timestamp_ms)
        return _OFFSET_1.pack(1, committed.offset) + metadata + times
    return (
        _OFFSET_3.pack(3, committed.offset, committed.leader_epoch)
        + metadata
        + _LONG.pack(committed.commit_timestamp_ms)
    )


def group_value(group: Group) -> bytes:
    """A group as it is, with the assignments that its members have."""
    parts = [
        _SHORT.pack(_GROUP_VALUE_VERSION),
        _string(group.protocol_type or ""),
        _INT.pack(group.generation_id),
        _nullable_string(group.protocol_name),
        _nullable_string(group.leader),
        _LONG.pack(group.state_since_ms),
        _INT.pack(len(group.members)),
    ]
    for member in group.members.values():
        parts += _member(member, group.protocol_name)
    return b"".join(parts)


def _member(member: Member, protocol_name: str | None) -> tuple[bytes, ...]:
    assert protocol_name is not None, "a generation with members has chosen its protocol"
    return (
        _string(member.member_id),
        _nullable_string(member.group_instance_id),
        _string(member.client_id),
        _string(member.client_host),
        _INT.pack(member.rebalance_timeout_ms),
        _INT.pack(member.session_timeout_ms),
        _bytes(member.protocols[protocol_name]),
        _bytes(member.assignment),
    )


def _string(text: str) -> bytes:
    data = text.encode()
    return _SHORT.pack(len(data)) + data


def _nullable_string(text: str | None) -> bytes:
    return b"\xff\xff" if text is None else _string(text)


def _bytes(data: bytes) -> bytes:
    return _INT.pack(len(data)) + data


# -- reading -------------------------------------------------------------------------------------


class _Reader:
    """Fields, one after the other.  Raises `UnknownRecord` where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def _take(self, length: int) -> bytes:
        end = self._position + length
        if length < 0 or end > len(self._data):
            raise UnknownRecord(f"a field of {length} bytes at byte {self._position} is cut short")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def int16(self) -> int:
        return int.from_bytes(self._take(2), "big", signed=True)

    def int32(self) -> int:
        return int.from_bytes(self._take(4), "big", signed=True)

    def int64(self) -> int:
        return int.from_bytes(self._take(8), "big", signed=True)

    def sized(self) -> bytes:
        return self._take(self.int32())

    def nullable_string(self) -> str | None:
        length = self.int16()
        if length == -1:
            return None
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise UnknownRecord(f"a string is not UTF-8: {error}") from None

    def string(self) -> str:
        text = self.nullable_string()
        if text is None:
            raise UnknownRecord("a string is null that must not be")
        return text


def read_key(data: bytes) -> OffsetKey | GroupKey:
    """What a record is about.  Raises `UnknownRecord`."""
    reader = _Reader(data)
    version = reader.int16()
    if version in OFFSET_KEY_VERSIONS:
        return OffsetKey(reader.string(), reader.string(), reader.int32())
    if version == GROUP_KEY_VERSION:
        return GroupKey(reader.string())
    raise UnknownRecord(f"the key has version {version}, and 0 to 2 are known")


def read_offset(data: bytes) -> CommittedOffset:
    """An `OffsetCommitValue`.  Raises `UnknownRecord`."""
    reader = _Reader(data)
    version = reader.int16()
    if not 0 <= version <= 3:
        raise UnknownRecord(f"the value has version {version}, and 0 to 3 are known")
    offset = reader.int64()
    leader_epoch = reader.int32() if version >= 3 else NO_LEADER_EPOCH
    metadata = reader.string()
    commit_timestamp_ms = reader.int64()
    expire_timestamp_ms = reader.int64() if version == 1 else NO_EXPIRY
    return CommittedOffset(offset, leader_epoch, metadata, commit_timestamp_ms, expire_timestamp_ms)


def read_group(data: bytes) -> StoredGroup:
    """A `GroupMetadataValue`.  Raises `UnknownRecord`."""
    reader = _Reader(data)
    version = reader.int16()
    if not 0 <= version <= 3:
        raise UnknownRecord(f"the value has version {version}, and 0 to 3 are known")
    protocol_type = reader.string()
    generation_id = reader.int32()
    protocol_name = reader.nullable_string()
    leader = reader.nullable_string()
    state_since_ms = reader.int64() if version >= 2 else -1
    members = tuple(_read_member(reader, version) for _ in range(reader.int32()))
    return StoredGroup(protocol_type, generation_id, protocol_name, leader, state_since_ms, members)


def _read_member(reader: _Reader, version: int) -> StoredMember:
    member_id = reader.string()
    group_instance_id = reader.nullable_string() if version >= 3 else None
    client_id = reader.string()
    client_host = reader.string()
    rebalance_timeout_ms = reader.int32() if version >= 1 else -1
    session_timeout_ms = reader.int32()
    if rebalance_timeout_ms == -1:
        rebalance_timeout_ms = session_timeout_ms
    return StoredMember(
        member_id,
        group_instance_id,
        client_id,
        client_host,
        rebalance_timeout_ms,
        session_timeout_ms,
        reader.sized(),
        reader.sized(),
    )
