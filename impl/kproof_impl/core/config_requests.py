"""DescribeConfigs, 1 to 4, AlterConfigs, 0 to 2, and IncrementalAlterConfigs, 0 to 1.

Resources are topics, this broker by its id, and all brokers by the empty name.  There are no
loggers, client metrics and groups with settings here: INVALID_REQUEST.

Behaviour
- A topic that is not there is UNKNOWN_TOPIC_OR_PARTITION; a setting that there is not, or cannot
  have the value, INVALID_CONFIG for a topic; for a broker INVALID_REQUEST, as in Kafka.
- A resource or a setting that is twice in a request is INVALID_REQUEST, and so is a null value.
- Each resource changes wholly or not at all, at once and for logs that are open; validate_only
  answers the same and changes nothing.
- AlterConfigs replaces all settings of a resource (KIP-133).  IncrementalAlterConfigs sets and
  deletes single ones, and adds to lists and takes from them (KIP-339); a list that is not set is
  that of Kafka's default.

Version notes
- DescribeConfigs v1 sources and synonyms (KIP-226); v3 types and documentation (KIP-569).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cache, partial
from typing import TYPE_CHECKING

from kproof_impl.core.broker_config_definitions import changeable, check_broker_configs
from kproof_impl.core.config_definitions import TOPIC_CONFIGS, parse_topic_configs
from kproof_impl.core.config_entries import (
    ConfigEntry,
    broker_entries,
    default_broker_entries,
    topic_entries,
)
from kproof_impl.core.config_types import ConfigDefinition, ConfigInvalid, ConfigType, text_of
from kproof_impl.core.refused import Refused
from kproof_impl.core.topic_names import why_invalid
from kproof_impl.messages.alter_configs import (
    AlterConfigsRequest,
    AlterConfigsResourceResponse,
    AlterConfigsResponse,
)
from kproof_impl.messages.describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.incremental_alter_configs import AlterableConfig as Alteration
from kproof_impl.messages.incremental_alter_configs import (
    AlterConfigsResourceResponse as IncrementalResourceResponse,
)
from kproof_impl.messages.incremental_alter_configs import (
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call
    from kproof_impl.core.topics import Topic

TOPIC, BROKER = 2, 4
"""Kafka's numbers for types of resources (`ConfigResource.Type`)."""
_OTHERS = {8: "BROKER_LOGGER", 16: "CLIENT_METRICS", 32: "GROUP"}


