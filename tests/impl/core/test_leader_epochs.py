"""OffsetForLeaderEpoch: where each epoch of a log ends."""

import pytest

from impl_support.stepping import Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_for_leader_epoch import (
    EpochEndOffset,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)


@pytest.fixture
def broker() -> Stepper:
    """Offsets 0 and 1 are of epoch 0, 2 is of epoch 2, epoch 3 has begun at 3."""
    stepper = Stepper()
    stepper.topic("orders")
    stepper.produce("orders", b"a", b"b")
    stepper.restart()
    stepper.restart()
    stepper.produce("orders", b"c")
    stepper.restart()
    return stepper


def asked(
    broker: Stepper,
    leader_epoch: int,
    current: int = -1,
    topic: str = "orders",
    partition: int = 0,
    version: int = 4,
) -> EpochEndOffset:
    wanted = OffsetForLeaderPartition(partition, current, leader_epoch)
    request = OffsetForLeaderEpochRequest(-1, [OffsetForLeaderTopic(topic, [wanted])])
    answer: EpochEndOffset = broker.send(request, version).topics[0].partitions[0]
    return answer


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize(
    ("leader_epoch", "end"), [(0, (0, 2)), (1, (0, 2)), (2, (2, 3)), (3, (3, 3))]
)
def test_kip279_the_largest_epoch_not_above_the_asked_one_is_told_with_its_end(
    broker: Stepper, leader_epoch: int, end: tuple[int, int], version: int
) -> None:
    answer = asked(broker, leader_epoch, version=version)

    assert (answer.error_code, answer.leader_epoch, answer.end_offset) == (0, *end)


@pytest.mark.parametrize("leader_epoch", [-1, 4, 1 << 30])
def test_an_epoch_that_is_not_known_has_no_end(broker: Stepper, leader_epoch: int) -> None:
    answer = asked(broker, leader_epoch)

    assert (answer.error_code, answer.leader_epoch, answer.end_offset) == (0, -1, -1)


def test_the_end_of_the_current_epoch_moves_with_the_log(broker: Stepper) -> None:
    broker.produce("orders", b"d", b"e")

    assert asked(broker, 3).end_offset == 5


@pytest.mark.parametrize(
    ("current", "code"),
    [
        (2, ErrorCode.FENCED_LEADER_EPOCH),
        (3, ErrorCode.NONE),
        (4, ErrorCode.UNKNOWN_LEADER_EPOCH),
    ],
)
def test_kip320_who_believes_in_another_leader_epoch_is_fenced(
    broker: Stepper, current: int, code: ErrorCode
) -> None:
    answer = asked(broker, 0, current)

    assert (answer.error_code, answer.end_offset) == (code, 2 if code == 0 else -1)


def test_what_does_not_exist_is_unknown(broker: Stepper) -> None:
    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

    assert asked(broker, 0, topic="no").error_code == unknown
    assert asked(broker, 0, partition=1).error_code == unknown


def test_the_start_of_an_epoch_is_known_after_a_crash_in_a_later_segment() -> None:
    broker = Stepper()
    broker.topic("orders", configs={"segment.bytes": "300"})
    broker.crash()  # Epoch 1 begins at offset 0.
    for _ in range(6):
        broker.produce("orders", b"x" * 100)
    broker.restart()
    broker.crash()

    assert broker.partition("orders").log.end_offset_for_epoch(0).end_offset == 0
    assert broker.partition("orders").log.end_offset_for_epoch(1).end_offset == 6
