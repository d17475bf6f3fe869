"""Metadata, 0 to 13: the brokers, and the topics with their leaders.

Behaviour
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
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.errors import ErrorCode
from kproof_impl.core.topic_names import INTERNAL_TOPICS, why_invalid
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
        response.topics = [
            MetadataResponseTopic(refused, one.name or "", one.topic_id) for one in topics
        ]
        return response
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
    if name in INTERNAL_TOPICS:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION  # Its coordinator makes it, as it wants it.
    if topics.partitions_count + partitions > config.partitions_max:
        return ErrorCode.INVALID_PARTITIONS
    try:
        return topics.create(name, partitions, {})
    except LogFailed:
        return ErrorCode.KAFKA_STORAGE_ERROR


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
