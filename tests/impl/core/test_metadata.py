"""Metadata: what a client learns of the brokers and the topics, and which topics that makes."""

from random import Random
from typing import Any
from uuid import UUID

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.messages.metadata import (
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from kproof_impl.storage.faulty_files import FaultyFiles

NOT_ASKED = -(1 << 31)


def asked(
    broker: Stepper, *names: str | None, version: int = 13, **rest: Any
) -> list[MetadataResponseTopic]:
    """The topics of an answer about these names."""
    topics = [MetadataRequestTopic(name=name) for name in names]
    response: MetadataResponse = broker.send(MetadataRequest(topics, **rest), version)
    return list(response.topics)


def one_asked(broker: Stepper, name: str, **rest: Any) -> MetadataResponseTopic:
    (only,) = asked(broker, name, **rest)
    return only


def asked_by_id(broker: Stepper, *topic_ids: UUID) -> list[MetadataResponseTopic]:
    request = MetadataRequest([MetadataRequestTopic(topic_id, None) for topic_id in topic_ids])
    response: MetadataResponse = broker.send(request)
    return list(response.topics)


# -- the brokers -------------------------------------------------------------------------------


def test_the_broker_is_told_as_it_wants_to_be_reached() -> None:
    config = BrokerConfig(
        node_id=7, cluster_id="c", advertised_host="kafka.test", advertised_port=123, rack="r"
    )

    response: MetadataResponse = Stepper(config).send(MetadataRequest([]))

    assert response.brokers == [MetadataResponseBroker(7, "kafka.test", 123, "r")]
    assert (response.cluster_id, response.controller_id) == ("c", 7)
    assert (response.error_code, response.topics) == (0, [])


# -- which topics ------------------------------------------------------------------------------


def test_in_version_0_an_empty_list_asks_for_all() -> None:
    broker = Stepper()
    broker.topic("a")

    response: MetadataResponse = broker.send(MetadataRequest([]), 0)

    assert [topic.name for topic in response.topics] == ["a"]


@pytest.mark.parametrize("version", range(1, 14))
def test_from_version_1_on_null_asks_for_all_and_an_empty_list_for_none(version: int) -> None:
    broker = Stepper()
    broker.topic("b")
    broker.topic("a")

    every: MetadataResponse = broker.send(MetadataRequest(None), version)
    none: MetadataResponse = broker.send(MetadataRequest([]), version)

    assert [topic.name for topic in every.topics] == ["b", "a"]
    assert none.topics == []


def test_a_topic_is_told_with_its_partitions() -> None:
    broker = Stepper()
    topic = broker.topic("a", 2)
    broker.restart()

    assert one_asked(broker, "a") == MetadataResponseTopic(
        name="a",
        topic_id=topic.topic_id,
        partitions=[
            MetadataResponsePartition(0, index, 1, 1, (1,), (1,), ()) for index in range(2)
        ],
    )


def test_internal_topics_are_marked() -> None:
    broker = Stepper()
    broker.broker.topics.ensure_internal(CONSUMER_OFFSETS, 1, {})
    broker.topic("plain")

    assert [topic.is_internal for topic in asked(broker, CONSUMER_OFFSETS, "plain")] == [
        True,
        False,
    ]


def test_a_topic_that_is_asked_for_twice_is_told_once() -> None:
    broker = Stepper()
    broker.topic("a")

    assert len(asked(broker, "a", "a")) == 1


# -- topics that are not there -----------------------------------------------------------------


def test_a_topic_is_made_when_it_is_asked_for() -> None:
    broker = Stepper(BrokerConfig(num_partitions=3))

    topic = one_asked(broker, "new")

    assert topic.error_code == 0
    assert len(topic.partitions) == 3
    assert topic.topic_id == broker.broker.topics.by_name["new"].topic_id
    broker.restart()
    assert "new" in broker.broker.topics.by_name


@pytest.mark.parametrize("version", range(1, 14))
def test_a_client_can_ask_without_making_topics_from_version_4_on(version: int) -> None:
    broker = Stepper()

    topic = one_asked(broker, "new", version=version, allow_auto_topic_creation=False)

    if version < 4:
        assert topic.error_code == 0
    else:
        assert topic.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        assert broker.broker.topics.by_name == {}


def test_no_topic_is_made_where_the_broker_makes_none() -> None:
    broker = Stepper(BrokerConfig(auto_create_topics_enable=False))

    assert one_asked(broker, "new") == MetadataResponseTopic(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "new"
    )
    assert broker.broker.topics.by_name == {}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a" * 250, "a b", "a/b", "../a", "ä", "a\n", "a\0", "\uff41"]
)
@pytest.mark.parametrize("is_creation_allowed", [True, False])
def test_a_name_that_no_topic_can_have_is_invalid(name: str, is_creation_allowed: bool) -> None:
    broker = Stepper()

    topic = one_asked(broker, name, allow_auto_topic_creation=is_creation_allowed)

    assert topic == MetadataResponseTopic(ErrorCode.INVALID_TOPIC_EXCEPTION, name)
    assert broker.broker.topics.by_name == {}


