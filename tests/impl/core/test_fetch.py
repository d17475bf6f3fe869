"""Fetch without a session: what is read, how much of it, and how long a client waits for it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from impl_support.batches import batch, read_batches, values
from impl_support.stepping import START_MS, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import (
    FetchPartition,
    FetchRequest,
    FetchResponse,
    FetchTopic,
    PartitionData,
    ReplicaState,
)
from kproof_impl.messages.ids import NO_ID

ALL_VERSIONS = range(4, 18)
NAMES_MAX = 12
"""The last version that names topics."""


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=3)
    return stepper


def wanted(
    partition: int = 0, offset: int = 0, max_bytes: int = 1 << 20, **rest: Any
) -> FetchPartition:
    return FetchPartition(partition, fetch_offset=offset, partition_max_bytes=max_bytes, **rest)


def request_of(
    *partitions: FetchPartition, topic: str = "orders", topic_id: UUID = NO_ID, **rest: Any
) -> FetchRequest:
    return FetchRequest(topics=[FetchTopic(topic_id, partitions, topic)], **rest)


def found(response: FetchResponse | None) -> list[PartitionData]:
    assert response is not None, "the fetch waits"
    assert response.error_code == 0
    return [one for topic in response.responses for one in topic.partitions]


def one(response: FetchResponse | None) -> PartitionData:
    (only,) = found(response)
    return only


# -- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_whole_batches_are_read_from_the_one_with_the_offset_on(
    broker: Stepper, version: int
) -> None:
    for number in range(3):
        broker.produce("orders", b"%da" % number, b"%db" % number)
    topic_id = broker.broker.topics.by_name["orders"].topic_id
    request = request_of(wanted(offset=3))
    if version > NAMES_MAX:
        request = request_of(wanted(offset=3), topic="", topic_id=topic_id)

    response = broker.send(request, version)

    answer = one(response)
    assert values(answer.records) == [b"1a", b"1b", b"2a", b"2b"]
    assert (answer.high_watermark, answer.last_stable_offset, answer.log_start_offset) == (6, 6, 0)
    assert (answer.error_code, answer.preferred_read_replica) == (0, -1)
    topic = response.responses[0]
    assert topic.topic_id == topic_id if version > NAMES_MAX else topic.topic == "orders"


@pytest.mark.parametrize(("isolation_level", "aborted"), [(0, None), (1, [])])
def test_read_committed_is_told_that_nothing_was_aborted_and_others_are_told_nothing(
    broker: Stepper, isolation_level: int, aborted: list[object] | None
) -> None:
    broker.produce("orders", b"a")

    answer = one(broker.send(request_of(wanted(), isolation_level=isolation_level), 12))

    transactions = answer.aborted_transactions
    assert (None if transactions is None else list(transactions)) == aborted
    assert values(answer.records) == [b"a"]


def test_at_the_end_of_the_log_there_is_nothing_and_no_error(broker: Stepper) -> None:
    broker.produce("orders", b"a")

    answer = one(broker.send(request_of(wanted(offset=1)), 12))

    assert (answer.error_code, bytes(answer.records or b""), answer.high_watermark) == (0, b"", 1)


@pytest.mark.parametrize("offset", [-1, 2, 1 << 62])
def test_an_offset_outside_the_log_is_out_of_range(broker: Stepper, offset: int) -> None:
    broker.produce("orders", b"a")

    answer = one(broker.send(request_of(wanted(offset=offset), max_wait_ms=500, min_bytes=1), 12))

    assert (answer.error_code, answer.high_watermark) == (ErrorCode.OFFSET_OUT_OF_RANGE, -1)


def test_an_offset_below_the_log_start_is_out_of_range(broker: Stepper) -> None:
    broker.produce("orders", b"a", b"b", b"c")
    broker.partition("orders").delete_records(2)

    below, at = found(broker.send(request_of(wanted(offset=1), wanted(offset=2)), 12))

    assert below.error_code == ErrorCode.OFFSET_OUT_OF_RANGE
    assert (at.error_code, at.log_start_offset) == (0, 2)
    assert values(at.records) == [b"a", b"b", b"c"], "the batch is whole; the client skips"


def test_what_does_not_exist_is_unknown_and_answered_at_once(broker: Stepper) -> None:
    by_index = broker.send(request_of(wanted(9), max_wait_ms=500, min_bytes=1), 12)
    by_name = broker.send(request_of(wanted(), topic="no", max_wait_ms=500, min_bytes=1), 12)

    assert one(by_index).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert one(by_name).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_kip516_an_unknown_topic_id_is_unknown_topic_id(broker: Stepper) -> None:
    topic_id = broker.broker.topics.by_name["orders"].topic_id

    unknown = one(broker.send(request_of(wanted(), topic="", topic_id=UUID(int=99)), 13))
    known = one(broker.send(request_of(wanted(9), topic="", topic_id=topic_id), 13))

    assert unknown.error_code == ErrorCode.UNKNOWN_TOPIC_ID
    assert known.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_topic_made_anew_is_not_found_by_its_old_id(broker: Stepper) -> None:
    old = broker.broker.topics.by_name["orders"]
    broker.produce("orders", b"a")
    broker.broker.topics.delete([old])
    broker.topic("orders")

    answer = one(broker.send(request_of(wanted(), topic="", topic_id=old.topic_id), 13))

    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_ID
    assert broker.fetched("orders") == []


# -- how much ----------------------------------------------------------------------------------


def filled(broker: Stepper, partitions: Sequence[int] = (0,), batches: int = 4) -> int:
    """Batches of one size in some partitions; returns the size."""
    for partition in partitions:
        for number in range(batches):
            broker.produce("orders", b"%090d" % number, partition=partition)
    return len(batch(b"%090d" % 0, timestamp_ms=START_MS))


def test_kip74_the_first_batch_is_whole_above_all_limits(broker: Stepper) -> None:
    filled(broker)

    answer = one(broker.send(request_of(wanted(max_bytes=1), max_bytes=1), 12))

    assert len(read_batches(answer.records)) == 1


def test_kip74_only_the_first_partition_with_data_may_go_above_the_limits(
    broker: Stepper,
) -> None:
    filled(broker, (1, 2))

    answers = found(
        broker.send(request_of(wanted(0), wanted(1, max_bytes=1), wanted(2, max_bytes=1)), 12)
    )

    assert [len(read_batches(answer.records)) for answer in answers] == [0, 1, 0]
    assert [answer.error_code for answer in answers] == [0, 0, 0]


def test_a_partitions_limit_cuts_between_batches(broker: Stepper) -> None:
    size = filled(broker)

    counts = [
        len(read_batches(one(broker.send(request_of(wanted(max_bytes=most)), 12)).records))
        for most in (size * 2 - 1, size * 2, size * 3 - 1, size * 3, size * 100)
    ]

    assert counts == [1, 2, 2, 3, 4]


def test_the_requests_limit_is_shared_in_the_order_of_the_request(broker: Stepper) -> None:
    size = filled(broker, (0, 1, 2))
    order = [wanted(2, max_bytes=size * 3), wanted(0), wanted(1)]

    answers = found(broker.send(request_of(*order, max_bytes=size * 5), 12))

    assert [answer.partition_index for answer in answers] == [2, 0, 1]
    assert [len(read_batches(answer.records)) for answer in answers] == [3, 2, 0]


def test_the_brokers_limit_holds_for_any_request() -> None:
    stepper = Stepper(BrokerConfig(fetch_max_bytes=400))
    stepper.topic("orders")
    size = filled(stepper)

    answer = one(stepper.send(request_of(wanted(), min_bytes=1 << 30, max_wait_ms=500), 12))

    assert len(read_batches(answer.records)) == 400 // size


def test_a_fetch_that_a_limit_has_cut_does_not_wait_for_what_it_may_not_take(
    broker: Stepper,
) -> None:
    size = filled(broker)
    most = size * 2 + size // 2

    answer = one(
        broker.send(request_of(wanted(max_bytes=most), max_wait_ms=500, min_bytes=most), 12)
    )

    assert len(read_batches(answer.records)) == 2


@pytest.mark.parametrize("limit", [0, -1, -(1 << 31)])
def test_a_limit_below_1_still_gets_the_first_batch(broker: Stepper, limit: int) -> None:
    filled(broker)

    answer = one(broker.send(request_of(wanted(max_bytes=limit), max_bytes=limit), 12))

    assert len(read_batches(answer.records)) == 1


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
