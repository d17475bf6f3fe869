"""OffsetCommit: its fields in every version served, 2 to 9."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class OffsetCommitRequestPartition:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    committed_metadata: str | None = None


@dataclass(slots=True)
class OffsetCommitRequestTopic:
    name: str = ""
    partitions: Sequence[OffsetCommitRequestPartition] = ()


@dataclass(slots=True)
class OffsetCommitRequest:
    group_id: str = ""
    generation_id_or_member_epoch: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    topics: Sequence[OffsetCommitRequestTopic] = ()
    retention_time_ms: int = -1


@dataclass(slots=True)
class OffsetCommitResponsePartition:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class OffsetCommitResponseTopic:
    name: str = ""
    partitions: Sequence[OffsetCommitResponsePartition] = ()


@dataclass(slots=True)
class OffsetCommitResponse:
    throttle_time_ms: int = 0
    topics: Sequence[OffsetCommitResponseTopic] = ()
