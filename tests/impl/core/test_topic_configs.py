"""Settings of topics, shown and changed: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs."""

from random import Random

import pytest

from impl_support.batches import Sent
from impl_support.config_requests import (
    APPEND,
    BROKER,
    DELETE,
    OF_ALL_BROKERS,
    OF_BROKER,
    OF_KAFKA,
    OF_START,
    OF_TOPIC,
    SET,
    SUBTRACT,
    TOPIC,
    change,
    describe,
    described,
    replace,
    shown,
)
from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.alter_configs import AlterableConfig as NewConfig
from kproof_impl.messages.alter_configs import AlterConfigsRequest
from kproof_impl.messages.alter_configs import AlterConfigsResource as NewConfigs
from kproof_impl.messages.describe_configs import (
    DescribeConfigsSynonym,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from kproof_impl.storage.faulty_files import FaultyFiles


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("a", 1, {"retention.ms": "77"})
    return stepper


def configs_of(broker: Stepper, name: str = "a") -> dict[str, str]:
    return broker.broker.topics.by_name[name].configs


# -- DescribeConfigs of topics -----------------------------------------------------------------


def test_all_settings_of_a_topic_are_shown_in_order(broker: Stepper) -> None:
    configs = described(broker, TOPIC, "a")

    names = [config.name for config in configs]
    assert names == sorted(names)
    assert len(names) == 33
    assert not any(config.is_sensitive or config.read_only for config in configs)
    assert all(config.value is not None and config.config_type > 0 for config in configs)
    assert all(config.documentation is None and config.synonyms == [] for config in configs)


def test_keys_choose_the_settings_that_are_shown(broker: Stepper) -> None:
    configs = described(broker, TOPIC, "a", "retention.ms", "no.such", "flush.ms")

    assert [config.name for config in configs] == ["flush.ms", "retention.ms"]


def test_documentation_is_told_where_it_is_asked_for_and_says_what_has_no_effect(
    broker: Stepper,
) -> None:
    configs = described(broker, TOPIC, "a", include_documentation=True)

    told = {config.name: config.documentation or "" for config in configs}
    assert all(told.values())
    assert "no tiered storage" in told["local.retention.ms"]
    assert "cleaning is due" in told["min.cleanable.dirty.ratio"]
    assert "no effect" not in told["retention.ms"]


def test_a_setting_comes_from_the_nearest_place_that_has_it() -> None:
    broker = Stepper(BrokerConfig(log=LogConfig(retention_ms=1000)))
    broker.topic("a")
    expected = [DescribeConfigsSynonym("log.retention.hours", "168", OF_KAFKA)]

    def synonyms() -> list[DescribeConfigsSynonym]:
        (config,) = described(broker, TOPIC, "a", "retention.ms", include_synonyms=True)
        assert (config.value, config.config_source) == (
            config.synonyms[0].value,
            config.synonyms[0].source,
        )
        return list(config.synonyms)

    expected.insert(0, DescribeConfigsSynonym("log.retention.ms", "1000", OF_START))
    assert synonyms() == expected

    change(broker, ("log.retention.ms", SET, "2000"), resource=(BROKER, ""))
    expected.insert(0, DescribeConfigsSynonym("log.retention.ms", "2000", OF_ALL_BROKERS))
    assert synonyms() == expected

    change(broker, ("log.retention.ms", SET, "3000"), resource=(BROKER, "1"))
    expected.insert(0, DescribeConfigsSynonym("log.retention.ms", "3000", OF_BROKER))
    assert synonyms() == expected

    change(broker, ("retention.ms", SET, "4000"))
    expected.insert(0, DescribeConfigsSynonym("retention.ms", "4000", OF_TOPIC))
    assert synonyms() == expected
    broker.restart()
    assert synonyms() == expected


def test_a_setting_that_is_set_to_the_default_is_the_topics_own(broker: Stepper) -> None:
    change(broker, ("segment.ms", SET, "604800000"))

    assert shown(broker, TOPIC, "a", "segment.ms") == ("604800000", OF_TOPIC)


def test_settings_without_effect_are_kept_and_shown(broker: Stepper) -> None:
    assert change(broker, ("min.cleanable.dirty.ratio", SET, "0.25")) == 0
    broker.restart()

    assert shown(broker, TOPIC, "a", "min.cleanable.dirty.ratio") == ("0.25", OF_TOPIC)
    assert shown(broker, TOPIC, "a", "remote.storage.enable") == ("false", OF_KAFKA)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("a b", ErrorCode.INVALID_TOPIC_EXCEPTION),
    ],
)
def test_a_topic_that_is_not_there_has_no_settings(
    broker: Stepper, name: str, code: ErrorCode
) -> None:
    result = describe(broker, TOPIC, name)

    assert (result.error_code, result.configs) == (code, ())
    assert change(broker, ("flush.ms", SET, "5"), resource=(TOPIC, name)) == code
    assert replace(broker, {"flush.ms": "5"}, (TOPIC, name)) == code


