"""Where a fair run can stay for ever, against a search of every set of states."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.liveness.fair import Demand, fair_parts
from kproof_checker.liveness.lasso import Lasso, is_fair, shortest_lasso
from kproof_checker.liveness.state_graph import Mask, StateGraph
from strategies.effort import effort


@dataclass(frozen=True)
class Case:
    """A graph, what is assumed of its actions, and where a run begins and must stay."""

    states: int
    edges: list[tuple[int, int, int]]
    """Source, action, target."""
    strong: dict[int, bool]
    blocked: list[tuple[int, int]]
    """An action that counts as possible in a state although no step of it is there."""
    initial: list[int]
    begins: set[int]
    stays: set[int]

    def graph(self) -> StateGraph:
        """As the judge has it."""
        edges = sorted(self.edges, key=lambda edge: edge[0])
        counts = np.bincount([edge[0] for edge in edges], minlength=self.states)
        return StateGraph(
            self.states,
            np.concatenate([[0], np.cumsum(counts)]),
            np.array([edge[1] for edge in edges], dtype=np.int64),
            np.array([edge[2] for edge in edges], dtype=np.int64),
        )

    def is_enabled(self, action: int, state: int) -> bool:
        """Whether a step of the action is possible."""
        here = (source == state and taken == action for source, taken, _ in self.edges)
        return any(here) or (action, state) in self.blocked

    def demands(self) -> list[Demand]:
        """As the judge has them."""
        return [
            Demand(a, s, np.array([self.is_enabled(a, state) for state in range(self.states)]))
            for a, s in self.strong.items()
        ]

    def mask(self, members: set[int]) -> Mask:
        """A set as a mask."""
        return np.array([state in members for state in range(self.states)])

    def is_fair_for_ever(self, states: set[int], taken: set[int]) -> bool:
        """Whether visiting these states and taking these actions again and again is fair."""
        for action, is_strong in self.strong.items():
            enabled = [self.is_enabled(action, state) for state in states]
            if action not in taken and (any(enabled) if is_strong else all(enabled)):
                return False
        return True

    def reach(self, begin: int, within: set[int]) -> set[int]:
        """What can be reached without leaving `within`."""
        found = {begin}
        while True:
            more = {t for s, _, t in self.edges if s in found and t in within} | found
            if more == found:
                return found
            found = more

    def fair_sets(self) -> Iterator[set[int]]:
        """Every set of states in `stays` of which a fair run visits all, and only these, for ever.

        The run may take every step within the set again and again: that is never less fair.
        """
        for size in range(1, len(self.stays) + 1):
            for members in map(set, itertools.combinations(sorted(self.stays), size)):
                if all(self.reach(state, members) == members for state in members):
                    taken = {a for s, a, t in self.edges if s in members and t in members}
                    if self.is_fair_for_ever(members, taken):
                        yield members

    def steps_in(self, goals: set[int]) -> int | None:
        """The fewest steps of a run that has begun, has stayed since, and is at a goal."""
        idle, begun = set(self.initial), set(self.initial) & self.begins
        for steps in range(2 * self.states + 1):
            if begun & goals:
                return steps
            begun |= {t for s, _, t in self.edges if s in begun and t in self.stays}
            idle |= {t for s, _, t in self.edges if s in idle}
            begun |= idle & self.begins
        return None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to six states and three actions, each of which leads somewhere else from some states."""
    states = draw(st.integers(1, 6))
    number = st.integers(0, states - 1)
    sets = st.sets(number)
    edges = {
        (source, action): target
        for source, action, target in draw(
            st.lists(st.tuples(number, st.integers(0, 3), number), max_size=14)
        )
        if source != target
    }
    stays = draw(st.one_of(st.just(set(range(states))), sets))
    return Case(
        states,
        [(source, action, target) for (source, action), target in edges.items()],
        draw(st.dictionaries(st.integers(0, 2), st.booleans(), max_size=3)),
        draw(st.lists(st.tuples(st.integers(0, 2), number), max_size=2)),
        draw(st.lists(number, min_size=1, max_size=2, unique=True)),
        draw(sets) & stays,
        stays,
    )