@pytest.mark.parametrize("name", ["a" * 249, "...", "-", "_", "A-z_0.9"])
def test_a_name_that_a_topic_can_have_is_taken(name: str) -> None:
    assert one_asked(Stepper(), name).error_code == 0


def test_a_name_that_collides_with_another_is_not_made() -> None:
    broker = Stepper()
    broker.topic("a.b")

    assert one_asked(broker, "a_b").error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@pytest.mark.parametrize("name", [CONSUMER_OFFSETS, "__transaction_state", "__cluster_metadata"])
def test_internal_topics_are_not_made_by_asking(name: str) -> None:
    broker = Stepper()

    topic = one_asked(broker, name)

    assert topic.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert topic.is_internal == (name != "__cluster_metadata")
    assert broker.broker.topics.by_name == {}


def test_no_more_topics_are_made_than_there_may_be_partitions() -> None:
    broker = Stepper(BrokerConfig(num_partitions=2, partitions_max=4))

    codes = [topic.error_code for topic in asked(broker, "a", "b", "c")]

    assert codes == [0, 0, ErrorCode.INVALID_PARTITIONS]
    assert list(broker.broker.topics.by_name) == ["a", "b"]


def test_a_disk_that_refuses_is_told_for_the_topic() -> None:
    files = FaultyFiles(Random(0))
    broker = Stepper(files=files)
    files.fail_after("append", 0)

    assert one_asked(broker, "a").error_code == ErrorCode.KAFKA_STORAGE_ERROR
    assert one_asked(broker, "a").error_code == 0


def test_errors_are_for_their_topic_alone() -> None:
    broker = Stepper(BrokerConfig(auto_create_topics_enable=False))
    broker.topic("there")

    topics = asked(broker, "not there", "there", "elsewhere")

    assert [(topic.name, topic.error_code) for topic in topics] == [
        ("not there", ErrorCode.INVALID_TOPIC_EXCEPTION),
        ("there", 0),
        ("elsewhere", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ]


# -- topic ids ---------------------------------------------------------------------------------


def test_topics_are_found_by_id() -> None:
    broker = Stepper()
    topic = broker.topic("a")

    known, unknown = asked_by_id(broker, topic.topic_id, UUID(int=99))

    assert (known.error_code, known.name, known.topic_id) == (0, "a", topic.topic_id)
    assert unknown == MetadataResponseTopic(ErrorCode.UNKNOWN_TOPIC_ID, None, UUID(int=99))


def test_an_id_that_is_unknown_makes_nothing_and_names_are_passed_over_beside_ids() -> None:
    broker = Stepper()
    request = MetadataRequest(
        [MetadataRequestTopic(UUID(int=99), None), MetadataRequestTopic(NO_ID, "new")]
    )

    response: MetadataResponse = broker.send(request)

    assert [topic.error_code for topic in response.topics] == [ErrorCode.UNKNOWN_TOPIC_ID]
    assert broker.broker.topics.by_name == {}


@pytest.mark.parametrize(
    "topic", [MetadataRequestTopic(NO_ID, None), MetadataRequestTopic(UUID(int=2), "a")]
)
def test_before_version_12_a_topic_has_a_name_and_no_id(topic: MetadataRequestTopic) -> None:
    broker = Stepper()
    broker.topic("a")

    response: MetadataResponse = broker.send(MetadataRequest([topic]), 11)

    assert [found.error_code for found in response.topics] == [ErrorCode.INVALID_REQUEST]
    assert (response.brokers, response.controller_id) == ((), -1)


# -- authorized operations ---------------------------------------------------------------------


def test_operations_are_told_where_they_are_asked_for() -> None:
    broker = Stepper()
    broker.topic("a")
    request = MetadataRequest(
        [MetadataRequestTopic(name="a")],
        include_topic_authorized_operations=True,
        include_cluster_authorized_operations=True,
    )

    response: MetadataResponse = broker.send(request, 8)

    # Kafka's kafka-topics and Java's admin client read these bits (AclOperation's codes).
    assert response.topics[0].topic_authorized_operations == 0b1101_1111_1000
    assert response.cluster_authorized_operations == 0b1_1111_1010_0000
    later: MetadataResponse = broker.send(request, 11)
    assert later.cluster_authorized_operations == NOT_ASKED
    silent: MetadataResponse = broker.send(MetadataRequest([MetadataRequestTopic(name="a")]), 8)
    assert silent.topics[0].topic_authorized_operations == NOT_ASKED
    assert silent.cluster_authorized_operations == NOT_ASKED
