"""DeleteTopics: by name and by id, and what goes with a topic."""

from random import Random
from typing import Any
from uuid import UUID

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.delete_topics import (
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DeleteTopicState,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from kproof_impl.storage.faulty_files import FaultyFiles


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("a", 2)
    stepper.topic("b")
    return stepper


def delete(broker: Stepper, *wanted: str | UUID, version: int = 6) -> list[DeletableTopicResult]:
    topics = [
        DeleteTopicState(one) if isinstance(one, str) else DeleteTopicState(None, one)
        for one in wanted
    ]
    response: DeleteTopicsResponse = broker.send(DeleteTopicsRequest(topics), version)
    return list(response.responses)


def id_of(broker: Stepper, name: str) -> UUID:
    return broker.broker.topics.by_name[name].topic_id


def names(broker: Stepper) -> list[str]:
    return list(broker.broker.topics.by_name)


def test_a_topic_goes_by_name_and_stays_away(broker: Stepper) -> None:
    topic_id = id_of(broker, "a")

    assert delete(broker, "a") == [DeletableTopicResult("a", topic_id)]

    assert names(broker) == ["b"]
    assert topic_id not in broker.broker.topics.by_id
    assert topic_id not in {found for found, _ in broker.store.existing()}
    broker.restart()
    assert names(broker) == ["b"]


def test_a_topic_goes_by_id_and_its_name_is_told(broker: Stepper) -> None:
    topic_id = id_of(broker, "a")

    assert delete(broker, topic_id) == [DeletableTopicResult("a", topic_id)]
    assert names(broker) == ["b"]


def test_what_is_not_there_is_told_and_the_others_go(broker: Stepper) -> None:
    results = delete(broker, "none", "a", UUID(int=99))

    assert [result.error_code for result in results] == [
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        0,
        ErrorCode.UNKNOWN_TOPIC_ID,
    ]
    assert names(broker) == ["b"]


def test_a_topic_that_is_asked_for_twice_stays(broker: Stepper) -> None:
    results = delete(broker, "a", "a", "b")

    assert [(result.name, result.error_code) for result in results] == [
        ("a", ErrorCode.INVALID_REQUEST),
        ("b", 0),
    ]
    assert names(broker) == ["a"]


def test_a_topic_that_is_asked_for_by_name_and_by_id_stays(broker: Stepper) -> None:
    results = delete(broker, "a", id_of(broker, "a"))

    assert [result.error_code for result in results] == [ErrorCode.INVALID_REQUEST] * 2
    assert names(broker) == ["a", "b"]


def test_a_name_and_an_id_or_neither_is_refused(broker: Stepper) -> None:
    request = DeleteTopicsRequest(
        [DeleteTopicState("a", id_of(broker, "a")), DeleteTopicState(None, NO_ID)]
    )

    response: DeleteTopicsResponse = broker.send(request)

    codes = [result.error_code for result in response.responses]
    assert codes == [ErrorCode.INVALID_REQUEST] * 2
    assert names(broker) == ["a", "b"]


@pytest.mark.parametrize(("version", "code"), [(1, 42), (2, 42), (3, 73), (6, 73)])
def test_deletion_can_be_switched_off(version: int, code: int) -> None:
    broker = Stepper(BrokerConfig(delete_topic_enable=False))
    broker.topic("a")

    (result,) = delete(broker, "a", version=version)

    assert result.error_code == code
    assert names(broker) == ["a"]


def test_the_offsets_that_groups_have_committed_go_with_the_topic(broker: Stepper) -> None:
    def commit(topic: str) -> Any:
        partition = OffsetCommitRequestPartition(0, 7)
        topics = [OffsetCommitRequestTopic(topic, [partition])]
        return broker.send(OffsetCommitRequest("group", topics=topics))

    def committed(topic: str) -> int:
        asked = OffsetFetchRequestTopics(topic, [0])
        request = OffsetFetchRequest([OffsetFetchRequestGroup("group", topics=[asked])])
        offset: int = broker.send(request).groups[0].topics[0].partitions[0].committed_offset
        return offset

    commit("a")
    commit("b")
    assert (committed("a"), committed("b")) == (7, 7)

    delete(broker, "a")
    broker.topic("a", 2)

    assert (committed("a"), committed("b")) == (-1, 7)
    broker.restart()
    assert (committed("a"), committed("b")) == (-1, 7)


def test_a_disk_that_refuses_leaves_the_topics(broker: Stepper) -> None:
    files = FaultyFiles(Random(0))
    broker = Stepper(files=files)
    broker.topic("a")
    files.fail_after("append", 0)

    codes = [result.error_code for result in delete(broker, "a", "none")]

    assert codes == [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    assert names(broker) == ["a"]
    assert [result.error_code for result in delete(broker, "a")] == [0]
