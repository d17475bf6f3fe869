"""The model `worker_pool` follows the worker pool's ledger, and refuses whatever is not so."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from impl_support.pool_machine import PARTITIONS, PoolBench, PoolMachine
from impl_support.pool_runs import (
    CLIENTS,
    History,
    broker_of_orders,
    config_of,
    produce,
    wait_until,
)
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.pool_map import PoolFollower
from kproof_impl.client import WorkerPoolConsumer
from kproof_impl.client.errors import LedgerMisused
from kproof_impl.client.ledger import Ledger
from kproof_impl.client.tenure import Order, Ticket, TopicPartition
from kproof_impl.events import Event, Observer

LOG = (0, 1, 2, 3, 6, 7, 8, 9, 10, 13, *range(15, 24))
KEYS = {Order.KEY: 2, Order.PARTITION: 1, Order.NONE: 0}


def recorded(
    seed: int, order: Order = Order.KEY, ledger_type: type[Ledger] = Ledger, steps_count: int = 300
) -> list[Event]:
    """What a ledger tells of a random walk with rebalances, up to its end or its own fault."""
    events: list[Event] = []

    def tell(action: str, parameters: dict[str, Any]) -> None:
        events.append(Event(len(events), 0, "worker_pool", "test", action, parameters, {}))

    class Bench(PoolBench):
        def check(self) -> None:
            """The model judges alone here."""

        check_end = check

    Bench.ledger_type = ledger_type
    bench = Bench(order=order, log=LOG, tell=tell)
    bench.walk(Random(seed), steps_count)
    return events


def follower(order: Order = Order.KEY) -> PoolFollower:
    return PoolFollower(keys=KEYS[order])


def judged(events: list[Event], order: Order = Order.KEY) -> int:
    """How many events the model has followed."""
    model = follower(order)
    for event in events:
        model.follow(event)
    return len(events)


def is_refused(events: list[Event]) -> bool:
    try:
        judged(events)
    except (Divergence, TypeError):
        return True
    return False


class FollowedMachine(PoolMachine):
    """Any steps of a pool, each taken by the model as well."""

    def begin(self, keys: int, max_in_flight: int, log: tuple[int, ...]) -> None:
        self.model = PoolFollower(keys=keys)

    def tell(self, action: str, parameters: dict[str, Any]) -> None:
        self.model.follow(Event(0, 0, "worker_pool", "test", action, parameters, {}))


TestFollowedPool = FollowedMachine.TestCase
TestFollowedPool.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)


@pytest.mark.parametrize("order", Order)
def test_a_ledger_is_followed_through_rebalances_refusals_and_gaps(order: Order) -> None:
    actions: set[str] = set()
    for seed in range(12):
        events = recorded(seed, order)
        assert judged(events, order) == len(events)
        actions |= {event.action for event in events}

    steps = {name for name in vars(PoolFollower) if name.startswith(("_poll_", "_worker_"))}
    told = {*(name[1:] for name in steps), "open", "consumer_assign", "commit_refused"}
    assert actions == told


# What a ledger may do wrong: the mutants of the specification's gallery, and slips of our own.


class CommitsHighestFinished(Ledger):
    """`poll_thread_commit_highest_finished`."""

    def poll_thread_commit(self) -> dict[TopicPartition, int]:
        offsets = {}
        for partition, tenure in self._tenures.items():
            done = [o for o in LOG if o < (tenure.position or 0) and o not in tenure.in_flight]
            end = max(done, default=-1) + 1
            if tenure.committed is not None and end > tenure.committed:
                tenure.committed = offsets[partition] = end
                self._say("poll_thread_commit", partition, offset=end)
        return offsets


class CommitsPosition(Ledger):
    """`poll_thread_commit_position`."""

    def poll_thread_commit(self) -> dict[TopicPartition, int]:
        offsets = {}
        for partition, tenure in self._tenures.items():
            if tenure.position is not None and tenure.position != tenure.committed:
                tenure.committed = offsets[partition] = tenure.position
                self._say("poll_thread_commit", partition, offset=tenure.position)
        return offsets


class CommitsAfterLoss(Ledger):
    """`poll_thread_notice_loss_and_commit`."""

    def poll_thread_notice_loss(self, partition: TopicPartition) -> None:
        end = self.end_of_finished_prefix(partition)
        super().poll_thread_notice_loss(partition)
        if end is not None:
            self._say("poll_thread_commit", partition, offset=end)


class TakesTurns(Ledger):
    """`may_dispatch_in_turn`: records go to whichever worker is idle."""

    def _lane_key(self, key: Hashable, offset: int) -> Hashable:
        return offset


class NeverPauses(Ledger):
    """`poll_thread_dispatch_without_pausing`."""

    @property
    def room(self) -> int:
        return 1


class AssignsUnpaused(Ledger):
    """`consumer_assign_unpaused`."""

    def consumer_assign(self, partition: TopicPartition) -> None:
        super().consumer_assign(partition)
        self._tenures[partition].is_paused = False


class ReportsNothing(Ledger):
    """`worker_finish_and_report_nothing`: what failed counts as if nobody had begun with it."""

    def worker_finish(self, ticket: Ticket) -> None:
        lane = self._leave(ticket)
        if not self.is_orphan(ticket):
            del ticket.tenure.in_flight[ticket.offset]
            self.in_flight_count -= 1
        self._settle(lane)


class GivesBackAtOnce(Ledger):
    """`poll_thread_finish_revocation_at_once`."""

    def poll_thread_abandon(self, partition: TopicPartition) -> int | None:
        end = self.end_of_finished_prefix(partition)
        self._give_up(self._tenure(partition))
        self._say("poll_thread_finish_revocation", partition, offset=end)
        return end


class GivesBackItsPosition(Ledger):
    """`poll_thread_finish_revocation_with_position`."""

    def poll_thread_abandon(self, partition: TopicPartition) -> int | None:
        position = self.position(partition)
        self._give_up(self._tenure(partition))
        self._say("poll_thread_abandon", partition, offset=position)
        return position


class CountsOrphans(Ledger):
    """A result of the tenure before is taken for one of this tenure."""

    def worker_finish(self, ticket: Ticket) -> None:
        now = self._tenures.get(ticket.tenure.partition)
        if now is not None and now is not ticket.tenure and ticket.offset in now.in_flight:
            del now.in_flight[ticket.offset]
            self.in_flight_count -= 1
        super().worker_finish(ticket)


class StartsTheLast(Ledger):
    """A lane gives its newest record first."""

    def worker_start(self) -> Ticket | None:
        for lane in self._ready:
            lane.waiting.reverse()
        return super().worker_start()


class ResumesTooSoon(Ledger):
    """Paused partitions are resumed though the window is full."""

    @property
    def may_resume(self) -> bool:
        return True


FAULTS: list[type[Ledger]] = [
    CommitsHighestFinished,
    CommitsPosition,
    CommitsAfterLoss,
    TakesTurns,
    NeverPauses,
    AssignsUnpaused,
    ReportsNothing,
    GivesBackAtOnce,
    GivesBackItsPosition,
    CountsOrphans,
    StartsTheLast,
    ResumesTooSoon,
]


THROUGH_COURT = [fault for fault in FAULTS if fault is not TakesTurns]
"""The court does not know which record has which key."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_ledger_is_refused(fault: type[Ledger]) -> None:
    assert_refused(fault, lambda: follower().follow)


