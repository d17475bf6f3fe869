"""Settings of brokers, shown and changed by requests."""

import pytest

from impl_support.config_requests import (
    BROKER,
    DELETE,
    GROUP,
    LOGGER,
    METRICS,
    OF_ALL_BROKERS,
    OF_BROKER,
    OF_KAFKA,
    OF_START,
    SET,
    change,
    describe,
    described,
    replace,
    shown,
)
from impl_support.stepping import DATA_DIRECTORY, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.errors import ErrorCode


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("a", 1, {"retention.ms": "77"})
    return stepper


# -- DescribeConfigs of brokers ----------------------------------------------------------------


def test_the_broker_shows_what_it_was_started_with() -> None:
    broker = Stepper(
        BrokerConfig(num_partitions=4, log=LogConfig(segment_bytes=5 << 20), rack="r"),
    )

    configs = {config.name: config for config in described(broker, BROKER, "1")}

    def told(name: str) -> tuple[str | None, int, bool]:
        return configs[name].value, configs[name].config_source, configs[name].read_only

    assert told("num.partitions") == ("4", OF_START, True)
    assert told("broker.id") == told("node.id") == ("1", OF_START, True)
    assert told("broker.rack") == ("r", OF_START, True)
    assert told("auto.create.topics.enable") == ("true", OF_KAFKA, True)
    assert told("advertised.listeners") == ("PLAINTEXT://127.0.0.1:9092", OF_START, True)
    assert told("log.dirs") == (DATA_DIRECTORY, OF_START, True)
    assert told("log.segment.bytes") == (str(5 << 20), OF_START, False)
    assert told("log.retention.hours") == ("168", OF_KAFKA, True)
    assert told("log.retention.ms") == ("604800000", OF_KAFKA, False)
    assert told("offsets.retention.minutes") == ("10080", OF_KAFKA, True)
    assert list(configs) == sorted(configs)


def test_all_brokers_show_what_requests_have_set(broker: Stepper) -> None:
    assert described(broker, BROKER, "") == []

    change(broker, ("log.retention.ms", SET, "5"), resource=(BROKER, ""))
    change(broker, ("log.retention.bytes", SET, "6"), resource=(BROKER, "1"))

    (config,) = described(broker, BROKER, "")
    assert (config.name, config.value, config.config_source) == (
        "log.retention.ms",
        "5",
        OF_ALL_BROKERS,
    )
    assert shown(broker, BROKER, "1", "log.retention.ms") == ("5", OF_ALL_BROKERS)
    assert shown(broker, BROKER, "1", "log.retention.bytes") == ("6", OF_BROKER)


@pytest.mark.parametrize("name", ["2", "-1", "x", "1x", " 1", "\u0661"])
def test_another_broker_is_not_known_here(broker: Stepper, name: str) -> None:
    assert describe(broker, BROKER, name).error_code == ErrorCode.INVALID_REQUEST
    code = change(broker, ("log.retention.ms", SET, "5"), resource=(BROKER, name))
    assert code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("resource_type", [LOGGER, METRICS, GROUP, 0, 1, 3, -1, 127])
def test_other_resources_are_refused(broker: Stepper, resource_type: int) -> None:
    result = describe(broker, resource_type, "1")

    assert (result.error_code, result.configs) == (ErrorCode.INVALID_REQUEST, ())
    resource = (resource_type, "1")
    assert change(broker, ("x", SET, "5"), resource=resource) == ErrorCode.INVALID_REQUEST
    assert replace(broker, {"x": "5"}, resource) == ErrorCode.INVALID_REQUEST


# -- changes of brokers ------------------------------------------------------------------------


def test_defaults_of_topics_change_for_all_that_do_not_say_otherwise(broker: Stepper) -> None:
    broker.topic("b")
    resource = (BROKER, "")

    assert change(broker, ("log.retention.ms", SET, "5"), resource=resource) == 0

    topics = broker.broker.topics.by_name
    assert (topics["a"].log_config.retention_ms, topics["b"].log_config.retention_ms) == (77, 5)
    assert broker.topic("c").log_config.retention_ms == 5
    broker.restart()
    assert broker.broker.topics.by_name["b"].log_config.retention_ms == 5
    assert change(broker, ("log.retention.ms", DELETE, None), resource=resource) == 0
    assert broker.broker.topics.by_name["b"].log_config.retention_ms == 604_800_000
    assert broker.broker.topics.broker_configs == {}


def test_what_is_given_to_this_broker_is_stronger_than_what_is_given_to_all(
    broker: Stepper,
) -> None:
    broker.topic("b")
    change(broker, ("message.max.bytes", SET, "1000"), resource=(BROKER, "1"))
    change(broker, ("message.max.bytes", SET, "5000"), resource=(BROKER, ""))

    assert broker.produce("b", b"x" * 2000).error_code == ErrorCode.MESSAGE_TOO_LARGE


@pytest.mark.parametrize(
    "name",
    ["num.partitions", "broker.id", "log.retention.hours", "log.dirs", "auto.create.topics.enable"],
)
def test_what_only_a_start_can_set_is_refused(broker: Stepper, name: str) -> None:
    for resource in ((BROKER, ""), (BROKER, "1")):
        assert change(broker, (name, SET, "1"), resource=resource) == ErrorCode.INVALID_REQUEST
        assert replace(broker, {name: "1"}, resource) == ErrorCode.INVALID_REQUEST
    assert broker.broker.topics.broker_configs == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("no.such", "1", ErrorCode.INVALID_CONFIG),
        ("retention.ms", "1", ErrorCode.INVALID_CONFIG),
        ("log.retention.ms", "soon", ErrorCode.INVALID_REQUEST),
        ("num.io.threads", "0", ErrorCode.INVALID_REQUEST),
    ],
)
def test_a_broker_setting_that_cannot_be_is_refused(
    broker: Stepper, name: str, value: str, code: ErrorCode
) -> None:
    assert change(broker, (name, SET, value), resource=(BROKER, "1")) == code
    assert broker.broker.topics.broker_configs == {}


def test_kafkas_broker_settings_without_effect_are_kept_and_shown(broker: Stepper) -> None:
    # librdkafka's own test of AlterConfigs sets this one.
    name = "sasl.kerberos.min.time.before.relogin"

    assert replace(broker, {name: "58000"}, (BROKER, "1")) == 0

    broker.restart()
    assert shown(broker, BROKER, "1", name) == ("58000", OF_BROKER)
    assert replace(broker, {}, (BROKER, "1")) == 0
    assert shown(broker, BROKER, "1", name) == ("60000", OF_KAFKA)
