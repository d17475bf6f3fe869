"""Fetch requests 4 to 17, read by hand.

What is accepted is what kio accepts behind the scan, and read as kio reads it; the tests prove it
for every version.

| request | |
|---|---|
| 4 | replica_id, max_wait, min_bytes, max_bytes, isolation_level, topics: topic, partitions |
| 7 | session_id, session_epoch; forgotten topics |
| 11 | rack_id |
| 12 | compact lengths and tagged fields; cluster_id (tag 0) |
| 13 | topic_id for the name |
| 15 | replica_state (tag 1) for replica_id |
| 17 | replica_directory_id of a partition (tag 0) |
"""

from __future__ import annotations

import struct
from uuid import UUID

from kproof_impl.messages.fetch import (
    CONSUMER,
    FetchPartition,
    FetchRequest,
    FetchTopic,
    ForgottenTopic,
    ReplicaState,
)
from kproof_impl.messages.ids import NO_ID, Buffer
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.primitives import (
    MAX_ELEMENTS,
    check_count,
    skip_tagged_fields,
    tagged_fields,
    text,
    too_long,
    too_many,
    unsigned_varint,
)

SESSIONS = 7
RACKS = 11
FLEXIBLE = 12
TOPIC_IDS = 13
REPLICA_STATE = 15
DIRECTORY_IDS = 17

INT16 = struct.Struct(">h")
INT32 = struct.Struct(">i")
REQUEST_4 = struct.Struct(">iiiib")
REQUEST_7 = struct.Struct(">iiiibii")
REQUEST_15 = struct.Struct(">iiibii")
PARTITION_4 = struct.Struct(">iqi")
PARTITION_5 = struct.Struct(">iqqi")
PARTITION_9 = struct.Struct(">iiqqi")
PARTITION_12 = struct.Struct(">iiqiqi")
"""In the order of the fields of `FetchPartition`."""
REPLICA = struct.Struct(">iq")


def decode_fetch(data: Buffer, position: int, version: int) -> FetchRequest:
    """The request in a frame whose client id ends at a position.

    Bytes after its end are passed over, as everywhere.  Raises `MalformedRequest`.
    """
    read = _read_flexible if version >= FLEXIBLE else _read_legacy
    end = len(data)
    try:
        return read(data, position, end, version)
    except (struct.error, IndexError, ValueError) as error:
        raise MalformedRequest(f"Fetch v{version} of {end} bytes: {error}") from None


def _read_legacy(data: Buffer, position: int, end: int, version: int) -> FetchRequest:
    request = FetchRequest()
    if version >= SESSIONS:
        (
            replica_id,
            request.max_wait_ms,
            request.min_bytes,
            request.max_bytes,
            request.isolation_level,
            request.session_id,
            request.session_epoch,
        ) = REQUEST_7.unpack_from(data, position)
        position += REQUEST_7.size
    else:
        (
            replica_id,
            request.max_wait_ms,
            request.min_bytes,
            request.max_bytes,
            request.isolation_level,
        ) = REQUEST_4.unpack_from(data, position)
        position += REQUEST_4.size
    if replica_id != -1:
        request.replica_state = ReplicaState(replica_id)
    (count,) = INT32.unpack_from(data, position)
    position += 4
    elements = check_count(count, 6, position, end)
    topics = []
    for _ in range(count):
        name, position = _legacy_text(data, position, end)
        (partition_count,) = INT32.unpack_from(data, position)
        position += 4
        elements += check_count(partition_count, 16, position, end)
        if elements > MAX_ELEMENTS:
            raise too_many(position)
        partitions = []
        for _ in range(partition_count):
            partition, position = _legacy_partition(data, position, version)
            partitions.append(partition)
        topics.append(FetchTopic(NO_ID, partitions, name))
    request.topics = topics
    if version >= SESSIONS:
        (count,) = INT32.unpack_from(data, position)
        position += 4
        elements += check_count(count, 6, position, end)
        forgotten = []
        for _ in range(count):
            name, position = _legacy_text(data, position, end)
            (partition_count,) = INT32.unpack_from(data, position)
            position += 4
            elements += check_count(partition_count, 4, position, end)
            if elements > MAX_ELEMENTS:
                raise too_many(position)
            numbers = struct.unpack_from(f">{partition_count}i", data, position)
            position += 4 * partition_count
            forgotten.append(ForgottenTopic(NO_ID, numbers, name))
        request.forgotten_topics_data = forgotten
    if version >= RACKS:
        request.rack_id, _ = _legacy_text(data, position, end)
    return request


def _legacy_text(data: Buffer, position: int, end: int) -> tuple[str, int]:
    (length,) = INT16.unpack_from(data, position)
    position += 2
    return text(data, position, length, end), position + length


def _legacy_partition(data: Buffer, position: int, version: int) -> tuple[FetchPartition, int]:
    if version >= 9:
        index, leader_epoch, offset, start, size = PARTITION_9.unpack_from(data, position)
        partition = FetchPartition(index, leader_epoch, offset, -1, start, size)
        return partition, position + PARTITION_9.size
    if version >= 5:
        index, offset, start, size = PARTITION_5.unpack_from(data, position)
        return FetchPartition(index, -1, offset, -1, start, size), position + PARTITION_5.size
    index, offset, size = PARTITION_4.unpack_from(data, position)
    return FetchPartition(index, -1, offset, -1, -1, size), position + PARTITION_4.size


