"""Clients that stop in the midst of something, and what a broker allows them, made short here."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from impl_support.good_client import well_served
from impl_support.raw_client import (
    METADATA,
    Gone,
    RawClient,
    api_versions,
    fetch,
    made_topic,
    produce,
    produced,
    request,
)
from impl_support.serving import serving
from kproof_impl import Broker
from kproof_impl.shell.limits import Limits
from kproof_impl.shell.notices import Notice


@contextmanager
def limited(limits: Limits) -> Iterator[tuple[int, list[Notice]]]:
    """The port of a broker with such limits, and what it tells."""
    told: list[Notice] = []
    with Broker(in_memory=True, limits=limits, tell=told.append) as broker:
        yield broker.port, told
    assert [notice for notice in told if notice.kind == "fault"] == []


def large_topic(port: int) -> str:
    """A topic with 3.6 MB in it."""
    topic = made_topic(port, "large")
    with RawClient(port) as client:
        for _ in range(4):
            produced(client, topic, bytes(900_000))
    return topic


def test_a_request_that_was_begun_and_does_not_go_on_is_closed() -> None:
    with limited(Limits(frame_stalled_ms=200, sweep_ms=20)) as (port, told):
        with RawClient(port) as stalled, RawClient(port) as silent:
            stalled.send(api_versions(1)[:-1])
            assert stalled.is_closed_within(2.0)

            assert silent.ask(api_versions(1))  # It had begun nothing.
        assert "no more of it came" in told[0].text


def test_a_request_that_comes_slowly_but_does_come_is_answered() -> None:
    with limited(Limits(frame_stalled_ms=300, sweep_ms=20)) as (port, told):
        with RawClient(port) as slow:
            for byte in api_versions(1):
                slow.send(bytes([byte]))
                time.sleep(0.03)
            assert slow.receive()[0] == 1
        assert told == []


def test_an_idle_connection_is_closed_and_one_in_use_is_not() -> None:
    with limited(Limits(connections_max_idle_ms=300, sweep_ms=20)) as (port, told):
        with RawClient(port) as idle, RawClient(port) as busy:
            idle.ask(api_versions(1))
            for number in range(30):
                busy.ask(api_versions(number))
                time.sleep(0.02)
            assert idle.is_closed_within(1.0)
            assert busy.ask(api_versions(99))
        assert [notice.text for notice in told] == ["idle for 300 ms"]


def test_a_client_that_does_not_take_its_answers_is_closed() -> None:
    with limited(Limits(write_stalled_ms=300, sweep_ms=20)) as (port, told):
        topic = large_topic(port)
        with RawClient(port) as deaf:
            deaf.send(b"".join(fetch(number, topic, 0) for number in range(10)))
            deadline = time.monotonic() + 5
            while not told:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert "were not taken for 300 ms" in told[0].text


def test_a_client_that_takes_its_answers_slowly_gets_them_all() -> None:
    with limited(Limits(write_stalled_ms=500, sweep_ms=20)) as (port, told):
        topic = large_topic(port)
        with RawClient(port) as slow:
            slow.send(b"".join(fetch(number, topic, 0) for number in range(5)))
            size = int.from_bytes(slow.socket.recv(4), "big")
            wanted, got = 5 * (size + 4) - 4, 0
            while got < wanted:
                got += len(slow.socket.recv(100_000))
                time.sleep(0.005)
        assert got == wanted
        assert told == []


def test_where_all_together_take_too_little_the_slowest_is_closed() -> None:
    limits = Limits(unsent_bytes_max=8 << 20, sweep_ms=20)
    with limited(limits) as (port, told):
        topic = large_topic(port)
        deaf = [RawClient(port) for _ in range(8)]
        for client in deaf:
            # More than the system keeps between the two.
            client.send(b"".join(fetch(number, topic, 0) for number in range(8)))
            time.sleep(0.05)
        with RawClient(port) as good:
            assert good.ask(api_versions(1))
        for client in deaf:
            client.socket.close()

    assert told != []
    assert all("this one is the slowest" in notice.text for notice in told)


def test_where_many_take_nothing_at_once_as_many_are_closed_as_have_to_be() -> None:
    with limited(Limits(unsent_bytes_max=8 << 20)) as (port, told):
        topic = large_topic(port)
        deaf = [RawClient(port) for _ in range(12)]
        for client in deaf:
            client.send(b"".join(fetch(number, topic, 0) for number in range(8)))
        with RawClient(port) as good:
            deadline = time.monotonic() + 10
            while len(told) < 8:
                assert good.ask(api_versions(1))
                assert time.monotonic() < deadline
        for client in deaf:
            client.socket.close()


def test_many_that_ask_for_much_and_take_nothing_do_not_hold_up_one_that_asks_for_little() -> None:
    with serving("--in-memory") as broker:
        topic = made_topic(broker.port, "large")
        with RawClient(broker.port) as client:
            for _ in range(60):
                produced(client, topic, bytes(900_000))
        before = broker.rss_bytes
        with ExitStack() as deaf, well_served(broker.port):
            for _ in range(40):
                client = deaf.enter_context(RawClient(broker.port))
                client.send(b"".join(fetch(number, topic, 0) for number in range(20)))
            time.sleep(1.0)
        assert broker.rss_bytes_max - before < 400 << 20


def test_where_all_have_begun_too_large_requests_the_one_that_stands_still_is_closed() -> None:
    megabyte = 1 << 20
    with limited(Limits(unfinished_bytes_max=8_900_000)) as (port, told):
        begun = [RawClient(port) for _ in range(3)]
        for client in begun:
            client.send((50 * megabyte).to_bytes(4, "big") + bytes(3 * megabyte))
            time.sleep(0.05)
        assert begun[0].is_closed_within(1.0)
        begun[0].socket.close()

        # What it had is free again: the others go on, and so do large requests that come whole.
        with RawClient(port) as good:
            topic = made_topic(port, "large")
            for _ in range(20):
                good.send(produce(1, topic, bytes(2 * megabyte)))
            assert [good.receive()[0] for _ in range(20)] == [1] * 20
        for client in begun[1:]:
            client.send(bytes(1000))
            client.socket.close()
    assert [notice.kind for notice in told] == ["closed"]
    assert "not whole" in told[0].text


def test_one_client_with_much_to_do_lets_others_have_their_turn() -> None:
    with limited(Limits()) as (port, _), RawClient(port) as busy, RawClient(port) as other:
        topics = [made_topic(port, f"topic-{number}") for number in range(300)]
        assert topics
        everything = request(METADATA, 1, 1, (-1).to_bytes(4, "big", signed=True))
        count = 200
        began = time.monotonic()
        sender = threading.Thread(target=busy.send, args=(everything * count,))
        sender.start()
        reader = threading.Thread(target=lambda: [busy.receive() for _ in range(count)])
        reader.start()
        time.sleep(0.05)
        other.ask(api_versions(1))
        waited = time.monotonic() - began
        sender.join()
        reader.join()
        assert waited < (time.monotonic() - began) / 2


def test_more_connections_than_are_allowed_are_closed_and_may_come_when_others_go() -> None:
    with limited(Limits(max_connections=3)) as (port, told):
        three = [RawClient(port) for _ in range(3)]
        for client in three:
            client.ask(api_versions(1))
        with RawClient(port) as fourth:
            assert fourth.is_closed_within(1.0)
        assert "3 connections are the limit" in told[0].text

        three[0].socket.close()
        deadline = time.monotonic() + 5
        while not _answers(port):
            assert time.monotonic() < deadline
        for client in three:
            client.socket.close()


def _answers(port: int) -> bool:
    try:
        with RawClient(port) as client:
            return bool(client.ask(api_versions(1)))
    except Gone:
        return False


def test_a_client_that_asks_faster_than_it_is_answered_is_held_up_not_refused() -> None:
    with limited(Limits()) as (port, told):
        topic = made_topic(port, "waiting")
        count = 3_000
        with RawClient(port) as client:
            asked = b"".join(api_versions(number) for number in range(1, count))
            sender = threading.Thread(target=client.send, args=(fetch(0, topic, 0, 300) + asked,))
            sender.start()
            assert [client.receive()[0] for _ in range(count)] == list(range(count))
            sender.join()
        assert told == []


@pytest.mark.parametrize("kind", ["shutdown", "reset"])
def test_a_client_that_goes_while_its_request_waits_is_forgotten(kind: str) -> None:
    with Broker(in_memory=True) as broker:
        topic = made_topic(broker.port, "waiting")
        client = RawClient(broker.port)
        client.send(fetch(1, topic, 0, max_wait_ms=600_000))
        if kind == "reset":
            client.socket.setsockopt(1, 13, (1).to_bytes(4, "little") + bytes(4))  # SO_LINGER 0
        else:
            client.socket.shutdown(1)
        client.socket.close()

        deadline = time.monotonic() + 5
        while broker.server.broker.connections_count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
