"""The settings of topics: each of Kafka 4's, with its type, its range, and what it does here.

Most are fields of `LogConfig`.  The others are kept, shown and checked as Kafka does, and have no
effect here; their documentation says so, to clients as well: what they are about, tiered storage
above all, is not there, and a program that sets them should still run.

REF   Kafka's documentation, "Topic Configs"; KIP-1030 for the bounds of Kafka 4.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kproof_impl.core.config_types import (
    INT_MAX,
    LONG_MAX,
    ConfigDefinition,
    ConfigInvalid,
    ConfigType,
    ConfigValue,
)
from kproof_impl.core.log_config import LogConfig

__all__ = [
    "BROKER_CONFIGS_OF_LOGS",
    "TOPIC_CONFIGS",
    "TopicConfigDefinition",
    "parse_log_config",
    "parse_log_defaults",
    "parse_topic_configs",
]

_BOOLEAN, _STRING, _INT = ConfigType.BOOLEAN, ConfigType.STRING, ConfigType.INT
_LONG, _DOUBLE, _LIST = ConfigType.LONG, ConfigType.DOUBLE, ConfigType.LIST
_KAFKA_DEFAULTS = LogConfig()
_NO_TIERS = "Kept and shown; no effect here, because there is no tiered storage."
_NO_FOLLOWERS = "Kept and shown; no effect here, because one node has no followers."
_NO_LEVEL = "Kept and shown; no effect here, because batches are stored as they were sent."


@dataclass(frozen=True, slots=True)
class TopicConfigDefinition(ConfigDefinition):
    """A setting of topics; `default` is what Kafka's is, for the settings without a field."""

    field: str | None = None
    """The field of `LogConfig` that it sets; None for one without effect."""
    synonyms: tuple[tuple[str, int], ...] = ()
    """The broker settings that give its default, the strongest first, with the factor from their
    unit to this one's."""

    def value_in(self, log_config: LogConfig) -> ConfigValue:
        """What a log has of this, or the default for a setting without effect."""
        value: ConfigValue = self.default if self.field is None else getattr(log_config, self.field)
        return value


def _config(
    name: str,
    kind: ConfigType,
    field: str | None,
    documentation: str,
    *,
    default: ConfigValue = None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    choices: tuple[str, ...] = (),
    synonyms: tuple[tuple[str, int], ...] = (),
) -> TopicConfigDefinition:
    if field is not None:
        default = getattr(_KAFKA_DEFAULTS, field)
    return TopicConfigDefinition(
        *(name, kind, default, documentation, *bounds, choices, (), "", field, synonyms)
    )


def _gzip_level() -> TopicConfigDefinition:
    name = "compression.gzip.level"
    definition = _config(
        name, _INT, None, _NO_LEVEL, default=-1, bounds=(-1, 9), synonyms=((name, 1),)
    )
    return dataclasses.replace(definition, excluded=(0,))  # zlib's "no compression" is no level.


def _throttled(name: str) -> TopicConfigDefinition:
    definition = _config(name, _LIST, None, _NO_FOLLOWERS, default="")
    return dataclasses.replace(definition, pattern=r"[0-9]+:[0-9]+|\*|none")


_HOURS, _MINUTES = 3_600_000, 60_000
_CODECS = ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")

