"""CreatePartitions: its fields in every version served, 0 to 3."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class CreatePartitionsAssignment:
    broker_ids: Sequence[int] = ()


@dataclass(slots=True)
class CreatePartitionsTopic:
    name: str = ""
    count: int = 0
    assignments: Sequence[CreatePartitionsAssignment] | None = ()


@dataclass(slots=True)
class CreatePartitionsRequest:
    topics: Sequence[CreatePartitionsTopic] = ()
    timeout_ms: int = 0
    validate_only: bool = False


@dataclass(slots=True)
class CreatePartitionsTopicResult:
    name: str = ""
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class CreatePartitionsResponse:
    throttle_time_ms: int = 0
    results: Sequence[CreatePartitionsTopicResult] = ()