@pytest.mark.parametrize("fault", THROUGH_COURT, ids=lambda fault: fault.__name__)
def test_a_wrong_ledger_is_refused_by_the_court(fault: type[Ledger]) -> None:
    assert_refused(fault, Court)


def assert_refused(fault: type[Ledger], new_judge: Callable[[], Observer]) -> None:
    for seed in range(30):
        events: list[Event] = []
        judge = new_judge()

        def tell(
            action: str,
            parameters: dict[str, Any],
            judge: Observer = judge,
            events: list[Event] = events,
        ) -> None:
            event = Event(len(events), 0, "worker_pool", "test", action, parameters, {})
            events.append(event)
            judge(event)

        bench = type("Bench", (PoolBench,), {"ledger_type": fault, "check": lambda self: None})(
            log=LOG, tell=tell
        )
        try:
            bench.walk(Random(seed), 300)
        except Divergence:
            return
        except (AssertionError, LedgerMisused, KeyError, ValueError):
            continue  # The fault broke the bench before the model had anything to say.
    pytest.fail("no walk was refused")


def lies(events: list[Event]) -> list[tuple[str, list[Event]]]:
    """The recording with one thing wrong, in every way at every place, and what is wrong."""
    wrong = []
    for i, event in enumerate(events):
        before, after = events[:i], events[i + 1 :]
        if event.action not in ("poll_thread_commit", "commit_refused", "worker_finish"):
            wrong.append((f"without {event.action} {i}", [*before, *after]))
        wrong.append((f"twice {event.action} {i}", [*before, event, event, *after]))
        for name in ("offset", "worker"):
            if isinstance(event.parameters.get(name), int):
                lie = replace(
                    event, parameters={**event.parameters, name: event.parameters[name] + 1}
                )
                wrong.append((f"{name} of {event.action} {i}", [*before, lie, *after]))
        if "partition" in event.parameters:
            (other,) = {str(p) for p in PARTITIONS} - {event.parameters["partition"]}
            lie = replace(event, parameters={**event.parameters, "partition": other})
            wrong.append((f"partition of {event.action} {i}", [*before, lie, *after]))
        for name in ("is_full", "is_paused"):
            if name in event.parameters:
                lie = replace(
                    event, parameters={**event.parameters, name: not event.parameters[name]}
                )
                wrong.append((f"{name} of {event.action} {i}", [*before, lie, *after]))
    return wrong


