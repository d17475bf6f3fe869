"""ElectLeaders: its fields in every version served, 0 to 2."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class TopicPartitions:
    topic: str = ""
    partitions: Sequence[int] = ()


@dataclass(slots=True)
class ElectLeadersRequest:
    election_type: int = 0
    topic_partitions: Sequence[TopicPartitions] | None = ()
    timeout_ms: int = 60000


@dataclass(slots=True)
class PartitionResult:
    partition_id: int = 0
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class ReplicaElectionResult:
    topic: str = ""
    partition_result: Sequence[PartitionResult] = ()


@dataclass(slots=True)
class ElectLeadersResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    replica_election_results: Sequence[ReplicaElectionResult] = ()
