"""Where a log begins and ends, what lies at a time, and reading from anywhere in between."""

import asyncio
import time

import aiokafka  # type: ignore[import-untyped]
import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from impl.clients.conftest import NewTopicOf
from impl_support.clients_confluent import EARLIEST, LATEST, MAX_TIMESTAMP, OffsetSpec, at_time
from impl_support.clients_kafka_python import kafka
from impl_support.clients_records import CLIENTS, Record

SECONDS = 20
START_MS = 1_700_000_000_000
STEP_MS = 1_000
COUNT = 10


@pytest.fixture
def topic(bootstrap: str, new_topic: NewTopicOf) -> str:
    """One partition with ten records, one a second, in batches of two."""
    name = new_topic()
    for first in range(0, COUNT, 2):
        CLIENTS[0].produce(
            bootstrap,
            name,
            [
                Record(b"%d" % n, timestamp_ms=START_MS + n * STEP_MS, partition=0)
                for n in (first, first + 1)
            ],
        )
    return name


@pytest.fixture
def consumer(bootstrap: str) -> confluent_kafka.Consumer:
    """A consumer outside any group's business, closed by the test."""
    return confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "offsets",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 50,
        "auto.offset.reset": "error",
    })  # fmt: skip


def listed(admin: AdminClient, topic: str, spec: OffsetSpec) -> tuple[int, int]:
    (answer,) = admin.list_offsets({TopicPartition(topic, 0): spec}).values()
    found = answer.result(SECONDS)
    return found.offset, found.timestamp


def test_list_offsets_knows_ends_times_and_the_largest_time(admin: AdminClient, topic: str) -> None:
    assert listed(admin, topic, EARLIEST)[0] == 0
    assert listed(admin, topic, LATEST)[0] == COUNT
    last_ms = START_MS + (COUNT - 1) * STEP_MS
    assert listed(admin, topic, MAX_TIMESTAMP) == (COUNT - 1, last_ms)
    # A time inside a batch: the record, not the batch, is what is asked for.
    exact = at_time(START_MS + 3 * STEP_MS)
    assert listed(admin, topic, exact) == (3, START_MS + 3 * STEP_MS)
    between = at_time(START_MS + 3 * STEP_MS + 1)
    assert listed(admin, topic, between) == (4, START_MS + 4 * STEP_MS)
    assert listed(admin, topic, at_time(0)) == (0, START_MS)
    assert listed(admin, topic, at_time(last_ms + 1)) == (-1, -1)


def test_an_empty_partition_begins_and_ends_at_nought(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic()
    assert listed(admin, topic, EARLIEST)[0] == 0
    assert listed(admin, topic, LATEST)[0] == 0
    assert listed(admin, topic, MAX_TIMESTAMP) == (-1, -1)
    assert listed(admin, topic, at_time(1)) == (-1, -1)


def test_a_time_inside_a_compressed_batch_is_found(
    admin: AdminClient, bootstrap: str, new_topic: NewTopicOf
) -> None:
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        topic = new_topic()
        sent = [Record(b"x" * 100, timestamp_ms=START_MS + n, partition=0) for n in range(20)]
        CLIENTS[0].produce(bootstrap, topic, sent, codec=codec)
        wanted = at_time(START_MS + 13)
        assert listed(admin, topic, wanted) == (13, START_MS + 13), codec


def test_offsets_for_times_agree_between_the_clients(
    bootstrap: str, consumer: confluent_kafka.Consumer, topic: str
) -> None:
    times = [START_MS - 1, START_MS + 1, START_MS + 5 * STEP_MS, START_MS + COUNT * STEP_MS]

    rdkafka = [
        consumer.offsets_for_times([TopicPartition(topic, 0, time_ms)], timeout=SECONDS)[0].offset
        for time_ms in times
    ]
    consumer.close()
    python_consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap)
    python_partition = kafka.TopicPartition(topic, 0)
    python = [
        python_consumer.offsets_for_times({python_partition: time_ms})[python_partition]
        for time_ms in times
    ]
    python_consumer.close()

    async def ask() -> list[object]:
        async with aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap) as reader:
            there = aiokafka.TopicPartition(topic, 0)
            return [(await reader.offsets_for_times({there: ms}))[there] for ms in times]

    asyncio_answers = asyncio.run(ask())
    # librdkafka says END (-1) where no record is so young, the others None.
    assert rdkafka == [0, 1, 5, -1]
    assert [a and a.offset for a in python] == [0, 1, 5, None]
    assert [getattr(a, "offset", None) for a in asyncio_answers] == [0, 1, 5, None]


def test_watermarks_are_asked_for_and_remembered(
    consumer: confluent_kafka.Consumer, topic: str
) -> None:
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), SECONDS) == (0, COUNT)
    consumer.assign([TopicPartition(topic, 0, COUNT - 1)])
    message = consumer.poll(SECONDS)
    assert message is not None
    assert message.error() is None
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), cached=True)[1] == COUNT
    consumer.close()


