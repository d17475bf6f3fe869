"""ListOffsets, versions 1 to 10: an offset of a partition by a time, or by a name for an end of it.

| timestamp | since | offset | timestamp in the answer |
|---|---|---|---|
| 0 or more | 1 | of the first record not older than that; -1 if there is none | the record's |
| -1 latest | 1 | the high watermark; for read_committed the last stable offset | -1 |
| -2 earliest | 1 | the log's start offset | -1 |
| -3 max | 7 | of the first record with the largest timestamp (KIP-734) | the record's |
| -4 earliest local | 8 | as earliest, for no records are elsewhere (KIP-405) | -1 |
| -5 latest tiered | 9 | -1: nothing is elsewhere (KIP-1005) | -1 |

A partition that is named twice is INVALID_REQUEST in each place, another negative timestamp or one
that is newer than the version UNSUPPORTED_VERSION.

*Version notes*: 2 the isolation level; 4 leader epochs (KIP-320); 10 the timeout (KIP-1075).

REF   Kafka's `ReplicaManager.fetchOffset`, `Partition.fetchOffsetForTimestamp`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.list_offsets import (
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from kproof_impl.records.errors import BatchRefused, LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.partition import Partition

LATEST = -1
EARLIEST = -2
MAX_TIMESTAMP = -3
EARLIEST_LOCAL = -4
LATEST_TIERED = -5
MIN_VERSIONS = {LATEST: 1, EARLIEST: 1, MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9}

NO_TIMESTAMP = -1
NO_OFFSET = -1
NO_EPOCH = -1


def list_offsets(broker: Broker, call: Call, request: ListOffsetsRequest) -> ListOffsetsResponse:
    """Answers for each partition on its own."""
    seen: dict[tuple[str, int], int] = {}
    for topic in request.topics:
        for wanted in topic.partitions:
            key = (topic.name, wanted.partition_index)
            seen[key] = seen.get(key, 0) + 1
    return ListOffsetsResponse(
        0,
        [
            ListOffsetsTopicResponse(
                topic.name,
                [
                    _error(wanted, ErrorCode.INVALID_REQUEST)
                    if seen[topic.name, wanted.partition_index] > 1
                    else _offset(broker, topic.name, wanted, call.header.api_version)
                    for wanted in topic.partitions
                ],
            )
            for topic in request.topics
        ],
    )


def _offset(
    broker: Broker, topic: str, wanted: ListOffsetsPartition, version: int
) -> ListOffsetsPartitionResponse:
    timestamp = wanted.timestamp
    if timestamp < 0 and version < MIN_VERSIONS.get(timestamp, version + 1):
        return _error(wanted, ErrorCode.UNSUPPORTED_VERSION)
    partition = broker.topics.partition(topic, wanted.partition_index)
    if partition is None:
        return _error(wanted, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    code = partition.leader_epoch_error(wanted.current_leader_epoch)
    if code:
        return _error(wanted, code)
    try:
        offset, found_ms, epoch = _found(partition, timestamp)
    except LogFailed:
        return _error(wanted, ErrorCode.KAFKA_STORAGE_ERROR)
    except BatchRefused as refused:
        return _error(wanted, refused.error_code)
    return ListOffsetsPartitionResponse(wanted.partition_index, 0, found_ms, offset, epoch)


def _found(partition: Partition, timestamp: int) -> tuple[int, int, int]:
    """The offset, its timestamp and its leader epoch; each -1 where there is none."""
    log = partition.log
    if timestamp == LATEST:
        return partition.last_stable_offset, NO_TIMESTAMP, partition.leader_epoch
    if timestamp in (EARLIEST, EARLIEST_LOCAL):
        return log.log_start_offset, NO_TIMESTAMP, _earliest_epoch(partition)
    if timestamp == LATEST_TIERED:
        return NO_OFFSET, NO_TIMESTAMP, NO_EPOCH
    end_offset = partition.last_stable_offset
    if timestamp == MAX_TIMESTAMP:
        found = log.find_max_timestamp(end_offset)
    else:
        found = log.find_timestamp(timestamp, end_offset)
    if found is None:
        return NO_OFFSET, NO_TIMESTAMP, NO_EPOCH
    return found.offset, found.timestamp_ms, found.leader_epoch


def _earliest_epoch(partition: Partition) -> int:
    """The leader epoch that the log's start offset is in."""
    log = partition.log
    start = log.log_start_offset
    ended = bisect_right(
        range(partition.leader_epoch),
        start,
        key=lambda epoch: log.end_offset_for_epoch(epoch).end_offset,
    )
    return log.end_offset_for_epoch(ended).leader_epoch


def _error(wanted: ListOffsetsPartition, code: int) -> ListOffsetsPartitionResponse:
    return ListOffsetsPartitionResponse(
        wanted.partition_index, int(code), NO_TIMESTAMP, NO_OFFSET, NO_EPOCH
    )
