"""A broker that was killed between a step and its event is no liar; one that forgets is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from impl_support.group_members import Consumer, grouped, settle
from impl_support.stepping import Stepper
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.lockstep import Divergence
from kproof_impl.events import Event

Act = Callable[[Stepper, Consumer], object]


def all_leave(_: Stepper, leader: Consumer) -> None:
    leader.leave()


LAST = {
    "a record is produced": lambda broker, _: broker.produce("orders", b"b", b"c"),
    "an offset is committed": lambda _, leader: leader.commit(4),
    "a new group commits": lambda broker, _: Consumer(broker, "new").commit(1, generation_id=-1),
    "the leader deals": lambda broker, leader: settle(leader, Consumer(broker)),
    "the last member leaves": all_leave,
}
each_last = pytest.mark.parametrize("last", LAST)


def two_lives(last: Act) -> tuple[list[Event], int, list[Event]]:
    """What a broker tells in its first life, how much of it before the last act, and of a second
    life."""
    told: list[Event] = []
    broker = grouped(observe=told.append)
    leader = Consumer(broker)
    settle(leader)
    leader.commit(3)
    before = len(told)
    last(broker, leader)
    length = len(told)
    broker.crash()
    return told[:length], before, told[length:]


def is_allowed(*lives: Sequence[Event]) -> bool:
    court = Court()
    try:
        for life in lives:
            for event in life:
                court(event)
    except Divergence:
        return False
    return True


@each_last
def test_what_a_killed_broker_had_done_and_not_told_is_allowed(last: str) -> None:
    first, before, second = two_lives(LAST[last])
    batches = [at for at in range(before, len(first)) if first[at].action == "append"]
    assert batches

    assert is_allowed(first, second)
    for cut in range(batches[-1], len(first)):
        assert is_allowed(first[:cut], second), first[cut]


@pytest.mark.parametrize("last", ["a record is produced", "a new group commits"])
def test_two_steps_are_not_left_untold_in_two_places(last: str) -> None:
    first, before, second = two_lives(LAST[last])
    commit = next(at for at in range(before) if first[at].action == "commit")
    batch = max(at for at in range(commit) if first[at].action == "append")

    for cut in range(batch - 10, batch + 1):
        assert not is_allowed(first[:cut], second)


def test_a_group_that_is_not_as_it_told_is_refused_if_its_last_step_was_told() -> None:
    first, _, second = two_lives(LAST["an offset is committed"])
    load = next(event for event in second if event.action == "load")
    for offsets in ({}, {"orders-0": 3}, {"orders-0": 5}, {"orders-0": 4, "orders-1": 1}):
        load.parameters["offsets"] = offsets
        assert not is_allowed(first, second)


def test_courts_in_several_threads_do_not_disturb_each_other() -> None:
    first, _, second = two_lives(LAST["the leader deals"])
    allowed: list[bool] = []

    def sit() -> None:
        allowed.extend(is_allowed(first, second) for _ in range(20))

    threads = [threading.Thread(target=sit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert allowed == [True] * 80
