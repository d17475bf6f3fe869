"""Produce: what is appended, what is refused with which error, and what is answered."""

import struct
from typing import Any
from uuid import UUID

import pytest

from impl_support.batches import Sent, batch, read_batches, with_crc
from impl_support.list_log import ListStore
from impl_support.stepping import START_MS, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import build_batch
from kproof_impl.records.read import records_of

ALL_VERSIONS = range(3, 14)
NO_TIMESTAMP = -1


def request_of(
    *parts: tuple[str, int, bytes | None], acks: int = -1, transactional_id: str | None = None
) -> ProduceRequest:
    topics = [
        TopicProduceData(partition_data=[PartitionProduceData(index, data)], name=name)
        for name, index, data in parts
    ]
    return ProduceRequest(transactional_id, acks, 30_000, topics)


def codes(response: ProduceResponse) -> list[int]:
    return [one.error_code for topic in response.responses for one in topic.partition_responses]


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=2)
    return stepper


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_offsets_are_given_in_a_row_in_every_version(broker: Stepper, version: int) -> None:
    first = broker.produce("orders", b"a", b"b", version=version)
    second = broker.produce("orders", b"c", version=version)
    other = broker.produce("orders", b"d", partition=1, version=version)

    assert [first.base_offset, second.base_offset, other.base_offset] == [0, 2, 0]
    assert (first.error_code, first.log_append_time_ms, first.log_start_offset) == (0, -1, 0)
    assert [one.value for one in broker.fetched("orders")] == [b"a", b"b", b"c"]


def test_a_batch_is_stored_as_it_was_sent_but_for_its_offset_and_epoch(broker: Stepper) -> None:
    sent = batch(b"a", Sent(b"b", key=b"k", headers=[(b"h", None)]), timestamp_ms=START_MS)
    broker.produce("orders", b"before")

    broker.produce("orders", data=sent)

    stored = bytes(broker.partition("orders").log.read(1, 1 << 20, 3, at_least_one=True))
    assert stored[:8] == (1).to_bytes(8, "big")
    assert stored[12:16] == broker.partition("orders").leader_epoch.to_bytes(4, "big")
    assert (stored[8:12], stored[16:]) == (sent[8:12], sent[16:])


def test_acks_0_gets_no_answer_and_is_appended(broker: Stepper) -> None:
    request = request_of(("orders", 0, batch(b"a")), acks=0)

    assert broker.send(request, 9) is None
    assert broker.answers() == []
    assert broker.closed == {}
    assert [one.value for one in broker.fetched("orders")] == [b"a"]


def test_an_error_with_acks_0_closes_the_connection_and_keeps_what_was_appended(
    broker: Stepper,
) -> None:
    request = request_of(("orders", 0, batch(b"a")), ("nowhere", 0, batch(b"b")), acks=0)

    assert broker.send(request, 9) is None
    assert "nowhere-0" in broker.closed[1]
    assert [one.value for one in broker.fetched("orders")] == [b"a"]


@pytest.mark.parametrize("acks", [2, -2, 32767])
def test_other_acks_are_refused_in_each_partition(broker: Stepper, acks: int) -> None:
    request = request_of(("orders", 0, batch(b"a")), ("nowhere", 0, batch(b"b")), acks=acks)

    response = broker.send(request, 9)

    assert codes(response) == [
        ErrorCode.INVALID_REQUIRED_ACKS,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]
    assert broker.partition("orders").log_end_offset == 0


def test_a_transactional_id_is_refused_with_an_error_that_clients_take_for_fatal(
    broker: Stepper,
) -> None:
    response = broker.send(request_of(("orders", 0, batch(b"a")), transactional_id="t"), 9)

    assert codes(response) == [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]
    assert "transactional.id" in response.responses[0].partition_responses[0].error_message
    assert broker.partition("orders").log_end_offset == 0


def test_a_transactional_batch_is_refused_without_a_transactional_id_too(broker: Stepper) -> None:
    data = batch(b"a", producer_id=1, producer_epoch=0, sequence=0, attributes=0x10)

    answer = broker.produce("orders", data=data)

    assert answer.error_code == ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    assert broker.partition("orders").log_end_offset == 0


def test_each_partition_is_answered_on_its_own(broker: Stepper) -> None:
    bad = bytearray(batch(b"a"))
    bad[-1] ^= 1
    request = request_of(
        ("orders", 0, bytes(bad)),
        ("orders", 1, batch(b"a")),
        ("orders", 2, batch(b"a")),
        ("orders", -1, batch(b"a")),
        ("nowhere", 0, batch(b"a")),
    )

    assert codes(broker.send(request, 9)) == [
        ErrorCode.CORRUPT_MESSAGE,
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]
    assert broker.partition("orders", 1).log_end_offset == 1
    assert "nowhere" not in broker.broker.topics.by_name


