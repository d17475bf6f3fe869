"""AlterReplicaLogDirs: its fields in every version served, 1 to 2."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class AlterReplicaLogDirTopic:
    name: str = ""
    partitions: Sequence[int] = ()


@dataclass(slots=True)
class AlterReplicaLogDir:
    path: str = ""
    topics: Sequence[AlterReplicaLogDirTopic] = ()


@dataclass(slots=True)
class AlterReplicaLogDirsRequest:
    dirs: Sequence[AlterReplicaLogDir] = ()


@dataclass(slots=True)
class AlterReplicaLogDirPartitionResult:
    partition_index: int = 0
    error_code: int = 0


@dataclass(slots=True)
class AlterReplicaLogDirTopicResult:
    topic_name: str = ""
    partitions: Sequence[AlterReplicaLogDirPartitionResult] = ()


@dataclass(slots=True)
class AlterReplicaLogDirsResponse:
    throttle_time_ms: int = 0
    results: Sequence[AlterReplicaLogDirTopicResult] = ()
