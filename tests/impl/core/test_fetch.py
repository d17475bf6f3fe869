"""Fetch without a session: what is read, how much of it, and how long a client waits for it."""

from uuid import UUID

import pytest

from impl_support.batches import read_batches, values
from impl_support.fetch_requests import NAMES_MAX, filled, found, one, request_of, wanted
from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.errors import ErrorCode

ALL_VERSIONS = range(4, 18)


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=3)
    return stepper


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
