"""How a worker pool ends when something goes wrong: nothing is committed that is not processed."""

from typing import Any, ClassVar

import pytest

from impl_support.scripted_client import (
    HERE,
    Handler,
    ScriptedClient,
    Step,
    assign,
    pool_of,
    records,
    until,
)
from kproof_impl.client import ConfigRefused, HandlerFailed
from kproof_impl.client.clients import Listener
from kproof_impl.client.kafka_python import KafkaPythonClient
from kproof_impl.events import Event


class RevokingClient(ScriptedClient):
    """Its `close` revokes what is still owned, as those of real clients do."""

    def close(self) -> None:
        super().close()
        self.listener.revoked([HERE])


def interrupt(_: Listener) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("interrupts", [1, 2, 3])
def test_a_record_that_waits_for_its_retry_when_the_pool_is_interrupted_is_not_committed(
    interrupts: int,
) -> None:
    client, tried = RevokingClient(), list[int]()

    def handle(offset: int) -> None:
        tried.append(offset)
        raise OSError("again")

    def when_tried(listener: Listener) -> None:
        until(lambda: tried)
        interrupt(listener)

    steps: list[Step] = [assign, records(0, 1, 2), when_tried, *[interrupt] * (interrupts - 1)]
    for step in steps:
        client.script.put(step)

    with pytest.raises(KeyboardInterrupt):
        pool_of(client, handle, retries=5, backoff_s=20.0, stop_deadline_s=0.2).run()

    assert tried == [0]
    assert client.commits == []
    assert client.is_closed


@pytest.mark.parametrize("action", ["worker_start", "worker_finish", "poll_thread_dispatch"])
def test_an_observer_that_raises_stops_the_pool_with_what_it_raised(action: str) -> None:
    client, handler = RevokingClient(), Handler()

    def observe(event: Event) -> None:
        if event.action == action and event.parameters["offset"] == 1:
            raise ArithmeticError("not as the specification allows")

    for step in (assign, records(0, 1, 2, 3)):
        client.script.put(step)

    with pytest.raises(ArithmeticError, match="not as the specification allows"):
        pool_of(client, handler, observe=observe, workers=1, stop_deadline_s=0.2).run()

    assert client.is_closed
    assert [commit[HERE] <= len(handler.done) for commit in client.commits] in ([], [True])


def test_a_failing_record_may_end_the_program_at_once() -> None:
    client = RevokingClient()

    def fail(*_: Any) -> None:
        raise ValueError("no")

    def leave(*_: Any) -> None:
        raise SystemExit(3)

    for step in (assign, records(0)):
        client.script.put(step)

    with pytest.raises(SystemExit, match="3"):
        pool_of(client, fail, on_failure=leave, workers=1, stop_deadline_s=0.2).run()
    assert client.commits == []


async def coroutine(_: Any) -> None:
    """Does nothing, later."""


class Later:
    """As a method that is one: nothing tells it before it is called."""

    async def __call__(self, _: Any) -> None:
        """Does nothing, later."""


def test_a_handler_that_is_a_coroutine_function_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="coroutine function"):
        pool_of(ScriptedClient(), coroutine)


def test_a_handler_that_returns_a_coroutine_has_not_processed_the_record() -> None:
    client = ScriptedClient()
    for step in (assign, records(0)):
        client.script.put(step)

    with pytest.raises(HandlerFailed, match="returned a coroutine, which nobody awaits"):
        pool_of(client, Later()).run()
    assert client.commits == []


def test_a_consumer_of_kafka_python_without_a_group_is_refused() -> None:
    pytest.importorskip("kafka")

    class Groupless:
        config: ClassVar[dict[str, object]] = {"enable_auto_commit": False, "group_id": None}

    with pytest.raises(ConfigRefused, match="no group_id"):
        KafkaPythonClient(Groupless())
