"""Settings with where they come from: what DescribeConfigs and CreateTopics tell.

A setting's value comes from the first of these that has one: the topic's own settings, those given
to this broker or to all brokers by a request, those the broker was started with, Kafka's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import dropwhile
from typing import TYPE_CHECKING

from kproof_impl.core.broker_config_definitions import KEPT_CONFIGS, STATIC_CONFIGS, changeable
from kproof_impl.core.config_definitions import (
    BROKER_CONFIGS_OF_LOGS,
    HIDDEN,
    TOPIC_CONFIGS,
    TopicConfigDefinition,
    parse_log_config,
)
from kproof_impl.core.config_types import ConfigDefinition, ConfigType, text_of

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
    """A setting in force; `value` is None where there is none.  None here is a secret."""

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
    log_config = parse_log_config(configs, broker.topics.log_defaults, is_range_checked=False)
    for definition in TOPIC_CONFIGS.values():
        name = definition.name
        if name in HIDDEN:
            continue
        synonyms = tuple(_of_topic(definition, configs)) + tuple(_of_broker(broker, definition))
        value = text_of(definition.value_in(log_config))
        if definition.field is None and synonyms:
            value = synonyms[0].value
        yield ConfigEntry(
            name=name,
            value=value,
            source=synonyms[0].source if synonyms else ConfigSource.DEFAULT,
            type=definition.type,
            documentation=definition.documentation,
            synonyms=synonyms,
        )


def _of_topic(
    definition: TopicConfigDefinition, configs: Mapping[str, str]
) -> Iterator[ConfigSynonym]:
    name = definition.name
    if name in configs:
        value = definition.parse(configs[name], is_range_checked=False)
        yield ConfigSynonym(name, text_of(value), ConfigSource.TOPIC)


def _of_broker(
    broker: Broker, definition: TopicConfigDefinition, name: str = ""
) -> list[ConfigSynonym]:
    """Where a topic's setting comes from if not from the topic.

    As in Kafka, from the first place on that has the broker's setting of this name, or of the
    strongest one: retention.ms has log.retention.hours after log.retention.ms, and none without.
    """
    if not definition.synonyms:
        return []
    name = name or definition.synonyms[0][0]
    places = list(_places(broker, definition))
    return list(dropwhile(lambda place: place.name != name, places))


def _places(broker: Broker, definition: TopicConfigDefinition) -> Iterator[ConfigSynonym]:
    for name, _ in definition.synonyms:
        yield from _given(broker, name)
    static = definition.value_in(broker.config.log)
    if static != definition.default:
        name = definition.synonyms[0][0]
        yield ConfigSynonym(name, text_of(static), ConfigSource.STATIC_BROKER)
    # Kafka's own default is under the name of the coarsest unit: log.retention.hours is 168.
    name, factor = definition.synonyms[-1]
    value = definition.default
    if factor > 1 and isinstance(value, int):
        value //= factor
    yield ConfigSynonym(name, text_of(value), ConfigSource.DEFAULT)


def _given(broker: Broker, name: str) -> Iterator[ConfigSynonym]:
    """What requests have given to this broker, and to all, under a name."""
    for source, resource in (
        (ConfigSource.DYNAMIC_BROKER, str(broker.config.node_id)),
        (ConfigSource.DYNAMIC_DEFAULT_BROKER, ""),
    ):
        configs = broker.topics.broker_configs.get(resource, {})
        if name in configs:
            yield ConfigSynonym(name, configs[name], source)


def broker_entries(broker: Broker) -> Iterator[ConfigEntry]:
    """All settings of the broker that are shown, in the order of their names."""
    for name in sorted([*STATIC_CONFIGS, *KEPT_CONFIGS, *BROKER_CONFIGS_OF_LOGS]):
        yield broker_entry(broker, name)


def default_broker_entries(broker: Broker) -> Iterator[ConfigEntry]:
    """The settings that requests have given to all brokers, in the order of their names."""
    for name, text in sorted(broker.topics.broker_configs.get("", {}).items()):
        definition = changeable(name)
        if definition is not None:
            value = text_of(definition.parse(text))
            synonym = ConfigSynonym(name, value, ConfigSource.DYNAMIC_DEFAULT_BROKER)
            yield _entry(definition, value, (synonym,), is_read_only=False)


def broker_entry(broker: Broker, name: str) -> ConfigEntry:
    """One setting of the broker, of those that are shown."""
    if name in STATIC_CONFIGS:
        static = STATIC_CONFIGS[name]
        definition, value = static.definition, static.value_of(broker)
        synonyms = []
        if value is not None and value != definition.default:
            synonyms.append(ConfigSynonym(name, text_of(value), ConfigSource.STATIC_BROKER))
        if definition.default is not None:
            default = text_of(definition.default)
            synonyms.append(ConfigSynonym(name, default, ConfigSource.DEFAULT))
        return _entry(definition, text_of(value), tuple(synonyms), is_read_only=True)
    if name in KEPT_CONFIGS:
        definition = KEPT_CONFIGS[name]
        default = text_of(definition.default)
        synonyms = [*_given(broker, name), ConfigSynonym(name, default, ConfigSource.DEFAULT)]
        return _entry(definition, synonyms[0].value, tuple(synonyms), is_read_only=False)
    definition, topic_config, factor = BROKER_CONFIGS_OF_LOGS[name]
    synonyms = _of_broker(broker, topic_config, name)
    if factor == 1:
        value = topic_config.value_in(broker.topics.log_defaults)
        return _entry(definition, text_of(value), tuple(synonyms), is_read_only=False)
    shown = synonyms[0].value if synonyms else None
    return _entry(definition, shown, tuple(synonyms), is_read_only=True)


def _entry(
    definition: ConfigDefinition,
    value: str | None,
    synonyms: tuple[ConfigSynonym, ...],
    *,
    is_read_only: bool,
) -> ConfigEntry:
    return ConfigEntry(
        name=definition.name,
        value=value,
        source=synonyms[0].source if synonyms else ConfigSource.DEFAULT,
        type=definition.type,
        documentation=definition.documentation,
        synonyms=synonyms,
        is_read_only=is_read_only,
    )
