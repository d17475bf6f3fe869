"""How long a fetch waits, and for what; whom it believes to lead."""

import pytest

from impl_support.batches import read_batches, values
from impl_support.fetch_requests import filled, found, one, request_of, wanted
from impl_support.stepping import START_MS, Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import (
    FetchRequest,
    ReplicaState,
)


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=3)
    return stepper


# -- how long ----------------------------------------------------------------------------------


def test_a_fetch_waits_until_a_record_comes(broker: Stepper) -> None:
    assert broker.send(request_of(wanted(), max_wait_ms=500, min_bytes=1), 12) is None
    broker.advance(100)
    assert broker.answers() == []

    broker.produce("orders", b"a", connection=2)

    (late,) = broker.answers()
    assert values(one(late).records) == [b"a"]
    assert broker.broker.waiting_fetches.is_empty


def test_a_fetch_that_nothing_comes_for_is_answered_when_its_time_is_over(
    broker: Stepper,
) -> None:
    broker.send(request_of(wanted(), max_wait_ms=500, min_bytes=1), 12)

    broker.advance(499)
    before = broker.answers()
    broker.advance(1)
    (late,) = broker.answers()

    assert before == []
    assert bytes(one(late).records or b"") == b""
    assert broker.broker.waiting_fetches.is_empty


def test_a_fetch_waits_for_as_many_bytes_as_it_wants(broker: Stepper) -> None:
    size = filled(broker, (0, 1), batches=1)
    request = request_of(wanted(0), wanted(1), max_wait_ms=500, min_bytes=size * 4)
    assert broker.send(request, 12) is None

    broker.produce("orders", b"%090d" % 1, partition=1, connection=2)
    broker.produce("orders", b"%090d" % 1, partition=2, connection=2)
    before = broker.answers()
    broker.produce("orders", b"%090d" % 1, partition=0, connection=2)
    (late,) = broker.answers()

    assert before == []
    assert [len(read_batches(answer.records)) for answer in found(late)] == [2, 2]


def test_each_byte_that_comes_counts_once(broker: Stepper) -> None:
    size = filled(broker, batches=0)
    broker.send(request_of(wanted(), max_wait_ms=500, min_bytes=size * 4), 12)

    answered = []
    for _ in range(4):
        broker.produce("orders", b"%090d" % 1, connection=2)
        answered.append(len(broker.answers()))

    assert answered == [0, 0, 0, 1]


def test_bytes_that_a_fetch_would_not_take_do_not_count(broker: Stepper) -> None:
    size = filled(broker, (), batches=0)
    request = request_of(wanted(0, max_bytes=size), wanted(1), max_wait_ms=500, min_bytes=size * 3)
    assert broker.send(request, 12) is None

    filled(broker, (0,), batches=0)
    for _ in range(5):
        broker.produce("orders", b"%090d" % 0, partition=0, connection=2)
    before = broker.answers()
    for _ in range(2):
        broker.produce("orders", b"%090d" % 0, partition=1, connection=2)

    assert before == []
    assert [len(read_batches(answer.records)) for answer in found(broker.answers()[0])] == [1, 2]


@pytest.mark.parametrize(("max_wait_ms", "min_bytes"), [(0, 1), (-1, 1), (500, 0), (500, -1)])
def test_a_fetch_that_wants_no_wait_or_no_bytes_is_answered_at_once(
    broker: Stepper, max_wait_ms: int, min_bytes: int
) -> None:
    request = request_of(wanted(), max_wait_ms=max_wait_ms, min_bytes=min_bytes)

    assert one(broker.send(request, 12)).error_code == 0


def test_a_fetch_of_nothing_is_answered_at_once(broker: Stepper) -> None:
    assert found(broker.send(FetchRequest(max_wait_ms=500, min_bytes=1), 12)) == []


def test_an_error_in_one_partition_answers_all_at_once(broker: Stepper) -> None:
    broker.produce("orders", b"a")
    request = request_of(wanted(0, 1), wanted(1, 77), max_wait_ms=500, min_bytes=1)

    assert [answer.error_code for answer in found(broker.send(request, 12))] == [0, 1]


def test_what_does_not_exist_ends_no_wait_for_what_does(broker: Stepper) -> None:
    request = request_of(wanted(0), wanted(9), max_wait_ms=500, min_bytes=1)
    assert broker.send(request, 12) is None

    broker.produce("orders", b"a", connection=2)

    assert [answer.error_code for answer in found(broker.answers()[0])] == [
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]


def test_who_waits_for_a_topic_is_told_when_it_is_deleted(broker: Stepper) -> None:
    topic = broker.broker.topics.by_name["orders"]
    by_name = request_of(wanted(0), wanted(1), max_wait_ms=500, min_bytes=1)
    by_id = request_of(wanted(), topic="", topic_id=topic.topic_id, max_wait_ms=500, min_bytes=1)
    broker.send(by_name, 12, connection=1)
    broker.send(by_id, 13, connection=2)

    broker.broker.topics.delete([topic])
    broker.advance(0)

    assert {answer.error_code for answer in found(broker.answers(1)[0])} == {3}
    assert one(broker.answers(2)[0]).error_code == ErrorCode.UNKNOWN_TOPIC_ID
    assert broker.broker.waiting_fetches.is_empty


