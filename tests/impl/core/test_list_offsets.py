"""ListOffsets: the ends of a log, and offsets by time."""

import pytest

from impl_support.batches import Sent
from impl_support.stepping import START_MS, Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.list_offsets import (
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsTopic,
)

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5
NOTHING = (0, -1, -1, -1)


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=2)
    return stepper


def asked(
    broker: Stepper,
    *timestamps: int,
    version: int = 10,
    epoch: int = -1,
    isolation_level: int = 0,
    topic: str = "orders",
) -> list[ListOffsetsPartitionResponse]:
    wanted = [ListOffsetsPartition(0, epoch, timestamp) for timestamp in timestamps]
    answers = []
    for one in wanted:
        request = ListOffsetsRequest(-1, isolation_level, [ListOffsetsTopic(topic, [one])], 0)
        answers += broker.send(request, version).topics[0].partitions
    return answers


def fields(answer: ListOffsetsPartitionResponse) -> tuple[int, int, int, int]:
    return answer.error_code, answer.offset, answer.timestamp, answer.leader_epoch


@pytest.mark.parametrize("version", range(1, 11))
def test_the_ends_of_a_log_are_known_in_every_version(broker: Stepper, version: int) -> None:
    broker.produce("orders", b"a", b"b", b"c")
    broker.partition("orders").delete_records(1)

    latest, earliest = asked(broker, LATEST, EARLIEST, version=version)

    assert fields(latest) == (0, 3, -1, 0)
    assert fields(earliest) == (0, 1, -1, 0)


@pytest.mark.parametrize("isolation_level", [0, 1])
def test_the_latest_offset_is_the_high_watermark_for_any_isolation(
    broker: Stepper, isolation_level: int
) -> None:
    broker.produce("orders", b"a", b"b")

    (latest,) = asked(broker, LATEST, isolation_level=isolation_level)

    assert latest.offset == 2


def test_a_time_finds_the_first_record_not_older_inside_of_a_batch(broker: Stepper) -> None:
    times = [1_000, 3_000, 2_000]
    broker.produce("orders", *(Sent(b"a", timestamp_ms=START_MS - time) for time in times))
    broker.produce("orders", Sent(b"b", timestamp_ms=START_MS))

    found = asked(
        broker, 0, START_MS - 1_500, START_MS - 1_000, START_MS - 999, START_MS, START_MS + 1
    )

    assert [fields(one) for one in found] == [
        (0, 0, START_MS - 1_000, 0),
        (0, 0, START_MS - 1_000, 0),
        (0, 0, START_MS - 1_000, 0),
        (0, 3, START_MS, 0),
        (0, 3, START_MS, 0),
        NOTHING,
    ]


def test_a_time_does_not_find_deleted_records(broker: Stepper) -> None:
    for number in range(3):
        broker.produce("orders", Sent(timestamp_ms=1_000 * number), Sent(timestamp_ms=5_000))
    broker.partition("orders").delete_records(3)

    assert fields(asked(broker, 0)[0]) == (0, 3, 5_000, 0)
    broker.partition("orders").delete_records(6)
    assert fields(asked(broker, 0)[0]) == NOTHING


def test_kip734_the_largest_timestamp_is_found_with_its_first_offset(broker: Stepper) -> None:
    times = [1_000, 9_000, 2_000, 9_000, 3_000]
    broker.produce("orders", *(Sent(timestamp_ms=time) for time in times[:3]))
    broker.produce("orders", *(Sent(timestamp_ms=time) for time in times[3:]))

    assert fields(asked(broker, MAX_TIMESTAMP)[0]) == (0, 1, 9_000, 0)


def test_an_empty_log_has_ends_and_nothing_else(broker: Stepper) -> None:
    names = (LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, 0)

    assert [fields(one) for one in asked(broker, *names)] == [
        (0, 0, -1, 0),
        (0, 0, -1, 0),
        NOTHING,
        (0, 0, -1, 0),
        NOTHING,
        NOTHING,
    ]


@pytest.mark.parametrize(
    ("timestamp", "since"), [(MAX_TIMESTAMP, 7), (EARLIEST_LOCAL, 8), (LATEST_TIERED, 9)]
)
def test_a_name_is_not_known_before_its_version(
    broker: Stepper, timestamp: int, since: int
) -> None:
    before = asked(broker, timestamp, version=since - 1)
    after = asked(broker, timestamp, version=since)

    assert before[0].error_code == ErrorCode.UNSUPPORTED_VERSION
    assert after[0].error_code == ErrorCode.NONE


@pytest.mark.parametrize("timestamp", [-6, -7, -(1 << 63)])
def test_another_negative_time_is_unsupported(broker: Stepper, timestamp: int) -> None:
    assert asked(broker, timestamp)[0].error_code == ErrorCode.UNSUPPORTED_VERSION


def test_what_does_not_exist_is_unknown(broker: Stepper) -> None:
    request = ListOffsetsRequest(
        -1, 0, [ListOffsetsTopic("orders", [ListOffsetsPartition(2, -1, LATEST)])]
    )

    assert asked(broker, LATEST, topic="no")[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    answer = broker.send(request).topics[0].partitions[0]
    assert fields(answer) == (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, -1, -1)


def test_a_partition_named_twice_is_an_invalid_request_in_each_place(broker: Stepper) -> None:
    partitions = [ListOffsetsPartition(index, -1, LATEST) for index in (0, 1, 0)]
    request = ListOffsetsRequest(
        -1,
        0,
        [ListOffsetsTopic("orders", partitions), ListOffsetsTopic("orders", partitions[1:2])],
    )

    response = broker.send(request)

    assert [[one.error_code for one in topic.partitions] for topic in response.topics] == [
        [ErrorCode.INVALID_REQUEST] * 3,
        [ErrorCode.INVALID_REQUEST],
    ]


@pytest.mark.parametrize(
    ("epoch", "code"),
    [
        (0, ErrorCode.FENCED_LEADER_EPOCH),
        (1, ErrorCode.NONE),
        (2, ErrorCode.UNKNOWN_LEADER_EPOCH),
    ],
)
def test_kip320_another_leader_epoch_is_fenced(
    broker: Stepper, epoch: int, code: ErrorCode
) -> None:
    broker.restart()

    assert asked(broker, LATEST, epoch=epoch)[0].error_code == code


def test_each_offset_is_told_with_its_leader_epoch(broker: Stepper) -> None:
    broker.produce("orders", Sent(timestamp_ms=1_000), Sent(timestamp_ms=2_000))
    broker.restart()
    broker.restart()
    broker.produce("orders", Sent(timestamp_ms=3_000))
    broker.restart()

    def epochs() -> list[int]:
        found = asked(broker, EARLIEST, LATEST, 2_000, 3_000, MAX_TIMESTAMP)
        return [one.leader_epoch for one in found]

    assert epochs() == [0, 3, 0, 2, 2]
    broker.partition("orders").delete_records(1)
    assert epochs()[0] == 0
    broker.partition("orders").delete_records(2)
    assert epochs()[0] == 2
    broker.partition("orders").delete_records(3)
    assert epochs()[0] == 3
