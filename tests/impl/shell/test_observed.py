"""A broker that somebody observes: each step is told, and an observer that raises stops it."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from impl_support.raw_client import Gone, RawClient, api_versions, made_topic, produced
from impl_support.stepping import Stepper
from kproof_impl import Broker
from kproof_impl.core.effects import Send
from kproof_impl.core.partition import Partition
from kproof_impl.events import Event


class Refusal(Exception):
    """What the observers of these tests raise."""


class RefusesThird:
    """An observer that raises at the third append."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.seen.append(event)
        if self.appends_count == 3:
            raise Refusal("the third append")

    @property
    def appends_count(self) -> int:
        return sum(event.action == "append" for event in self.seen)


def test_an_observer_is_told_each_step_before_its_answer() -> None:
    events: list[Event] = []
    with Broker(in_memory=True, observe=events.append) as broker:
        topic = made_topic(broker.port, "orders")
        with RawClient(broker.port) as client:
            for number in range(3):
                assert produced(client, topic, b"a") == number
                assert events[-1].parameters["base_offset"] == number

    assert [event.sequence for event in events] == list(range(len(events)))


def produced_until_gone(port: int) -> int:
    """How many batches were acknowledged until the broker ended the connection."""
    topic = made_topic(port, "orders")
    with RawClient(port) as client, RawClient(port) as other:
        for number in range(10):
            try:
                produced(client, topic, b"a")
            except Gone:
                assert other.is_closed_within(10)
                return number
    return 10


def test_what_an_observer_raises_is_raised_at_the_end_of_with_and_nobody_is_served() -> None:
    observer = RefusesThird()

    def work() -> None:
        with Broker(in_memory=True, observe=observer) as broker:
            assert produced_until_gone(broker.port) == 2
            with pytest.raises(ConnectionRefusedError):
                RawClient(broker.port)

    with pytest.raises(Refusal, match="the third append"):
        work()
    assert observer.appends_count == 3


def test_it_is_raised_at_the_end_of_async_with_too() -> None:
    async def work() -> None:
        async with Broker(in_memory=True, observe=RefusesThird()) as broker:
            assert await asyncio.to_thread(produced_until_gone, broker.port) == 2

    with pytest.raises(Refusal):
        asyncio.run(work())


def test_the_blocks_own_error_does_not_hide_what_the_observer_raised() -> None:
    def work() -> None:
        with Broker(in_memory=True, observe=RefusesThird()) as broker:
            topic = made_topic(broker.port, "orders")
            with RawClient(broker.port) as client:
                for _ in range(3):
                    produced(client, topic, b"a")

    with pytest.raises(Refusal):
        work()


def test_an_observer_that_raises_at_the_start_stops_the_start_and_leaves_the_port_free() -> None:
    def refuse(event: Event) -> NoReturn:
        raise Refusal(event.action)

    broker = Broker(in_memory=True, topics=["orders"], observe=refuse)
    with pytest.raises(Refusal, match="open"), broker:
        pass
    with Broker(port=broker.port, in_memory=True) as other, RawClient(other.port) as client:
        assert client.ask(api_versions(1))


def test_the_logs_are_then_as_after_a_kill_and_the_refused_step_is_in_them(tmp_path: Path) -> None:
    with pytest.raises(Refusal), Broker(data_dir=tmp_path, observe=RefusesThird()) as broker:
        produced_until_gone(broker.port)

    with Broker(data_dir=tmp_path) as broker, RawClient(broker.port) as client:
        assert produced(client, "orders", b"d") == 3


def test_the_core_gives_no_effect_of_a_refused_step_and_takes_no_input_after_it() -> None:
    observer = RefusesThird()
    broker = Stepper(observe=observer)
    broker.config.raises = False
    broker.topic("orders")
    for _ in range(2):
        broker.produce("orders", b"a")
    count = len(broker.effects)

    for _ in range(2):
        with pytest.raises(Refusal):
            broker.produce("orders", b"a")
    assert not any(isinstance(effect, Send) for effect in broker.effects[count:])
    assert observer.appends_count == 3
    assert isinstance(broker.broker.failure, Refusal)


def test_other_faults_of_the_core_are_reported_and_stop_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("a slip")

    broker = Stepper(observe=RefusesThird())
    broker.config.raises = False
    broker.topic("orders")
    monkeypatch.setattr(Partition, "append", fail)
    with pytest.raises(AttributeError):  # The helper finds no answer in None.
        broker.produce("orders", b"a")

    assert "a slip" in broker.reports[0]
    assert broker.broker.failure is None