def lasso_of(case: Case) -> Lasso | None:
    """What the judge finds."""
    graph, demands = case.graph(), case.demands()
    stays = case.mask(case.stays)
    parts = list(fair_parts(graph, stays, demands))
    return shortest_lasso(graph, case.initial, case.mask(case.begins), stays, parts, demands)


@effort(250)
@given(cases())
def test_fair_parts_are_the_largest_sets_that_a_fair_run_can_stay_in(case: Case) -> None:
    sets = list(case.fair_sets())
    largest = [one for one in sets if not any(one < other for other in sets)]

    found = [set(part.states.tolist()) for part in fair_parts(
        case.graph(), case.mask(case.stays), case.demands()
    )]  # fmt: skip

    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))


@effort(250)
@given(cases())
def test_the_edges_of_a_part_are_those_within_it(case: Case) -> None:
    graph = case.graph()

    for part in fair_parts(graph, case.mask(case.stays), case.demands()):
        states = set(part.states.tolist())
        within = {e for s in states for e in graph.edges_from(s) if int(graph.targets[e]) in states}
        assert set(part.edges.tolist()) == within


@effort(300)
@given(cases())
def test_there_is_a_lasso_exactly_where_some_fair_run_begins_and_stays(case: Case) -> None:
    goals = set().union(*case.fair_sets())

    assert (lasso_of(case) is not None) is (case.steps_in(goals) is not None)


@effort(300)
@given(cases())
def test_a_lasso_is_a_fair_run_with_a_shortest_way_in(case: Case) -> None:
    graph, lasso = case.graph(), lasso_of(case)
    if lasso is None:
        return
    edges = [*lasso.stem, *lasso.circle]
    run = [lasso.start]
    for edge in edges:
        assert edge in graph.edges_from(run[-1])
        run.append(int(graph.targets[edge]))
    circle = run[len(lasso.stem) :]
    taken = {int(graph.instances[edge]) for edge in lasso.circle}
    least = case.steps_in(set().union(*case.fair_sets()))

    assert lasso.start in case.initial
    began = [i for i, state in enumerate(run) if state in case.begins]
    assert any(all(state in case.stays for state in run[i:]) for i in began)
    assert circle[0] == circle[-1]
    assert case.is_fair_for_ever(set(circle), taken)
    assert is_fair(graph, circle[0], lasso.circle, case.demands())
    assert least is not None
    if lasso.circle:
        assert len(lasso.stem) == least
    else:
        assert len(lasso.stem) >= least


def test_a_circle_takes_no_detour_that_fairness_does_not_ask_for() -> None:
    edges = [(0, 0, 1), (1, 0, 2), (2, 0, 0), (0, 3, 3), (3, 3, 0)]
    everywhere = {0, 1, 2, 3}

    free = lasso_of(Case(4, edges, {3: False}, [], [0], {0}, everywhere))
    asked = lasso_of(Case(4, edges, {0: True, 3: True}, [], [0], {0}, everywhere))

    # Action 3 is impossible in state 1, so weak fairness lets a run stand still there.
    assert free == Lasso(0, (0,), ())
    assert asked is not None
    assert len(asked.circle) == 5


def test_what_is_not_fair_as_a_whole_may_have_a_fair_part() -> None:
    # In state 2 action 1 is possible, and it leads out of the allowed states: strong fairness
    # forbids to pass there again and again, so the run has to stay in 0 and 1.
    edges = [(0, 0, 1), (1, 0, 0), (1, 2, 2), (2, 2, 1), (2, 1, 3)]
    case = Case(4, edges, {1: True}, [], [2], {2}, {0, 1, 2})

    parts = list(fair_parts(case.graph(), case.mask(case.stays), case.demands()))

    assert [part.states.tolist() for part in parts] == [[0, 1]]


def test_a_circle_that_does_not_close_is_not_fair() -> None:
    case = Case(2, [(0, 0, 1)], {}, [], [0], {0}, {0, 1})

    assert not is_fair(case.graph(), 0, [0], [])
    assert is_fair(case.graph(), 0, [], [])
