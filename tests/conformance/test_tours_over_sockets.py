"""The same tours over TCP: a server on a port, a gate that holds frames, a clock that is moved."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from impl_support.group_faults import FAULTS
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.driven_broker import START_MS, Parted
from kproof_checker.conformance.driver_group import SESSION_MS, GroupDriver
from kproof_checker.conformance.held_clock import HeldClock
from kproof_checker.conformance.socket_broker import SocketBroker
from kproof_checker.conformance.tour_run import (
    Coverage,
    new_group_driver,
    take_tours,
    tours_of_group,
)
from kproof_impl.core.config import BrokerConfig
from kproof_impl.events import Observer
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.list_groups import ListGroupsRequest
from kproof_spec.group.eager import model as group

HEARTBEAT = HeartbeatRequest("g", 0, "nobody", None)
UNKNOWN = ErrorCode.UNKNOWN_MEMBER_ID


@pytest.fixture
def broker() -> Iterator[SocketBroker]:
    made = SocketBroker(BrokerConfig(offsets_topic_num_partitions=1))
    yield made
    made.close()


# -- the whole scope -----------------------------------------------------------------------------


@pytest.mark.heavy
def test_every_step_of_the_smallest_scope_is_driven_over_sockets_with_the_court_in_session() -> (
    None
):
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=0)
    found = tours_of_group(machine)

    coverage = take_tours(machine, found, new_group_driver("sockets", Court))

    assert not coverage.parted, coverage.way
    assert len(coverage.driven) == found.edges == 776
    assert coverage.is_complete
    assert coverage.not_driven() == {}


@pytest.mark.heavy
def test_failovers_are_driven_over_sockets_one_tour_of_ten() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=1)
    found = tours_of_group(machine)

    coverage = take_tours(machine, found, new_group_driver(), every=10)

    assert not coverage.parted, coverage.way
    assert len(coverage.driven) > 600
    assert not coverage.is_complete


@pytest.mark.slow
def test_every_step_of_a_failover_that_one_node_can_take_is_driven_over_sockets() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=1)
    found = tours_of_group(machine)

    coverage = take_tours(machine, found, new_group_driver())

    assert not coverage.parted, coverage.way
    assert len(coverage.driven) == 3425


STATE_IS_WRONG = {
    "a generation keeps its number",
    "a generation is told and not stored",
    "an empty group is no generation of its own",
}
"""Faults that a member alone is enough for to see.  The others take what has to be refused, and a
tour has only what may happen."""


@pytest.mark.parametrize("name", sorted(STATE_IS_WRONG))
@pytest.mark.parametrize("way", ["core", "sockets"])
def test_a_broker_with_a_fault_is_parted_from(
    way: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = group.closed(members=1, partitions=1, max_generation=2, max_failovers=0)
    found = tours_of_group(machine)
    (fault,) = (one for one in FAULTS if one.name == name)
    fault.install(monkeypatch)

    coverage = take_tours(machine, found, new_group_driver(way))

    assert "was to be" in coverage.parted
    assert coverage.way
    assert not coverage.is_complete


@pytest.mark.parametrize("steps", [0, 5])
def test_what_the_court_forbids_ends_a_tour_over_sockets(steps: int) -> None:
    """As the broker starts, and later: whoever observes it is told of a step that never was."""
    machine = group.closed(members=1, partitions=1, max_generation=1, max_failovers=0)

    def new_observer() -> Observer:
        court = Court()
        return lambda event: court(
            event if court.events_count < steps else replace(event, sequence=99)
        )

    coverage = take_tours(
        machine, tours_of_group(machine), new_group_driver("sockets", new_observer)
    )

    assert coverage.parted.startswith(f"the court: expected step {steps}")


def test_a_run_ends_when_it_is_told_to() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=0)
    found = tours_of_group(machine)
    reports: list[int] = []

    def goes_on(coverage: Coverage) -> bool:
        reports.append(coverage.tours_taken)
        return len(reports) < 3

    coverage = take_tours(machine, found, new_group_driver(), goes_on)

    assert reports == [1, 2, 3]
    assert 0 < len(coverage.driven) < 776
    assert not coverage.is_complete


# -- the gate and the clock ------------------------------------------------------------------------


def test_a_request_stays_in_the_gate_until_it_is_delivered(broker: SocketBroker) -> None:
    first = broker.send(ListGroupsRequest(), by="anna")
    before = broker.broker.requests_count
    second = broker.ask(HEARTBEAT, by="bert")

    assert second.error_code == UNKNOWN
    assert broker.broker.requests_count == before + 1
    assert broker.answer(first) is None

    broker.deliver(first)
    assert broker.is_answered(first)
    assert broker.answer(first).groups == ()
    assert not broker.is_answered(first)


def test_who_is_answered_keeps_its_connection_and_who_is_not_opens_another(
    broker: SocketBroker,
) -> None:
    broker.ask(HEARTBEAT, by="anna")
    broker.ask(HEARTBEAT, by="anna")
    assert broker.connections_count == 1

    late = broker.send(ListGroupsRequest(), by="anna")
    broker.ask(HEARTBEAT, by="anna")  # Overtakes what stopped in the gate.
    assert broker.connections_count == 2

    broker.deliver(late)
    assert broker.answer(late).error_code == 0


def test_a_request_that_stopped_in_the_gate_outlives_the_broker(broker: SocketBroker) -> None:
    sent = broker.send(ListGroupsRequest(), by="anna")
    arrived = broker.post(HEARTBEAT, by="bert")

    broker.kill()

    assert broker.answer(arrived).error_code == UNKNOWN  # It had left the broker before.
    broker.deliver(sent)
    assert broker.answer(sent).error_code == 0
    assert broker.ask(HEARTBEAT, by="bert").error_code == UNKNOWN


def test_a_request_that_the_broker_does_not_take_is_no_silence(broker: SocketBroker) -> None:
    number = broker.send(ListGroupsRequest(), by="anna")
    (line,) = broker.gate.lines
    line.requests[0] = b"\0\0\0\x0a" + b"\x7f\x7f" + bytes(8)

    with pytest.raises(Parted, match="of key 32639, which is not served"):
        broker.deliver(number)


def test_a_session_ends_when_the_clock_is_moved_and_not_before() -> None:
    driver = GroupDriver(new_broker=SocketBroker)
    try:
        machine = group.closed(members=1, partitions=1, max_generation=3, max_failovers=0)
        state = machine.initial_state()
        for action, arguments in (
            ("member_join", {"member": "m0"}),
            ("coordinator_complete_join", {"leader": "m0"}),
            ("member_receive_join", {"member": "m0"}),
        ):
            driver.drive(state, action, arguments)
            assert machine.step(state, action, **arguments)
        driver.host.advance(SESSION_MS - 1)
        assert driver.projection()["members"] == {"m0"}
        driver.host.advance(1)
        assert driver.projection()["members"] == set()
    finally:
        driver.close()


def test_a_held_clock_wakes_in_order_at_the_time_that_was_asked_for() -> None:
    clock = HeldClock(START_MS)
    woken: list[tuple[str, int]] = []

    def note(name: str) -> Any:
        return lambda: woken.append((name, clock.now_ms()))

    clock.wake(START_MS + 20, note("second"))
    clock.wake(START_MS + 10, note("first"))
    clock.wake(START_MS + 15, note("cancelled")).cancel()
    clock.wake(START_MS + 31, note("later"))
    clock.advance(9)
    assert woken == []
    clock.advance(21)

    assert woken == [("first", START_MS + 10), ("second", START_MS + 20)]
    assert clock.now_ms() == START_MS + 30
    clock.forget()
    clock.advance(10)
    assert len(woken) == 2
