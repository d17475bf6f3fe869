"""DescribeLogDirs: its fields in every version served, 1 to 4."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class DescribableLogDirTopic:
    topic: str = ""
    partitions: Sequence[int] = ()


@dataclass(slots=True)
class DescribeLogDirsRequest:
    topics: Sequence[DescribableLogDirTopic] | None = ()


@dataclass(slots=True)
class DescribeLogDirsPartition:
    partition_index: int = 0
    partition_size: int = 0
    offset_lag: int = 0
    is_future_key: bool = False


@dataclass(slots=True)
class DescribeLogDirsTopic:
    name: str = ""
    partitions: Sequence[DescribeLogDirsPartition] = ()


@dataclass(slots=True)
class DescribeLogDirsResult:
    error_code: int = 0
    log_dir: str = ""
    topics: Sequence[DescribeLogDirsTopic] = ()
    total_bytes: int = -1
    usable_bytes: int = -1


@dataclass(slots=True)
class DescribeLogDirsResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    results: Sequence[DescribeLogDirsResult] = ()
