"""DeleteRecords: its fields in every version served, 0 to 2."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class DeleteRecordsPartition:
    partition_index: int = 0
    offset: int = 0


@dataclass(slots=True)
class DeleteRecordsTopic:
    name: str = ""
    partitions: Sequence[DeleteRecordsPartition] = ()


@dataclass(slots=True)
class DeleteRecordsRequest:
    topics: Sequence[DeleteRecordsTopic] = ()
    timeout_ms: int = 0


@dataclass(slots=True)
class DeleteRecordsPartitionResult:
    partition_index: int = 0
    low_watermark: int = 0
    error_code: int = 0


@dataclass(slots=True)
class DeleteRecordsTopicResult:
    name: str = ""
    partitions: Sequence[DeleteRecordsPartitionResult] = ()


@dataclass(slots=True)
class DeleteRecordsResponse:
    throttle_time_ms: int = 0
    topics: Sequence[DeleteRecordsTopicResult] = ()
