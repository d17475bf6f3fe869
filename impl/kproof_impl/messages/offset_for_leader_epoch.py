"""OffsetForLeaderEpoch: its fields in every version served, 2 to 4."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class OffsetForLeaderPartition:
    partition: int = 0
    current_leader_epoch: int = -1
    leader_epoch: int = 0


@dataclass(slots=True)
class OffsetForLeaderTopic:
    topic: str = ""
    partitions: Sequence[OffsetForLeaderPartition] = ()


@dataclass(slots=True)
class OffsetForLeaderEpochRequest:
    replica_id: int = -2
    topics: Sequence[OffsetForLeaderTopic] = ()


@dataclass(slots=True)
class EpochEndOffset:
    error_code: int = 0
    partition: int = 0
    leader_epoch: int = -1
    end_offset: int = -1


@dataclass(slots=True)
class OffsetForLeaderTopicResult:
    topic: str = ""
    partitions: Sequence[EpochEndOffset] = ()


@dataclass(slots=True)
class OffsetForLeaderEpochResponse:
    throttle_time_ms: int = 0
    topics: Sequence[OffsetForLeaderTopicResult] = ()
