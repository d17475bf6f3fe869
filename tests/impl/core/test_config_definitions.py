"""The settings of topics: their types, ranges, and what they do to a log's settings."""

import dataclasses

import pytest

from kproof_impl.core.config_definitions import (
    BROKER_CONFIGS_OF_LOGS,
    TOPIC_CONFIGS,
    parse_log_config,
    parse_log_defaults,
)
from kproof_impl.core.config_types import ConfigInvalid, text_of
from kproof_impl.core.log_config import LogConfig

BASE = LogConfig()


def test_every_setting_of_a_log_can_be_set_by_a_topic() -> None:
    fields = {field.name for field in dataclasses.fields(LogConfig)}

    assert fields == {definition.field for definition in TOPIC_CONFIGS.values()} - {None}


@pytest.mark.parametrize("name", TOPIC_CONFIGS)
def test_the_default_of_each_setting_is_a_value_it_can_have(name: str) -> None:
    definition = TOPIC_CONFIGS[name]

    assert definition.parse(text_of(definition.default) or "") == definition.default


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("retention.ms", "-1", "retention_ms", -1),
        ("retention.bytes", " 5 ", "retention_bytes", 5),
        ("retention.ms", "+5", "retention_ms", 5),
        ("preallocate", "TRUE", "preallocate", True),
        ("cleanup.policy", "compact, delete", "cleanup_policy", "compact,delete"),
        ("message.timestamp.type", "LogAppendTime", "message_timestamp_type", "LogAppendTime"),
        ("flush.ms", str((1 << 63) - 1), "flush_ms", (1 << 63) - 1),
        ("internal.segment.bytes", "100", "segment_bytes", 100),
    ],
)
def test_a_text_is_parsed_into_its_field(name: str, text: str, field: str, value: object) -> None:
    log_config = parse_log_config({name: text}, BASE)

    assert dataclasses.asdict(log_config) == {**dataclasses.asdict(BASE), field: value}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("retention.ms", "", "Not a number of type LONG"),
        ("retention.ms", "1_000", "Not a number of type LONG"),
        ("retention.ms", "\u0661", "Not a number of type LONG"),
        ("retention.ms", "1.5", "Not a number of type LONG"),
        ("retention.ms", str(1 << 63), "Not a number of type LONG"),
        ("retention.ms", "9" * 100_000, "Not a number of type LONG"),
        ("segment.bytes", str(1 << 31), "Not a number of type INT"),
        ("segment.ms", "0", "at least 1"),
        ("preallocate", "yes", "either true or false"),
        ("min.cleanable.dirty.ratio", "1.5", "no more than 1"),
        ("min.cleanable.dirty.ratio", "nan", "at least 0"),
        ("min.cleanable.dirty.ratio", "half", "Not a number of type DOUBLE"),
        ("compression.type", "brotli", "must be one of: uncompressed"),
        ("cleanup.policy", "delete,keep", "must be one of: compact, delete"),
        ("leader.replication.throttled.replicas", "0:1,x", "each item should match"),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_refused_with_its_name(
    name: str, text: str, reason: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse_log_config({name: text}, BASE)

    assert reason in str(refused.value)
    assert f"for configuration {name}: " in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("value", ["*", "none", "0:1", "0:1,2:3"])
def test_throttled_replicas_are_written_as_in_kafka(value: str) -> None:
    definition = TOPIC_CONFIGS["leader.replication.throttled.replicas"]

    assert definition.parse(value) == value


@pytest.mark.parametrize("is_internal_first", [True, False])
def test_the_internal_size_of_segments_is_stronger_than_the_public_one(
    is_internal_first: bool,
) -> None:
    configs = [("internal.segment.bytes", "7"), ("segment.bytes", "2000000")]

    chosen = dict(configs if is_internal_first else reversed(configs))

    assert parse_log_config(chosen, BASE).segment_bytes == 7


def test_the_range_is_not_checked_for_the_brokers_own_topics() -> None:
    config = parse_log_config({"segment.bytes": "100"}, BASE, is_range_checked=False)

    assert config.segment_bytes == 100
    with pytest.raises(ConfigInvalid):
        parse_log_config({"segment.bytes": "x"}, BASE, is_range_checked=False)


@pytest.mark.parametrize(
    ("configs", "field", "value"),
    [
        ({"log.retention.hours": "2"}, "retention_ms", 7_200_000),
        ({"log.retention.hours": "2", "log.retention.minutes": "3"}, "retention_ms", 180_000),
        ({"log.retention.minutes": "3", "log.retention.ms": "4"}, "retention_ms", 4),
        ({"log.retention.hours": "-1"}, "retention_ms", -1),
        ({"log.roll.hours": "1"}, "segment_ms", 3_600_000),
        ({"message.max.bytes": "9"}, "max_message_bytes", 9),
        ({"num.partitions": "9"}, "retention_ms", BASE.retention_ms),
    ],
)
def test_a_brokers_settings_are_the_defaults_of_topics(
    configs: dict[str, str], field: str, value: int
) -> None:
    assert getattr(parse_log_defaults(configs, BASE), field) == value


def test_each_default_of_topics_has_the_type_of_the_topics_setting() -> None:
    for definition, topic_config, factor in BROKER_CONFIGS_OF_LOGS.values():
        assert (definition.type == topic_config.type) == (factor == 1)
