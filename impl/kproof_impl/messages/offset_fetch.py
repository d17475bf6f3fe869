"""OffsetFetch: its fields in every version served, 1 to 9.

Before version 8, a request was about one group: it is read as a request about a list of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class OffsetFetchRequestTopics:
    name: str = ""
    partition_indexes: Sequence[int] = ()


@dataclass(slots=True)
class OffsetFetchRequestGroup:
    group_id: str = ""
    member_id: str | None = None
    member_epoch: int = -1
    topics: Sequence[OffsetFetchRequestTopics] | None = ()


@dataclass(slots=True)
class OffsetFetchRequest:
    groups: Sequence[OffsetFetchRequestGroup] = ()
    require_stable: bool = False


@dataclass(slots=True)
class OffsetFetchResponsePartitions:
    partition_index: int = 0
    committed_offset: int = 0
    committed_leader_epoch: int = -1
    metadata: str | None = None
    error_code: int = 0


@dataclass(slots=True)
class OffsetFetchResponseTopics:
    name: str = ""
    partitions: Sequence[OffsetFetchResponsePartitions] = ()


@dataclass(slots=True)
class OffsetFetchResponseGroup:
    group_id: str = ""
    topics: Sequence[OffsetFetchResponseTopics] = ()
    error_code: int = 0


@dataclass(slots=True)
class OffsetFetchResponse:
    throttle_time_ms: int = 0
    groups: Sequence[OffsetFetchResponseGroup] = ()
