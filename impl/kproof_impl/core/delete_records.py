"""DeleteRecords, versions 0 to 2: a partition's log starts later from now on (KIP-107).

Records below an offset are there no more for any reader, at once and after a restart; the files go
when whole segments are below it.  Offset -1 is the high watermark.  The answer has the low
watermark: on a node alone, the log's start offset.

REF   Kafka's `ReplicaManager.deleteRecordsOnLocalLog`, `Partition.deleteRecordsOnLeader`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

HIGH_WATERMARK = -1
NO_LOW_WATERMARK = -1


def delete_records(
    broker: Broker, _call: Call, request: DeleteRecordsRequest
) -> DeleteRecordsResponse:
    """Deletes for each partition on its own; one that is refused keeps all its records."""
    return DeleteRecordsResponse(
        0,
        [
            DeleteRecordsTopicResult(
                topic.name, [_delete(broker, topic.name, wanted) for wanted in topic.partitions]
            )
            for topic in request.topics
        ],
    )


def _delete(
    broker: Broker, name: str, wanted: DeleteRecordsPartition
) -> DeleteRecordsPartitionResult:
    topic = broker.topics.by_name.get(name)
    partition = broker.topics.partition(name, wanted.partition_index)
    offset = wanted.offset
    code = ErrorCode.NONE
    low_watermark = NO_LOW_WATERMARK
    if topic is None or partition is None:
        code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    elif topic.is_internal:
        code = ErrorCode.INVALID_TOPIC_EXCEPTION
    elif "delete" not in topic.log_config.cleanup_policy:
        code = ErrorCode.POLICY_VIOLATION
    else:
        if offset == HIGH_WATERMARK:
            offset = partition.high_watermark
        if not 0 <= offset <= partition.high_watermark:
            code = ErrorCode.OFFSET_OUT_OF_RANGE
        else:
            try:
                partition.delete_records(offset)
                low_watermark = partition.log_start_offset
            except LogFailed:
                code = ErrorCode.KAFKA_STORAGE_ERROR
    return DeleteRecordsPartitionResult(wanted.partition_index, low_watermark, int(code))
