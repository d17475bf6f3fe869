"""A check says what it saw, how far it went, and how to get there."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions, Progress
from kproof_checker.traces.trace import ClaimKind, Trace
from kproof_checker.verdicts import CheckResult, Stop, Verdict
from kproof_spec.lang import (
    Bounded,
    Id,
    Machine,
    Model,
    ScopeError,
    Struct,
    Table,
    bound,
    flag,
    integer,
    require,
    table,
)
from strategies.tiny_scopes import tiny_machine, two_phase_commit

ENGINES = ("numpy", "python")
each_engine = pytest.mark.parametrize("engine", ENGINES)

top = bound("top", default=9, doc="How far to count.")


class Walker(Id, size=2, symmetric=True, prefix="w"):
    """Who counts."""


class Start(Bounded, low=1, high=3):
    """Where to begin."""


class Counters(Struct):
    """A number for each."""

    at: Table[Walker, int] = table(Walker, integer(0, top))
    is_over: bool = flag()


def counting() -> Model[Counters]:
    """A model that goes wrong at several places."""
    model = Model("counting", Counters, constants=[top])

    @model.init
    def begin(s: Counters, start: Start) -> None:
        require(start != 2)
        for walker in s.at:
            s.at[walker] = start

    @model.action
    def count_on(s: Counters, walker: Walker) -> None:
        require(not s.is_over and s.at[walker] < top)
        s.at[walker] += 1

    @model.action
    def end(s: Counters, walker: Walker) -> None:
        require(s.at[walker] == 6)
        s.is_over = True

    @model.action
    def never(s: Counters) -> None:
        require(s.is_over and not s.is_over)
        s.is_over = True

    @model.invariant
    def below_five(s: Counters, walker: Walker) -> bool:
        return s.at[walker] < 5

    @model.invariant
    def below_ten(s: Counters, walker: Walker) -> bool:
        return s.at[walker] < 10

    @model.sometimes
    def both_at_four(s: Counters) -> bool:
        return all(s.at[walker] == 4 for walker in s.at)

    @model.sometimes
    def at_zero(s: Counters, walker: Walker) -> bool:
        return s.at[walker] == 0

    return model


def run(machine: Machine[Any], **options: Any) -> CheckResult:
    """A check without the sample, which only takes time here."""
    return check(machine, CheckOptions(**{"sample_seconds": 0, **options}))


def replayed(machine: Machine[Any], trace: Trace) -> tuple[int, ...]:
    """The last state of a trace, every step of which CPython has taken again."""
    assert trace.states[0] in machine.initial_codes()
    state = machine.load(trace.states[0])
    for step, codes in zip(trace.steps, trace.states[1:], strict=True):
        assert machine.step(state, step.action, **step.arguments)
        assert machine.codes(state) == codes
    return machine.codes(state)


def distances(machine: Machine[Any]) -> dict[tuple[int, ...], int]:
    """How many states there are on the shortest way to each state."""
    found = dict.fromkeys(machine.initial_codes(), 1)
    queue = list(found)
    for codes in queue:
        for _, after in machine.successors(codes):
            if after not in found:
                found[after] = found[codes] + 1
                queue.append(after)
    return found


@each_engine
@pytest.mark.parametrize("symmetry", [True, False])
def test_every_property_gets_its_verdict_and_a_shortest_trace(engine: str, symmetry: bool) -> None:
    machine = counting().closed()
    found = run(machine, engine=engine, symmetry=symmetry)
    far = distances(machine)

    assert found.stop is Stop.EXHAUSTED
    assert {name: result.verdict for name, result in found.properties.items()} == {
        "below_five": Verdict.VIOLATED,
        "below_ten": Verdict.EXHAUSTED,
        "both_at_four": Verdict.REACHED,
        "at_zero": Verdict.UNREACHABLE,
    }
    for name in ("below_five", "both_at_four"):
        trace, claim = found.properties[name].trace, machine.model.properties[name]
        assert trace is not None
        replayed(machine, trace)
        settled = [c for c in far if machine.breaking(machine.load(c), claim) is not None]
        assert trace.length == min(far[codes] for codes in settled)
        last = machine.load(trace.states[-1])
        assert machine.holds(last, claim.definition, trace.claim.arguments) is (
            trace.claim.kind is ClaimKind.REACHES
        )


@each_engine
def test_each_choice_of_parameters_of_init_is_an_initial_state(engine: str) -> None:
    machine = counting().closed(top=3)

    found = run(machine, engine=engine, symmetry=False)

    assert machine.initial_codes() == [(1, 1, 0), (3, 3, 0)]
    assert found.distinct == 9
    assert found.depth == max(distances(machine).values())


@each_engine
@pytest.mark.parametrize("symmetry", [True, False])
def test_a_deadlock_comes_with_a_trace_to_a_state_in_which_nothing_is_possible(
    engine: str, symmetry: bool
) -> None:
    machine = counting().closed(top=4)

    found = run(machine, engine=engine, symmetry=symmetry)

    assert found.deadlocks == 1
    assert found.deadlock is not None
    assert list(machine.successors(replayed(machine, found.deadlock))) == []
    assert found.deadlock.length == distances(machine)[(4, 4, 0)]
    assert found.deadlock.claim.kind is ClaimKind.DEADLOCKS


@each_engine
def test_an_action_that_never_happens_is_a_warning(engine: str) -> None:
    found = run(counting().closed(), engine=engine)

    assert found.actions["never"] == 0
    assert found.warnings == ("action never is never possible in this scope",)


@each_engine
def test_only_the_properties_that_are_named_are_checked(engine: str) -> None:
    found = run(counting().closed(), engine=engine, properties=("below_five",))

    assert list(found.properties) == ["below_five"]
    assert found.stop is Stop.SETTLED
    assert not found.is_complete
    assert found.is_settled


def test_without_properties_everything_is_visited() -> None:
    machine = counting().closed()

    found = run(machine, properties=(), symmetry=False)

    assert found.properties == {}
    assert found.distinct == len(distances(machine))


def test_unknown_names_are_refused_with_those_that_there_are() -> None:
    machine = counting().closed()

    with pytest.raises(ValueError, match=r"no property below_six: it has below_five, below_ten"):
        run(machine, properties=("below_six",))
    with pytest.raises(ValueError, match=r"no engine is called abacus: there are auto"):
        run(machine, engine="abacus")


@each_engine
def test_a_model_whose_init_refuses_every_choice_is_an_impossible_scope(engine: str) -> None:
    model = counting()

    @model.init
    def nowhere(s: Counters) -> None:
        require(s.is_over)

    with pytest.raises(ScopeError, match="no initial state"):
        run(model.closed(), engine=engine)


# Specification errors


def failing(where: str) -> Model[Counters]:
    """A model that is in error once somebody is at 4: in an action, or in a property."""
    model = Model("failing", Counters, constants=[top])

    @model.action
    def count_on(s: Counters, walker: Walker) -> None:
        if where == "action" and s.at[walker] == 4:
            raise KeyError("four")
        s.at[walker] += 1

    @model.invariant
    def at_most_nine(s: Counters, walker: Walker) -> bool:
        if where == "property" and s.at[walker] == 4:
            raise KeyError("four")
        return s.at[walker] < 10

    return model


@each_engine
@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize("where", ["action", "property"])
def test_an_exception_is_a_specification_error_with_a_trace_to_where_it_happens(
    engine: str, symmetry: bool, where: str
) -> None:
    machine = failing(where).closed()

    found = run(machine, engine=engine, symmetry=symmetry)

    assert found.stop is Stop.SPEC_ERROR
    assert not found.is_good
    fault = found.fault
    assert fault is not None
    assert fault.trace is not None
    assert "KeyError" in fault.message
    assert fault.where.startswith(__file__)
    assert 4 in replayed(machine, fault.trace)
    assert fault.trace.length == 5
    assert fault.trace.claim.kind is ClaimKind.FAILS
    (value,) = fault.trace.claim.arguments.values()
    assert fault.step == f"{fault.trace.claim.name}(walker={value})"
    assert machine.load(fault.trace.states[-1]).at[value] == 4


@each_engine
def test_leaving_a_range_is_a_specification_error(engine: str) -> None:
    found = run(failing("nowhere").closed(top=2), engine=engine)

    assert found.fault is not None
    assert "0..2" in found.fault.message
    assert found.properties["at_most_nine"].verdict is Verdict.BOUNDED


# Budgets


@each_engine
@pytest.mark.parametrize(
    ("options", "stop"),
    [
        ({"max_states": 5}, Stop.STATES),
        ({"max_seconds": 0}, Stop.TIME),
        ({"max_memory_bytes": 1}, Stop.MEMORY),
    ],
)
def test_a_budget_that_is_used_up_claims_no_more_than_was_seen(
    engine: str, options: dict[str, Any], stop: Stop
) -> None:
    found = run(tiny_machine("replication-kip_320"), engine=engine, **options)

    assert found.stop is stop
    assert not found.is_complete
    assert not found.is_settled
    verdicts = {result.verdict for result in found.properties.values()}
    assert verdicts <= {Verdict.BOUNDED, Verdict.UNKNOWN}
    assert all(stop.value in result.note for result in found.properties.values())
    assert not any("never possible" in warning for warning in found.warnings)


@each_engine
def test_what_was_found_before_a_budget_ran_out_still_counts(engine: str) -> None:
    found = run(
        counting().closed(top=30), engine=engine, symmetry=False, max_states=150, properties=None
    )

    assert found.stop is Stop.STATES
    assert found.properties["below_five"].verdict is Verdict.VIOLATED
    assert found.properties["below_ten"].verdict in (Verdict.BOUNDED, Verdict.VIOLATED)
    assert found.properties["at_zero"].verdict is Verdict.UNKNOWN


def interrupting(after: int) -> Callable[[Progress], None]:
    """A reporter at which the user presses Ctrl-C."""
    calls: list[Progress] = []

    def report(progress: Progress) -> None:
        calls.append(progress)
        if len(calls) >= after:
            raise KeyboardInterrupt

    return report


@each_engine
def test_an_interrupted_check_gives_an_honest_answer(engine: str) -> None:
    options = CheckOptions(engine=engine, sample_seconds=0, symmetry=False)

    found = check(two_phase_commit(3), options, interrupting(after=3))

    assert found.stop is Stop.INTERRUPTED
    assert 0 < found.distinct < 288
    assert found.properties["outcomes_agree"].verdict is Verdict.BOUNDED
    assert found.properties["everyone_commits"].verdict is Verdict.UNKNOWN


@each_engine
def test_progress_only_goes_forward(engine: str) -> None:
    seen: list[Progress] = []

    found = check(two_phase_commit(3), CheckOptions(engine=engine, symmetry=False), seen.append)

    numbers = [(p.distinct, p.generated, p.depth, p.seconds) for p in seen]
    assert all(
        a <= b for one, two in itertools.pairwise(numbers)
        for a, b in zip(one, two, strict=True)
    )  # fmt: skip
    assert seen[-1].frontier == 0
    assert seen[-1].distinct == found.distinct
    assert seen[-1].generated == found.generated


def test_every_mutant_of_two_phase_commit_is_found() -> None:
    model = two_phase_commit(1).model

    for name, mutant in model.mutants.items():
        found = run(model.mutated(name).closed(**mutant.scope))
        result = found.properties[mutant.breaks]
        assert result.verdict is Verdict.VIOLATED
        assert result.trace is not None
        assert result.trace.mutant == name


def test_the_specification_line_of_an_error_is_in_the_model_and_not_in_the_checker() -> None:
    found = run(failing("nowhere").closed(top=1))

    assert found.fault is not None
    path, line = found.fault.where.rsplit(":", 1)
    assert "+= 1" in Path(path).read_text().split("\n")[int(line) - 1]
