"""Liveness of models whose answer is known, and what is said where there is none."""

from typing import Any

import pytest

from kproof_checker.liveness import judge
from kproof_checker.verdicts import Stop, Verdict
from kproof_spec.lang import Model, require
from liveness.lively_models import (
    NO,
    STRONG,
    WEAK,
    Grid,
    Start,
    judged,
    labels,
    lasso,
    mutual_exclusion,
    philosophers,
    pool,
    ring,
    run,
)

ENGINES = ("numpy", "llvm", "auto")


# Fairness


def test_a_process_that_waits_gets_in_if_entering_is_strongly_fair() -> None:
    machine = mutual_exclusion(entering=STRONG).closed()

    assert judged(machine, "gets_in").verdict is Verdict.EXHAUSTED


def test_weak_fairness_lets_others_come_between_for_ever() -> None:
    machine = mutual_exclusion(entering=WEAK).closed()

    trace = lasso(machine, judged(machine, "gets_in"))

    starved = trace.claim.arguments["process"]
    _, circle = labels(trace)
    other = next(step.arguments["process"] for step in trace.steps[trace.claim.state :])
    assert other != starved
    assert {f"enter(process={other})", f"leave(process={other})"} <= set(circle)
    assert not any(step.arguments["process"] == starved for step in trace.steps[len(_) :])


def test_without_fairness_whoever_is_inside_may_stay_there() -> None:
    machine = mutual_exclusion(entering=STRONG, leaving=NO).closed()

    trace = lasso(machine, judged(machine, "gets_in"))

    assert labels(trace)[1] == []
    assert trace.claim.state == trace.length - 1


def test_a_pool_drains_if_its_workers_work() -> None:
    assert judged(pool().closed(), "all_are_done").verdict is Verdict.EXHAUSTED


def test_a_worker_that_need_not_work_is_found_out_by_a_run_that_stands_still() -> None:
    machine = pool(working=NO).closed()

    trace = lasso(machine, judged(machine, "all_are_done"))

    way, circle = labels(trace)
    assert circle == []
    assert sorted(way) == ["take(job=j0)", "take(job=j1)"]


def test_nothing_has_to_happen_without_fairness() -> None:
    model = ring(3, fairness=NO)

    @model.eventually
    def moves(s: Grid) -> bool:
        return s.n == 1

    machine = model.closed()

    assert lasso(machine, judged(machine, "moves")).length == 1


def test_philosophers_who_all_begin_at_the_left_may_starve() -> None:
    machine = philosophers(last_is_left_handed=False).closed()

    way, circle = labels(lasso(machine, judged(machine, "everyone_eats")))

    assert circle == []
    assert sorted(way)[-3:] == [f"take_first(seat=s{i})" for i in range(3)]


def test_one_left_handed_philosopher_feeds_them_all() -> None:
    machine = philosophers(last_is_left_handed=True).closed()

    assert judged(machine, "everyone_eats").verdict is Verdict.EXHAUSTED


@pytest.mark.parametrize(
    ("model", "mutant"),
    [
        (mutual_exclusion(entering=STRONG), "leave_without_the_key"),
        (pool(), "finish_and_forget"),
    ],
    ids=["lock", "pool"],
)
def test_a_mutant_that_breaks_liveness_is_found(model: Model[Any], mutant: str) -> None:
    machine = model.mutated(mutant).closed()
    breaks = model.mutants[mutant].breaks

    assert judged(model.closed(), breaks).verdict is Verdict.EXHAUSTED
    assert lasso(machine, judged(machine, breaks)).mutant == mutant


# What the two kinds ask


def test_a_goal_that_is_true_at_the_beginning_has_come_true() -> None:
    model = ring(3)

    @model.eventually
    def at_zero(s: Grid) -> bool:
        return s.n == 0

    assert judged(model.closed(), "at_zero").verdict is Verdict.EXHAUSTED


def test_leads_to_asks_again_each_time_and_eventually_only_once() -> None:
    model: Model[Grid] = Model("hill", Grid)

    @model.action(fairness=WEAK)
    def up(s: Grid) -> None:
        require(s.n < 4)
        s.n += 1

    @model.eventually
    def reaches_two(s: Grid) -> bool:
        return s.n == 2

    def is_odd(s: Grid) -> bool:
        return s.n in (1, 3)

    @model.leads_to(is_odd)
    def is_two_again(s: Grid) -> bool:
        return s.n == 2

    machine = model.closed()
    found = run(machine).properties

    assert found["reaches_two"].verdict is Verdict.EXHAUSTED
    assert lasso(machine, found["is_two_again"]).length == 5


