"""Produce requests 3 to 13 and their responses, read and written by hand.

Records are views of the frame: nothing of them is copied or looked at.  The bytes are those of
kio; the tests prove it for every version.

| request | |
|---|---|
| 3 | transactional_id, acks, timeout, topics: name, partitions: index, records |
| 9 | compact lengths and tagged fields |
| 13 | topic_id for the name |

| response | |
|---|---|
| 3 | topics: name, partitions: index, error_code, base_offset, log_append_time; throttle_time |
| 5 | log_start_offset of a partition |
| 8 | record_errors and error_message of a partition |
| 9 | compact lengths and tagged fields |
| 10 | current_leader of a partition (tag 0), node_endpoints at the end (tag 0) |
| 13 | topic_id for the name |
"""

from __future__ import annotations

import struct
from uuid import UUID

from kproof_impl.messages.ids import NO_ID, Buffer
from kproof_impl.messages.produce import (
    NO_LEADER,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.primitives import (
    MAX_ELEMENTS,
    check_count,
    compact_nullable_text,
    compact_text,
    legacy_nullable_text,
    legacy_text,
    skip_tagged_fields,
    text,
    too_long,
    too_many,
    unsigned_varint,
    varint_bytes,
    write_node_endpoints,
)

FLEXIBLE = 9
TOPIC_IDS = 13

INT16 = struct.Struct(">h")
INT32 = struct.Struct(">i")
ACKS_AND_TIMEOUT = struct.Struct(">hi")
INDEX_AND_LENGTH = struct.Struct(">ii")


def decode_produce(data: Buffer, position: int, version: int) -> ProduceRequest:
    """The request in a frame whose client id ends at a position.

    Bytes after its end are passed over, as everywhere.  Raises `MalformedRequest`.
    """
    read = _read_flexible if version >= FLEXIBLE else _read_legacy
    end = len(data)
    try:
        return read(data, position, end, version)
    except (struct.error, IndexError, ValueError) as error:
        raise MalformedRequest(f"Produce v{version} of {end} bytes: {error}") from None


def _read_legacy(data: Buffer, position: int, end: int, _: int) -> ProduceRequest:
    view = memoryview(data)
    (length,) = INT16.unpack_from(data, position)
    position += 2
    transactional_id = None
    if length != -1:
        transactional_id = text(data, position, length, end)
        position += length
    acks, timeout_ms = ACKS_AND_TIMEOUT.unpack_from(data, position)
    (count,) = INT32.unpack_from(data, position + 6)
    position += 10
    elements = check_count(count, 6, position, end)
    topics = []
    for _ in range(count):
        (length,) = INT16.unpack_from(data, position)
        position += 2
        name = text(data, position, length, end)
        position += length
        (partition_count,) = INT32.unpack_from(data, position)
        position += 4
        elements += check_count(partition_count, 8, position, end)
        if elements > MAX_ELEMENTS:
            raise too_many(position)
        partitions = []
        for _ in range(partition_count):
            index, length = INDEX_AND_LENGTH.unpack_from(data, position)
            position += 8
            if length < 0:
                if length < -1:
                    raise MalformedRequest(f"records of {length} bytes before byte {position}")
                partitions.append(PartitionProduceData(index, None))
                continue
            after = position + length
            if after > end:
                raise too_long(position, length, end)
            partitions.append(PartitionProduceData(index, view[position:after]))
            position = after
        topics.append(TopicProduceData(NO_ID, partitions, name))
    return ProduceRequest(transactional_id, acks, timeout_ms, topics)


def _read_flexible(  # noqa: PLR0912, PLR0915  Straight on: a call for each part costs as much as it.
    data: Buffer, position: int, end: int, version: int
) -> ProduceRequest:
    # A length below 128 is one byte, and read here; what it promises is there or an IndexError, so
    # it needs no check of its own.
    elements = 0
    if data[position]:
        position, elements = skip_tagged_fields(data, position, end, elements)
    else:
        position += 1
    view = memoryview(data)
    has_ids = version >= TOPIC_IDS
    transactional_id = None
    if data[position]:
        length, position = unsigned_varint(data, position, end)
        if length:  # Null may be written in two bytes too.
            transactional_id = text(data, position, length - 1, end)
            position += length - 1
    else:
        position += 1
    acks, timeout_ms = ACKS_AND_TIMEOUT.unpack_from(data, position)
    count = data[position + 6]
    position += 7
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
            check_count(partition_count - 1, 6, position, end)
        elements += partition_count
        if elements > MAX_ELEMENTS:
            raise too_many(position)
        partitions = []
        for _ in range(partition_count - 1):
            (index,) = INT32.unpack_from(data, position)
            length = data[position + 4]
            if length < 0x80:
                position += 5
            elif (second := data[position + 5]) < 0x80:
                length += (second - 1) << 7
                position += 6
            else:
                length, position = unsigned_varint(data, position + 4, end)
            if length:
                after = position + length - 1
                if after > end:
                    raise too_long(position, length - 1, end)
                partitions.append(PartitionProduceData(index, view[position:after]))
                position = after
            else:
                partitions.append(PartitionProduceData(index, None))
            if data[position]:
                position, elements = skip_tagged_fields(data, position, end, elements)
            else:
                position += 1
        topics.append(TopicProduceData(topic_id, partitions, name))
        if data[position]:
            position, elements = skip_tagged_fields(data, position, end, elements)
        else:
            position += 1
    if data[position]:
        skip_tagged_fields(data, position, end, elements)
    return ProduceRequest(transactional_id, acks, timeout_ms, topics)


FRAME_START = struct.Struct(">ii")
"""The length of what follows it, and the correlation id."""
PARTITION_3 = struct.Struct(">ihqq")
PARTITION_5 = struct.Struct(">ihqqq")
NO_ERRORS_NO_MESSAGE_NO_TAGS = b"\1\0\0"
ONE_TAG_0_OF_9_BYTES = b"\1\0\x09"
LEADER = struct.Struct(">iix")


def encode_produce(correlation_id: int, response: ProduceResponse, version: int) -> list[Buffer]:
    """The whole frame, its length and header included."""
    if version >= FLEXIBLE:
        frame = _write_flexible(response, version)
    else:
        frame = _write_legacy(response, version)
    FRAME_START.pack_into(frame, 0, len(frame) - 4, correlation_id)
    return [frame]


def _write_legacy(response: ProduceResponse, version: int) -> bytearray:
    frame = bytearray(8)
    frame += INT32.pack(len(response.responses))
    for topic in response.responses:
        frame += legacy_text(topic.name)
        frame += INT32.pack(len(topic.partition_responses))
        for partition in topic.partition_responses:
            frame += _partition(partition, version)
            if version >= 8:
                frame += INT32.pack(len(partition.record_errors))
                for error in partition.record_errors:
                    frame += INT32.pack(error.batch_index)
                    frame += legacy_nullable_text(error.batch_index_error_message)
                frame += legacy_nullable_text(partition.error_message)
    frame += INT32.pack(response.throttle_time_ms)
    return frame


def _partition(partition: PartitionProduceResponse, version: int) -> bytes:
    start = (
        partition.index,
        partition.error_code,
        partition.base_offset,
        partition.log_append_time_ms,
    )
    if version < 5:
        return PARTITION_3.pack(*start)
    return PARTITION_5.pack(*start, partition.log_start_offset)


def _write_flexible(response: ProduceResponse, version: int) -> bytearray:
    frame = bytearray(9)  # The header's tagged fields are a zero at the end.
    frame += varint_bytes(len(response.responses) + 1)
    for topic in response.responses:
        if version >= TOPIC_IDS:
            frame += topic.topic_id.bytes
        else:
            frame += compact_text(topic.name)
        frame += varint_bytes(len(topic.partition_responses) + 1)
        for partition in topic.partition_responses:
            frame += PARTITION_5.pack(
                partition.index,
                partition.error_code,
                partition.base_offset,
                partition.log_append_time_ms,
                partition.log_start_offset,
            )
            if (
                partition.error_message is None
                and not partition.record_errors
                and partition.current_leader is NO_LEADER
            ):
                frame += NO_ERRORS_NO_MESSAGE_NO_TAGS
            else:
                _write_errors(frame, partition, version)
        frame.append(0)
    frame += INT32.pack(response.throttle_time_ms)
    if version < 10 or not response.node_endpoints:
        frame.append(0)
    else:
        write_node_endpoints(frame, response.node_endpoints)
    return frame


def _write_errors(frame: bytearray, partition: PartitionProduceResponse, version: int) -> None:
    frame += varint_bytes(len(partition.record_errors) + 1)
    for error in partition.record_errors:
        frame += INT32.pack(error.batch_index)
        frame += compact_nullable_text(error.batch_index_error_message)
        frame.append(0)
    frame += compact_nullable_text(partition.error_message)
    leader = partition.current_leader
    if version < 10 or leader == NO_LEADER:
        frame.append(0)
    else:
        frame += ONE_TAG_0_OF_9_BYTES
        frame += LEADER.pack(leader.leader_id, leader.leader_epoch)
