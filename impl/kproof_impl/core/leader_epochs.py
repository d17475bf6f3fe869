"""OffsetForLeaderEpoch, versions 2 to 4: where a leader epoch ends in the log of its leader.

A client that has seen records of an epoch asks this after a change of leader: if its own position
is beyond the end it is told, it has seen records that are there no more (KIP-101, KIP-279,
KIP-320).  The answer names the largest epoch not above the one asked for, and the first offset
after it; -1 and -1 if no such epoch is known.

REF   Kafka's `Partition.lastOffsetForLeaderEpoch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_for_leader_epoch import (
    EpochEndOffset,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
)

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


def offset_for_leader_epoch(
    broker: Broker, _call: Call, request: OffsetForLeaderEpochRequest
) -> OffsetForLeaderEpochResponse:
    """Answers for each partition on its own."""
    return OffsetForLeaderEpochResponse(
        0,
        [
            OffsetForLeaderTopicResult(
                topic.topic, [_end(broker, topic.topic, wanted) for wanted in topic.partitions]
            )
            for topic in request.topics
        ],
    )


def _end(broker: Broker, topic: str, wanted: OffsetForLeaderPartition) -> EpochEndOffset:
    partition = broker.topics.partition(topic, wanted.partition)
    if partition is None:
        return EpochEndOffset(int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), wanted.partition)
    code = partition.leader_epoch_error(wanted.current_leader_epoch)
    if code:
        return EpochEndOffset(int(code), wanted.partition)
    end = partition.log.end_offset_for_epoch(wanted.leader_epoch)
    return EpochEndOffset(0, wanted.partition, end.leader_epoch, end.end_offset)
