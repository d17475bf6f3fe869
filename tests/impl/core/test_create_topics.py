"""CreateTopics: what is made, what is refused and why."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.create_topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatableTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.storage.faulty_files import FaultyFiles

NONE: Mapping[str, str | None] = {}


def topic(
    topic_name: str = "a",
    partitions: int = 1,
    replicas: int = 1,
    assignments: Sequence[tuple[int, Sequence[int]]] = (),
    configs: Mapping[str, str | None] = NONE,
) -> CreatableTopic:
    return CreatableTopic(
        topic_name,
        partitions,
        replicas,
        [CreatableReplicaAssignment(index, nodes) for index, nodes in assignments],
        [CreatableTopicConfig(name, value) for name, value in configs.items()],
    )


def create(
    broker: Stepper, *topics: CreatableTopic, version: int = 7, **rest: Any
) -> list[CreatableTopicResult]:
    request = CreateTopicsRequest(topics, **rest)
    response: CreateTopicsResponse = broker.send(request, version)
    return list(response.topics)


def refusal(broker: Stepper, wanted: CreatableTopic) -> tuple[int, str]:
    """The error of one topic, which is not made."""
    (result,) = create(broker, wanted)
    assert wanted.name not in broker.broker.topics.by_name
    assert (result.topic_id, result.num_partitions) == (NO_ID, -1)
    return result.error_code, result.error_message or ""


# -- what is made ------------------------------------------------------------------------------


def test_a_topic_is_made_and_told() -> None:
    broker = Stepper()

    (result,) = create(broker, topic("a", 3, 1, configs={"retention.ms": "77"}))

    made = broker.broker.topics.by_name["a"]
    assert (result.error_code, result.error_message) == (0, None)
    assert (result.topic_id, result.num_partitions, result.replication_factor) == (
        made.topic_id,
        3,
        1,
    )
    assert len(made.partitions) == 3
    assert made.log_config.retention_ms == 77


def test_answers_tell_all_settings_with_their_sources_from_version_5_on() -> None:
    broker = Stepper()

    (result,) = create(broker, topic("a", configs={"retention.ms": " 77"}))
    (old,) = create(broker, topic("b"), version=4)

    told = {config.name: config for config in result.configs or ()}
    assert (told["retention.ms"].value, told["retention.ms"].config_source) == ("77", 1)
    assert (told["segment.ms"].value, told["segment.ms"].config_source) == ("604800000", 5)
    assert "internal.segment.bytes" not in told
    assert list(told) == sorted(told)
    assert old.configs == ()


def test_what_is_left_open_is_as_the_broker_has_it() -> None:
    broker = Stepper(BrokerConfig(num_partitions=4))

    (result,) = create(broker, topic("a", -1, -1))

    assert (result.num_partitions, result.replication_factor) == (4, 1)


def test_partitions_can_be_assigned_by_hand() -> None:
    broker = Stepper(BrokerConfig(node_id=5))

    (result,) = create(broker, topic("a", -1, -1, [(1, [5]), (0, [5])]))

    assert (result.error_code, result.num_partitions) == (0, 2)
    assert len(broker.broker.topics.by_name["a"].partitions) == 2


def test_topics_without_fault_are_made_beside_others() -> None:
    broker = Stepper()

    results = create(broker, topic("a"), topic("b c"), topic("d"))

    assert [(result.name, result.error_code) for result in results] == [
        ("a", 0),
        ("b c", ErrorCode.INVALID_TOPIC_EXCEPTION),
        ("d", 0),
    ]
    broker.restart()
    assert list(broker.broker.topics.by_name) == ["a", "d"]


def test_a_validation_answers_the_same_and_makes_nothing() -> None:
    broker = Stepper()

    good, bad = create(broker, topic("a", 3), topic("b", 0), validate_only=True)

    assert (good.error_code, good.num_partitions, good.topic_id) == (0, 3, NO_ID)
    assert bad.error_code == ErrorCode.INVALID_PARTITIONS
    assert broker.broker.topics.by_name == {}
    assert list(broker.store.existing())[1:] == []


# -- what is refused ---------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused() -> None:
    broker = Stepper()
    first = broker.topic("a", 2)

    (result,) = create(broker, topic("a"))

    assert result.error_code == ErrorCode.TOPIC_ALREADY_EXISTS
    assert result.error_message == "Topic 'a' already exists."
    assert broker.broker.topics.by_name["a"] is first


def test_a_name_that_is_twice_in_a_request_is_answered_once_and_not_made() -> None:
    broker = Stepper()

    results = create(broker, topic("a"), topic("b"), topic("a"))

    assert [(result.name, result.error_code) for result in results] == [
        ("a", ErrorCode.INVALID_REQUEST),
        ("b", 0),
    ]
    assert list(broker.broker.topics.by_name) == ["b"]


@pytest.mark.parametrize("name", ["", ".", "..", "a" * 250, "a b", "a/b", "../../etc", "ä"])
def test_a_name_that_no_topic_can_have_is_refused(name: str) -> None:
    code, reason = refusal(Stepper(), topic(name))

    assert code == ErrorCode.INVALID_TOPIC_EXCEPTION
    assert reason.startswith("Topic name is invalid: ")


@pytest.mark.parametrize(("first", "second"), [("a.b", "a_b"), ("a_b", "a.b"), ("a.b_c", "a_b.c")])
def test_names_that_differ_in_dots_and_underscores_collide(first: str, second: str) -> None:
    broker = Stepper()
    broker.topic(first)

    code, reason = refusal(broker, topic(second))

    assert code == ErrorCode.INVALID_TOPIC_EXCEPTION
    assert f"collides with existing topic: {first}" in reason


def test_names_that_collide_in_one_request_are_both_made_as_in_kafka() -> None:
    results = create(Stepper(), topic("a.b"), topic("a_b"))

    assert [result.error_code for result in results] == [0, 0]


def test_the_metadata_log_is_no_topic_of_clients() -> None:
    code, reason = refusal(Stepper(), topic("__cluster_metadata"))

    assert code == ErrorCode.INVALID_REQUEST
    assert "prohibited" in reason


@pytest.mark.parametrize("partitions", [0, -2, -(1 << 31)])
def test_a_number_of_partitions_that_is_none_is_refused(partitions: int) -> None:
    code, _ = refusal(Stepper(), topic("a", partitions))
    assert code == ErrorCode.INVALID_PARTITIONS


@pytest.mark.parametrize("replicas", [0, -2, 2, 3, 32767])
def test_one_node_keeps_one_replica(replicas: int) -> None:
    code, _ = refusal(Stepper(), topic("a", 1, replicas))
    assert code == ErrorCode.INVALID_REPLICATION_FACTOR


def test_more_partitions_than_there_may_be_are_refused() -> None:
    broker = Stepper(BrokerConfig(topic_partitions_max=5, partitions_max=8))

    large, reason = refusal(broker, topic("large", 6))
    first, second, third = create(broker, topic("a", 5), topic("b", 4), topic("c", 3))

    assert large == ErrorCode.INVALID_PARTITIONS
    assert "this broker allows 5 (topic_partitions_max)" in reason
    assert (first.error_code, second.error_code, third.error_code) == (0, 37, 0)
    assert "8 in all (partitions_max), and 3 are left" in (second.error_message or "")
    assert refusal(broker, topic("d", 1 << 30))[0] == ErrorCode.INVALID_PARTITIONS


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (topic("a", 1, -1, [(0, [1])]), ErrorCode.INVALID_REQUEST),
        (topic("a", -1, 1, [(0, [1])]), ErrorCode.INVALID_REQUEST),
        (topic("a", -1, -1, [(0, [1]), (0, [1])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (topic("a", -1, -1, [(0, [1]), (2, [1])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (topic("a", -1, -1, [(-1, [1])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (topic("a", -1, -1, [(0, [])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (topic("a", -1, -1, [(0, [2])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (topic("a", -1, -1, [(0, [1, 1])]), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(wanted: CreatableTopic, code: ErrorCode) -> None:
    assert refusal(Stepper(), wanted)[0] == code


@pytest.mark.parametrize(
    ("configs", "reason"),
    [
        ({"no.such": "1"}, "Unknown topic config name: no.such"),
        ({"retention.ms": "-2"}, "Value must be at least -1"),
        ({"retention.ms": "long"}, "Not a number of type LONG"),
        ({"retention.ms": None}, "Null value not supported for topic configs: retention.ms"),
        ({"compression.gzip.level": "0"}, "Value must not be 0"),
        ({"cleanup.policy": "keep"}, "String must be one of: compact, delete"),
        ({"segment.bytes": "1048575"}, "Value must be at least 1048576"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(configs: dict[str, str | None], reason: str) -> None:
    code, told = refusal(Stepper(), topic("a", configs=configs))

    assert code == ErrorCode.INVALID_CONFIG
    assert reason in told


def test_a_disk_that_refuses_is_told_for_all_that_would_have_been_made() -> None:
    files = FaultyFiles(Random(0))
    broker = Stepper(files=files)
    files.fail_after("append", 0)

    results = create(broker, topic("a"), topic("b"), topic("c", 0))

    assert [result.error_code for result in results] == [56, 56, 37]
    assert broker.broker.topics.by_name == {}
    assert [result.error_code for result in create(broker, topic("a"))] == [0]
