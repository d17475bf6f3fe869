"""OffsetDelete: its fields in every version served, 0 to 0."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class OffsetDeleteRequestPartition:
    partition_index: int = 0


@dataclass(slots=True)
class OffsetDeleteRequestTopic:
    name: str = ""
    partitions: Sequence[OffsetDeleteRequestPartition] = ()


@dataclass(slots=True)
class OffsetDeleteRequest:
    group_id: str = ""
    topics: Sequence[OffsetDeleteRequestTopic] = ()


@dataclass(slots=True)
class OffsetDeleteResponsePartition:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class OffsetDeleteResponseTopic:
    name: str = ""
    partitions: Sequence[OffsetDeleteResponsePartition] = ()


@dataclass(slots=True)
class OffsetDeleteResponse:
    error_code: int = 0
    throttle_time_ms: int = 0
    topics: Sequence[OffsetDeleteResponseTopic] = ()