def test_a_premise_and_a_goal_at_once_are_nothing_to_wait_for() -> None:
    model = ring(3)

    def at_two(s: Grid) -> bool:
        return s.n == 2

    @model.leads_to(at_two)
    def not_at_one(s: Grid) -> bool:
        return s.n != 1

    found = judged(model.closed(), "not_at_one")

    assert found.verdict is Verdict.EXHAUSTED
    assert not found.note


def test_a_premise_that_is_never_true_is_told() -> None:
    model = ring(3)

    def at_seven(s: Grid) -> bool:
        return s.n == 7

    @model.leads_to(at_seven)
    def at_eight(s: Grid) -> bool:
        return s.n == 8

    found = judged(model.closed(), "at_eight")

    assert found.verdict is Verdict.EXHAUSTED
    assert "at_seven is true in no state" in found.note


def test_every_choice_of_parameters_must_come_true() -> None:
    model: Model[Grid] = Model("some", Grid)

    @model.action(fairness=WEAK)
    def up(s: Grid) -> None:
        require(s.n < 1)
        s.n += 1

    @model.eventually
    def passes(s: Grid, mark: Start) -> bool:
        return s.n == mark

    machine = model.closed()

    assert lasso(machine, judged(machine, "passes")).claim.arguments == {"mark": 2}


def test_every_initial_state_must_lead_there() -> None:
    model: Model[Grid] = Model("starts", Grid)

    @model.init
    def begin(s: Grid, start: Start) -> None:
        require(start != 1)
        s.n = start

    @model.action(fairness=WEAK)
    def up(s: Grid) -> None:
        require(s.n < 5)
        s.n += 1

    @model.eventually
    def passes_one(s: Grid) -> bool:
        return s.n == 1

    @model.eventually
    def passes_three(s: Grid) -> bool:
        return s.n == 3

    machine = model.closed()
    found = run(machine).properties

    assert found["passes_three"].verdict is Verdict.EXHAUSTED
    assert machine.load(lasso(machine, found["passes_one"]).states[0]).n == 2


# Engines, symmetry, the size of the graph


@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_engine_and_symmetry_change_no_verdict_and_no_length(engine: str, symmetry: bool) -> None:
    machine = mutual_exclusion(entering=WEAK).closed(processes=3)

    found = run(machine, engine=engine, symmetry=symmetry)

    assert found.symmetry is symmetry
    assert found.properties["one_at_a_time"].verdict is Verdict.EXHAUSTED
    trace = lasso(machine, found.properties["gets_in"])
    assert (trace.claim.state, trace.length) == (1, 5)


def test_liveness_is_judged_although_the_rest_was_settled_early() -> None:
    model = ring(9)

    @model.invariant
    def below_one(s: Grid) -> bool:
        return s.n < 1

    @model.eventually
    def at_eight(s: Grid) -> bool:
        return s.n == 8

    found = run(model.closed(), engine="python")
    assert found.properties["at_eight"].verdict is Verdict.UNCHECKED
    found = run(model.closed(), engine="numpy")

    assert found.stop is Stop.SETTLED
    assert found.properties["at_eight"].verdict is Verdict.EXHAUSTED


def test_cpython_alone_judges_no_liveness_and_says_so() -> None:
    found = judged(pool().closed(), "all_are_done", engine="python")

    assert found.verdict is Verdict.UNCHECKED
    assert "use another engine" in found.note


@pytest.mark.parametrize("symmetry", [True, False])
def test_a_graph_that_is_too_large_is_not_judged(
    symmetry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "STATES_MAX", 7)
    machine = mutual_exclusion(entering=WEAK).closed()

    found = judged(machine, "gets_in", symmetry=symmetry)

    assert found.verdict is Verdict.UNKNOWN
    assert "more than 7" in found.note


def test_a_search_that_was_cut_short_judges_no_liveness() -> None:
    found = judged(pool().closed(), "all_are_done", max_states=2)

    assert found.verdict is Verdict.UNCHECKED
    assert Stop.STATES.value in found.note


def test_a_budget_holds_for_the_graph_without_symmetry_too() -> None:
    machine = mutual_exclusion(entering=WEAK).closed(processes=4)
    most = run(machine, properties=()).distinct + 1

    found = run(machine, max_states=most)

    assert found.stop is Stop.STATES
    assert found.properties["gets_in"].verdict is Verdict.UNKNOWN
    assert found.properties["one_at_a_time"].verdict is Verdict.EXHAUSTED


def test_ctrl_c_while_liveness_is_judged_keeps_what_was_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(judge, "state_graph", interrupted)

    found = run(mutual_exclusion(entering=STRONG).closed())

    assert found.stop is Stop.INTERRUPTED
    assert found.properties["one_at_a_time"].verdict is Verdict.EXHAUSTED
    assert found.properties["gets_in"].verdict is Verdict.UNKNOWN
    assert "interrupted" in found.properties["gets_in"].note
