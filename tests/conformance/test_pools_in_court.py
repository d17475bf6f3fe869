"""Worker pools before the same court as brokers: live, recorded, side by side, and for long."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.pool_map import PoolFollower
from kproof_checker.conformance.recording import Recorder, read_recording
from kproof_checker.conformance.trial import Trial
from kproof_impl.client.ledger import Ledger
from kproof_impl.client.telling import events_of
from kproof_impl.client.tenure import Order, Ticket, TopicPartition
from kproof_impl.events import Event, Observer

ORDERS = TopicPartition("orders", 0)


def begun(observe: Observer, max_in_flight: int = 8, ledger_type: type[Ledger] = Ledger) -> Ledger:
    """A pool that has a partition, and is outside poll."""
    ledger = ledger_type(max_in_flight, Order.KEY, events_of("shippers", observe))
    ledger.poll_thread_enter()
    ledger.consumer_assign(ORDERS)
    ledger.poll_thread_return()
    return ledger


def work(ledger: Ledger, seed: int, records: int, first: int = 0) -> None:
    """Records come with gaps, threads finish in any order, and now and then it is committed."""
    random, running, offset = Random(seed), [], first
    while records:
        if ledger.may_dispatch(ORDERS) and random.random() < 0.6:
            ledger.poll_thread_enter()
            offset += random.choice((1, 1, 1, 2, 5))
            ledger.poll_thread_dispatch(ORDERS, offset, random.randrange(50), None)
            records -= 1
        ticket: Ticket | None = ledger.worker_start()
        if ticket is not None:
            running.append(ticket)
        if running and random.random() < 0.5:
            ledger.worker_finish(running.pop(random.randrange(len(running))))
        if random.random() < 0.1:
            ledger.commit_taken(ledger.poll_thread_commit())
        if not ledger.may_dispatch(ORDERS):
            ledger.poll_thread_resume()
    while running or (ticket := ledger.worker_start()) is not None:
        if running:
            ledger.worker_finish(running.pop())
        elif ticket is not None:
            running.append(ticket)
    ledger.commit_taken(ledger.poll_thread_commit())


def follow(events: list[Event]) -> None:
    court = Court()
    for event in events:
        court(event)


class CommitsPosition(Ledger):
    """It commits what it was given, and not what was processed."""

    def poll_thread_commit(self) -> dict[TopicPartition, int]:
        offsets = {}
        for partition, tenure in self._tenures.items():
            if tenure.position is not None and tenure.position != tenure.committed:
                tenure.committed = offsets[partition] = tenure.position
                self._say("poll_thread_commit", partition, offset=tenure.position)
        return offsets


def test_the_court_follows_a_pool_and_stops_one_that_commits_what_is_not_processed() -> None:
    trial = Trial()
    work(begun(trial), seed=1, records=200)
    assert trial.counts()["worker_pool"] == 1
    assert trial.steps_count > 800

    with pytest.raises(Divergence, match="is committed, and its finished prefix ends at") as caught:
        work(begun(Trial(), ledger_type=CommitsPosition), seed=1, records=200)
    assert caught.value.event.model == "worker_pool"


def test_a_recording_of_a_pool_is_validated_and_its_end_cannot_be_moved(tmp_path: Path) -> None:
    path = tmp_path / "pool.kproof"
    recorder = Recorder(path)
    work(begun(recorder), seed=2, records=60)
    recorder.close()

    trial = Trial()
    for event in read_recording(path):
        trial(event)
    assert trial.steps_count > 200

    events = list(read_recording(path))
    number, commit = next(
        (number, event)
        for number, event in enumerate(events)
        if event.action == "poll_thread_commit"
    )
    higher = {**commit.parameters, "offset": commit.parameters["offset"] + 1}
    events[number] = replace(commit, parameters=higher)
    with pytest.raises(Divergence, match="and its finished prefix ends at"):
        follow(events)


def test_two_pools_of_a_group_and_a_broker_are_told_apart() -> None:
    court = Court()
    broker = Stepper(observe=court)
    first, second = begun(court), begun(court)
    broker.topic("orders")
    work(first, seed=3, records=20)
    work(second, seed=4, records=20, first=1_000)

    assert court.followed_count >= 3


def test_a_pool_lives_on_when_the_broker_starts_again() -> None:
    court = Court()
    pool = begun(court)
    work(pool, seed=5, records=10)
    court(Event(0, 0, "groups", "", "loaded", {"groups": 0}, {}))
    court(Event(1, 0, "groups", "", "loaded", {"groups": 0}, {}))
    court(Event(0, 0, "groups", "", "loaded", {"groups": 0}, {}))  # Another life.
    work(pool, seed=6, records=10, first=500)

    assert court.followed_count == 1


@pytest.mark.parametrize("missing", ["open", "poll_thread_dispatch", "worker_finish"])
def test_a_step_of_a_pool_that_is_missing_is_missed(missing: str) -> None:
    events: list[Event] = []
    work(begun(events.append), seed=7, records=10)
    left_out = next(event for event in events if event.action == missing)

    with pytest.raises(Divergence, match="a step is missing"):
        follow([event for event in events if event is not left_out])


def test_a_pool_that_does_not_say_how_many_may_be_in_flight_is_not_followed() -> None:
    with pytest.raises(Divergence, match="begins with `open`"):
        Court()(Event(0, 0, "worker_pool", "x", "poll_thread_enter", {}, {}))


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How wide the model's log was at each step."""
    found: list[int] = []
    follow = PoolFollower.follow

    def noted(self: Any, event: Event) -> None:
        follow(self, event)
        found.append(self._window.width)

    monkeypatch.setattr(PoolFollower, "follow", noted)
    return found


def test_a_step_costs_by_what_is_in_flight_and_not_by_how_long_the_pool_has_run(
    widths: list[int],
) -> None:
    work(begun(Trial()), seed=8, records=2_000)

    assert len(widths) > 8_000
    assert max(widths) <= 256
    assert max(widths[-1_000:]) <= 256


def test_one_record_that_takes_long_is_waited_for_however_many_come_after_it(
    widths: list[int],
) -> None:
    trial = Trial()
    ledger = begun(trial)
    ledger.poll_thread_enter()
    ledger.poll_thread_dispatch(ORDERS, 0, "slow", None)
    slow = ledger.worker_start()
    assert slow is not None
    work(ledger, seed=9, records=100)
    assert max(widths) >= 100
    assert ledger.poll_thread_commit() == {}

    ledger.worker_finish(slow)
    ledger.commit_taken(ledger.poll_thread_commit())
    work(ledger, seed=10, records=300, first=1_000)
    assert widths[-1] < max(widths)


def test_a_gap_that_no_model_could_span_is_told_and_costs_nothing(widths: list[int]) -> None:
    ledger = begun(Trial())
    for offset in (0, 1):
        ledger.poll_thread_enter()
        ledger.poll_thread_dispatch(ORDERS, offset, "anna", None)
    ledger.poll_thread_enter()

    with pytest.raises(Divergence, match="over 65536 offsets at the most"):
        ledger.poll_thread_dispatch(ORDERS, 10**12, "anna", None)

    assert max(widths) < 100
