"""CreateTopics, 2 to 7: new topics, those without fault in one change of the metadata log.

Behaviour
- A name that is twice in a request is INVALID_REQUEST, and none of that name is made.
- A name that no topic can have, or that collides with another's in dots and underscores, is
  INVALID_TOPIC_EXCEPTION (two that collide in one request are both made, as in Kafka); one that is
  taken is TOPIC_ALREADY_EXISTS.
- -1 partitions or replicas are the broker's defaults.  One node keeps one replica: more are
  INVALID_REPLICATION_FACTOR.  A manual assignment may name this node only, and needs -1 for both.
- Settings are checked as `config_definitions` says: INVALID_CONFIG.
- validate_only answers the same and makes nothing; so there is no topic id to tell.

Version notes
- v5 answers tell partitions, replicas and settings (KIP-525); v7 the topic id.

Not as in Kafka
- More partitions than `topic_partitions_max` for a topic or `partitions_max` for all are
  INVALID_PARTITIONS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.config_definitions import parse_log_config
from kproof_impl.core.config_entries import ConfigEntry, topic_entries
from kproof_impl.core.config_types import ConfigInvalid
from kproof_impl.core.metadata_log import CLUSTER_METADATA
from kproof_impl.core.refused import Refused
from kproof_impl.core.topic_names import why_invalid
from kproof_impl.messages.create_topics import (
    CreatableTopic,
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call

DEFAULT = -1
CONFIGS_TOLD_FROM = 5
"""The first version whose answers have room for settings."""


def create_topics(broker: Broker, call: Call, request: CreateTopicsRequest) -> CreateTopicsResponse:
    counts = Counter(topic.name for topic in request.topics)
    results: dict[str, CreatableTopicResult] = {}
    wanted: list[tuple[str, int, dict[str, str]]] = []
    partitions_left = broker.config.partitions_max - broker.topics.partitions_count
    for topic in request.topics:
        try:
            if counts[topic.name] > 1:
                raise Refused(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
            if topic.name == CLUSTER_METADATA:
                raise Refused(
                    ErrorCode.INVALID_REQUEST,
                    f"Creation of internal topic {CLUSTER_METADATA} is prohibited.",
                )
            _check_name(broker, topic.name)
            configs = _checked_configs(broker, topic)
            partitions = _checked_partitions(broker, topic, partitions_left)
        except Refused as refused:
            results[topic.name] = CreatableTopicResult(
                topic.name, NO_ID, refused.error_code, refused.reason
            )
            continue
        partitions_left -= partitions
        wanted.append((topic.name, partitions, configs))
    results |= _made(broker, wanted, request.validate_only)
    if call.api_version >= CONFIGS_TOLD_FROM:
        for name, _, configs in wanted:
            if not results[name].error_code:
                entries = topic_entries(broker, configs)
                results[name].configs = [_told(entry) for entry in entries]
    return CreateTopicsResponse(
        topics=[results[name] for name in dict.fromkeys(topic.name for topic in request.topics)]
    )


def _check_name(broker: Broker, name: str) -> None:
    reason = why_invalid(name)
    if reason is not None:
        raise Refused(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
    if name in broker.topics.by_name:
        raise Refused(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
    other = broker.topics.name_in_collision(name)
    if other is not None:
        raise Refused(
            ErrorCode.INVALID_TOPIC_EXCEPTION,
            f"Topic '{name}' collides with existing topic: {other}",
        )


def _checked_configs(broker: Broker, topic: CreatableTopic) -> dict[str, str]:
    nulls = [config.name for config in topic.configs if config.value is None]
    if nulls:
        raise Refused(
            ErrorCode.INVALID_CONFIG,
            f"Null value not supported for topic configs: {','.join(nulls)}",
        )
    configs = {config.name: config.value or "" for config in topic.configs}
    try:
        parse_log_config(configs, broker.topics.log_defaults)
    except ConfigInvalid as invalid:
        raise Refused(ErrorCode.INVALID_CONFIG, str(invalid)) from invalid
    return configs


def _checked_partitions(broker: Broker, topic: CreatableTopic, partitions_left: int) -> int:
    config = broker.config
    if topic.assignments:
        partitions = _assigned_partitions(broker, topic)
    else:
        replicas = topic.replication_factor
        if replicas < DEFAULT or replicas == 0:
            raise Refused(
                ErrorCode.INVALID_REPLICATION_FACTOR,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            )
        partitions = topic.num_partitions
        if partitions < DEFAULT or partitions == 0:
            raise Refused(
                ErrorCode.INVALID_PARTITIONS,
                "Number of partitions was set to an invalid non-positive value.",
            )
        if replicas == DEFAULT:
            replicas = config.default_replication_factor
        if partitions == DEFAULT:
            partitions = config.num_partitions
        if replicas > 1:
            raise Refused(
                ErrorCode.INVALID_REPLICATION_FACTOR,
                f"Unable to replicate the partition {replicas} time(s): The target replication "
                f"factor of {replicas} cannot be reached because only 1 broker(s) are registered.",
            )
    check_limits(broker, partitions, partitions, partitions_left)
    return partitions


def check_limits(broker: Broker, partitions: int, new: int, partitions_left: int) -> None:
    """Refuses a topic of so many partitions, so many of which are new, if that is too many."""
    most = broker.config.topic_partitions_max
    if partitions > most:
        raise Refused(
            ErrorCode.INVALID_PARTITIONS,
            f"A topic of {partitions} partitions is too large: this broker allows {most} "
            f"(topic_partitions_max).",
        )
    if new > partitions_left:
        raise Refused(
            ErrorCode.INVALID_PARTITIONS,
            f"{new} more partitions are too many: this broker allows "
            f"{broker.config.partitions_max} in all (partitions_max), and {partitions_left} are "
            f"left.",
        )


def check_assignment(broker: Broker, broker_ids: Sequence[int]) -> None:
    """Refuses replicas of a partition that are not this node, once."""
    node_id = broker.config.node_id
    if not broker_ids:
        raise Refused(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes an empty replica list.",
        )
    for broker_id in broker_ids:
        if broker_id != node_id:
            raise Refused(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"The manual partition assignment includes broker {broker_id}, but no such broker "
                f"is registered.",
            )
    if len(broker_ids) > 1:
        raise Refused(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"The manual partition assignment includes the broker {node_id} more than once.",
        )


def _assigned_partitions(broker: Broker, topic: CreatableTopic) -> int:
    if topic.replication_factor != DEFAULT:
        raise Refused(
            ErrorCode.INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to "
            "-1.",
        )
    if topic.num_partitions != DEFAULT:
        raise Refused(
            ErrorCode.INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        )
    assigned: set[int] = set()
    for assignment in topic.assignments:
        if assignment.partition_index in assigned:
            raise Refused(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Found multiple manual partition assignments for partition "
                f"{assignment.partition_index}",
            )
        check_assignment(broker, assignment.broker_ids)
        assigned.add(assignment.partition_index)
    if assigned != set(range(len(assigned))):
        raise Refused(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence",
        )
    return len(assigned)


def _made(
    broker: Broker, wanted: Sequence[tuple[str, int, dict[str, str]]], is_validation: bool
) -> dict[str, CreatableTopicResult]:
    results = {
        name: CreatableTopicResult(name, num_partitions=partitions, replication_factor=1)
        for name, partitions, _ in wanted
    }
    if is_validation or not wanted:
        return results
    try:
        for topic in broker.topics.create_all(wanted):
            results[topic.name].topic_id = topic.topic_id
    except LogFailed as failure:
        code = ErrorCode.KAFKA_STORAGE_ERROR
        return {name: CreatableTopicResult(name, NO_ID, code, str(failure)) for name in results}
    return results


def _told(entry: ConfigEntry) -> CreatableTopicConfigs:
    return CreatableTopicConfigs(
        entry.name, entry.value, entry.is_read_only, entry.source, entry.is_sensitive
    )
