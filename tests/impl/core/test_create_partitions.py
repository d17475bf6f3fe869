"""CreatePartitions: more partitions for a topic, never fewer."""

from collections.abc import Sequence
from random import Random

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.create_partitions import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.storage.faulty_files import FaultyFiles

Wanted = tuple[str, int] | tuple[str, int, Sequence[Sequence[int]]]


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("a", 2, {"retention.ms": "5"})
    return stepper


def grow(broker: Stepper, *wanted: Wanted, validate_only: bool = False) -> list[tuple[str, int]]:
    topics = [
        CreatePartitionsTopic(
            one[0],
            one[1],
            [CreatePartitionsAssignment(nodes) for nodes in one[2]] if len(one) == 3 else None,
        )
        for one in wanted
    ]
    response: CreatePartitionsResponse = broker.send(
        CreatePartitionsRequest(topics, validate_only=validate_only)
    )
    return [(result.name, result.error_code) for result in response.results]


def count(broker: Stepper, name: str) -> int:
    return len(broker.broker.topics.by_name[name].partitions)


def test_a_topic_gets_as_many_partitions_as_are_wanted(broker: Stepper) -> None:
    broker.produce("a", b"old")

    assert grow(broker, ("a", 4)) == [("a", 0)]

    assert count(broker, "a") == 4
    assert broker.partition("a", 3).leader_epoch == 0
    broker.produce("a", b"new", partition=3)
    broker.restart()
    assert count(broker, "a") == 4
    assert [one.value for one in broker.fetched("a", 0)] == [b"old"]
    assert [one.value for one in broker.fetched("a", 3)] == [b"new"]
    assert broker.broker.topics.partitions_count == 4


@pytest.mark.parametrize("wanted", [2, 1, 0, -1])
def test_there_are_never_fewer_partitions(broker: Stepper, wanted: int) -> None:
    assert grow(broker, ("a", wanted)) == [("a", ErrorCode.INVALID_PARTITIONS)]
    assert count(broker, "a") == 2


def test_new_partitions_can_be_assigned_by_hand(broker: Stepper) -> None:
    assert grow(broker, ("a", 4, [[1], [1]])) == [("a", 0)]
    assert count(broker, "a") == 4


@pytest.mark.parametrize(
    "assignments", [[], [[1]], [[1], [1], [1]], [[1], [2]], [[1], []], [[1], [1, 1]]]
)
def test_an_assignment_that_cannot_be_is_refused(
    broker: Stepper, assignments: list[list[int]]
) -> None:
    wanted = ("a", 4, assignments)

    assert grow(broker, wanted) == [("a", ErrorCode.INVALID_REPLICA_ASSIGNMENT)]
    assert count(broker, "a") == 2


def test_a_topic_that_is_not_there_is_told(broker: Stepper) -> None:
    results = grow(broker, ("none", 3), ("a", 3))

    assert results == [("none", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), ("a", 0)]


def test_a_topic_that_is_twice_in_a_request_does_not_change(broker: Stepper) -> None:
    assert grow(broker, ("a", 3), ("a", 4)) == [("a", ErrorCode.INVALID_REQUEST)]
    assert count(broker, "a") == 2


def test_a_validation_changes_nothing(broker: Stepper) -> None:
    assert grow(broker, ("a", 3), validate_only=True) == [("a", 0)]
    assert count(broker, "a") == 2


def test_more_partitions_than_there_may_be_are_refused() -> None:
    broker = Stepper(BrokerConfig(topic_partitions_max=5, partitions_max=8))
    broker.topic("a", 2)
    broker.topic("b", 2)

    assert grow(broker, ("a", 6)) == [("a", ErrorCode.INVALID_PARTITIONS)]
    assert grow(broker, ("a", 5), ("b", 4)) == [("a", 0), ("b", ErrorCode.INVALID_PARTITIONS)]


def test_a_disk_that_refuses_leaves_the_topic_as_it_was() -> None:
    files = FaultyFiles(Random(0))
    broker = Stepper(files=files)
    topic = broker.topic("a", 2)
    files.fail_after("append", 0)

    assert grow(broker, ("a", 4)) == [("a", ErrorCode.KAFKA_STORAGE_ERROR)]

    assert count(broker, "a") == 2
    assert (topic.topic_id, 2) not in set(broker.store.existing())
    assert grow(broker, ("a", 4)) == [("a", 0)]