def test_topics_have_no_settings_in_common(broker: Stepper) -> None:
    # Two of Kafka's components check the empty name, and say it differently.
    assert describe(broker, TOPIC, "").error_code == ErrorCode.INVALID_TOPIC_EXCEPTION
    assert change(broker, ("flush.ms", SET, "5"), resource=(TOPIC, "")) == ErrorCode.INVALID_REQUEST
    assert replace(broker, {"flush.ms": "5"}, (TOPIC, "")) == ErrorCode.INVALID_REQUEST


def test_settings_are_checked_before_the_topic_is_looked_for(broker: Stepper) -> None:
    resource = (TOPIC, "none")

    assert change(broker, ("no.such", SET, "5"), resource=resource) == ErrorCode.INVALID_CONFIG
    assert replace(broker, {"no.such": "5"}, resource) == ErrorCode.INVALID_CONFIG


def test_a_default_in_hours_is_told_beside_milliseconds_only(broker: Stepper) -> None:
    (config,) = described(broker, TOPIC, "a", "retention.ms", include_synonyms=True)
    assert config.synonyms == [DescribeConfigsSynonym("retention.ms", "77", OF_TOPIC)]

    (of_kafka,) = described(broker, TOPIC, "a", "segment.ms", include_synonyms=True)
    assert (of_kafka.config_source, of_kafka.synonyms) == (OF_KAFKA, [])


# -- changes of topics -------------------------------------------------------------------------


def test_a_change_holds_at_once_and_after_a_restart(broker: Stepper) -> None:
    assert broker.produce("a", b"x" * 2000).error_code == 0

    assert change(broker, ("max.message.bytes", SET, "1000")) == 0

    assert broker.produce("a", b"x" * 2000).error_code == ErrorCode.MESSAGE_TOO_LARGE
    broker.restart()
    assert broker.produce("a", b"x" * 2000).error_code == ErrorCode.MESSAGE_TOO_LARGE
    assert change(broker, ("max.message.bytes", DELETE, None)) == 0
    assert broker.produce("a", b"x" * 2000).error_code == 0
    assert configs_of(broker) == {"retention.ms": "77"}


def test_retention_follows_the_setting(broker: Stepper) -> None:
    change(broker, ("retention.ms", SET, "-1"))
    broker.produce("a", b"x")
    broker.advance(600_000)
    assert len(broker.fetched("a")) == 1

    change(broker, ("retention.ms", SET, "1000"))
    broker.advance(600_000)

    assert broker.fetched("a", offset=broker.partition("a").log_start_offset) == []
    assert broker.partition("a").log_start_offset == 1


def test_a_topic_that_is_to_be_compacted_refuses_records_without_key(broker: Stepper) -> None:
    change(broker, ("cleanup.policy", SET, "compact"))

    assert broker.produce("a", b"no key").error_code == ErrorCode.INVALID_RECORD
    assert broker.produce("a", Sent(b"value", key=b"key")).error_code == 0


def test_lists_are_added_to_and_taken_from(broker: Stepper) -> None:
    assert change(broker, ("cleanup.policy", APPEND, "compact")) == 0
    assert configs_of(broker)["cleanup.policy"] == "delete,compact"
    assert change(broker, ("cleanup.policy", APPEND, "compact,delete")) == 0
    assert configs_of(broker)["cleanup.policy"] == "delete,compact"
    assert change(broker, ("cleanup.policy", SUBTRACT, "delete")) == 0
    assert configs_of(broker)["cleanup.policy"] == "compact"
    assert change(broker, ("cleanup.policy", SUBTRACT, "compact")) == 0
    assert configs_of(broker)["cleanup.policy"] == ""


@pytest.mark.parametrize("operation", [APPEND, SUBTRACT])
@pytest.mark.parametrize("name", ["retention.ms", "no.such"])
def test_only_lists_are_added_to(broker: Stepper, operation: int, name: str) -> None:
    assert change(broker, (name, operation, "1")) == ErrorCode.INVALID_CONFIG
    assert configs_of(broker) == {"retention.ms": "77"}


def test_a_resource_changes_wholly_or_not_at_all(broker: Stepper) -> None:
    code = change(broker, ("flush.ms", SET, "5"), ("retention.ms", SET, "soon"))

    assert code == ErrorCode.INVALID_CONFIG
    assert configs_of(broker) == {"retention.ms": "77"}