class Operation(IntEnum):
    """What IncrementalAlterConfigs does to a setting (`AlterConfigOp.OpType`)."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


# -- DescribeConfigs -------------------------------------------------------------------------------


def describe_configs(
    broker: Broker, _call: Call, request: DescribeConfigsRequest
) -> DescribeConfigsResponse:
    """The settings of each resource, which are told once however often it is asked for: Kafka tells
    them again, so that a small request may have a huge answer."""
    told = cache(partial(_entries_told, broker, request))
    asked = {
        (one.resource_type, one.resource_name, tuple(one.configuration_keys or ())): one
        for one in request.resources
    }
    return DescribeConfigsResponse(
        results=[_described(told, resource) for resource in asked.values()]
    )


def _described(
    told: Callable[[int, str], list[DescribeConfigsResourceResult]],
    resource: DescribeConfigsResource,
) -> DescribeConfigsResult:
    result = DescribeConfigsResult(
        resource_type=resource.resource_type, resource_name=resource.resource_name
    )
    try:
        entries = told(resource.resource_type, resource.resource_name)
    except Refused as refused:
        result.error_code, result.error_message = refused.error_code, refused.reason
        return result
    wanted = set(resource.configuration_keys or ())
    result.error_message = ""  # As in Kafka, where only this request has no null here.
    result.configs = [entry for entry in entries if entry.name in wanted] if wanted else entries
    return result


def _entries_told(
    broker: Broker, request: DescribeConfigsRequest, resource_type: int, name: str
) -> list[DescribeConfigsResourceResult]:
    return [_told(entry, request) for entry in _entries(broker, resource_type, name)]


def _entries(broker: Broker, resource_type: int, name: str) -> Iterable[ConfigEntry]:
    if resource_type == TOPIC:
        reason = why_invalid(name)
        if reason is not None:
            raise Refused(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
        return topic_entries(broker, _topic(broker, name).configs)
    _check_broker(broker, resource_type, name)
    return broker_entries(broker) if name else default_broker_entries(broker)


def _told(entry: ConfigEntry, request: DescribeConfigsRequest) -> DescribeConfigsResourceResult:
    synonyms = entry.synonyms if request.include_synonyms else ()
    return DescribeConfigsResourceResult(
        name=entry.name,
        value=entry.value,
        read_only=entry.is_read_only,
        config_source=entry.source,
        is_sensitive=entry.is_sensitive,
        synonyms=[DescribeConfigsSynonym(one.name, one.value, one.source) for one in synonyms],
        config_type=entry.type,
        documentation=entry.documentation if request.include_documentation else None,
    )


# -- AlterConfigs ----------------------------------------------------------------------------------


def alter_configs(
    broker: Broker, _call: Call, request: AlterConfigsRequest
) -> AlterConfigsResponse:
    times = Counter((one.resource_type, one.resource_name) for one in request.resources)
    responses = []
    for resource in request.resources:
        name = resource.resource_name
        response = AlterConfigsResourceResponse(0, None, resource.resource_type, name)
        responses.append(response)
        try:
            _check_once(times[resource.resource_type, name], [one.name for one in resource.configs])
            _check_nulls(one.name for one in resource.configs if one.value is None)
            wanted = {one.name: one.value or "" for one in resource.configs}
            _replace(broker, resource.resource_type, name, wanted, request.validate_only)
        except Refused as refused:
            response.error_code, response.error_message = refused.error_code, refused.reason
    return AlterConfigsResponse(responses=responses)


# -- IncrementalAlterConfigs -----------------------------------------------------------------------


def incremental_alter_configs(
    broker: Broker, _call: Call, request: IncrementalAlterConfigsRequest
) -> IncrementalAlterConfigsResponse:
    times = Counter((one.resource_type, one.resource_name) for one in request.resources)
    responses = []
    for resource in request.resources:
        kind, name = resource.resource_type, resource.resource_name
        response = IncrementalResourceResponse(0, None, kind, name)
        responses.append(response)
        try:
            _check_once(times[kind, name], [one.name for one in resource.configs])
            _check_nulls(
                one.name
                for one in resource.configs
                if one.value is None and one.config_operation != Operation.DELETE
            )
            new = _altered(kind, _configs_of(broker, kind, name), resource.configs)
            _replace(broker, kind, name, new, request.validate_only)
        except Refused as refused:
            response.error_code, response.error_message = refused.error_code, refused.reason
    return IncrementalAlterConfigsResponse(responses=responses)


def _altered(
    resource_type: int, configs: Mapping[str, str], alterations: Sequence[Alteration]
) -> dict[str, str]:
    new = dict(configs)
    for alteration in alterations:
        name, value = alteration.name, alteration.value or ""
        if alteration.config_operation == Operation.SET:
            new[name] = value
        elif alteration.config_operation == Operation.DELETE:
            new.pop(name, None)
        elif alteration.config_operation in (Operation.APPEND, Operation.SUBTRACT):
            operation = Operation(alteration.config_operation)
            items = _items(_list_definition(resource_type, name, operation), new.get(name))
            for item in value.split(","):
                if operation == Operation.APPEND and item not in items:
                    items.append(item)
                elif operation == Operation.SUBTRACT and item in items:
                    items.remove(item)
            new[name] = ",".join(items)
        else:
            raise Refused(
                ErrorCode.INVALID_REQUEST,
                f"Unknown operations type {alteration.config_operation} for {name[:100]}: "
                f"0 sets, 1 deletes, 2 appends, 3 subtracts.",
            )
    return new


def _list_definition(resource_type: int, name: str, operation: Operation) -> ConfigDefinition:
    definition = TOPIC_CONFIGS.get(name) if resource_type == TOPIC else changeable(name)
    if definition is None or definition.type != ConfigType.LIST:
        raise Refused(
            ErrorCode.INVALID_CONFIG,
            f"Can't {operation.name} to key {name[:100]} because its type is not LIST.",
        )
    return definition


def _items(definition: ConfigDefinition, text: str | None) -> list[str]:
    if text is None:
        text = text_of(definition.default) or ""
    return [item for item in text.split(",") if item]


# -- parts -----------------------------------------------------------------------------------------


def _check_once(times: int, names: Sequence[str]) -> None:
    if times > 1:
        raise Refused(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")
    if len(names) > len(set(names)):
        raise Refused(ErrorCode.INVALID_REQUEST, "Error due to duplicate config keys")


def _check_nulls(names: Iterable[str]) -> None:
    nulls = ", ".join(names)
    if nulls:
        raise Refused(ErrorCode.INVALID_REQUEST, f"Null value not supported for : {nulls}")


def _configs_of(broker: Broker, resource_type: int, name: str) -> Mapping[str, str]:
    """The settings that a resource was given; none for a topic that is not there."""
    if resource_type == TOPIC:
        _check_topic_name(name)
        topic = broker.topics.by_name.get(name)
        return {} if topic is None else topic.configs
    _check_broker(broker, resource_type, name)
    return broker.topics.broker_configs.get(name, {})


def _replace(
    broker: Broker, resource_type: int, name: str, new: dict[str, str], is_validation: bool
) -> None:
    """Checks all settings of a resource, and gives it these instead of what it has."""
    old = _configs_of(broker, resource_type, name)
    changes: dict[str, str | None] = {
        key: value for key, value in new.items() if old.get(key) != value
    }
    changes |= dict.fromkeys(key for key in old if key not in new)
    try:
        if resource_type == TOPIC:
            parse_topic_configs(new)  # Before the topic is looked for, as in Kafka.
            topic = _topic(broker, name)
            if not is_validation:
                broker.topics.set_configs(topic, changes)
        else:
            check_broker_configs(new)
            if not is_validation:
                broker.topics.set_broker_configs(name, changes)
    except ConfigInvalid as invalid:
        raise Refused(ErrorCode.INVALID_CONFIG, str(invalid)) from invalid
    except LogFailed as failure:
        raise Refused(ErrorCode.KAFKA_STORAGE_ERROR, str(failure)) from failure


def _check_topic_name(name: str) -> None:
    if not name:
        raise Refused(ErrorCode.INVALID_REQUEST, "Default topic resources are not allowed.")
    reason = why_invalid(name)
    if reason is not None:
        raise Refused(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)


def _topic(broker: Broker, name: str) -> Topic:
    topic = broker.topics.by_name.get(name)
    if topic is None:
        raise Refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{name}' does not exist.")
    return topic


def _check_broker(broker: Broker, resource_type: int, name: str) -> None:
    if resource_type != BROKER:
        kind = _OTHERS.get(resource_type, str(resource_type))
        raise Refused(
            ErrorCode.INVALID_REQUEST,
            f"Unsupported resource type: {kind}. Topics are {TOPIC}, brokers {BROKER}.",
        )
    if not name:
        return
    node_id = str(broker.config.node_id)
    if not (name.removeprefix("-").isascii() and name.removeprefix("-").isdigit()):
        raise Refused(
            ErrorCode.INVALID_REQUEST, f"Broker id must be an integer, but it is: {name[:100]}"
        )
    if name != node_id:
        raise Refused(
            ErrorCode.INVALID_REQUEST,
            f"Unexpected broker id, expected {node_id} or empty string, but received {name[:100]}",
        )
