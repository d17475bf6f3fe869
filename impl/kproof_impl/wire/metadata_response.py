"""Responses to Metadata 0 to 13, written by hand: they have a line for each partition there is.

The bytes are those of kio; the tests prove it for every version.

| response | |
|---|---|
| 0 | brokers: node_id, host, port; topics: error_code, name, partitions: error_code, \
partition_index, leader_id, replica_nodes, isr_nodes |
| 1 | rack of a broker, controller_id, is_internal of a topic |
| 2 | cluster_id |
| 3 | throttle_time at the beginning |
| 5 | offline_replicas of a partition |
| 7 | leader_epoch of a partition |
| 8 | topic_authorized_operations of a topic, cluster_authorized_operations until 10 |
| 9 | compact lengths and tagged fields |
| 10 | topic_id after the name |
| 12 | a topic's name may be null |
| 13 | error_code at the end |
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from kproof_impl.messages.ids import Buffer
from kproof_impl.messages.metadata import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponseTopic,
)
from kproof_impl.wire.primitives import (
    compact_nullable_text,
    compact_text,
    legacy_nullable_text,
    legacy_text,
    varint_bytes,
)

FLEXIBLE = 9

INT16 = struct.Struct(">h")
INT32 = struct.Struct(">i")
FRAME_START = struct.Struct(">ii")
"""The length of what follows it, and the correlation id."""
PARTITION_0 = struct.Struct(">hii")
PARTITION_7 = struct.Struct(">hiii")


def encode_metadata(correlation_id: int, response: MetadataResponse, version: int) -> list[Buffer]:
    """The whole frame, its length and header included."""
    flexible = version >= FLEXIBLE
    nullable_text = compact_nullable_text if flexible else legacy_nullable_text
    length = _compact_length if flexible else INT32.pack
    tags = b"\0" if flexible else b""
    frame = bytearray(FRAME_START.size) + tags
    if version >= 3:
        frame += INT32.pack(response.throttle_time_ms)
    frame += length(len(response.brokers))
    for broker in response.brokers:
        _write_broker(frame, broker, version)
    if version >= 2:
        frame += nullable_text(response.cluster_id)
    if version >= 1:
        frame += INT32.pack(response.controller_id)
    frame += length(len(response.topics))
    for topic in response.topics:
        _write_topic(frame, topic, version, length)
    if 8 <= version <= 10:
        frame += INT32.pack(response.cluster_authorized_operations)
    if version >= 13:
        frame += INT16.pack(response.error_code)
    frame += tags
    FRAME_START.pack_into(frame, 0, len(frame) - 4, correlation_id)
    return [frame]


def _compact_length(length: int) -> bytes:
    return varint_bytes(length + 1)


def _write_broker(frame: bytearray, broker: MetadataResponseBroker, version: int) -> None:
    flexible = version >= FLEXIBLE
    frame += INT32.pack(broker.node_id)
    frame += compact_text(broker.host) if flexible else legacy_text(broker.host)
    frame += INT32.pack(broker.port)
    if version >= 1:
        rack = broker.rack
        frame += compact_nullable_text(rack) if flexible else legacy_nullable_text(rack)
    if flexible:
        frame.append(0)


def _write_topic(
    frame: bytearray, topic: MetadataResponseTopic, version: int, length: Callable[[int], bytes]
) -> None:
    flexible = version >= FLEXIBLE
    frame += INT16.pack(topic.error_code)
    if version >= 12:
        frame += compact_nullable_text(topic.name)
    else:
        if topic.name is None:
            raise ValueError(f"a topic without a name in Metadata v{version}: {topic.topic_id}")
        frame += compact_text(topic.name) if flexible else legacy_text(topic.name)
    if version >= 10:
        frame += topic.topic_id.bytes
    if version >= 1:
        frame.append(topic.is_internal)
    frame += length(len(topic.partitions))
    has_offline, has_epoch = version >= 5, version >= 7
    for one in topic.partitions:
        if has_epoch:
            frame += PARTITION_7.pack(
                one.error_code, one.partition_index, one.leader_id, one.leader_epoch
            )
        else:
            frame += PARTITION_0.pack(one.error_code, one.partition_index, one.leader_id)
        frame += _nodes(tuple(one.replica_nodes), flexible)
        frame += _nodes(tuple(one.isr_nodes), flexible)
        if has_offline:
            frame += _nodes(tuple(one.offline_replicas), flexible)
        if flexible:
            frame.append(0)
    if version >= 8:
        frame += INT32.pack(topic.topic_authorized_operations)
    if flexible:
        frame.append(0)


@lru_cache(maxsize=256)
def _nodes(nodes: tuple[int, ...], flexible: bool) -> bytes:
    """An array of node ids; most partitions have the same ones."""
    count = len(nodes)
    start = _compact_length(count) if flexible else INT32.pack(count)
    return start + struct.pack(f">{count}i", *nodes)
