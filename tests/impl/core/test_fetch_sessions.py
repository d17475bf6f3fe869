"""Fetch sessions (KIP-227): what they remember, when they are refused, who gets a place."""

import pytest

from impl_support.batches import values
from impl_support.fetch_client import Client, full, shown
from impl_support.stepping import Stepper
from kproof_impl.messages.errors import ErrorCode


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=4)
    return stepper


# -- what is remembered ------------------------------------------------------------------------


@pytest.mark.parametrize("version", [7, 12, 13, 17])
def test_an_incremental_fetch_shows_only_what_is_new(broker: Stepper, version: int) -> None:
    client = Client(broker, version=version)
    broker.produce("orders", b"a", partition=1, connection=9)

    begin = client.fetch(*full(0, 0, 0))
    nothing = client.fetch(("orders", 1, 1))
    broker.produce("orders", b"b", partition=2, connection=9)
    news = client.fetch()

    assert begin is not None
    assert begin.session_id != 0
    assert list(shown(begin)) == [0, 1, 2]
    assert shown(nothing) == {}
    assert {index: values(one.records) for index, one in shown(news).items()} == {2: [b"b"]}


def test_records_are_shown_until_the_offset_has_moved(broker: Stepper) -> None:
    client = Client(broker)
    broker.produce("orders", b"a", connection=9)
    client.fetch(*full(0, 0))

    again = client.fetch()
    moved = client.fetch(("orders", 0, 1))

    assert {index: values(one.records) for index, one in shown(again).items()} == {0: [b"a"]}
    assert shown(moved) == {}


def test_another_high_watermark_is_shown_without_records(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 0))
    broker.produce("orders", b"a", connection=9)

    # As if the client had this record from elsewhere.
    news = shown(client.fetch(("orders", 0, 1)))
    nothing = shown(client.fetch())

    assert {index: one.high_watermark for index, one in news.items()} == {0: 1}
    assert nothing == {}


def test_another_log_start_is_shown_once(broker: Stepper) -> None:
    client = Client(broker)
    broker.produce("orders", b"a", connection=9)
    client.fetch(("orders", 0, 1), ("orders", 1, 0))

    broker.partition("orders").delete_records(1)
    news = shown(client.fetch())
    nothing = shown(client.fetch())

    assert {index: one.log_start_offset for index, one in news.items()} == {0: 1}
    assert nothing == {}


def test_an_error_is_shown_each_time_and_its_end_once(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 1))

    errors = [shown(client.fetch())[1].error_code for _ in range(2)]
    over = shown(client.fetch(("orders", 1, 0)))
    nothing = shown(client.fetch())

    assert errors == [ErrorCode.OFFSET_OUT_OF_RANGE] * 2
    assert {index: one.error_code for index, one in over.items()} == {1: 0}
    assert nothing == {}


def test_a_topic_that_comes_later_is_shown_when_it_is_there(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(("orders", 0, 0), ("later", 3, 0))
    unknown = shown(client.fetch())

    broker.topic("later", partitions=4)
    known = shown(client.fetch())

    assert unknown[3].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert (list(known), known[3].error_code) == ([3], 0)


def test_partitions_are_added_changed_and_forgotten(broker: Stepper) -> None:
    client = Client(broker)
    for index in range(4):
        broker.produce("orders", b"%d" % index, partition=index, connection=9)
    client.fetch(*full(0, 0))

    added = shown(client.fetch(("orders", 3, 0), forget=(("orders", 0),)))

    assert sorted(added) == [1, 3]
    assert broker.broker.fetch_sessions.partitions_count == 2


def test_a_session_that_forgets_all_is_over(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))

    response = client.fetch(forget=(("orders", 0), ("orders", 3)))

    assert response is not None
    assert (response.error_code, response.session_id, list(response.responses)) == (0, 0, [])
    assert len(broker.broker.fetch_sessions) == 0
    assert broker.broker.fetch_sessions.partitions_count == 0


def test_who_was_served_stands_behind_the_others(broker: Stepper) -> None:
    client = Client(broker)
    for index in range(3):
        broker.produce("orders", b"x" * 100, partition=index, connection=9)
    client.fetch(*full(0, 0, 0))
    served = [list(shown(client.fetch(max_bytes=1))) for _ in range(4)]

    assert served == [[0], [1], [2], [0]]


def test_an_incremental_fetch_waits_for_news_of_any_of_its_partitions(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 0, 0))

    assert client.fetch(max_wait_ms=500, min_bytes=1) is None
    broker.produce("orders", b"a", partition=2, connection=9)
    (late,) = broker.answers()

    assert {index: values(one.records) for index, one in shown(late).items()} == {2: [b"a"]}
    assert late.session_id == client.session_id


def test_an_incremental_fetch_that_waits_in_vain_shows_nothing(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    client.fetch(max_wait_ms=500, min_bytes=1)

    broker.advance(500)
    (late,) = broker.answers()

    assert shown(late) == {}
    assert late.session_id == client.session_id
