"""Random walks find what can be found, the same way each time, and claim no proof."""

from typing import Any

import pytest

from kproof_checker.options import Progress
from kproof_checker.traces.trace import Trace
from kproof_checker.verdicts import Stop, Verdict
from kproof_checker.walk import walk
from kproof_spec.lang import Machine, Model, ScopeError, Struct, flag, integer, require
from strategies.tiny_scopes import tiny_machine, two_phase_commit


class Count(Struct):
    """A number."""

    n: int = integer(0, 6)
    f: bool = flag()


def counting() -> Model[Count]:
    """Counts to 4, or stops anywhere."""
    model = Model("counting", Count)

    @model.action
    def count_on(s: Count) -> None:
        require(not s.f and s.n < 4)
        s.n += 1

    @model.action
    def stop(s: Count) -> None:
        require(not s.f)
        s.f = True

    @model.invariant
    def below_three(s: Count) -> bool:
        return s.n < 3

    @model.invariant
    def below_five(s: Count) -> bool:
        return s.n < 5

    @model.sometimes
    def at_five(s: Count) -> bool:
        return s.n == 5

    @model.sometimes
    def at_two(s: Count) -> bool:
        return s.n == 2

    return model


def replay(machine: Machine[Any], trace: Trace) -> None:
    """Takes the steps of a trace again in CPython."""
    assert trace.states[0] in machine.initial_codes()
    state = machine.load(trace.states[0])
    for step, codes in zip(trace.steps, trace.states[1:], strict=True):
        assert machine.step(state, step.action, **step.arguments)
        assert machine.codes(state) == codes


def test_walks_find_what_is_near_and_claim_no_proof_of_the_rest() -> None:
    machine = counting().closed()

    found = walk(machine, walks=200, depth=20, seed=1)

    verdicts = {name: result.verdict for name, result in found.properties.items()}
    assert verdicts == {
        "below_three": Verdict.VIOLATED,
        "below_five": Verdict.WALKED,
        "at_five": Verdict.UNKNOWN,
        "at_two": Verdict.REACHED,
    }
    for name in ("below_three", "at_two"):
        trace = found.properties[name].trace
        assert trace is not None
        replay(machine, trace)
        assert trace.claim.name == name


def test_the_same_seed_takes_the_same_walks() -> None:
    machine = tiny_machine("replication-kip_320")

    one, same, other = (walk(machine, walks=30, depth=15, seed=seed) for seed in (5, 5, 6))

    assert one.actions == same.actions
    assert one.properties == same.properties
    assert one.actions != other.actions


def test_walks_end_where_nothing_is_possible() -> None:
    found = walk(counting().closed(), walks=10, depth=1_000, seed=1)

    assert found.stop is Stop.SETTLED
    assert found.depth == 6
    assert found.generated <= 10 * 6
    assert found.actions["stop"] <= found.generated


def test_a_walk_of_depth_zero_looks_at_the_initial_state() -> None:
    found = walk(counting().closed(), walks=3, depth=0, seed=1)

    assert found.generated == 3
    assert found.depth == 1
    assert found.properties["below_three"].verdict is Verdict.WALKED


def test_a_walk_takes_no_more_steps_than_it_may() -> None:
    found = walk(two_phase_commit(3), walks=50, depth=4, seed=1)

    assert found.depth == 5
    assert found.generated <= 50 * 5


def test_a_specification_error_ends_the_walks_with_the_way_to_it() -> None:
    model = counting()

    @model.action
    def overflow(s: Count) -> None:
        require(s.n == 2)
        s.n += 9

    machine = model.closed()
    found = walk(machine, walks=200, depth=20, seed=1)

    assert found.stop is Stop.SPEC_ERROR
    assert found.fault is not None
    assert found.fault.trace is not None
    replay(machine, found.fault.trace)
    assert machine.load(found.fault.trace.states[-1]).n == 2
    assert found.fault.step == "overflow()"


def test_an_interrupted_walk_says_so() -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    found = walk(counting().closed(), walks=200, depth=20, seed=1, report=interrupt)

    assert found.stop is Stop.INTERRUPTED
    assert found.properties["below_five"].verdict is Verdict.WALKED


def test_a_budget_of_time_ends_the_walks() -> None:
    found = walk(counting().closed(), walks=10**9, depth=20, seed=1, max_seconds=0.05)

    assert found.stop is Stop.TIME


def test_only_named_properties_are_looked_at() -> None:
    found = walk(counting().closed(), walks=5, depth=5, seed=1, properties=("below_five",))

    assert list(found.properties) == ["below_five"]
    with pytest.raises(ValueError, match="no property below_six"):
        walk(counting().closed(), walks=5, depth=5, seed=1, properties=("below_six",))


def test_a_model_without_an_initial_state_cannot_be_walked() -> None:
    model = counting()

    @model.init
    def nowhere(s: Count) -> None:
        require(s.f)

    with pytest.raises(ScopeError, match="no initial state"):
        walk(model.closed(), walks=5, depth=5, seed=1)
