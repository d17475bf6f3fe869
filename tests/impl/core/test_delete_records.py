"""DeleteRecords: from where a log starts, and what is refused."""

import pytest

from impl_support.list_log import ListStore
from impl_support.stepping import Stepper
from kproof_impl.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from kproof_impl.messages.errors import ErrorCode


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=2)
    for value in (b"a", b"b", b"c"):
        stepper.produce("orders", value)
    return stepper


def delete(
    broker: Stepper, offset: int, topic: str = "orders", partition: int = 0, version: int = 2
) -> DeleteRecordsPartitionResult:
    wanted = DeleteRecordsTopic(topic, [DeleteRecordsPartition(partition, offset)])
    response = broker.send(DeleteRecordsRequest([wanted], 1_000), version)
    result: DeleteRecordsPartitionResult = response.topics[0].partitions[0]
    return result


@pytest.mark.parametrize("version", [0, 1, 2])
def test_records_below_the_offset_are_there_no_more(broker: Stepper, version: int) -> None:
    result = delete(broker, 2, version=version)

    assert (result.error_code, result.low_watermark) == (0, 2)
    assert broker.fetch_partition("orders", offset=1).error_code == ErrorCode.OFFSET_OUT_OF_RANGE
    assert [one.value for one in broker.fetched("orders", offset=2)] == [b"c"]


def test_offset_minus_1_is_the_high_watermark(broker: Stepper) -> None:
    result = delete(broker, -1)

    assert (result.error_code, result.low_watermark) == (0, 3)
    assert broker.fetched("orders", offset=3) == []
    assert broker.produce("orders", b"d").base_offset == 3
    assert broker.produce("orders", b"d").log_start_offset == 3


def test_a_log_does_not_start_earlier_again(broker: Stepper) -> None:
    delete(broker, 2)

    result = delete(broker, 1)

    assert (result.error_code, result.low_watermark) == (0, 2)
    assert broker.partition("orders").log_start_offset == 2


@pytest.mark.parametrize("offset", [4, -2, 1 << 62, -(1 << 63)])
def test_an_offset_outside_is_out_of_range_and_deletes_nothing(
    broker: Stepper, offset: int
) -> None:
    result = delete(broker, offset)

    assert (result.error_code, result.low_watermark) == (ErrorCode.OFFSET_OUT_OF_RANGE, -1)
    assert len(broker.fetched("orders")) == 3


def test_what_does_not_exist_is_unknown(broker: Stepper) -> None:
    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

    assert delete(broker, 0, topic="no").error_code == unknown
    assert delete(broker, 0, partition=2).error_code == unknown
    assert delete(broker, 0, partition=-1).error_code == unknown


def test_a_topic_that_is_only_compacted_keeps_its_records(broker: Stepper) -> None:
    broker.topic("keyed", configs={"cleanup.policy": "compact"})
    broker.topic("both", configs={"cleanup.policy": "compact,delete"})

    assert delete(broker, 0, topic="keyed").error_code == ErrorCode.POLICY_VIOLATION
    assert delete(broker, 0, topic="both").error_code == ErrorCode.NONE


def test_an_internal_topic_keeps_its_records(broker: Stepper) -> None:
    broker.topic("__consumer_offsets")

    result = delete(broker, 0, topic="__consumer_offsets")

    assert result.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


def test_each_partition_is_answered_on_its_own(broker: Stepper) -> None:
    partitions = [DeleteRecordsPartition(index, 1) for index in (1, 0, 5)]
    request = DeleteRecordsRequest([DeleteRecordsTopic("orders", partitions)])

    results = broker.send(request).topics[0].partitions

    assert [(one.partition_index, one.error_code, one.low_watermark) for one in results] == [
        (1, ErrorCode.OFFSET_OUT_OF_RANGE, -1),
        (0, ErrorCode.NONE, 1),
        (5, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1),
    ]


@pytest.mark.parametrize("ending", ["restart", "crash"])
def test_deleted_records_do_not_come_back_in_the_next_life(broker: Stepper, ending: str) -> None:
    delete(broker, 2)

    getattr(broker, ending)()

    assert broker.partition("orders").log_start_offset == 2
    assert [one.value for one in broker.fetched("orders", offset=2)] == [b"c"]


def test_a_disk_that_refuses_is_a_storage_error() -> None:
    store = ListStore()
    stepper = Stepper(store=store)
    topic = stepper.topic("orders")
    stepper.produce("orders", b"a")
    store.logs[topic.topic_id, 0].fails = True

    result = delete(stepper, 1)

    assert (result.error_code, result.low_watermark) == (ErrorCode.KAFKA_STORAGE_ERROR, -1)
    assert stepper.partition("orders").log_start_offset == 0
