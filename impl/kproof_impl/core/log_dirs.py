"""DescribeLogDirs, 1 to 4: where the logs are, and how large; AlterReplicaLogDirs, 1 and 2.

Null asks for all topics, and each topic for the partitions it names.  What is not there is left
out, as in Kafka.  There is one directory, and no partition is on its way to another.

Version notes
- v4 tells the size of the volume and how much of it is free (KIP-827).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.messages.alter_replica_log_dirs import (
    AlterReplicaLogDirPartitionResult,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
    AlterReplicaLogDirTopicResult,
)
from kproof_impl.messages.describe_log_dirs import (
    DescribeLogDirsPartition,
    DescribeLogDirsRequest,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
    DescribeLogDirsTopic,
)
from kproof_impl.messages.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call
    from kproof_impl.core.partition import Partition


def describe_log_dirs(
    broker: Broker, _call: Call, request: DescribeLogDirsRequest
) -> DescribeLogDirsResponse:
    topics: dict[str, dict[int, Partition]] = {}
    if request.topics is None:
        for partition in broker.topics.all_partitions():
            topics.setdefault(partition.topic, {})[partition.index] = partition
    else:
        for asked in request.topics:
            for index in asked.partitions:
                found = broker.topics.partition(asked.topic, index)
                if found is not None:
                    topics.setdefault(asked.topic, {})[index] = found
    total_bytes, usable_bytes = broker.store.usable_bytes()
    return DescribeLogDirsResponse(
        results=[
            DescribeLogDirsResult(
                log_dir=broker.store.log_dir,
                topics=[
                    DescribeLogDirsTopic(name, _sizes(list(partitions.values())))
                    for name, partitions in topics.items()
                ],
                total_bytes=total_bytes,
                usable_bytes=usable_bytes,
            )
        ]
    )


def alter_replica_log_dirs(
    broker: Broker, _call: Call, request: AlterReplicaLogDirsRequest
) -> AlterReplicaLogDirsResponse:
    """Moving a log to the one directory there is changes nothing; there is no other."""
    results: dict[str, list[AlterReplicaLogDirPartitionResult]] = {}
    for directory in request.dirs:
        for topic in directory.topics:
            for index in topic.partitions:
                error = ErrorCode.NONE
                if directory.path != broker.store.log_dir:
                    error = ErrorCode.LOG_DIR_NOT_FOUND
                elif broker.topics.partition(topic.name, index) is None:
                    error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                result = AlterReplicaLogDirPartitionResult(index, error)
                results.setdefault(topic.name, []).append(result)
    return AlterReplicaLogDirsResponse(
        results=[AlterReplicaLogDirTopicResult(name, found) for name, found in results.items()]
    )


def _sizes(partitions: Sequence[Partition]) -> list[DescribeLogDirsPartition]:
    return [
        DescribeLogDirsPartition(partition.index, partition.log.size_bytes)
        for partition in partitions
    ]
