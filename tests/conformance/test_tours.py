"""Tours cover every step of a small scope, and the broker's core is driven along each of them."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from kproof_checker.conformance.court import Court
from kproof_checker.conformance.driver_group import SESSION_MS, GroupDriver
from kproof_checker.conformance.group_situation import LEADER_REJOINS, WOULD_WAIT, Situation
from kproof_checker.conformance.tour_run import new_group_driver, take_tours
from kproof_checker.conformance.tours import OUT_OF_REACH, Anything, Tours, tours
from kproof_spec.group.eager import model as group
from kproof_spec.lang import Machine, Model, Struct, bound, integer, require

# -- a toy ---------------------------------------------------------------------------------------

size = bound("size", default=3, doc="The corner of the board that is farthest away.")


class Board(Struct):
    """A piece on a board, which goes right or down."""

    column: int = integer(0, size)
    row: int = integer(0, size)


toy = Model("toy_board", Board, constants=[size], title="A piece on a board")


@toy.action
def go_right(s: Board) -> None:
    require(s.column < size)
    s.column += 1


@toy.action
def go_down(s: Board) -> None:
    require(s.row < size)
    s.row += 1


class Wall(Anything):
    """Nobody goes down from the first column."""

    def refusal(self, s: Any, action: str, arguments: Mapping[str, Any]) -> str | None:
        return "a wall" if action == "go_down" and s.column == 0 else None


def _assert_runs(machine: Machine[Any], found: Tours) -> None:
    for tour in found.tours:
        assert tour[0].source in machine.initial_codes()
        for step, following in pairwise(tour):
            assert step.target == following.source
        for step in tour:
            assert (step.instance, step.target) in list(machine.successors(step.source))


def test_tours_cover_every_edge_of_a_board_and_are_runs() -> None:
    machine = toy.closed(size=3)
    found = tours(machine)
    _assert_runs(machine, found)
    assert (found.states, found.edges, found.toured) == (16, 24, 24)
    steps = {(step.source, step.target) for tour in found.tours for step in tour}
    assert len(steps) == 24
    assert found.refused == {}


def test_tours_go_where_the_situation_lets_them_and_count_the_rest() -> None:
    machine = toy.closed(size=3)
    found = tours(machine, Wall())
    _assert_runs(machine, found)
    # Nobody comes to what lies below in the first column: two steps down and three to the right.
    assert (found.states, found.edges) == (16, 24)
    assert found.refused == {
        ("go_down", "a wall"): 1,
        ("go_down", OUT_OF_REACH): 2,
        ("go_right", OUT_OF_REACH): 3,
    }
    assert found.toured == 24 - 6


# -- the group model -----------------------------------------------------------------------------


def _drive(machine: Machine[Any], found: Tours, observe: Any = None) -> int:
    """How many different steps the broker's core was driven through, compared after each."""
    coverage = take_tours(machine, found, new_group_driver("core", observe))
    assert not coverage.parted, coverage.way
    return len(coverage.driven)


def test_every_step_of_a_group_with_one_generation_is_driven_with_the_court_in_session() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=0)
    found = tours(machine, Situation())
    _assert_runs(machine, found)
    assert found.toured == found.edges == 776
    assert _drive(machine, found, observe=Court) == 776


@pytest.mark.heavy
def test_every_step_of_a_failover_that_one_node_can_take_is_driven() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=1, max_failovers=1)
    found = tours(machine, Situation())
    assert _drive(machine, found) == found.toured == 3425
    assert found.edges == 3663
    # All that is left: a leader that waits as the coordinator fails (see `failover`), and what it
    # does afterwards.
    refused = {key: number for key, number in found.refused.items() if key[1] != OUT_OF_REACH}
    assert refused == {
        ("member_receive_join", LEADER_REJOINS): 24,
        ("member_receive_join", WOULD_WAIT): 24,
    }
    assert sum(found.refused.values()) == found.edges - found.toured


@pytest.mark.slow
def test_every_step_of_two_generations_that_one_node_can_take_is_driven() -> None:
    machine = group.closed(members=2, partitions=1, max_generation=2, max_failovers=0)
    found = tours(machine, Situation())
    assert _drive(machine, found) == found.toured == 12776
    assert found.edges - found.toured == sum(found.refused.values()) < 400


# -- what the driver does in another way than consumers do -----------------------------------------

STABLE_ALONE = (
    ("member_join", {"member": "m0"}),
    ("coordinator_complete_join", {"leader": "m0"}),
    ("member_receive_join", {"member": "m0"}),
    ("leader_assign_partition", {"leader": "m0", "member": "m0", "p": "p0"}),
    ("leader_sync", {"leader": "m0"}),
    ("member_receive_assignment", {"member": "m0"}),
)


def _alone() -> tuple[Machine[Any], Any, GroupDriver]:
    """A group with one member, stable, in the model and in the broker."""
    machine = group.closed(members=1, partitions=1, max_generation=3, max_failovers=0)
    state, driver = machine.initial_state(), GroupDriver(observe=Court())
    for action, arguments in STABLE_ALONE:
        driver.drive(state, action, arguments)
        assert machine.step(state, action, **arguments)
    assert driver.differences(state) == []
    return machine, state, driver


def test_the_joingroup_of_a_leader_asks_for_a_rebalance_and_joins() -> None:
    machine, state, driver = _alone()
    driver.drive(state, "member_rejoin", {"member": "m0"})
    assert driver.differences(state) != []
    assert machine.step(state, "member_ask_for_rebalance", member="m0")
    assert machine.step(state, "member_rejoin", member="m0")
    assert driver.differences(state) == []


def test_the_end_of_the_last_session_expels_the_member_and_empties_the_group() -> None:
    machine, state, driver = _alone()
    driver.host.advance(SESSION_MS)
    assert driver.differences(state) != []
    assert machine.step(state, "coordinator_expel_member", member="m0")
    assert machine.step(state, "coordinator_complete_join_empty")
    assert driver.differences(state) == []