def test_kip516_an_unknown_topic_id_is_unknown_topic_id(broker: Stepper) -> None:
    topic_id = broker.broker.topics.by_name["orders"].topic_id
    topics = [
        TopicProduceData(UUID(int=999), [PartitionProduceData(0, batch(b"a"))]),
        TopicProduceData(NO_ID, [PartitionProduceData(0, batch(b"a"))], name="orders"),
        TopicProduceData(topic_id, [PartitionProduceData(7, batch(b"a"))]),
    ]

    response = broker.send(ProduceRequest(None, -1, 0, topics), 13)

    assert codes(response) == [
        ErrorCode.UNKNOWN_TOPIC_ID,
        ErrorCode.UNKNOWN_TOPIC_ID,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]
    assert [topic.topic_id for topic in response.responses] == [UUID(int=999), NO_ID, topic_id]


def test_a_client_does_not_append_to_an_internal_topic(broker: Stepper) -> None:
    broker.topic("__consumer_offsets")

    answer = broker.produce("__consumer_offsets", b"a")

    assert answer.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION
    assert broker.partition("__consumer_offsets").log_end_offset == 0


@pytest.mark.parametrize("data", [None, b""])
def test_a_partition_without_a_batch_is_invalid(broker: Stepper, data: bytes | None) -> None:
    assert codes(broker.send(request_of(("orders", 0, data)), 9)) == [ErrorCode.INVALID_RECORD]


def test_two_batches_for_one_partition_are_invalid(broker: Stepper) -> None:
    answer = broker.produce("orders", data=batch(b"a") + batch(b"b"))

    assert (answer.error_code, answer.base_offset) == (ErrorCode.INVALID_RECORD, -1)
    assert broker.partition("orders").log_end_offset == 0


def test_a_batch_above_the_topics_size_is_too_large_and_one_of_its_size_is_not() -> None:
    stepper = Stepper()
    data = batch(b"x" * 100)
    stepper.topic("small", configs={"max.message.bytes": str(len(data) - 1)})
    stepper.topic("fitting", configs={"max.message.bytes": str(len(data))})

    assert stepper.produce("small", data=data).error_code == ErrorCode.MESSAGE_TOO_LARGE
    assert stepper.produce("fitting", data=data).error_code == ErrorCode.NONE


@pytest.mark.parametrize(("version", "code"), [(6, 76), (7, 0)])
def test_kip110_zstd_is_taken_from_version_7_on(broker: Stepper, version: int, code: int) -> None:
    data = build_batch([(START_MS, None, b"a" * 50)], codec=4)

    assert broker.produce("orders", data=data, version=version).error_code == code


def test_a_control_batch_of_a_client_is_refused(broker: Stepper) -> None:
    answer = broker.produce("orders", data=batch(b"a", attributes=0x20))

    assert answer.error_code == ErrorCode.INVALID_RECORD


# -- what topics ask of records ----------------------------------------------------------------


def test_kip467_a_record_without_key_in_a_compacted_topic_is_named_in_the_answer() -> None:
    stepper = Stepper()
    stepper.topic("keyed", configs={"cleanup.policy": "compact"})

    answer = stepper.produce("keyed", Sent(b"a", key=b"k"), Sent(b"b"), Sent(b"c", key=b""))

    assert answer.error_code == ErrorCode.INVALID_RECORD
    assert [one.batch_index for one in answer.record_errors] == [1]
    assert answer.record_errors[0].batch_index_error_message
    assert (answer.base_offset, answer.log_start_offset) == (-1, 0)
    assert stepper.produce("keyed", Sent(None, key=b"k")).error_code == ErrorCode.NONE


def test_a_record_from_the_future_is_refused_and_named(broker: Stepper) -> None:
    hour_ms = 3_600_000
    at_limit = Sent(b"a", timestamp_ms=START_MS + hour_ms)
    beyond = Sent(b"b", timestamp_ms=START_MS + hour_ms + 1)

    answer = broker.produce("orders", at_limit, beyond)

    assert answer.error_code == ErrorCode.INVALID_TIMESTAMP
    assert [one.batch_index for one in answer.record_errors] == [1]
    assert broker.produce("orders", at_limit).error_code == ErrorCode.NONE


