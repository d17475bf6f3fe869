"""Settings by Kafka's dotted names, as the command line and a program's `configs` give them.

They are a broker's own, the defaults of its topics (`log.retention.ms`; the topics' own names, such
as `retention.ms`, mean the same), and the limits of its sockets.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.config_definitions import (
    BROKER_CONFIGS_OF_LOGS,
    parse_log_defaults,
)
from kproof_impl.core.config_types import (
    INT_MAX,
    LONG_MAX,
    ConfigDefinition,
    ConfigInvalid,
    ConfigType,
)
from kproof_impl.shell.limits import Limits

NAMES_LISTED = 5


class SettingRefused(Exception):
    """A setting cannot be taken; the text says what was seen and what is expected."""


class Settings(NamedTuple):
    """A broker's settings and the limits of its sockets."""

    broker: BrokerConfig
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Setting:
    definition: ConfigDefinition
    field: str
    factor: int = 1
    """From the setting's unit to the field's."""


def _setting(
    name: str,
    kind: ConfigType,
    minimum: float = 0,
    maximum: float = INT_MAX,
    to: str = "",
    factor: int = 1,
) -> _Setting:
    if kind in (ConfigType.BOOLEAN, ConfigType.STRING):
        definition = ConfigDefinition(name, kind, None, "")
    else:
        definition = ConfigDefinition(name, kind, None, "", minimum, maximum)
    return _Setting(definition, to or name.replace(".", "_"), factor)


_INT, _LONG = ConfigType.INT, ConfigType.LONG
_TOPIC_PARTITIONS_MAX = BrokerConfig().topic_partitions_max

OF_BROKER = {
    each.definition.name: each
    for each in (
        _setting("node.id", _INT),
        _setting("cluster.id", ConfigType.STRING),
        _setting("broker.rack", ConfigType.STRING, to="rack"),
        _setting("num.partitions", _INT, 1, _TOPIC_PARTITIONS_MAX),
        _setting("auto.create.topics.enable", ConfigType.BOOLEAN),
        _setting("delete.topic.enable", ConfigType.BOOLEAN),
        _setting("log.cleaner.backoff.ms", _LONG, 0, LONG_MAX),
        _setting("log.cleaner.dedupe.buffer.size", _LONG, 1, LONG_MAX),
        _setting("log.cleaner.enable", ConfigType.BOOLEAN),
        _setting("log.retention.check.interval.ms", _LONG, 1, LONG_MAX),
        _setting("group.initial.rebalance.delay.ms", _INT),
        _setting("group.min.session.timeout.ms", _INT),
        _setting("group.max.session.timeout.ms", _INT),
        _setting("group.max.size", _INT, 1),
        _setting("offsets.topic.num.partitions", _INT, 1, _TOPIC_PARTITIONS_MAX),
        _setting("offsets.topic.segment.bytes", _INT, 1),
        _setting("offset.metadata.max.bytes", _INT),
        _setting("offsets.retention.minutes", _INT, 1, to="offsets_retention_ms", factor=60_000),
        _setting("offsets.retention.check.interval.ms", _LONG, 1, LONG_MAX),
        _setting("fetch.max.bytes", _INT, 1024),
        _setting("max.incremental.fetch.session.cache.slots", _INT),
        _setting("min.incremental.fetch.session.eviction.ms", _INT),
        _setting("producer.id.expiration.ms", _INT, 1),
    )
}
OF_SOCKETS = {
    each.definition.name: each
    for each in (
        _setting("max.connections", _INT, 1),
        _setting("connections.max.idle.ms", _LONG, 1, LONG_MAX),
        _setting("socket.request.max.bytes", _INT, 1, to="request_max_bytes"),
        _setting("socket.listen.backlog.size", _INT, 1, to="listen_backlog"),
    )
}
OF_LOGS = {
    **{
        topic.name: name
        for name, (_, topic, factor) in BROKER_CONFIGS_OF_LOGS.items()
        if factor == 1
    },
    **{name: name for name in BROKER_CONFIGS_OF_LOGS},
}
"""The broker's name of each setting of logs, by it and by the topic's."""


def known_settings() -> list[str]:
    """Every name that is taken."""
    return sorted({*OF_BROKER, *OF_SOCKETS, *OF_LOGS})


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """`["num.partitions=3"]` as values by name.  Raises `SettingRefused`."""
    configs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise SettingRefused(f"{text}: expected KEY=VALUE, for example num.partitions=3")
        if name in configs:
            raise SettingRefused(
                f"{name} was given twice: {configs[name]} and {value.strip()}. Give one"
            )
        configs[name] = value.strip()
    return configs


def parse_settings(
    configs: Mapping[str, str], broker: BrokerConfig | None = None, limits: Limits | None = None
) -> Settings:
    """The settings that texts by name give, on top of others.  Raises `SettingRefused`."""
    of_broker: dict[str, Any] = {}
    of_sockets: dict[str, Any] = {}
    of_logs: dict[str, str] = {}
    for name, text in configs.items():
        for table, values in ((OF_BROKER, of_broker), (OF_SOCKETS, of_sockets)):
            if name in table:
                values[table[name].field] = _value(table[name], text)
                break
        else:
            if name not in OF_LOGS:
                raise _unknown(name)
            of_logs[OF_LOGS[name]] = text
    base = broker or BrokerConfig()
    try:
        of_broker["log"] = parse_log_defaults(of_logs, base.log)
    except ConfigInvalid as error:
        raise SettingRefused(str(error)) from error
    made = replace(base, **of_broker)
    shortest, longest = made.group_min_session_timeout_ms, made.group_max_session_timeout_ms
    if shortest > longest:
        raise SettingRefused(
            f"group.min.session.timeout.ms is {shortest} and group.max.session.timeout.ms is "
            f"{longest}: no member could join"
        )
    return Settings(made, replace(limits or Limits(), **of_sockets))


def _value(setting: _Setting, text: str) -> object:
    try:
        value = setting.definition.parse(text)
    except ConfigInvalid as error:
        raise SettingRefused(str(error)) from error
    return value * setting.factor if isinstance(value, int) and setting.factor != 1 else value


def _unknown(name: str) -> SettingRefused:
    known = known_settings()
    close = difflib.get_close_matches(name, known, n=NAMES_LISTED, cutoff=0.6)
    if not close:
        words = [word for word in name.replace("_", ".").split(".") if len(word) > 2]
        close = [each for each in known if any(word in each for word in words)][:NAMES_LISTED]
    hint = f"Did you mean {' or '.join(close)}?" if close else "docs/broker.md lists them"
    return SettingRefused(f"{name} is no setting that has a meaning here. {hint}")
