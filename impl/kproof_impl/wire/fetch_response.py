"""Responses to Fetch 4 to 17, written by hand.

Records go out as the buffers that they came from storage in: nothing of them is copied.  The bytes
are those of kio; the tests prove it for every version.

| response | |
|---|---|
| 4 | throttle_time, topics: topic, partitions: index, error_code, high_watermark, \
last_stable_offset, aborted transactions, records |
| 5 | log_start_offset of a partition |
| 7 | error_code, session_id |
| 11 | preferred_read_replica of a partition |
| 12 | compact lengths and tagged fields; diverging_epoch (tag 0), current_leader (tag 1) and \
snapshot_id (tag 2) of a partition |
| 13 | topic_id for the name |
| 16 | node_endpoints at the end (tag 0) |
"""

from __future__ import annotations

import struct

from kproof_impl.messages.fetch import (
    NO_DIVERGENCE,
    NO_LEADER,
    NO_SNAPSHOT,
    FetchResponse,
    PartitionData,
)
from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.fetch import FLEXIBLE, RACKS, SESSIONS, TOPIC_IDS
from kproof_impl.wire.primitives import (
    compact_text,
    legacy_text,
    varint_bytes,
    write_node_endpoints,
)

INT32 = struct.Struct(">i")
FRAME_START = struct.Struct(">ii")
"""The length of what follows it, and the correlation id."""
RESPONSE_7 = struct.Struct(">ihi")
DATA_4 = struct.Struct(">ihqq")
DATA_5 = struct.Struct(">ihqqq")
ABORTED = struct.Struct(">qq")
EPOCH_END = struct.Struct(">BBiqx")
"""Tag, size, and two numbers with no tagged fields after them."""
LEADER = struct.Struct(">BBiix")
SNAPSHOT = struct.Struct(">BBqix")


def encode_fetch(correlation_id: int, response: FetchResponse, version: int) -> list[Buffer]:
    """The whole frame, its length and header included; records are buffers of their own."""
    write = _write_flexible if version >= FLEXIBLE else _write_legacy
    buffers: list[Buffer] = []
    first = bytearray(8)
    last = write(response, version, first, buffers)
    if last:
        buffers.append(last)
    size = sum(map(len, buffers)) - 4 if len(buffers) > 1 else len(first) - 4
    FRAME_START.pack_into(first, 0, size, correlation_id)
    return buffers


def _write_legacy(
    response: FetchResponse, version: int, frame: bytearray, buffers: list[Buffer]
) -> bytearray:
    if version >= SESSIONS:
        frame += RESPONSE_7.pack(
            response.throttle_time_ms, response.error_code, response.session_id
        )
    else:
        frame += INT32.pack(response.throttle_time_ms)
    frame += INT32.pack(len(response.responses))
    for topic in response.responses:
        frame += legacy_text(topic.topic)
        frame += INT32.pack(len(topic.partitions))
        for partition in topic.partitions:
            frame += _partition_start(partition, version)
            aborted = partition.aborted_transactions
            frame += INT32.pack(-1 if aborted is None else len(aborted))
            for transaction in aborted or ():
                frame += ABORTED.pack(transaction.producer_id, transaction.first_offset)
            if version >= RACKS:
                frame += INT32.pack(partition.preferred_read_replica)
            records = partition.records
            frame += INT32.pack(-1 if records is None else len(records))
            if records:
                buffers += (frame, records)
                frame = bytearray()
    return frame


def _partition_start(partition: PartitionData, version: int) -> bytes:
    start = (
        partition.partition_index,
        partition.error_code,
        partition.high_watermark,
        partition.last_stable_offset,
    )
    return DATA_4.pack(*start) if version < 5 else DATA_5.pack(*start, partition.log_start_offset)


def _write_flexible(
    response: FetchResponse, version: int, frame: bytearray, buffers: list[Buffer]
) -> bytearray:
    frame.append(0)  # No tagged fields in the header.
    frame += RESPONSE_7.pack(response.throttle_time_ms, response.error_code, response.session_id)
    frame += varint_bytes(len(response.responses) + 1)
    for topic in response.responses:
        frame += topic.topic_id.bytes if version >= TOPIC_IDS else compact_text(topic.topic)
        frame += varint_bytes(len(topic.partitions) + 1)
        for partition in topic.partitions:
            frame += DATA_5.pack(
                partition.partition_index,
                partition.error_code,
                partition.high_watermark,
                partition.last_stable_offset,
                partition.log_start_offset,
            )
            aborted = partition.aborted_transactions
            if aborted:
                frame += varint_bytes(len(aborted) + 1)
                for transaction in aborted:
                    frame += ABORTED.pack(transaction.producer_id, transaction.first_offset)
                    frame.append(0)
            else:
                frame.append(0 if aborted is None else 1)
            frame += INT32.pack(partition.preferred_read_replica)
            records = partition.records
            if records:
                frame += varint_bytes(len(records) + 1)
                buffers += (frame, records)
                frame = bytearray()
            else:
                frame.append(0 if records is None else 1)
            if (
                partition.diverging_epoch is NO_DIVERGENCE
                and partition.current_leader is NO_LEADER
                and partition.snapshot_id is NO_SNAPSHOT
            ):
                frame.append(0)
            else:
                frame += _partition_tagged(partition)
        frame.append(0)
    if version < 16 or not response.node_endpoints:
        frame.append(0)
    else:
        write_node_endpoints(frame, response.node_endpoints)
    return frame


def _partition_tagged(partition: PartitionData) -> bytes:
    tagged = []
    if partition.diverging_epoch != NO_DIVERGENCE:
        divergence = partition.diverging_epoch
        tagged.append(EPOCH_END.pack(0, 13, divergence.epoch, divergence.end_offset))
    if partition.current_leader != NO_LEADER:
        leader = partition.current_leader
        tagged.append(LEADER.pack(1, 9, leader.leader_id, leader.leader_epoch))
    if partition.snapshot_id != NO_SNAPSHOT:
        snapshot = partition.snapshot_id
        tagged.append(SNAPSHOT.pack(2, 13, snapshot.end_offset, snapshot.epoch))
    return bytes((len(tagged),)) + b"".join(tagged)