def test_a_record_from_the_past_is_refused_if_the_topic_says_so() -> None:
    stepper = Stepper()
    stepper.topic("fresh", configs={"message.timestamp.before.max.ms": "1000"})
    at_limit, beyond, timeless = (
        Sent(timestamp_ms=START_MS - 1_000),
        Sent(timestamp_ms=START_MS - 1_001),
        Sent(timestamp_ms=NO_TIMESTAMP),
    )

    assert stepper.produce("fresh", at_limit).error_code == ErrorCode.NONE
    assert stepper.produce("fresh", beyond).error_code == ErrorCode.INVALID_TIMESTAMP
    assert stepper.produce("fresh", timeless).error_code == ErrorCode.NONE


def test_a_producer_may_not_say_that_the_broker_set_the_time(broker: Stepper) -> None:
    answer = broker.produce("orders", data=batch(b"a", attributes=0x08))

    assert answer.error_code == ErrorCode.INVALID_TIMESTAMP


def test_kip32_with_log_append_time_the_broker_sets_the_time_and_says_it() -> None:
    stepper = Stepper()
    stepper.topic("timed", configs={"message.timestamp.type": "LogAppendTime"})
    far = START_MS + 10**12

    answer = stepper.produce("timed", Sent(b"a", timestamp_ms=5), Sent(b"b", timestamp_ms=far))

    assert (answer.error_code, answer.log_append_time_ms) == (0, START_MS)
    assert [one.timestamp_ms for one in stepper.fetched("timed")] == [START_MS, START_MS]
    stored = bytes(stepper.partition("timed").log.read(0, 1 << 20, 2, at_least_one=True))
    assert stored == with_crc(stored)


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(
    ("compression", "kept_codec"),
    [("producer", None), ("uncompressed", 0), ("gzip", 1), ("snappy", 2), ("lz4", 3), ("zstd", 4)],
)
def test_the_topics_codec_is_what_is_stored_and_the_records_are_the_same(
    compression: str, kept_codec: int | None, codec: int
) -> None:
    stepper = Stepper()
    stepper.topic("packed", configs={"compression.type": compression})
    records: list[Any] = [
        (START_MS + 1, b"k", b"v" * 30),
        (START_MS, None, None),
        (START_MS, None, b"", [("h", b"1"), ("h", None)]),
    ]
    sent = build_batch(records, codec=codec, producer_id=7, producer_epoch=1, base_sequence=4)

    assert stepper.produce("packed", data=sent).error_code == ErrorCode.NONE

    stored = bytes(stepper.partition("packed").log.read(0, 1 << 20, 3, at_least_one=True))
    header = header_at(stored)
    assert header.codec == (codec if kept_codec is None else kept_codec)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 1, 4)
    assert stored == with_crc(stored)
    assert list(records_of(header, stored)) == list(records_of(header_at(sent), sent))
    assert (stored[16:] == sent[16:]) == (header.codec == codec)


def test_a_batch_that_the_topics_codec_makes_too_large_is_refused() -> None:
    stepper = Stepper()
    configs = {"compression.type": "uncompressed", "max.message.bytes": "1000"}
    stepper.topic("packed", configs=configs)

    answer = stepper.produce("packed", data=build_batch([(START_MS, None, b"a" * 2_000)], codec=1))

    assert answer.error_code == ErrorCode.MESSAGE_TOO_LARGE
    assert stepper.partition("packed").log_end_offset == 0


# -- idempotence -------------------------------------------------------------------------------


def idempotent(*values: bytes, sequence: int, epoch: int = 0, producer_id: int = 1) -> bytes:
    return batch(
        *values,
        timestamp_ms=START_MS,
        producer_id=producer_id,
        producer_epoch=epoch,
        sequence=sequence,
    )


def test_kip98_a_repeated_batch_is_answered_with_its_first_offset_and_stored_once(
    broker: Stepper,
) -> None:
    batches = [idempotent(b"%d" % number, sequence=number) for number in range(5)]
    broker.produce("orders", b"first")
    offsets = [broker.produce("orders", data=data).base_offset for data in batches]

    again = [broker.produce("orders", data=data) for data in batches]

    assert offsets == [1, 2, 3, 4, 5]
    assert [one.base_offset for one in again] == offsets
    assert {one.error_code for one in again} == {0}
    assert broker.partition("orders").log_end_offset == 6


