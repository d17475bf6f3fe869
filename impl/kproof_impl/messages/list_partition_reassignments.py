"""ListPartitionReassignments: its fields in every version served, 0 to 0."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class ListPartitionReassignmentsTopics:
    name: str = ""
    partition_indexes: Sequence[int] = ()


@dataclass(slots=True)
class ListPartitionReassignmentsRequest:
    timeout_ms: int = 60000
    topics: Sequence[ListPartitionReassignmentsTopics] | None = ()


@dataclass(slots=True)
class OngoingPartitionReassignment:
    partition_index: int = 0
    replicas: Sequence[int] = ()
    adding_replicas: Sequence[int] = ()
    removing_replicas: Sequence[int] = ()


@dataclass(slots=True)
class OngoingTopicReassignment:
    name: str = ""
    partitions: Sequence[OngoingPartitionReassignment] = ()


@dataclass(slots=True)
class ListPartitionReassignmentsResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    topics: Sequence[OngoingTopicReassignment] = ()
