"""The threads of a worker pool around a client that does what a script says, when it says it."""

from typing import Any

import pytest

from impl_support.scripted_client import (
    HERE,
    Handler,
    ScriptedClient,
    assign,
    lose,
    pool_of,
    records,
    revoke,
    until,
)
from kproof_impl.client import ConfigRefused, HandlerFailed
from kproof_impl.client.clients import Listener
from kproof_impl.events import Event


def test_after_a_loss_nothing_is_committed_and_the_record_is_repeated_in_order() -> None:
    client, handler = ScriptedClient(), Handler(0)
    with pool_of(client, handler):
        for step in (assign, records(0, 1)):
            client.script.put(step)
        until(lambda: handler.begun == [0])
        client.script.put(lose)
        client.script.join()
        assert client.commits == []

        client.script.put(assign)
        client.script.put(records(0, 1))
        client.script.join()
        assert handler.begun == [0]
        handler.open()
        until(lambda: client.commits)

    assert handler.done == [0, 0, 1]
    assert client.commits[-1] == {HERE: 2}


def test_a_revocation_waits_for_what_is_in_flight_and_commits_it() -> None:
    client, handler = ScriptedClient(), Handler(0)
    actions: list[str] = []
    with pool_of(
        client,
        handler,
        commit_interval_s=60.0,
        observe=lambda event: actions.append(event.action),
    ):
        for step in (assign, records(0, 1, 2), revoke):
            client.script.put(step)
        until(lambda: "poll_thread_begin_revocation" in actions)
        assert client.commits == []
        handler.open()
        client.script.join()
        assert client.commits == [{HERE: 3}]

    assert "poll_thread_finish_revocation" in actions


def test_past_its_deadline_a_revocation_commits_the_prefix_and_lets_go() -> None:
    client, handler = ScriptedClient(), Handler(1)
    with pool_of(client, handler, revoke_deadline_s=0.05, commit_interval_s=60.0):
        for step in (assign, records(0, 1, 2, key=None), revoke):
            client.script.put(step)
        client.script.join()
        handler.open()

    assert client.commits == [{HERE: 1}]
    assert sorted(handler.done) == [0, 1, 2]


def test_a_revocation_whose_commit_is_refused_is_a_loss() -> None:
    client, handler = ScriptedClient(), Handler()
    events: list[Event] = []
    with pool_of(client, handler, commit_interval_s=60.0, observe=events.append):
        for step in (assign, records(0)):
            client.script.put(step)
        until(lambda: handler.done == [0])
        client.refusals_left = 1
        client.script.put(revoke)
        client.script.join()

    assert client.commits == []
    assert "poll_thread_notice_loss" in {event.action for event in events}
    assert "poll_thread_finish_revocation" not in {event.action for event in events}


def test_a_refused_commit_is_sent_again() -> None:
    client, handler = ScriptedClient(), Handler()
    client.refusals_left = 2
    with pool_of(client, handler):
        for step in (assign, records(0)):
            client.script.put(step)
        until(lambda: client.commits)

    assert client.refusals_left == 0
    assert client.commits == [{HERE: 1}]


def test_a_full_pool_pauses_the_client_and_resumes_it() -> None:
    client, handler = ScriptedClient(), Handler(0)
    with pool_of(client, handler, max_in_flight=2):
        client.script.put(assign)
        client.script.put(records(0, 1))
        until(lambda: client.paused == {HERE})
        client.script.put(records(2))
        client.script.join()
        assert handler.begun == [0]
        handler.open()
        until(lambda: handler.done == [0, 1, 2])

    assert client.commits[-1] == {HERE: 3}


def test_what_cannot_be_finished_in_time_is_not_committed() -> None:
    client, handler = ScriptedClient(), Handler(1)
    pool = pool_of(client, handler, stop_deadline_s=0.1, commit_interval_s=60.0)
    pool.start()
    for step in (assign, records(0, 1, 2)):
        client.script.put(step)
    until(lambda: handler.begun == [0, 1])
    pool.stop()
    pool.join()

    assert client.commits == [{HERE: 1}]
    assert client.is_closed
    handler.open()


def test_records_wait_for_a_retry_of_their_key_and_no_other() -> None:
    client, tried, done = ScriptedClient(), list[int](), list[int]()

    def handle(offset: int) -> None:
        tried.append(offset)
        if offset == 0 and tried.count(0) < 3:
            raise OSError("again")
        done.append(offset)

    with pool_of(client, handle, retries=2, backoff_s=0.02):
        for step in (assign, records(0, 1), records(2, key=b"other")):
            client.script.put(step)
        until(lambda: len(done) == 3)

    assert tried.count(0) == 3
    assert done == [2, 0, 1]
    assert client.commits[-1] == {HERE: 3}


def test_a_record_is_skipped_if_that_is_asked() -> None:
    client, done = ScriptedClient(), list[int]()

    def handle(offset: int) -> None:
        if offset == 0:
            raise ValueError("never")
        done.append(offset)

    with pool_of(client, handle, on_failure="skip"):
        for step in (assign, records(0, 1)):
            client.script.put(step)
        until(lambda: client.commits and client.commits[-1] == {HERE: 2})

    assert done == [1]


def test_a_record_that_cannot_even_be_set_aside_stops_the_pool() -> None:
    client = ScriptedClient()

    def fail(*_: Any) -> None:
        raise ValueError("no")

    pool = pool_of(client, fail, on_failure=fail)
    for step in (assign, records(0)):
        client.script.put(step)

    with pytest.raises(HandlerFailed, match="setting it aside raised ValueError") as failed:
        pool.run()
    assert failed.value.message == 0
    assert client.commits == []
    assert client.is_closed


def test_a_client_that_reads_from_lower_offsets_again_is_followed_back() -> None:
    client, handler = ScriptedClient(), Handler()
    with pool_of(client, handler):
        for step in (assign, records(5, 6)):
            client.script.put(step)
        until(lambda: handler.done == [5, 6])
        client.script.put(records(2))
        until(lambda: client.commits and client.commits[-1] == {HERE: 3})

    assert handler.done == [5, 6, 2]


def test_a_key_that_has_no_hash_ends_the_pool_with_advice() -> None:
    client = ScriptedClient()
    for step in (assign, records(0, key={})):
        client.script.put(step)

    with pytest.raises(ConfigRefused, match="is a dict, which is not hashable: give key_of"):
        pool_of(client, print).run()
    assert client.is_closed


def test_an_error_of_the_client_ends_the_pool_and_commits_what_is_done() -> None:
    client, handler = ScriptedClient(), Handler()

    def fail(_: Listener) -> None:
        until(lambda: handler.done == [0])
        raise ConnectionError("fenced")

    for step in (assign, records(0), fail):
        client.script.put(step)

    with pytest.raises(ConnectionError, match="fenced"):
        pool_of(client, handler, commit_interval_s=60.0).run()
    assert client.is_closed
    assert client.commits == [{HERE: 1}]
