"""Topics made, described, widened and deleted by the clients' admin calls, and their refusals."""

import asyncio
from collections.abc import Callable
from typing import Any

import confluent_kafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from aiokafka.admin import NewTopic as AiokafkaTopic
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from impl.clients.conftest import NewTopicOf
from impl_support.clients_broker import eventually
from impl_support.clients_kafka_python import kafka
from impl_support.clients_records import CLIENTS, Client, Record, named

SECONDS = 20
Name = Callable[[str], str]


def refusal(answers: dict[Any, Any]) -> int:
    """The error code with which the one answer refuses."""
    (answer,) = answers.values()
    with pytest.raises(KafkaException) as raised:
        answer.result(SECONDS)
    error: KafkaError = raised.value.args[0]
    code: int = error.code()
    return code


def test_a_topic_has_the_partitions_it_was_made_with_led_by_the_only_broker(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic(partitions=5)

    partitions = admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions

    assert sorted(partitions) == [0, 1, 2, 3, 4]
    (only,) = admin.list_topics(timeout=SECONDS).brokers
    for partition in partitions.values():
        assert (partition.leader, partition.replicas, partition.isrs) == (only, [only], [only])


def test_describe_topics_gives_an_id_that_a_new_topic_of_the_same_name_does_not_have(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic(partitions=2)

    def topic_id() -> str:
        (answer,) = admin.describe_topics(TopicCollection([topic])).values()
        return str(answer.result(SECONDS).topic_id)

    first = topic_id()
    admin.delete_topics([topic])[topic].result(SECONDS)

    def is_made_again() -> bool:
        made = admin.create_topics([NewTopic(topic, 2, 1)])[topic]
        return made.exception(SECONDS) is None

    eventually(is_made_again, "the name is free again")
    assert topic_id() != first


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (NewTopic("no/slash", 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("..", 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("x" * 250, 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("three-replicas", 1, 3), KafkaError.INVALID_REPLICATION_FACTOR),
        (NewTopic("no-partition", 0, 1), KafkaError.INVALID_PARTITIONS),
        (NewTopic("odd", 1, 1, config={"no.such.setting": "1"}), KafkaError.INVALID_CONFIG),
        (NewTopic("odd", 1, 1, config={"retention.ms": "soon"}), KafkaError.INVALID_CONFIG),
        (NewTopic("odd", 1, 1, config={"max.message.bytes": "-5"}), KafkaError.INVALID_CONFIG),
        (NewTopic("odd", 1, 1, config={"cleanup.policy": "burn"}), KafkaError.INVALID_CONFIG),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_topic_that_cannot_be_is_refused_with_kafkas_code(
    admin: AdminClient, asked: NewTopic, code: int
) -> None:
    assert refusal(admin.create_topics([asked])) == code


def test_a_topic_that_is_there_is_not_made_twice(admin: AdminClient, new_topic: NewTopicOf) -> None:
    topic = new_topic()
    assert refusal(admin.create_topics([NewTopic(topic, 1, 1)])) == KafkaError.TOPIC_ALREADY_EXISTS


def test_only_validating_makes_no_topic(admin: AdminClient, new_name: Name) -> None:
    name = new_name("validated")
    admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)[name].result(SECONDS)
    assert name not in admin.list_topics(timeout=SECONDS).topics


def test_one_bad_topic_of_a_request_leaves_the_others_alone(
    admin: AdminClient, new_name: Name
) -> None:
    good, bad = new_name("good"), new_name("bad/")

    answers = admin.create_topics([NewTopic(good, 1, 1), NewTopic(bad, 1, 1)])

    answers[good].result(SECONDS)
    with pytest.raises(KafkaException):
        answers[bad].result(SECONDS)
    eventually(lambda: good in admin.list_topics(timeout=SECONDS).topics, "the good topic is there")


def test_partitions_are_added_and_never_taken_away(
    admin: AdminClient, bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic(partitions=2)

    admin.create_partitions([NewPartitions(topic, 4)])[topic].result(SECONDS)

    eventually(
        lambda: len(admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions) == 4,
        "four partitions",
    )
    # Apache Kafka may name a partition before it is there: wait for the newest.
    eventually(
        lambda: CLIENTS[0].produce(bootstrap, topic, [Record(b"new", partition=3)])[0][0] == 3,
        "the new partition takes a record",
    )
    fewer = admin.create_partitions([NewPartitions(topic, 3)])
    assert refusal(fewer) == KafkaError.INVALID_PARTITIONS
    same = admin.create_partitions([NewPartitions(topic, 4)])
    assert refusal(same) == KafkaError.INVALID_PARTITIONS
    missing = admin.create_partitions([NewPartitions("never-made", 4)])
    assert refusal(missing) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_deleted_topic_is_gone_and_cannot_be_deleted_twice(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic()

    admin.delete_topics([topic])[topic].result(SECONDS)

    eventually(lambda: topic not in admin.list_topics(timeout=SECONDS).topics, "the topic is gone")
    assert refusal(admin.delete_topics([topic])) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_topic_made_again_begins_empty(
    admin: AdminClient, bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic()
    CLIENTS[0].produce(bootstrap, topic, [Record(b"old", partition=0)] * 3)
    admin.delete_topics([topic])[topic].result(SECONDS)
    eventually(
        lambda: admin.create_topics([NewTopic(topic, 1, 1)])[topic].exception(SECONDS) is None,
        "the topic is made again",
    )

    eventually(
        lambda: CLIENTS[0].produce(bootstrap, topic, [Record(b"new", partition=0)])[0][1] >= 0,
        "it takes a record",
    )

    found = CLIENTS[0].consume(bootstrap, topic, 1, 1)
    assert found[0].value == b"new"
    assert found[0].offset == 0


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_a_topic_nobody_made_is_made_when_somebody_writes_to_it(
    bootstrap: str, new_name: Name, client: Client
) -> None:
    topic = new_name("made-by-writing")

    client.produce(bootstrap, topic, [Record(b"first", b"key")])

    partitions = AdminClient({"bootstrap.servers": bootstrap}).list_topics(topic, timeout=SECONDS)
    found = client.consume(bootstrap, topic, len(partitions.topics[topic].partitions), 1)
    assert [r.value for r in found] == [b"first"]


def test_describe_cluster_names_the_broker_and_an_id(admin: AdminClient, bootstrap: str) -> None:
    described = admin.describe_cluster().result(SECONDS)

    (node,) = described.nodes
    assert f"{node.host}:{node.port}" == bootstrap
    assert described.controller.id == node.id
    assert described.cluster_id
    assert described.cluster_id == admin.list_topics(timeout=SECONDS).cluster_id


def test_kafka_pythons_admin_makes_describes_and_deletes(bootstrap: str, new_name: Name) -> None:
    topic = new_name("python")
    admin = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)

    made = {"num_partitions": 3, "replication_factor": 1, "configs": {"retention.ms": "60000"}}
    admin.create_topics({topic: made}, wait_for_metadata=True)
    (described,) = admin.describe_topics([topic])
    (fine,) = admin.describe_topic_partitions([topic])["topics"]
    page = admin.describe_topic_partitions([topic], response_partition_limit=2)
    admin.create_partitions({topic: 4})
    dirs = admin.describe_log_dirs({topic: [0]})
    cluster = admin.describe_cluster()
    admin.delete_topics([topic])
    admin.close()

    assert len(described["partitions"]) == len(fine["partitions"]) == 3
    assert str(fine["topic_id"]) == str(described["topic_id"])
    assert len(page["topics"][0]["partitions"]) == 2
    assert page["next_cursor"]["partition_index"] == 2
    assert topic in str(dirs)
    assert len(cluster["brokers"]) == 1


def test_aiokafkas_admin_makes_describes_and_deletes(bootstrap: str, new_name: Name) -> None:
    topic = new_name("aio")

    async def story() -> tuple[Any, Any, Any]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            made = await admin.create_topics([AiokafkaTopic(topic, 3, 1)])
            described = await admin.describe_topics([topic])
            deleted = await admin.delete_topics([topic])
            return made, described, deleted
        finally:
            await admin.close()

    made, described, deleted = asyncio.run(story())
    assert [error[1] for error in made.topic_errors] == [0]
    assert described[0]["topic"] == topic
    assert deleted.topic_error_codes == [(topic, 0)]


def test_a_consumer_is_told_of_a_topic_that_is_not_there(bootstrap: str, new_name: Name) -> None:
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "none", "allow.auto.create.topics": False,
    })  # fmt: skip
    name = new_name("missing")
    consumer.subscribe([name])

    message = consumer.poll(SECONDS)

    assert message is not None
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert name not in consumer.list_topics(timeout=SECONDS).topics
    consumer.close()