def test_a_connection_that_goes_leaves_no_waiting_fetch_and_no_timer(broker: Stepper) -> None:
    deadline_ms = broker.broker.next_deadline_ms()
    broker.send(request_of(wanted(0), wanted(1), max_wait_ms=50, min_bytes=1), 12)
    assert broker.broker.next_deadline_ms() == START_MS + 50

    broker.disconnect()

    assert broker.broker.waiting_fetches.is_empty
    assert broker.broker.next_deadline_ms() == deadline_ms
    broker.produce("orders", b"a", connection=2)
    assert broker.answers(1) == []


def test_all_who_wait_for_a_partition_are_answered_in_the_order_they_came(
    broker: Stepper,
) -> None:
    for connection in (5, 3, 4):
        request = request_of(wanted(), max_wait_ms=500, min_bytes=1)
        broker.send(request, 12, connection=connection)
    before = len(broker.effects)

    broker.produce("orders", b"a", connection=9)

    sent = [effect.connection_id for effect in broker.effects[before:]]  # type: ignore[union-attr]
    assert [connection for connection in sent if connection != 9] == [5, 3, 4]


def test_a_partition_named_twice_in_a_fetch_is_waited_for_once(broker: Stepper) -> None:
    broker.send(request_of(wanted(), wanted(), max_wait_ms=500, min_bytes=1), 12)

    broker.produce("orders", b"a", connection=2)

    assert [values(answer.records) for answer in found(broker.answers()[0])] == [[b"a"], [b"a"]]
    assert broker.broker.waiting_fetches.is_empty


def test_what_was_sent_behind_a_waiting_fetch_is_answered_after_it(broker: Stepper) -> None:
    broker.send(request_of(wanted(0), max_wait_ms=500, min_bytes=1), 12)
    assert broker.send(request_of(wanted(1)), 12) is None

    broker.produce("orders", b"a", connection=2)

    first, second = broker.answers()
    assert values(one(first).records) == [b"a"]
    assert one(second).partition_index == 1


# -- leader epochs -----------------------------------------------------------------------------


def led_in_epoch_2() -> Stepper:
    """Offsets 0 and 1 in epoch 0, 2 in epoch 1, 3 in epoch 2."""
    stepper = Stepper()
    stepper.topic("orders")
    stepper.produce("orders", b"a", b"b")
    stepper.restart()
    stepper.produce("orders", b"c")
    stepper.restart()
    stepper.produce("orders", b"d")
    assert stepper.partition("orders").leader_epoch == 2
    return stepper


@pytest.mark.parametrize(
    ("epoch", "code"),
    [
        (1, ErrorCode.FENCED_LEADER_EPOCH),
        (2, ErrorCode.NONE),
        (3, ErrorCode.UNKNOWN_LEADER_EPOCH),
        (-1, ErrorCode.NONE),
    ],
)
def test_kip320_a_fetch_in_another_epoch_is_fenced(epoch: int, code: ErrorCode) -> None:
    stepper = led_in_epoch_2()

    for offset in (0, 4):
        request = request_of(wanted(offset=offset, current_leader_epoch=epoch))
        assert one(stepper.send(request, 12)).error_code == code


def test_kip951_a_fenced_client_is_told_who_leads() -> None:
    stepper = led_in_epoch_2()
    topic_id = stepper.broker.topics.by_name["orders"].topic_id
    request = request_of(wanted(current_leader_epoch=1), topic="", topic_id=topic_id)

    response = stepper.send(request, 17)

    leader = one(response).current_leader
    assert (leader.leader_id, leader.leader_epoch) == (stepper.config.node_id, 2)
    assert [node.node_id for node in response.node_endpoints] == [stepper.config.node_id]
    assert response.node_endpoints[0].port == stepper.config.advertised_port


@pytest.mark.parametrize(
    ("last_fetched_epoch", "offset", "diverging"),
    [
        (0, 1, None),
        (0, 2, None),
        (0, 3, (0, 2)),
        (1, 3, None),
        (1, 4, (1, 3)),
        (2, 4, None),
    ],
)
def test_kip595_a_client_whose_log_diverges_is_told_where(
    last_fetched_epoch: int, offset: int, diverging: tuple[int, int] | None
) -> None:
    stepper = led_in_epoch_2()
    request = request_of(
        wanted(offset=offset, last_fetched_epoch=last_fetched_epoch), max_wait_ms=9, min_bytes=1
    )
    if diverging is None:
        request.min_bytes = 0

    answer = one(stepper.send(request, 12))

    end = answer.diverging_epoch
    assert (end.epoch, end.end_offset) == (diverging or (-1, -1))
    assert bool(answer.records) == (diverging is None and offset < 4)
    assert (answer.error_code, answer.high_watermark) == (0, 4)


def test_kip595_a_last_fetched_epoch_that_is_not_known_is_out_of_range() -> None:
    stepper = led_in_epoch_2()

    answer = one(stepper.send(request_of(wanted(offset=4, last_fetched_epoch=3)), 12))

    assert answer.error_code == ErrorCode.OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("epoch", "code"),
    [(-1, ErrorCode.NOT_LEADER_OR_FOLLOWER), (0, ErrorCode.UNKNOWN_LEADER_EPOCH)],
)
def test_a_fetch_that_claims_to_be_a_replica_is_refused_as_a_stranger(
    broker: Stepper, epoch: int, code: ErrorCode
) -> None:
    broker.produce("orders", b"a")
    request = request_of(wanted(current_leader_epoch=epoch))
    request.replica_state = ReplicaState(2, 1)

    answer = one(broker.send(request, 12))

    assert (answer.error_code, bytes(answer.records or b"")) == (code, b"")
