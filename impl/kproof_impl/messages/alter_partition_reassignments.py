"""AlterPartitionReassignments: its fields in every version served, 0 to 0."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class ReassignablePartition:
    partition_index: int = 0
    replicas: Sequence[int] | None = None


@dataclass(slots=True)
class ReassignableTopic:
    name: str = ""
    partitions: Sequence[ReassignablePartition] = ()


@dataclass(slots=True)
class AlterPartitionReassignmentsRequest:
    timeout_ms: int = 60000
    topics: Sequence[ReassignableTopic] = ()


@dataclass(slots=True)
class ReassignablePartitionResponse:
    partition_index: int = 0
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class ReassignableTopicResponse:
    name: str = ""
    partitions: Sequence[ReassignablePartitionResponse] = ()


@dataclass(slots=True)
class AlterPartitionReassignmentsResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    error_message: str | None = None
    responses: Sequence[ReassignableTopicResponse] = ()