def _read_flexible(  # noqa: PLR0912, PLR0915  Straight on: a call for each part costs as much as it.
    data: Buffer, position: int, end: int, version: int
) -> FetchRequest:
    # A length below 128 is one byte, and read here; what it promises is there or an IndexError, so
    # it needs no check of its own.
    elements = 0
    if data[position]:
        position, elements = skip_tagged_fields(data, position, end, elements)
    else:
        position += 1
    has_ids = version >= TOPIC_IDS
    state = CONSUMER
    if version < REPLICA_STATE:
        (replica_id,) = INT32.unpack_from(data, position)
        position += 4
        if replica_id != -1:
            state = ReplicaState(replica_id)
    max_wait, min_bytes, max_bytes, isolation, session_id, epoch = REQUEST_15.unpack_from(
        data, position
    )
    position += 21
    count = data[position]
    position += 1
    if count >= 0x80:
        count, position = unsigned_varint(data, position - 1, end)
    if not 0 < count < 0x80:
        elements += check_count(count - 1, 18 if has_ids else 3, position, end)
    topics = []
    topic_id, name = NO_ID, ""
    for _ in range(count - 1):
        if has_ids:
            topic_id = UUID(bytes=bytes(data[position : position + 16]))
            position += 16
        else:
            length = data[position]
            position += 1
            if length >= 0x80:
                length, position = unsigned_varint(data, position - 1, end)
            after = position + length - 1
            if not position <= after <= end:
                raise too_long(position, length - 1, end)
            name = str(data[position:after], "utf-8")
            position = after
        partition_count = data[position]
        position += 1
        if partition_count >= 0x80:
            partition_count, position = unsigned_varint(data, position - 1, end)
        if not 0 < partition_count < 0x80:
            check_count(partition_count - 1, 33, position, end)
        elements += partition_count
        if elements > MAX_ELEMENTS:
            raise too_many(position)
        partitions = []
        for _ in range(partition_count - 1):
            partition = FetchPartition(*PARTITION_12.unpack_from(data, position))
            partitions.append(partition)
            position += 32
            if not data[position]:
                position += 1
            elif version >= DIRECTORY_IDS:
                position, elements = _partition_tags(data, position, end, partition, elements)
            else:
                position, elements = skip_tagged_fields(data, position, end, elements)
        topics.append(FetchTopic(topic_id, partitions, name))
        if data[position]:
            position, elements = skip_tagged_fields(data, position, end, elements)
        else:
            position += 1
    forgotten: list[ForgottenTopic] | tuple[()] = ()
    if data[position] == 1:
        position += 1
    else:
        forgotten, position, elements = _forgotten(data, position, end, has_ids, elements)
    rack_id = ""
    if data[position] == 1:
        position += 1
    else:
        rack_id, position = _compact_text(data, position, end)
    request = FetchRequest(
        None,
        state,
        max_wait,
        min_bytes,
        max_bytes,
        isolation,
        session_id,
        epoch,
        topics,
        forgotten,
        rack_id,
    )
    if data[position]:
        _request_tags(data, position, end, request, version)
    return request


def _compact_text(data: Buffer, position: int, end: int) -> tuple[str, int]:
    length = data[position]
    position += 1
    if length >= 0x80:
        length, position = unsigned_varint(data, position - 1, end)
    elif length == 1:
        return "", position
    elif not length:
        raise MalformedRequest(f"a string before byte {position} is null, which it may not be")
    return text(data, position, length - 1, end), position + length - 1


def _forgotten(
    data: Buffer, position: int, end: int, has_ids: bool, elements: int
) -> tuple[list[ForgottenTopic], int, int]:
    count, position = unsigned_varint(data, position, end)
    elements += check_count(count - 1, 18 if has_ids else 3, position, end)
    forgotten = []
    for _ in range(count - 1):
        topic_id, name = NO_ID, ""
        if has_ids:
            topic_id = UUID(bytes=bytes(data[position : position + 16]))
            position += 16
        else:
            name, position = _compact_text(data, position, end)
        partition_count, position = unsigned_varint(data, position, end)
        partition_count -= 1
        elements += check_count(partition_count, 4, position, end)
        if elements > MAX_ELEMENTS:
            raise too_many(position)
        numbers = struct.unpack_from(f">{partition_count}i", data, position)
        position += 4 * partition_count
        forgotten.append(ForgottenTopic(topic_id, numbers, name))
        position, elements = skip_tagged_fields(data, position, end, elements)
    return forgotten, position, elements


def _partition_tags(
    data: Buffer, position: int, end: int, partition: FetchPartition, elements: int
) -> tuple[int, int]:
    found, position = tagged_fields(data, position, end)
    for tag, start, after in found:
        if tag == 0:
            if after - start != 16:
                raise MalformedRequest(f"a directory id of {after - start} bytes at byte {start}")
            partition.replica_directory_id = UUID(bytes=bytes(data[start:after]))
    elements += len(found)
    if elements > MAX_ELEMENTS:
        raise too_many(position)
    return position, elements


def _request_tags(
    data: Buffer, position: int, end: int, request: FetchRequest, version: int
) -> None:
    found, _ = tagged_fields(data, position, end)
    for tag, start, after in found:
        if tag == 0:
            length, reached = unsigned_varint(data, start, after)
            if not length:
                raise MalformedRequest(f"the cluster id at byte {start} is null, and not left out")
            request.cluster_id = text(data, reached, length - 1, after)
            reached += length - 1
        elif tag == 1 and version >= REPLICA_STATE:
            if after - start <= REPLICA.size:
                raise MalformedRequest(f"a replica state of {after - start} bytes at byte {start}")
            request.replica_state = ReplicaState(*REPLICA.unpack_from(data, start))
            reached, _ = skip_tagged_fields(data, start + REPLICA.size, after, 0)
        else:
            continue
        if reached != after:
            raise MalformedRequest(
                f"tagged field {tag} at byte {start} is {reached - start} bytes long and claims "
                f"{after - start}"
            )
