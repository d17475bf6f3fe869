"""CreatePartitions, 0 to 3: more partitions for topics that are there.

Behaviour
- `count` is how many there shall be.  As many as there are, or fewer, are INVALID_PARTITIONS.
- An assignment, if there is one, is about the new partitions only, and names this node for each:
  INVALID_REPLICA_ASSIGNMENT otherwise.
- A topic that is twice in a request is INVALID_REQUEST; one that is not there is
  UNKNOWN_TOPIC_OR_PARTITION.  validate_only answers the same and changes nothing.
- All topics without fault change together.

Not as in Kafka
- The limits of CreateTopics hold here too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kproof_impl.core.create_topics import check_assignment, check_limits
from kproof_impl.core.refused import Refused
from kproof_impl.messages.create_partitions import (
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
    CreatePartitionsTopicResult,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call
    from kproof_impl.core.topics import Topic


def create_partitions(
    broker: Broker, _call: Call, request: CreatePartitionsRequest
) -> CreatePartitionsResponse:
    times = Counter(topic.name for topic in request.topics)
    results: dict[str, CreatePartitionsTopicResult] = {}
    wanted: list[tuple[Topic, int]] = []
    partitions_left = broker.config.partitions_max - broker.topics.partitions_count
    for asked in request.topics:
        result = results[asked.name] = CreatePartitionsTopicResult(asked.name)
        try:
            if times[asked.name] > 1:
                raise Refused(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
            topic = _checked(broker, asked, partitions_left)
        except Refused as refused:
            result.error_code, result.error_message = refused.error_code, refused.reason
            continue
        partitions_left -= asked.count - len(topic.partitions)
        wanted.append((topic, asked.count))
    if wanted and not request.validate_only:
        try:
            broker.topics.add_partitions(wanted)
        except LogFailed as failure:
            for topic, _ in wanted:
                results[topic.name].error_code = ErrorCode.KAFKA_STORAGE_ERROR
                results[topic.name].error_message = str(failure)
    return CreatePartitionsResponse(results=list(results.values()))


def _checked(broker: Broker, asked: CreatePartitionsTopic, partitions_left: int) -> Topic:
    topic = broker.topics.by_name.get(asked.name)
    if topic is None:
        raise Refused(
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition."
        )
    count = len(topic.partitions)
    if asked.count == count:
        raise Refused(ErrorCode.INVALID_PARTITIONS, f"Topic already has {count} partition(s).")
    if asked.count < count:
        raise Refused(
            ErrorCode.INVALID_PARTITIONS,
            f"The topic {asked.name} currently has {count} partition(s); {asked.count} would not "
            f"be an increase.",
        )
    if asked.assignments is not None:
        if len(asked.assignments) != asked.count - count:
            raise Refused(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Attempted to add {asked.count - count} additional partition(s), but only "
                f"{len(asked.assignments)} assignment(s) were specified.",
            )
        for assignment in asked.assignments:
            check_assignment(broker, assignment.broker_ids)
    check_limits(broker, asked.count, asked.count - count, partitions_left)
    return topic