def test_altered_recordings_are_refused() -> None:
    tried, missed = 0, []
    for seed in (1, 2):
        all_lies = lies(recorded(seed, steps_count=60))
        for what, altered in Random(seed).sample(all_lies, 100):
            tried += 1
            if not is_refused(altered):
                missed.append(what)

    # Some lies are about what never matters again, such as the lane of a record that was dropped.
    assert len(missed) <= tried // 100, missed


@pytest.mark.interop
@pytest.mark.parametrize("client", CLIENTS)
def test_pools_on_a_broker_are_followed_through_a_rebalance(client: str) -> None:
    events: tuple[list[Event], list[Event]] = ([], [])
    history = History()

    def handle(message: Any) -> None:
        history.process(message, 0.002)

    with broker_of_orders() as broker:
        # Of each partition, keys 2: the records of a partition take them in turn.
        places = produce(broker.bootstrap_servers, 400, keys=8)
        config = config_of(client, broker.bootstrap_servers, "cooperative-sticky")
        settings: dict[str, Any] = {"workers": 2, "max_in_flight": 20, "commit_interval_s": 0.05}
        with WorkerPoolConsumer(config, ["orders"], handle, observe=events[0].append, **settings):
            history.wait_for(50)
            with WorkerPoolConsumer(
                config, ["orders"], handle, observe=events[1].append, **settings
            ):
                wait_until(lambda: "consumer_assign" in {event.action for event in events[1]})
                # The first may have done all there was before the second had a share.
                more = produce(broker.bootstrap_servers, 200, keys=8)
                history.wait_for(len(places) + len(more))

    court = Court()
    for recording in events:
        model = PoolFollower(keys=2)
        for event in recording:
            model.follow(event)
            court(event)
        assert "poll_thread_commit" in {event.action for event in recording}


def test_a_refusal_says_what_was_done_and_what_the_model_has() -> None:
    ledger = follower()
    steps: list[tuple[str, dict[str, Any]]] = [
        ("open", {"max_in_flight": 3}),
        ("consumer_assign", {"partition": "orders-0", "is_paused": False}),
        ("poll_thread_enter", {}),
        (
            "poll_thread_dispatch",
            {"partition": "orders-0", "offset": 4, "worker": 0, "is_full": False},
        ),
    ]
    for action, parameters in steps:
        ledger.follow(Event(0, 0, "worker_pool", "test", action, parameters, {}))
    early = Event(
        3,
        0,
        "worker_pool",
        "test",
        "poll_thread_commit",
        {"partition": "orders-0", "offset": 5},
        {},
    )

    with pytest.raises(Divergence) as refused:
        ledger.follow(early)

    assert "5 of orders-0 is committed, and its finished prefix ends at 4" in str(refused.value)
    assert "position = 5" in refused.value.state
