"""Idempotent producers (KIP-98), and what the storage refuses."""

import struct

import pytest

from impl_support.batches import batch, read_batches
from impl_support.list_log import ListStore
from impl_support.produce_requests import codes, request_of
from impl_support.stepping import START_MS, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)

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
