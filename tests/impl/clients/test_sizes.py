"""Large records and large topics: up to the limit, at it, and above it."""

import confluent_kafka
import pytest
from confluent_kafka import KafkaError

from impl.clients.conftest import NewTopicOf
from impl_support.clients_kafka_python import kafka, kafka_errors
from impl_support.clients_records import CLIENTS, Record

LIMIT = 5_000
AROUND = 70
"""Bytes of a batch with one record of this size and no key, without the value."""


def produce_one(bootstrap: str, topic: str, value: bytes) -> KafkaError | None:
    """Send one record with a client that has no limit of its own; the broker's refusal."""
    producer = confluent_kafka.Producer({
        "bootstrap.servers": bootstrap, "message.max.bytes": 50_000_000,
    })  # fmt: skip
    errors: list[KafkaError | None] = []
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(20) == 0
    (error,) = errors
    return error


def test_a_batch_of_exactly_the_limit_is_taken_and_one_byte_more_refused(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"max.message.bytes": str(LIMIT)})

    at_limit = produce_one(bootstrap, topic, b"x" * (LIMIT - AROUND))
    above = produce_one(bootstrap, topic, b"x" * (LIMIT - AROUND + 1))

    assert at_limit is None
    assert above is not None
    assert above.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert len(CLIENTS[0].consume(bootstrap, topic, 1, 1)) == 1


def test_the_default_limit_is_a_mebibyte_and_twelve_bytes(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic()
    around = AROUND + 2  # Two lengths of one byte more.

    at_limit = produce_one(bootstrap, topic, b"x" * (1_048_588 - around))
    above = produce_one(bootstrap, topic, b"x" * (1_048_588 - around + 1))

    assert at_limit is None
    assert above is not None
    assert above.code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_kafka_python_is_told_that_its_message_is_too_large(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"max.message.bytes": "1000"})
    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap)

    with pytest.raises(kafka_errors.MessageSizeTooLargeError):
        producer.send(topic, b"x" * 2000).get(20)

    producer.close()


def test_a_topic_may_take_ten_mebibytes_in_one_record(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"max.message.bytes": "20000000"})
    value = bytes(range(256)) * 4096 * 10

    assert produce_one(bootstrap, topic, value) is None

    for client in CLIENTS:
        (found,) = client.consume(bootstrap, topic, 1, 1)
        assert found.value == value


def test_a_consumer_whose_limit_is_below_one_record_still_gets_on(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    # KIP-74: the first batch of a response is sent whole, whatever the limits.
    topic = new_topic(partitions=2)
    sent = [Record(b"%d" % n * 50_000, partition=n % 2) for n in range(6)]
    for record in sent:
        CLIENTS[0].produce(bootstrap, topic, [record])
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "small-appetite",
        "fetch.max.bytes": 1_000,
        "message.max.bytes": 1_000,
        "max.partition.fetch.bytes": 1_000,
        "fetch.wait.max.ms": 50,
    })  # fmt: skip
    consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in (0, 1)])

    found = [consumer.poll(20) for _ in sent]

    assert {m.value() for m in found if m is not None} == {r.value for r in sent}
    consumer.close()


def test_thirty_topics_keep_their_records_apart(bootstrap: str, new_topic: NewTopicOf) -> None:
    topics = [new_topic() for _ in range(30)]
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
    for round_ in range(3):
        for topic in topics:
            producer.produce(topic, f"{topic} {round_}".encode())
    assert producer.flush(20) == 0
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "many", "fetch.wait.max.ms": 50,
    })  # fmt: skip

    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0) for topic in topics])
    found = consumer.consume(90, 20)

    assert sorted((m.value() or b"").decode() for m in found) == sorted(
        f"{topic} {round_}" for topic in topics for round_ in range(3)
    )
    for message in found:
        assert (message.value() or b"").decode() == f"{message.topic()} {message.offset()}"
    consumer.close()
