"""Whole checks of random machines, against a search of every set of states that CPython reaches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.traces.lasso import lasso_problem
from kproof_checker.verdicts import Verdict
from kproof_spec.lang import Fairness, Machine, Model, Struct, bound, integer, require
from liveness.lively_models import run
from strategies.effort import effort

STATES = 6
cap = bound("cap", default=9, doc="Where one action stops, for no reason of its own.")


class Place(Struct):
    """Where a run is."""

    at: int = integer(0, STATES - 1)


@dataclass(frozen=True)
class Plan:
    """Which action leads where, what is assumed of it, and what is asked."""

    moves: list[dict[int, int]]
    fairness: list[Fairness]
    initial: int
    premise: set[int]
    goal: set[int]

    def model(self) -> Model[Place]:
        """The plan in the specification language."""
        model = Model("random", Place, constants=[cap])

        @model.init
        def begin(s: Place) -> None:
            s.at = self.initial

        for number, (moves, fairness) in enumerate(zip(self.moves, self.fairness, strict=True)):
            move = moving(moves)
            move.__name__ = f"move_{number}"
            model.action(fairness=fairness)(move)

        @model.eventually
        def comes(s: Place) -> bool:
            return any(s.at == place for place in self.goal)

        def asked(s: Place) -> bool:
            return any(s.at == place for place in self.premise)

        @model.leads_to(asked)
        def follows(s: Place) -> bool:
            return any(s.at == place for place in self.goal)

        return model


def moving(moves: dict[int, int]) -> Callable[[Place], None]:
    """An action that leads from some places to others."""

    def move(s: Place) -> None:
        require(s.at < cap)
        for source, target in moves.items():
            if s.at == source:
                s.at = target
                return
        require(False)

    return move


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Up to three actions over six places."""
    place = st.integers(0, STATES - 1)
    count = draw(st.integers(1, 3))
    return Plan(
        [draw(st.dictionaries(place, place, max_size=5)) for _ in range(count)],
        [draw(st.sampled_from(Fairness)) for _ in range(count)],
        draw(place),
        draw(st.sets(place, max_size=3)),
        draw(st.sets(place, max_size=3)),
    )


class Oracle:
    """Judges by going through all sets of states, with steps that CPython takes."""

    def __init__(self, machine: Machine[Place]) -> None:
        self.machine = machine
        self.steps: set[tuple[int, str, int]] = set()
        (self.initial,) = (codes[0] for codes in machine.initial_codes())
        self.states = {self.initial}
        queue = [self.initial]
        for at in queue:
            for instance, (after,) in machine.successors((at,)):
                if after != at:
                    self.steps.add((at, instance.definition.name, after))
                if after not in self.states:
                    self.states.add(after)
                    queue.append(after)

    def reach(self, begin: set[int], within: set[int]) -> set[int]:
        """What can be reached without leaving `within`."""
        found = begin & within
        while True:
            more = found | {t for s, _, t in self.steps if s in found and t in within}
            if more == found:
                return found
            found = more

    def fair_sets(self, within: set[int]) -> Iterator[set[int]]:
        """The sets of states that a fair run can visit for ever."""
        for size in range(1, len(within) + 1):
            for members in map(set, itertools.combinations(sorted(within), size)):
                is_connected = all(self.reach({one}, members) == members for one in members)
                if is_connected and self.is_fair(members):
                    yield members

    def is_fair(self, members: set[int]) -> bool:
        """Whether going round in these states by every step within is fair."""
        taken = {a for s, a, t in self.steps if s in members and t in members}
        for name, action in self.machine.model.actions.items():
            possible = [any((s, a) == (one, name) for s, a, _ in self.steps) for one in members]
            is_weak = action.fairness is Fairness.WEAK and all(possible)
            is_strong = action.fairness is Fairness.STRONG and any(possible)
            if name not in taken and (is_weak or is_strong):
                return False
        return True

    def can_avoid(self, begin: set[int], goal: set[int]) -> bool:
        """Whether some fair run from one of these states never meets the goal."""
        avoiding = self.states - goal
        reached = self.reach(begin & self.states, avoiding)
        return any(members <= reached for members in self.fair_sets(avoiding))


@effort(60)
@given(plan=plans())
def test_a_check_finds_a_fair_run_that_avoids_the_goal_exactly_if_there_is_one(
    plan: Plan,
) -> None:
    machine = plan.model().closed()
    oracle = Oracle(machine)

    found = run(machine, engine="numpy").properties

    for name, begin in (("comes", {oracle.initial}), ("follows", plan.premise)):
        can = oracle.can_avoid(begin, plan.goal)
        assert found[name].verdict is (Verdict.VIOLATED if can else Verdict.EXHAUSTED)
        trace = found[name].trace
        if can:
            assert trace is not None
            assert lasso_problem(machine, trace) is None
    never_asked = not plan.premise & oracle.states
    assert ("premise" in found["follows"].note) is (
        never_asked and found["follows"].verdict is Verdict.EXHAUSTED
    )


@effort(50)
@given(plan=plans(), top=st.integers(0, STATES - 1))
def test_what_a_bounded_check_claims_is_true_without_the_bound(plan: Plan, top: int) -> None:
    small = run(plan.model().closed(cap=top), engine="numpy").properties
    oracle = Oracle(plan.model().closed())

    # `comes` is about one initial state; `follows` also about states beyond the bound.
    can = oracle.can_avoid({oracle.initial}, plan.goal)
    if small["comes"].verdict is Verdict.EXHAUSTED:
        assert not can
    if small["comes"].verdict is Verdict.VIOLATED:
        assert can
    if small["follows"].verdict is Verdict.VIOLATED:
        assert oracle.can_avoid(plan.premise, plan.goal)