def test_resources_of_a_request_are_independent(broker: Stepper) -> None:
    broker.topic("b")
    request = IncrementalAlterConfigsRequest(
        [
            AlterConfigsResource(TOPIC, "a", [AlterableConfig("no.such", SET, "1")]),
            AlterConfigsResource(TOPIC, "b", [AlterableConfig("flush.ms", SET, "1")]),
        ]
    )

    responses = broker.send(request).responses

    assert [response.error_code for response in responses] == [ErrorCode.INVALID_CONFIG, 0]
    assert configs_of(broker, "b") == {"flush.ms": "1"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("flush.ms", SET, None)], ErrorCode.INVALID_REQUEST),
        ([("cleanup.policy", APPEND, None)], ErrorCode.INVALID_REQUEST),
        ([("flush.ms", SET, "1"), ("flush.ms", SET, "2")], ErrorCode.INVALID_REQUEST),
        ([("flush.ms", 4, "1")], ErrorCode.INVALID_REQUEST),
        ([("flush.ms", -1, "1")], ErrorCode.INVALID_REQUEST),
        ([("flush.ms", SET, "")], ErrorCode.INVALID_CONFIG),
        ([("log.retention.ms", SET, "1")], ErrorCode.INVALID_CONFIG),
        ([("remote.storage.enable", SET, "true")], ErrorCode.INVALID_CONFIG),
        (
            [("min.compaction.lag.ms", SET, "9"), ("max.compaction.lag.ms", SET, "8")],
            ErrorCode.INVALID_CONFIG,
        ),
        ([("no.such", DELETE, None)], 0),
    ],
)
def test_changes_that_cannot_be_are_refused(
    broker: Stepper, changes: list[tuple[str, int, str | None]], code: int
) -> None:
    assert change(broker, *changes) == code
    assert configs_of(broker) == {"retention.ms": "77"}


def test_a_resource_that_is_twice_in_a_request_does_not_change(broker: Stepper) -> None:
    once = AlterConfigsResource(TOPIC, "a", [AlterableConfig("flush.ms", SET, "1")])
    new = NewConfigs(TOPIC, "a", [NewConfig("flush.ms", "1")])

    codes = [
        response.error_code
        for request in (
            IncrementalAlterConfigsRequest([once, once]),
            AlterConfigsRequest([new, new]),
        )
        for response in broker.send(request).responses
    ]

    assert codes == [ErrorCode.INVALID_REQUEST] * 4
    assert configs_of(broker) == {"retention.ms": "77"}


def test_alter_configs_replaces_all_settings(broker: Stepper) -> None:
    assert replace(broker, {"flush.ms": "5", "segment.ms": "6"}) == 0

    assert configs_of(broker) == {"flush.ms": "5", "segment.ms": "6"}
    log_config = broker.broker.topics.by_name["a"].log_config
    assert (log_config.flush_ms, log_config.retention_ms) == (5, 604_800_000)
    assert replace(broker, {}) == 0
    assert configs_of(broker) == {}


@pytest.mark.parametrize(
    ("configs", "code"),
    [
        ({"no.such": "1"}, ErrorCode.INVALID_CONFIG),
        ({"flush.ms": "soon"}, ErrorCode.INVALID_CONFIG),
        ({"flush.ms": None}, ErrorCode.INVALID_REQUEST),
    ],
)
def test_settings_that_cannot_be_replace_nothing(
    broker: Stepper, configs: dict[str, str | None], code: ErrorCode
) -> None:
    assert replace(broker, configs) == code
    assert configs_of(broker) == {"retention.ms": "77"}


def test_a_validation_changes_nothing(broker: Stepper) -> None:
    before = list(broker.broker.topics.metadata_records())

    assert change(broker, ("flush.ms", SET, "1"), validate_only=True) == 0
    assert change(broker, ("flush.ms", SET, "x"), validate_only=True) == ErrorCode.INVALID_CONFIG
    assert replace(broker, {}, validate_only=True) == 0
    resource = (BROKER, "")
    assert (
        change(broker, ("log.retention.ms", SET, "1"), resource=resource, validate_only=True) == 0
    )

    assert list(broker.broker.topics.metadata_records()) == before
    assert configs_of(broker) == {"retention.ms": "77"}
    assert broker.broker.topics.broker_configs == {}


def test_a_change_that_changes_nothing_is_not_written(broker: Stepper) -> None:
    before = list(broker.broker.topics.metadata_records())

    assert change(broker, ("retention.ms", SET, "77")) == 0

    assert list(broker.broker.topics.metadata_records()) == before


def test_a_disk_that_refuses_leaves_the_settings() -> None:
    files = FaultyFiles(Random(0))
    broker = Stepper(files=files)
    broker.topic("a")
    files.fail_after("append", 0)

    assert change(broker, ("flush.ms", SET, "5")) == ErrorCode.KAFKA_STORAGE_ERROR
    assert configs_of(broker) == {}
    assert change(broker, ("flush.ms", SET, "5")) == 0
