"""The settings of a broker that clients are shown, and those of them that requests can change.

Requests change what topics have by default (`BROKER_CONFIGS_OF_LOGS`), under the names that mean
milliseconds; and, because programs set them, a few of Kafka's that are kept and have no effect
here.  All others are as the broker was started: Kafka calls them read-only.

REF   Kafka's documentation, "Broker Configs", with their update modes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kproof_impl.core.config_definitions import BROKER_CONFIGS_OF_LOGS
from kproof_impl.core.config_types import (
    INT_MAX,
    LONG_MAX,
    ConfigDefinition,
    ConfigInvalid,
    ConfigType,
    ConfigValue,
)
from kproof_impl.core.refused import Refused
from kproof_impl.messages.errors import ErrorCode

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

_BOOLEAN, _STRING, _INT = ConfigType.BOOLEAN, ConfigType.STRING, ConfigType.INT
_SHORT, _LONG, _LIST = ConfigType.SHORT, ConfigType.LONG, ConfigType.LIST
_NO_EFFECT = "Kept and shown; no effect here: one thread does all."


@dataclass(frozen=True, slots=True)
class StaticConfig:
    """A setting that the broker was started with, and how its value is found."""

    definition: ConfigDefinition
    value_of: Callable[[Broker], ConfigValue]


def _field(
    name: str,
    kind: ConfigType,
    default: ConfigValue,
    documentation: str,
    *,
    field: str = "",
    divisor: int = 1,
) -> StaticConfig:
    field = field or name.replace(".", "_")

    def value_of(broker: Broker) -> ConfigValue:
        value: ConfigValue = getattr(broker.config, field)
        return value // divisor if isinstance(value, int) and divisor > 1 else value

    return StaticConfig(ConfigDefinition(name, kind, default, documentation), value_of)


def _computed(
    name: str, kind: ConfigType, documentation: str, value_of: Callable[[Broker], ConfigValue]
) -> StaticConfig:
    return StaticConfig(ConfigDefinition(name, kind, None, documentation), value_of)


def _listener(broker: Broker) -> str:
    host, port = broker.config.advertised_host, broker.config.advertised_port
    return f"PLAINTEXT://{f'[{host}]' if ':' in host else host}:{port}"


STATIC_CONFIGS: dict[str, StaticConfig] = {
    config.definition.name: config
    for config in (
        _computed("advertised.listeners", _STRING, "Where clients are told to connect.", _listener),
        _field(
            "auto.create.topics.enable", _BOOLEAN, True,
            "Whether Metadata makes a topic that is asked for and is not there.",
        ),
        _field("broker.id", _INT, -1, "The number of this node.", field="node_id"),
        _field("broker.rack", _STRING, None, "Where this node stands.", field="rack"),
        _field(
            "default.replication.factor", _INT, 1, "Replicas of a topic that does not say; only 1.",
        ),
        _field("delete.topic.enable", _BOOLEAN, True, "Whether topics can be deleted."),
        _field("fetch.max.bytes", _INT, 55 << 20, "About the most that one fetch is answered."),
        _field(
            "group.initial.rebalance.delay.ms", _INT, 3_000,
            "How long a group without members waits for more after the first.",
        ),
        _field(
            "group.max.session.timeout.ms", _INT, 1_800_000, "The longest session of a member.",
        ),
        _field("group.max.size", _INT, INT_MAX, "The most members of a group."),
        _field(
            "group.min.session.timeout.ms", _INT, 6_000, "The shortest session of a member.",
        ),
        _field(
            "log.cleaner.backoff.ms", _LONG, 15_000,
            "How often compacted logs are looked at when none was worth a cleaning.",
        ),
        _field(
            "log.cleaner.dedupe.buffer.size", _LONG, 128 << 20,
            "Memory for the keys of one cleaning; a log with more of them takes several.",
        ),
        _field(
            "log.cleaner.enable", _BOOLEAN, True, "Whether compacted topics are cleaned.",
        ),
        _computed(
            "log.dir", _STRING, "Where the logs are.", lambda broker: broker.store.log_dir
        ),
        _computed(
            "log.dirs", _STRING, "Where the logs are.", lambda broker: broker.store.log_dir
        ),
        _field(
            "log.flush.scheduler.interval.ms", _LONG, LONG_MAX,
            "How often logs are looked at for flush.ms.",
        ),
        _field(
            "log.retention.check.interval.ms", _LONG, 300_000,
            "How often logs are looked at for retention.",
        ),
        _field(
            "max.incremental.fetch.session.cache.slots", _INT, 1_000, "The most fetch sessions.",
        ),
        _field(
            "min.incremental.fetch.session.eviction.ms", _INT, 120_000,
            "How long a fetch session is left alone, though others want its place.",
        ),
        _field("node.id", _INT, None, "The number of this node."),
        _field("num.partitions", _INT, 1, "Partitions of a topic that does not say."),
        _field(
            "offset.metadata.max.bytes", _INT, 4_096, "The longest text beside a committed offset.",
        ),
        _field(
            "offsets.retention.check.interval.ms", _LONG, 600_000,
            "How often committed offsets are looked at for their age.",
        ),
        _field(
            "offsets.retention.minutes", _INT, 10_080,
            "How long committed offsets are kept after their group has gone.",
            field="offsets_retention_ms", divisor=60_000,
        ),
        _field(
            "offsets.topic.num.partitions", _INT, 50, "Partitions of __consumer_offsets.",
        ),
        _field(
            "offsets.topic.segment.bytes", _INT, 100 << 20,
            "Segments of __consumer_offsets are not larger.",
        ),
        _computed(
            "process.roles", _LIST, "What this node does; it is its own controller.",
            lambda _: "broker,controller",
        ),
        _field(
            "producer.id.expiration.ms", _INT, 86_400_000,
            "How long a producer that is silent is remembered.",
        ),
    )
}  # fmt: skip
"""In the order of their names."""

KEPT_CONFIGS: dict[str, ConfigDefinition] = {
    definition.name: definition
    for definition in (
        ConfigDefinition("background.threads", _INT, 10, _NO_EFFECT, 1, INT_MAX),
        ConfigDefinition(
            "log.cleaner.threads", _INT, 1, "Kept and shown; logs are cleaned in turn.", 0, INT_MAX
        ),
        ConfigDefinition("num.io.threads", _INT, 8, _NO_EFFECT, 1, INT_MAX),
        ConfigDefinition("num.network.threads", _INT, 3, _NO_EFFECT, 1, INT_MAX),
        ConfigDefinition("num.recovery.threads.per.data.dir", _INT, 2, _NO_EFFECT, 1, INT_MAX),
        ConfigDefinition("num.replica.fetchers", _INT, 1, "Kept and shown; no followers.", 1, 1000),
        ConfigDefinition(
            "sasl.kerberos.min.time.before.relogin", _LONG, 60_000,
            "Kept and shown; there is no authentication here.",
        ),
    )
}  # fmt: skip
"""What requests can set, and what has no effect here."""


def changeable(name: str) -> ConfigDefinition | None:
    """The setting of this name if requests can change it, else None."""
    kept = KEPT_CONFIGS.get(name)
    if kept is not None:
        return kept
    of_logs = BROKER_CONFIGS_OF_LOGS.get(name)
    if of_logs is None:
        return None
    definition, _, factor = of_logs
    return definition if factor == 1 else None


def check_broker_configs(configs: Mapping[str, str]) -> None:
    """Checks settings that a request gives to a broker.

    Raises `Refused`: INVALID_REQUEST for one that only a start can set, INVALID_CONFIG for one that
    there is not; and, as Kafka, INVALID_REQUEST for a value it cannot have.
    """
    static = [name for name in configs if changeable(name) is None and _is_known(name)]
    if static:
        raise Refused(
            ErrorCode.INVALID_REQUEST,
            f"Cannot update these configs dynamically: {', '.join(static)}",
        )
    for name, text in configs.items():
        definition = changeable(name)
        if definition is None:
            raise Refused(ErrorCode.INVALID_CONFIG, f"Unknown config name: {name[:100]}")
        try:
            definition.parse(text)
        except ConfigInvalid as invalid:
            raise Refused(ErrorCode.INVALID_REQUEST, str(invalid)) from invalid


def _is_known(name: str) -> bool:
    return name in STATIC_CONFIGS or name in BROKER_CONFIGS_OF_LOGS
