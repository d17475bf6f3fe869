"""Settings with where they come from: what DescribeConfigs and CreateTopics tell.

A setting's value comes from the first of these that has one: the topic's own settings, those given
to this broker or to all brokers by a request, those the broker was started with, Kafka's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from kproof_impl.core.config_definitions import (
    HIDDEN,
    TOPIC_CONFIGS,
    TopicConfigDefinition,
    parse_log_config,
)
from kproof_impl.core.config_types import ConfigType, text_of

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


class ConfigSource(IntEnum):
    """Kafka's numbers for where a setting comes from (KIP-226)."""

    TOPIC = 1
    DYNAMIC_BROKER = 2
    DYNAMIC_DEFAULT_BROKER = 3
    STATIC_BROKER = 4
    DEFAULT = 5


@dataclass(frozen=True, slots=True)
class ConfigSynonym:
    """A place where a setting's value is, or would be if the stronger ones had none."""

    name: str
    value: str | None
    source: ConfigSource


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """A setting in force; `value` is None where it must not be shown."""

    name: str
    value: str | None
    source: ConfigSource
    type: ConfigType
    documentation: str
    synonyms: tuple[ConfigSynonym, ...] = ()
    is_read_only: bool = False
    is_sensitive: bool = False


def topic_entries(broker: Broker, configs: Mapping[str, str]) -> Iterator[ConfigEntry]:
    """All settings of a topic that was given these, in the order of their names."""
    log_config = parse_log_config(configs, broker.topics.log_defaults)
    for definition in TOPIC_CONFIGS.values():
        name = definition.name
        if name in HIDDEN:
            continue
        synonyms = tuple(_synonyms(broker, definition, configs))
        value = text_of(definition.value_in(log_config))
        if definition.field is None and name in configs:
            value = text_of(definition.parse(configs[name]))
        yield ConfigEntry(
            name=name,
            value=value,
            source=synonyms[0].source,
            type=definition.type,
            documentation=definition.documentation,
            synonyms=synonyms,
        )


def _synonyms(
    broker: Broker, definition: TopicConfigDefinition, configs: Mapping[str, str]
) -> Iterator[ConfigSynonym]:
    name = definition.name
    if name in configs:
        yield ConfigSynonym(name, text_of(definition.parse(configs[name])), ConfigSource.TOPIC)
    node_id = str(broker.config.node_id)
    for source, resource in (
        (ConfigSource.DYNAMIC_BROKER, node_id),
        (ConfigSource.DYNAMIC_DEFAULT_BROKER, ""),
    ):
        given = broker.topics.broker_configs.get(resource, {})
        for synonym, _ in definition.synonyms:
            if synonym in given:
                yield ConfigSynonym(synonym, given[synonym], source)
    first = definition.synonyms[0][0] if definition.synonyms else name
    static = definition.value_in(broker.config.log)
    if static != definition.default:
        yield ConfigSynonym(first, text_of(static), ConfigSource.STATIC_BROKER)
    yield ConfigSynonym(first, text_of(definition.default), ConfigSource.DEFAULT)