TOPIC_CONFIGS: dict[str, TopicConfigDefinition] = {
    definition.name: definition
    for definition in (
        _config(
            "cleanup.policy", _LIST, "cleanup_policy",
            "What happens to old records: delete removes old segments, compact those records that "
            "a later one of the same key has superseded. Empty: they stay.",
            choices=("compact", "delete"), synonyms=(("log.cleanup.policy", 1),),
        ),
        _gzip_level(),
        _config(
            "compression.lz4.level", _INT, None, _NO_LEVEL,
            default=9, bounds=(1, 17), synonyms=(("compression.lz4.level", 1),),
        ),
        _config(
            "compression.type", _STRING, "compression_type",
            "The codec of stored batches; producer leaves each as it was sent.",
            choices=_CODECS, synonyms=(("compression.type", 1),),
        ),
        _config(
            "compression.zstd.level", _INT, None, _NO_LEVEL,
            default=3, bounds=(-131072, 22), synonyms=(("compression.zstd.level", 1),),
        ),
        _config(
            "delete.retention.ms", _LONG, "delete_retention_ms",
            "How long a tombstone stays in a compacted log after the first cleaning that met it.",
            bounds=(0, LONG_MAX),
            synonyms=(("log.cleaner.delete.retention.ms", 1),),
        ),
        _config(
            "file.delete.delay.ms", _LONG, "file_delete_delay_ms",
            "How long the files of a deleted segment stay on the disk.",
            bounds=(0, LONG_MAX), synonyms=(("log.segment.delete.delay.ms", 1),),
        ),
        _config(
            "flush.messages", _LONG, "flush_messages",
            "So many records are written before they are forced to the disk; 1 forces each append.",
            bounds=(1, LONG_MAX), synonyms=(("log.flush.interval.messages", 1),),
        ),
        _config(
            "flush.ms", _LONG, "flush_ms",
            "So long may records be written and not forced to the disk.",
            bounds=(0, LONG_MAX), synonyms=(("log.flush.interval.ms", 1),),
        ),
        _throttled("follower.replication.throttled.replicas"),
        _config(
            "index.interval.bytes", _INT, "index_interval_bytes",
            "About how many bytes of a log there are for each entry of its index.",
            bounds=(0, INT_MAX), synonyms=(("log.index.interval.bytes", 1),),
        ),
        _config(
            "internal.segment.bytes", _INT, "segment_bytes",
            "segment.bytes without its lower bound, for tests.",
            bounds=(1, INT_MAX),
        ),
        _throttled("leader.replication.throttled.replicas"),
        _config(
            "local.retention.bytes", _LONG, None, _NO_TIERS, default=-2, bounds=(-2, LONG_MAX),
            synonyms=(("log.local.retention.bytes", 1),),
        ),
        _config(
            "local.retention.ms", _LONG, None, _NO_TIERS, default=-2, bounds=(-2, LONG_MAX),
            synonyms=(("log.local.retention.ms", 1),),
        ),
        _config(
            "max.compaction.lag.ms", _LONG, "max_compaction_lag_ms",
            "A record older than this makes a cleaning due, and so old a segment is closed.",
            bounds=(1, LONG_MAX),
            synonyms=(("log.cleaner.max.compaction.lag.ms", 1),),
        ),
        _config(
            "max.message.bytes", _INT, "max_message_bytes",
            "The largest batch that is taken, compressed as it is.",
            bounds=(0, INT_MAX), synonyms=(("message.max.bytes", 1),),
        ),
        _config(
            "message.timestamp.after.max.ms", _LONG, "message_timestamp_after_max_ms",
            "How far a record's timestamp may be after the broker's time.",
            bounds=(0, LONG_MAX), synonyms=(("log.message.timestamp.after.max.ms", 1),),
        ),
        _config(
            "message.timestamp.before.max.ms", _LONG, "message_timestamp_before_max_ms",
            "How far a record's timestamp may be before the broker's time.",
            bounds=(0, LONG_MAX), synonyms=(("log.message.timestamp.before.max.ms", 1),),
        ),
        _config(
            "message.timestamp.type", _STRING, "message_timestamp_type",
            "Whose time a record has: the producer's (CreateTime) or the broker's (LogAppendTime).",
            choices=("CreateTime", "LogAppendTime"),
            synonyms=(("log.message.timestamp.type", 1),),
        ),
        _config(
            "min.cleanable.dirty.ratio", _DOUBLE, "min_cleanable_dirty_ratio",
            "Above this part of a compacted log that has not been cleaned, a cleaning is due.",
            bounds=(0, 1), synonyms=(("log.cleaner.min.cleanable.ratio", 1),),
        ),
        _config(
            "min.compaction.lag.ms", _LONG, "min_compaction_lag_ms",
            "A segment with a record younger than this is not compacted.",
            bounds=(0, LONG_MAX), synonyms=(("log.cleaner.min.compaction.lag.ms", 1),),
        ),
        _config(
            "min.insync.replicas", _INT, "min_insync_replicas",
            "So many replicas must be in sync, or acks=all is refused; one node is one replica.",
            bounds=(1, INT_MAX), synonyms=(("min.insync.replicas", 1),),
        ),
        _config(
            "preallocate", _BOOLEAN, "preallocate",
            "Whether a segment's file gets its full size at once.",
            synonyms=(("log.preallocate", 1),),
        ),
        _config("remote.log.copy.disable", _BOOLEAN, None, _NO_TIERS, default=False),
        _config("remote.log.delete.on.disable", _BOOLEAN, None, _NO_TIERS, default=False),
        _config(
            "remote.storage.enable", _BOOLEAN, None, "Only false: there is no tiered storage here.",
            default=False,
        ),
        _config(
            "retention.bytes", _LONG, "retention_bytes",
            "Old segments of a partition go while it is larger than this; -1 is no limit.",
            synonyms=(("log.retention.bytes", 1),),
        ),
        _config(
            "retention.ms", _LONG, "retention_ms",
            "Segments go when their records are older than this; -1 is no limit.",
            bounds=(-1, LONG_MAX),
            synonyms=(
                ("log.retention.ms", 1),
                ("log.retention.minutes", _MINUTES),
                ("log.retention.hours", _HOURS),
            ),
        ),
        _config(
            "segment.bytes", _INT, "segment_bytes", "The largest a segment's file becomes.",
            bounds=(1 << 20, INT_MAX), synonyms=(("log.segment.bytes", 1),),
        ),
        _config(
            "segment.index.bytes", _INT, "segment_index_bytes",
            "The largest a segment's index becomes.",
            bounds=(4, INT_MAX), synonyms=(("log.index.size.max.bytes", 1),),
        ),
        _config(
            "segment.jitter.ms", _LONG, None,
            "Kept and shown; no effect here: segments roll by their age alone.",
            default=0, bounds=(0, LONG_MAX),
            synonyms=(("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", _HOURS)),
        ),
        _config(
            "segment.ms", _LONG, "segment_ms",
            "After so long a new segment begins, though the last one is not full.",
            bounds=(1, LONG_MAX), synonyms=(("log.roll.ms", 1), ("log.roll.hours", _HOURS)),
        ),
        _config(
            "unclean.leader.election.enable", _BOOLEAN, None, _NO_FOLLOWERS,
            default=False, synonyms=(("unclean.leader.election.enable", 1),),
        ),
    )
}  # fmt: skip
"""In the order of their names, which is how clients are told them."""