def test_a_repeated_batch_with_log_append_time_is_answered_with_its_first_time() -> None:
    stepper = Stepper()
    stepper.topic("timed", configs={"message.timestamp.type": "LogAppendTime"})
    stepper.produce("timed", data=idempotent(b"a", sequence=0))
    stepper.advance(50)

    again = stepper.produce("timed", data=idempotent(b"a", sequence=0))

    assert (again.base_offset, again.log_append_time_ms) == (0, START_MS)


def test_a_gap_in_the_sequence_is_out_of_order_and_changes_nothing(broker: Stepper) -> None:
    broker.produce("orders", data=idempotent(b"a", b"b", sequence=0))

    gap = broker.produce("orders", data=idempotent(b"d", sequence=3))

    assert gap.error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert broker.produce("orders", data=idempotent(b"c", sequence=2)).base_offset == 2


def test_an_old_epoch_is_fenced_and_a_new_one_begins_at_sequence_0(broker: Stepper) -> None:
    broker.produce("orders", data=idempotent(b"a", sequence=0, epoch=1))

    old = broker.produce("orders", data=idempotent(b"b", sequence=1, epoch=0))
    wrong = broker.produce("orders", data=idempotent(b"b", sequence=1, epoch=2))
    new = broker.produce("orders", data=idempotent(b"b", sequence=0, epoch=2))

    assert old.error_code == ErrorCode.INVALID_PRODUCER_EPOCH
    assert wrong.error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert (new.error_code, new.base_offset) == (0, 1)


def test_sequences_go_on_from_0_after_the_largest(broker: Stepper) -> None:
    largest = (1 << 31) - 1
    first = broker.produce("orders", data=idempotent(b"a", b"b", sequence=largest - 1))
    second = broker.produce("orders", data=idempotent(b"c", sequence=0))

    assert (first.error_code, second.error_code, second.base_offset) == (0, 0, 2)


def test_the_last_five_batches_are_known_after_a_crash(broker: Stepper) -> None:
    batches = [idempotent(b"a", sequence=number) for number in range(6)]
    for data in batches:
        broker.produce("orders", data=data)

    broker.crash()

    assert [broker.produce("orders", data=data).base_offset for data in batches[1:]] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert broker.produce("orders", data=idempotent(b"a", sequence=6)).base_offset == 6


def test_the_last_batch_is_known_after_a_clean_restart(broker: Stepper) -> None:
    """Kafka's snapshot of producers, which is read then, has no more than the last."""
    for sequence in range(3):
        broker.produce("orders", data=idempotent(b"a", sequence=sequence))

    broker.restart()

    assert broker.produce("orders", data=idempotent(b"a", sequence=2)).base_offset == 2
    assert broker.produce("orders", data=idempotent(b"a", sequence=3)).base_offset == 3


# -- what the storage refuses ------------------------------------------------------------------


def test_a_log_that_fails_is_a_storage_error_and_the_others_go_on() -> None:
    store = ListStore()
    stepper = Stepper(store=store)
    topic = stepper.topic("orders", partitions=2)
    store.logs[topic.topic_id, 0].fails = True

    response = stepper.send(request_of(("orders", 0, batch(b"a")), ("orders", 1, batch(b"b"))), 9)

    assert codes(response) == [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NONE]
    assert stepper.partition("orders", 1).log_end_offset == 1


def test_a_header_that_claims_what_is_not_there_is_corrupt(broker: Stepper) -> None:
    data = bytearray(batch(b"a"))
    struct.pack_into(">i", data, 8, 1 << 30)

    answer = broker.produce("orders", data=bytes(data))

    assert answer.error_code == ErrorCode.CORRUPT_MESSAGE


def test_min_insync_replicas_above_the_only_replica_does_not_matter() -> None:
    """Kafka takes the smaller of it and the number of replicas."""
    stepper = Stepper(BrokerConfig(log=LogConfig(min_insync_replicas=3)))
    stepper.topic("orders")

    assert stepper.produce("orders", b"a", acks=-1).error_code == ErrorCode.NONE


def test_one_request_for_many_partitions_is_answered_in_its_order() -> None:
    stepper = Stepper()
    stepper.topic("wide", partitions=20)
    order = [(7 * number) % 20 for number in range(20)]
    parts = [PartitionProduceData(index, batch(b"%d" % index)) for index in order]
    request = ProduceRequest(None, 1, 0, [TopicProduceData(partition_data=parts, name="wide")])

    response = stepper.send(request, 9)

    assert [one.index for one in response.responses[0].partition_responses] == order
    for index in order:
        data = stepper.partition("wide", index).log.read(0, 1 << 20, 1, at_least_one=True)
        assert [[one.value for one in found] for found in read_batches(data)] == [[b"%d" % index]]
