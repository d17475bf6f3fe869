"""Produce: what is appended, what is refused with which error, and what is answered."""

from typing import Any
from uuid import UUID

import pytest

from impl_support.batches import Sent, batch, with_crc
from impl_support.produce_requests import NO_TIMESTAMP, codes, request_of
from impl_support.stepping import START_MS, Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import build_batch
from kproof_impl.records.read import records_of

ALL_VERSIONS = range(3, 14)


@pytest.fixture(params=[False, True], ids=["in full", "repeated"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this holds for both ways that a request may come."""
    monkeypatch.setattr(Stepper, "is_repeating", request.param)


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