HIDDEN = ("internal.segment.bytes",)
"""What can be set and is not shown, as in Kafka."""


def _broker_configs_of_logs() -> dict[str, tuple[ConfigDefinition, TopicConfigDefinition, int]]:
    found = {}
    for topic_config in TOPIC_CONFIGS.values():
        for name, factor in topic_config.synonyms:
            is_same = factor == 1
            found[name] = (
                ConfigDefinition(
                    name,
                    topic_config.type if is_same else _INT,
                    topic_config.default if is_same else None,
                    f"What topics have for {topic_config.name} that do not say otherwise. "
                    + topic_config.documentation,
                    topic_config.minimum if is_same else -1,
                    topic_config.maximum if is_same else INT_MAX,
                    topic_config.choices,
                    topic_config.excluded,
                ),
                topic_config,
                factor,
            )
    return found


BROKER_CONFIGS_OF_LOGS = _broker_configs_of_logs()
"""The broker settings that are topics' defaults: itself, the topic's, the factor between units."""


def parse_topic_configs(
    configs: Mapping[str, str], *, is_range_checked: bool = True
) -> dict[str, ConfigValue]:
    """The values of a topic's settings.

    Raises `ConfigInvalid` for a name that is none, a value out of its range, and values that
    exclude each other.  The broker's own topics have no range checked: small segments are for its
    operator to choose.
    """
    values: dict[str, ConfigValue] = {}
    for name, text in configs.items():
        definition = TOPIC_CONFIGS.get(name)
        if definition is None:
            raise ConfigInvalid(f"Unknown topic config name: {name[:100]}")
        values[name] = definition.parse(text, is_range_checked=is_range_checked)
    if values.get("remote.storage.enable"):
        raise ConfigInvalid(
            "Tiered Storage functionality is disabled in the broker. "
            "Topic cannot be configured with remote log storage."
        )
    least: Any = values.get("min.compaction.lag.ms", 0)
    most: Any = values.get("max.compaction.lag.ms", LONG_MAX)
    if least > most:
        raise ConfigInvalid(
            f"conflict topic config setting min.compaction.lag.ms ({least}) > "
            f"max.compaction.lag.ms ({most})"
        )
    return values


def parse_log_config(
    configs: Mapping[str, str], base: LogConfig, *, is_range_checked: bool = True
) -> LogConfig:
    """What a topic with these settings has, where `base` is what topics have without any.

    Raises `ConfigInvalid`, as `parse_topic_configs`.
    """
    fields: dict[str, Any] = {}
    for name, value in parse_topic_configs(configs, is_range_checked=is_range_checked).items():
        field = TOPIC_CONFIGS[name].field
        # The internal name is the stronger one, whichever comes first.
        if field is not None and (field not in fields or name in HIDDEN):
            fields[field] = value
    return dataclasses.replace(base, **fields)


def parse_log_defaults(configs: Mapping[str, str], base: LogConfig) -> LogConfig:
    """What topics have without settings of their own, where a broker has these settings.

    Names that are not about logs are passed over; raises `ConfigInvalid` for a bad value.
    """
    fields: dict[str, Any] = {}
    for topic_config in TOPIC_CONFIGS.values():
        for name, _ in reversed(topic_config.synonyms):
            if name in configs and topic_config.field is not None:
                definition, _, factor = BROKER_CONFIGS_OF_LOGS[name]
                value: Any = definition.parse(configs[name])
                if factor != 1 and value >= 0:
                    value *= factor
                fields[topic_config.field] = value
    return dataclasses.replace(base, **fields)
