"""Settings by Kafka's names."""

import pytest

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import LogConfig
from kproof_impl.shell.limits import Limits
from kproof_impl.shell.settings import (
    SettingRefused,
    known_settings,
    parse_assignments,
    parse_settings,
)


def test_without_any_the_settings_are_the_defaults() -> None:
    assert parse_settings({}) == (BrokerConfig(), Limits())


def test_each_goes_where_it_belongs() -> None:
    broker, limits = parse_settings({
        "num.partitions": "4",
        "auto.create.topics.enable": "false",
        "offsets.retention.minutes": "2",
        "broker.rack": "here",
        "log.segment.bytes": "2097152",
        "message.max.bytes": "1000",
        "connections.max.idle.ms": "5000",
    })  # fmt: skip

    assert (broker.num_partitions, broker.auto_create_topics_enable) == (4, False)
    assert (broker.offsets_retention_ms, broker.rack) == (120_000, "here")
    assert (broker.log.segment_bytes, broker.log.max_message_bytes) == (2_097_152, 1_000)
    assert limits == Limits(connections_max_idle_ms=5_000)


def test_a_default_of_topics_may_be_given_by_the_topics_name_for_it() -> None:
    assert parse_settings({"retention.ms": "7"}) == parse_settings({"log.retention.ms": "7"})
    assert parse_settings({"retention.ms": "7"}).broker.log == LogConfig(retention_ms=7)


def test_units_of_kafkas_are_heeded() -> None:
    assert parse_settings({"log.retention.hours": "2"}).broker.log.retention_ms == 7_200_000


def test_what_is_not_named_stays_as_it_was_given_by_objects() -> None:
    base, base_limits = BrokerConfig(num_partitions=9), Limits(max_connections=3)

    broker, limits = parse_settings({"group.max.size": "5"}, base, base_limits)

    assert (broker.num_partitions, broker.group_max_size) == (9, 5)
    assert limits == base_limits
    assert base.group_max_size != 5


def test_every_known_name_sets_a_field_that_there_is() -> None:
    texts = {"BOOLEAN": "true", "STRING": "x", "DOUBLE": "0.5"}
    for name in known_settings():
        for text in (*texts.values(), "1", "1048576", "CreateTime", "delete", "producer"):
            try:
                parse_settings({name: text})
            except SettingRefused:
                continue
            break
        else:
            raise AssertionError(f"no value will do for {name}")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("num.partition", "num.partitions"),
        ("log.retention.mss", "log.retention.ms"),
        ("message_max_bytes", "message.max.bytes"),
        ("auto.create.topic.enable", "auto.create.topics.enable"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_the_right_one(name: str, meant: str) -> None:
    with pytest.raises(SettingRefused, match=rf"{name} is no setting.*Did you mean .*{meant}"):
        parse_settings({name: "1"})


def test_a_name_that_is_like_none_is_sent_to_the_documents() -> None:
    with pytest.raises(SettingRefused, match=r"docs/broker\.md lists them"):
        parse_settings({"zzz": "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("num.partitions", "0"),
        ("num.partitions", "many"),
        ("num.partitions", ""),
        ("auto.create.topics.enable", "yes"),
        ("log.message.timestamp.type", "Now"),
        ("max.connections", "0"),
        ("log.retention.ms", "-2"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingRefused, match=name):
        parse_settings({name: text})


def test_texts_become_values_by_name() -> None:
    assert parse_assignments(["a=1", " b = x=y "]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("texts", [["a"], ["=1"], ["a=1", "a=2"]])
def test_a_text_without_name_or_given_twice_is_refused(texts: list[str]) -> None:
    with pytest.raises(SettingRefused):
        parse_assignments(texts)
