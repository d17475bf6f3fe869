"""Metadata, 0 to 13, DescribeCluster, 0 to 2, and DescribeTopicPartitions, 0: the brokers, and the
topics with their leaders.

Behaviour of Metadata
- All topics: an empty list in version 0, null from version 1 on; there an empty list is none.
- A topic that is not there is made if the client (version 4) and the broker's settings allow it,
  and told at once: Kafka's broker sends the creation to its controller and answers
  UNKNOWN_TOPIC_OR_PARTITION meanwhile, so a client cannot tell this from a topic that was there.
- A name that no topic can have is INVALID_TOPIC_EXCEPTION, an id UNKNOWN_TOPIC_ID, each for its
  topic alone.

Version notes
- v10 ids in answers; v12 asks by id, with a null name. If one topic is asked by id, names are
  passed over, as in Kafka.
- v8 authorized operations: of topics, and until v10 of the cluster; all, as without an authorizer.

DescribeCluster (KIP-700) tells of brokers only: a controller's view is MISMATCHED_ENDPOINT_TYPE, or
INVALID_REQUEST in version 0.  DescribeTopicPartitions (KIP-966) tells topics in the order of their
names, at most so many partitions, with a cursor to go on from; what is not there is not made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.metadata_log import CLUSTER_METADATA
from kproof_impl.core.topic_names import INTERNAL_TOPICS, why_invalid
from kproof_impl.messages.describe_cluster import (
    DescribeClusterBroker,
    DescribeClusterRequest,
    DescribeClusterResponse,
)
from kproof_impl.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.messages.metadata import (
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call
    from kproof_impl.core.topics import Topic

BROKERS, CONTROLLERS = 1, 2
"""Kafka's numbers for the endpoints that DescribeCluster can be asked about (KIP-919)."""
RESPONSE_PARTITIONS_MAX = 2_000
"""Kafka's `max.request.partition.size.limit`."""
NOT_ASKED = -(1 << 31)
"""Kafka's value of authorized operations that were not asked for."""


def _operations(*numbers: int) -> int:
    return sum(1 << number for number in numbers)


TOPIC_OPERATIONS = _operations(3, 4, 5, 6, 7, 8, 10, 11)
"""Read, write, create, delete, alter, describe, describe configs, alter configs (KIP-430)."""
CLUSTER_OPERATIONS = _operations(5, 7, 8, 9, 10, 11, 12)
"""Create, alter, describe, cluster action, describe and alter configs, idempotent write."""


def metadata(broker: Broker, call: Call, request: MetadataRequest) -> MetadataResponse:
    version = call.api_version
    topics = request.topics
    response = MetadataResponse(
        brokers=[_broker(broker)],
        cluster_id=broker.config.cluster_id,
        controller_id=broker.config.node_id,
    )
    if version < 12 and topics and any(one.name is None or one.topic_id != NO_ID for one in topics):
        # Kafka refuses the whole request: ids are told from version 10, asked from 12 on.
        refused = ErrorCode.INVALID_REQUEST
        return MetadataResponse(
            topics=[MetadataResponseTopic(refused, one.name or "", one.topic_id) for one in topics]
        )
    operations = TOPIC_OPERATIONS if request.include_topic_authorized_operations else NOT_ASKED
    if topics is None or (version == 0 and not topics):
        response.topics = [_told(broker, one, operations) for one in broker.topics.by_name.values()]
    elif any(one.topic_id != NO_ID for one in topics):
        response.topics = _by_id(broker, topics, operations)
    else:
        response.topics = _by_name(
            broker, topics, request.allow_auto_topic_creation or version < 4, operations
        )
    if request.include_cluster_authorized_operations and 8 <= version <= 10:
        response.cluster_authorized_operations = CLUSTER_OPERATIONS
    return response


def _by_id(
    broker: Broker, topics: Sequence[MetadataRequestTopic], operations: int
) -> list[MetadataResponseTopic]:
    answers = []
    for topic_id in dict.fromkeys(one.topic_id for one in topics if one.topic_id != NO_ID):
        topic = broker.topics.by_id.get(topic_id)
        if topic is None:
            unknown = ErrorCode.UNKNOWN_TOPIC_ID
            answers.append(MetadataResponseTopic(unknown, None, topic_id))
        else:
            answers.append(_told(broker, topic, operations))
    return answers


def _by_name(
    broker: Broker,
    topics: Sequence[MetadataRequestTopic],
    is_creation_allowed: bool,
    operations: int,
) -> list[MetadataResponseTopic]:
    is_created = is_creation_allowed and broker.config.auto_create_topics_enable
    answers = []
    for name in dict.fromkeys(one.name or "" for one in topics):
        topic = broker.topics.by_name.get(name)
        if topic is not None:
            answers.append(_told(broker, topic, operations))
            continue
        error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        if why_invalid(name) is not None:
            error = ErrorCode.INVALID_TOPIC_EXCEPTION
        elif is_created:
            created = _created(broker, name)
            if not isinstance(created, ErrorCode):
                answers.append(_told(broker, created, operations))
                continue
            error = created
        # Kafka tells the operations of topics that are not there as well.
        answers.append(
            MetadataResponseTopic(
                error_code=error,
                name=name,
                is_internal=name in INTERNAL_TOPICS,
                topic_authorized_operations=operations,
            )
        )
    return answers


