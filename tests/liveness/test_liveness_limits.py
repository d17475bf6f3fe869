"""What keeps liveness from an answer: bounds that end runs, and specifications in error."""

from collections.abc import Callable

import pytest

from kproof_checker.traces.replay import replay
from kproof_checker.verdicts import Stop, Verdict
from kproof_spec.lang import Fairness, Model, require
from liveness.lively_models import (
    NO,
    WEAK,
    Count,
    Grid,
    JobId,
    Pool,
    judged,
    labels,
    lasso,
    limit,
    pool,
    ring,
    run,
)

# Bounds


def counting(room: Callable[[Count], bool]) -> Model[Count]:
    """Counts, and notes the numbers, as long as there is room."""
    model: Model[Count] = Model("counting", Count, constants=[limit])

    @model.action(fairness=WEAK)
    def count_on(s: Count) -> None:
        require(room(s) and s.n < 9)
        s.n += 1
        s.seen.append(s.n)

    @model.eventually
    def at_two(s: Count) -> bool:
        return s.n == 2

    @model.eventually
    def at_eight(s: Count) -> bool:
        return s.n == 8

    return model


@pytest.mark.parametrize(
    "room",
    [
        lambda s: s.n < limit,
        lambda s: s.n + 1 <= limit,
        lambda s: s.n != limit,
        lambda s: s.seen.has_room,
        lambda s: s.seen.end < limit,
    ],
    ids=["below", "sum", "unequal", "has_room", "end"],
)
def test_where_a_bound_ends_the_run_nothing_is_claimed(room: Callable[[Count], bool]) -> None:
    found = run(counting(room).closed()).properties

    for name in ("at_two", "at_eight"):
        assert found[name].verdict is Verdict.UNKNOWN
        assert "count_on in 1 state" in found[name].note


def test_a_number_of_the_protocol_is_no_bound() -> None:
    machine = counting(lambda s: s.n < 3).closed()

    found = run(machine).properties

    assert found["at_two"].verdict is Verdict.EXHAUSTED
    assert lasso(machine, found["at_eight"]).length == 4


def test_a_bound_that_is_never_met_is_in_nobodys_way() -> None:
    machine = counting(lambda s: s.n < 2 and s.seen.has_room).closed(limit=3)

    assert judged(machine, "at_two").verdict is Verdict.EXHAUSTED


def test_a_violation_that_leans_on_no_bound_is_found_beside_one() -> None:
    model = counting(lambda s: s.seen.has_room)

    @model.action
    def jump(s: Count) -> None:
        require(s.n == 0)
        s.n = 9

    machine = model.closed()

    trace = lasso(machine, judged(machine, "at_two"))

    assert labels(trace) == (["jump()"], [])


@pytest.mark.parametrize(("fairness", "verdict"), [(NO, "exhausted"), (WEAK, "unknown")])
def test_only_bounds_on_fair_actions_matter(fairness: Fairness, verdict: str) -> None:
    model: Model[Count] = Model("two", Count, constants=[limit])

    @model.action(fairness=WEAK)
    def count_on(s: Count) -> None:
        require(s.n < 2)
        s.n += 1

    @model.action(fairness=fairness)
    def note(s: Count) -> None:
        require(s.seen.has_room)
        s.seen.append(1)

    @model.eventually
    def at_two(s: Count) -> bool:
        return s.n == 2

    assert judged(model.closed(), "at_two").verdict.value == verdict


def test_a_bound_on_the_size_of_a_set_is_noticed() -> None:
    model = pool()

    @model.action(fairness=WEAK)
    def take(s: Pool, job: JobId) -> None:
        require(job not in s.running and job not in s.done)
        require(s.done.size < limit)
        s.running.add(job)

    model.constants.append(limit)  # type: ignore[arg-type]  # `bound` is typed as an int

    assert judged(model.closed(jobs=2, limit=2), "all_are_done").verdict is Verdict.EXHAUSTED
    found = judged(model.closed(jobs=2, limit=1), "all_are_done")
    assert found.verdict is Verdict.UNKNOWN
    assert "take in" in found.note


# Specifications in error


def failing(*, in_premise: bool) -> Model[Grid]:
    """A model whose property divides by zero once the count is 2."""
    model = ring(4)

    def broken(s: Grid) -> bool:
        return 6 // (2 - s.n) > 0

    def harmless(s: Grid) -> bool:
        return s.n == 1

    if in_premise:
        broken, harmless = harmless, broken

    @model.leads_to(harmless)
    def goal(s: Grid) -> bool:
        return broken(s)

    return model


@pytest.mark.parametrize("in_premise", [False, True])
def test_a_property_that_fails_is_a_specification_error(in_premise: bool) -> None:
    machine = failing(in_premise=in_premise).closed()

    found = run(machine)

    assert found.stop is Stop.SPEC_ERROR
    assert found.fault is not None
    assert found.fault.trace is not None
    assert found.fault.trace.length == 3
    assert found.fault.where.startswith(__file__)
    assert replay(machine, found.fault.trace).ok
    assert found.properties["goal"].verdict is Verdict.UNKNOWN
