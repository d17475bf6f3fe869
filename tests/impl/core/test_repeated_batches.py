"""Produce requests that come as `ReceivedBatch`: what `test_produce` does not tell of them.

All of `test_produce` and `test_idempotence` holds for both ways a request may come.
"""

import pytest

from impl_support import fetch_requests
from impl_support.batches import batch
from impl_support.list_log import ListStore
from impl_support.produce_requests import codes, request_of
from impl_support.stepping import START_MS, Stepper
from kproof_impl.core.effects import Close, Pause, Report, Send, SendProduced
from kproof_impl.core.inputs import ReceivedBatch
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.wire.repeated_produce import KnownRoutes, ProduceRoute
from kproof_impl.wire.requests import RequestHeader


def route_to(topic: str, index: int = 0, version: int = 9) -> ProduceRoute:
    known = KnownRoutes()
    known.learn(RequestHeader(0, version, 0, "test"), request_of((topic, index, b"")))
    (route,) = known.routes
    return route


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders")
    stepper.connect(1)
    return stepper


def waiting_fetch(connection: int, stepper: Stepper) -> None:
    """A fetch at the end of the topic, which waits for a second."""
    request = fetch_requests.request_of(fetch_requests.wanted(), max_wait_ms=1_000, min_bytes=1)
    assert stepper.send(request, 11, connection) is None


def test_an_answer_leaves_after_those_of_the_fetches_that_waited_for_the_batch(
    broker: Stepper,
) -> None:
    waiting_fetch(2, broker)

    effects = broker.step(ReceivedBatch(1, 7, route_to("orders"), batch(b"a")))

    assert [type(effect) for effect in effects] == [Send, SendProduced]
    assert [effect.connection_id for effect in effects if isinstance(effect, Send)] == [2]


def test_a_batch_behind_a_request_that_waits_is_answered_after_it(broker: Stepper) -> None:
    waiting_fetch(1, broker)

    held = [
        broker.step(ReceivedBatch(1, 10 + count, route_to("orders"), batch(b"a")))
        for count in range(broker.config.backlog_max)
    ]
    broker.advance(1_000)

    assert [type(effect) for effects in held for effect in effects] == [Pause]
    answers = [effect.header.correlation_id for effect in broker.effects if type(effect) is Send]
    assert answers[1:] == [10 + count for count in range(broker.config.backlog_max)]
    assert broker.partition("orders").log_end_offset == broker.config.backlog_max


def test_a_batch_of_a_connection_that_is_gone_is_dropped(broker: Stepper) -> None:
    broker.disconnect(1)

    assert broker.step(ReceivedBatch(1, 7, route_to("orders"), batch(b"a"))) == []
    assert broker.partition("orders").log_end_offset == 0


def test_a_disk_that_refuses_is_a_storage_error_and_the_batch_is_tried_once() -> None:
    store = ListStore()
    stepper = Stepper(store=store)
    topic = stepper.topic("orders")
    stepper.connect(1)
    log = store.logs[topic.topic_id, 0]
    log.fails = True

    report, effect = stepper.step(ReceivedBatch(1, 7, route_to("orders"), batch(b"a")))

    assert isinstance(report, Report)
    assert isinstance(effect, Send)
    assert codes(effect.response) == [ErrorCode.KAFKA_STORAGE_ERROR]  # type: ignore[arg-type]
    twin = stepper.send(request_of(("orders", 0, batch(b"a"))), 9)
    assert effect.response == twin


def test_a_fault_of_the_broker_is_reported_and_closes_the_connection(
    broker: Stepper, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.config.raises = False
    monkeypatch.setattr(broker.partition("orders"), "log", None)

    effects = broker.step(ReceivedBatch(1, 7, route_to("orders"), batch(b"a")))

    assert [type(effect) for effect in effects] == [Report, Close]
    assert "AttributeError" in broker.reports[0]


def test_a_new_way_of_keeping_the_topic_holds_for_the_next_batch(broker: Stepper) -> None:
    route = route_to("orders")
    (before,) = broker.step(ReceivedBatch(1, 7, route, batch(b"a", timestamp_ms=5)))
    topics = broker.broker.topics
    topics.set_configs(topics.by_name["orders"], {"message.timestamp.type": "LogAppendTime"})

    (after,) = broker.step(ReceivedBatch(1, 8, route, batch(b"b", timestamp_ms=5)))

    assert isinstance(before, SendProduced)
    assert isinstance(after, SendProduced)
    assert (before.base_offset, before.log_append_time_ms) == (0, -1)
    assert (after.base_offset, after.log_append_time_ms) == (1, START_MS)


def test_a_topic_that_is_made_again_is_another_by_its_id_and_the_same_by_its_name(
    broker: Stepper,
) -> None:
    by_name = route_to("orders")
    broker.step(ReceivedBatch(1, 7, by_name, batch(b"a")))
    topics = broker.broker.topics
    topics.delete([topics.by_name["orders"]])
    (gone,) = broker.step(ReceivedBatch(1, 8, by_name, batch(b"b")))
    broker.topic("orders")

    (again,) = broker.step(ReceivedBatch(1, 9, by_name, batch(b"c")))

    assert isinstance(gone, Send)
    assert codes(gone.response) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]  # type: ignore[arg-type]
    assert isinstance(again, SendProduced)
    assert again.base_offset == 0


def test_such_requests_are_counted_as_all_others(broker: Stepper) -> None:
    before = broker.broker.requests_count

    broker.step(ReceivedBatch(1, 7, route_to("orders"), batch(b"a")))
    broker.step(ReceivedBatch(1, 8, route_to("nowhere"), batch(b"a")))

    assert broker.broker.requests_count == before + 2