def _created(broker: Broker, name: str) -> Topic | ErrorCode:
    topics, config = broker.topics, broker.config
    if topics.name_in_collision(name) is not None:
        return ErrorCode.INVALID_TOPIC_EXCEPTION
    partitions = config.num_partitions
    if name in INTERNAL_TOPICS or name == CLUSTER_METADATA:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION  # Its coordinator makes it, as it wants it.
    left = config.partitions_max - topics.partitions_count
    if partitions > min(left, config.topic_partitions_max):
        return ErrorCode.INVALID_PARTITIONS
    try:
        return topics.create(name, partitions, {})
    except LogFailed:
        return ErrorCode.KAFKA_STORAGE_ERROR


# -- DescribeCluster -------------------------------------------------------------------------------


def describe_cluster(
    broker: Broker, call: Call, request: DescribeClusterRequest
) -> DescribeClusterResponse:
    config = broker.config
    if request.endpoint_type != BROKERS:
        error = ErrorCode.INVALID_REQUEST
        if call.api_version > 0 and request.endpoint_type == CONTROLLERS:
            error = ErrorCode.MISMATCHED_ENDPOINT_TYPE
        elif call.api_version > 0:
            error = ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
        return DescribeClusterResponse(
            error_code=error,
            error_message=f"Endpoints of type {request.endpoint_type} were asked for, and this "
            f"endpoint tells of those of type {BROKERS}, the brokers, only.",
        )
    operations = NOT_ASKED
    if request.include_cluster_authorized_operations:
        operations = CLUSTER_OPERATIONS
    return DescribeClusterResponse(
        cluster_id=config.cluster_id,
        controller_id=config.node_id,
        brokers=[
            DescribeClusterBroker(
                config.node_id, config.advertised_host, config.advertised_port, config.rack
            )
        ],
        cluster_authorized_operations=operations,
    )


# -- DescribeTopicPartitions -----------------------------------------------------------------------


def describe_topic_partitions(
    broker: Broker, _call: Call, request: DescribeTopicPartitionsRequest
) -> DescribeTopicPartitionsResponse:
    cursor = request.cursor
    asked = [topic.name for topic in request.topics]
    if cursor is not None and (
        cursor.partition_index < 0 or (asked and cursor.topic_name not in asked)
    ):
        # Kafka refuses the whole request: a cursor is one of the partitions asked for.
        return DescribeTopicPartitionsResponse(
            topics=[
                DescribeTopicPartitionsResponseTopic(ErrorCode.INVALID_REQUEST, name)
                for name in asked
            ]
        )
    response_topics: list[DescribeTopicPartitionsResponseTopic] = []
    response = DescribeTopicPartitionsResponse(topics=response_topics)
    first_name = cursor.topic_name if cursor is not None else ""
    left = max(1, min(request.response_partition_limit, RESPONSE_PARTITIONS_MAX))
    for name in sorted({*(asked or broker.topics.by_name)}):
        if name < first_name:
            continue
        if left == 0:
            response.next_cursor = Cursor(name, 0)
            break
        topic = broker.topics.by_name.get(name)
        if topic is None:
            response_topics.append(_unknown_partitions(name))
            continue
        first = cursor.partition_index if cursor is not None and name == first_name else 0
        partitions = [
            _described(broker, one.index, one.leader_epoch)
            for one in topic.partitions[first : first + left]
        ]
        response_topics.append(
            DescribeTopicPartitionsResponseTopic(
                name=name,
                topic_id=topic.topic_id,
                is_internal=topic.is_internal,
                partitions=partitions,
                topic_authorized_operations=TOPIC_OPERATIONS,
            )
        )
        left -= len(partitions)
        if first + len(partitions) < len(topic.partitions):
            response.next_cursor = Cursor(name, first + len(partitions))
            break
    return response


def _unknown_partitions(name: str) -> DescribeTopicPartitionsResponseTopic:
    error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if why_invalid(name) is not None:
        error = ErrorCode.INVALID_TOPIC_EXCEPTION
    return DescribeTopicPartitionsResponseTopic(
        error_code=error,
        name=name,
        is_internal=name in INTERNAL_TOPICS,
        topic_authorized_operations=TOPIC_OPERATIONS,
    )


def _described(
    broker: Broker, index: int, leader_epoch: int
) -> DescribeTopicPartitionsResponsePartition:
    nodes = (broker.config.node_id,)
    return DescribeTopicPartitionsResponsePartition(
        partition_index=index,
        leader_id=broker.config.node_id,
        leader_epoch=leader_epoch,
        replica_nodes=nodes,
        isr_nodes=nodes,
        eligible_leader_replicas=(),
        last_known_elr=(),
    )


# -- parts -----------------------------------------------------------------------------------------


def _broker(broker: Broker) -> MetadataResponseBroker:
    config = broker.config
    return MetadataResponseBroker(
        config.node_id, config.advertised_host, config.advertised_port, config.rack
    )


def _told(broker: Broker, topic: Topic, operations: int) -> MetadataResponseTopic:
    node_id = broker.config.node_id
    nodes = (node_id,)
    return MetadataResponseTopic(
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.is_internal,
        partitions=[
            MetadataResponsePartition(0, one.index, node_id, one.leader_epoch, nodes, nodes)
            for one in topic.partitions
        ],
        topic_authorized_operations=operations,
    )
