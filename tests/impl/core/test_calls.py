"""Calls: one at a time on a connection, answered in order, and not at all once it is gone."""

from collections.abc import Callable
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core import dispatch
from kproof_impl.core.broker import Broker
from kproof_impl.core.calls import NO_ANSWER, Call, CloseConnection
from kproof_impl.core.config import BrokerConfig

KEY = 9_999


class Handled:
    """Requests of an API that there is not: kept, unless a test's function answers them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.requests: list[Any] = []
        self.answering: Callable[[Call, Any], Any] = lambda call, request: None

    def __call__(self, broker: Broker, call: Call, request: Any) -> Any:
        self.calls.append(call)
        self.requests.append(request)
        return self.answering(call, request)


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> Handled:
    handler = Handled()
    monkeypatch.setitem(dispatch.HANDLERS_FOUND, KEY, handler)
    return handler


def ask(broker: Stepper, request: object, connection: int = 1) -> Any:
    return broker.send(request, 0, connection, KEY)


def test_a_request_behind_one_in_progress_is_not_looked_at(handled: Handled) -> None:
    broker = Stepper()
    ask(broker, "first")
    ask(broker, "second")
    ask(broker, "other", connection=2)

    assert handled.requests == ["first", "other"]
    handled.calls[0].answer("answer")
    broker.advance(0)

    assert handled.requests == ["first", "other", "second"]
    assert broker.answers(1) == ["answer"]


def test_answers_leave_in_the_order_of_the_requests(handled: Handled) -> None:
    broker = Stepper()
    ask(broker, 0)
    handled.answering = lambda call, request: -request
    for number in range(1, 5):
        ask(broker, number)

    handled.calls[0].answer(0)
    broker.advance(0)

    assert broker.answers() == [0, -1, -2, -3, -4]


def test_a_backlog_of_calls_that_wait_goes_on_one_by_one(handled: Handled) -> None:
    broker = Stepper()
    for number in range(3):
        ask(broker, number)
    for number in range(3):
        assert handled.requests == list(range(number + 1))
        handled.calls[number].answer(number)
        broker.advance(0)

    assert broker.answers() == [0, 1, 2]


def test_a_request_without_an_answer_lets_the_next_one_through(handled: Handled) -> None:
    broker = Stepper()
    ask(broker, "kept")
    handled.answering = lambda call, request: NO_ANSWER if request == "silent" else "answer"
    ask(broker, "silent")
    ask(broker, "loud")

    handled.calls[0].answer("late")
    broker.advance(0)

    assert broker.answers() == ["late", "answer"]


def test_a_connection_is_paused_when_too_much_waits_on_it_and_resumed_at_half(
    handled: Handled,
) -> None:
    broker = Stepper(BrokerConfig(backlog_max=4))
    for number in range(4):
        ask(broker, number)
    assert broker.paused == set()

    ask(broker, 4)
    assert broker.paused == {1}
    for number in range(2):
        handled.calls[number].answer(number)
        broker.advance(0)

    assert broker.paused == set()
    assert len(handled.calls) == 3


def test_a_second_answer_is_a_fault(handled: Handled) -> None:
    broker = Stepper()
    ask(broker, "first")
    handled.calls[0].answer("once")

    with pytest.raises(RuntimeError, match="answered twice"):
        handled.calls[0].answer("twice")


def test_who_is_gone_is_told_to_the_call_once_and_gets_no_answer(handled: Handled) -> None:
    broker = Stepper()
    gone: list[str] = []
    ask(broker, "first")
    ask(broker, "behind")
    handled.calls[0].on_gone = lambda: gone.append("first")

    broker.disconnect()
    handled.calls[0].answer("late")
    broker.advance(0)

    assert gone == ["first"]
    assert handled.requests == ["first"]
    assert broker.answers() == []
    assert broker.broker.connections_count == 0


def test_a_call_that_was_answered_is_not_told_that_its_connection_is_gone(
    handled: Handled,
) -> None:
    broker = Stepper()
    gone: list[str] = []
    ask(broker, "first")
    handled.calls[0].on_gone = lambda: gone.append("first")
    handled.calls[0].answer("answer")

    broker.disconnect()

    assert gone == []


def test_a_handler_closes_its_connection_with_a_reason(handled: Handled) -> None:
    def close(call: Call, request: object) -> None:
        raise CloseConnection(f"{request} is not for here")

    broker = Stepper()
    handled.answering = close

    assert ask(broker, "this") is None
    assert broker.closed == {1: "this is not for here"}
    assert broker.broker.connections_count == 0


def test_a_faulty_handler_costs_its_connection_and_a_report_and_nothing_else(
    handled: Handled,
) -> None:
    def fail(call: Call, request: object) -> None:
        raise ZeroDivisionError("by nothing")

    broker = Stepper()
    broker.config.raises = False
    ask(broker, "kept", connection=2)
    handled.answering = fail

    ask(broker, "bad")
    handled.calls[0].answer("good")
    broker.advance(0)

    (report,) = broker.reports
    assert "ZeroDivisionError: by nothing" in report
    assert "test_calls.py" in report
    assert list(broker.closed) == [1]
    assert broker.answers(2) == ["good"]


def test_what_comes_from_a_closed_connection_is_dropped(handled: Handled) -> None:
    broker = Stepper()
    ask(broker, "first")
    broker.broker.close(1, "enough")
    broker._connected.add(1)

    assert ask(broker, "after") is None
    assert handled.requests == ["first"]