def test_a_seek_reads_from_there_forwards_and_back(
    consumer: confluent_kafka.Consumer, topic: str
) -> None:
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert consumer.poll(SECONDS) is not None
    for offset in (7, 2, 9, 0, 5):
        consumer.seek(TopicPartition(topic, 0, offset))
        message = consumer.poll(SECONDS)
        assert message is not None
        assert (message.offset(), message.value()) == (offset, b"%d" % offset)
    consumer.close()


def test_kafka_python_seeks_to_the_ends(bootstrap: str, topic: str) -> None:
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=50)
    there = kafka.TopicPartition(topic, 0)
    consumer.assign([there])

    assert consumer.beginning_offsets([there]) == {there: 0}
    assert consumer.end_offsets([there]) == {there: COUNT}
    consumer.seek_to_end(there)
    assert consumer.position(there) == COUNT
    consumer.seek(there, 4)
    (records,) = consumer.poll(timeout_ms=SECONDS * 1000, max_records=1).values()
    assert records[0].offset == 4
    consumer.close()


def test_an_offset_beyond_the_end_is_out_of_range(
    consumer: confluent_kafka.Consumer, topic: str
) -> None:
    consumer.assign([TopicPartition(topic, 0, COUNT + 100)])
    message = consumer.poll(SECONDS)
    assert message is not None
    error = message.error()
    assert error is not None
    # librdkafka reports its own code, since the policy is to raise; the broker's is in the text.
    assert error.code() == KafkaError._AUTO_OFFSET_RESET
    assert "out of range" in error.str()
    consumer.close()


@pytest.mark.parametrize(("policy", "expected"), [("earliest", b"0"), ("latest", b"new")])
def test_out_of_range_resets_as_the_consumer_wishes(
    bootstrap: str, topic: str, policy: str, expected: bytes
) -> None:
    reader = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "offsets",
        "auto.offset.reset": policy, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    reader.assign([TopicPartition(topic, 0, COUNT + 100)])

    found = None
    deadline = time.monotonic() + SECONDS
    while found is None and time.monotonic() < deadline:
        if policy == "latest":
            CLIENTS[0].produce(bootstrap, topic, [Record(b"new", partition=0)])
        found = reader.poll(0.5)

    assert found is not None
    assert found.value() == expected
    reader.close()


def test_deleted_records_are_gone_and_the_log_begins_later(
    admin: AdminClient, bootstrap: str, topic: str
) -> None:
    (answer,) = admin.delete_records([TopicPartition(topic, 0, 4)]).values()

    assert answer.result(SECONDS).low_watermark == 4
    assert listed(admin, topic, EARLIEST)[0] == 4
    assert listed(admin, topic, LATEST)[0] == COUNT
    assert listed(admin, topic, at_time(0))[0] == 4
    found = CLIENTS[1].consume(bootstrap, topic, 1, COUNT - 4)
    assert [r.offset for r in found] == list(range(4, COUNT))


def test_deleting_to_the_end_empties_the_log_and_offsets_go_on(
    admin: AdminClient, bootstrap: str, topic: str
) -> None:
    end = confluent_kafka.OFFSET_END
    (answer,) = admin.delete_records([TopicPartition(topic, 0, end)]).values()
    assert answer.result(SECONDS).low_watermark == COUNT

    places = CLIENTS[0].produce(bootstrap, topic, [Record(b"next", partition=0)])

    assert places == [(0, COUNT)]
    assert [r.value for r in CLIENTS[1].consume(bootstrap, topic, 1, 1)] == [b"next"]


def test_deleting_records_beyond_the_end_is_refused(admin: AdminClient, topic: str) -> None:
    (answer,) = admin.delete_records([TopicPartition(topic, 0, COUNT + 1)]).values()
    with pytest.raises(KafkaException) as raised:
        answer.result(SECONDS)
    assert raised.value.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE


def test_a_consumer_at_the_end_gets_the_next_record_soon(
    bootstrap: str, consumer: confluent_kafka.Consumer, topic: str
) -> None:
    # A fetch that waits at the broker must be answered by the append, not by its time-out.
    slow = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "offsets", "fetch.wait.max.ms": 10_000,
    })  # fmt: skip
    slow.assign([TopicPartition(topic, 0, COUNT - 1)])
    assert slow.poll(SECONDS) is not None
    assert slow.poll(0.3) is None
    began = time.monotonic()

    CLIENTS[0].produce(bootstrap, topic, [Record(b"news", partition=0)])
    message = slow.poll(SECONDS)

    assert message is not None
    assert message.value() == b"news"
    assert time.monotonic() - began < 3
    slow.close()
    consumer.close()


def test_read_committed_reads_what_nobody_wrote_in_a_transaction(
    bootstrap: str, topic: str
) -> None:
    reader = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "offsets", "fetch.wait.max.ms": 50,
        "isolation.level": "read_committed",
    })  # fmt: skip
    reader.assign([TopicPartition(topic, 0, 0)])
    found = reader.consume(COUNT, SECONDS)
    assert [m.value() for m in found] == [b"%d" % n for n in range(COUNT)]
    reader.close()
