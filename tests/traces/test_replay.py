"""Replay believes nothing: every step is taken again, and the claim must be true where it says."""

import random
from dataclasses import replace
from typing import Any

from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import Claim, ClaimKind, Trace, TraceStep
from kproof_spec.lang import Machine, SpecError
from traces.trace_tools import (
    EVERY_FIELD,
    TWO_PHASE_COMMIT,
    as_trace,
    machine_of,
    random_run,
    run_to_property,
    shortest_run,
)

COMMIT = machine_of(TWO_PHASE_COMMIT)
EVERY = machine_of(EVERY_FIELD)
BROKEN = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked")
COUNTEREXAMPLE = run_to_property(BROKEN, TWO_PHASE_COMMIT, "outcomes_agree")
WITNESS = run_to_property(COMMIT, TWO_PHASE_COMMIT, "everyone_commits")
LAST = COUNTEREXAMPLE.length - 1


def claiming(trace: Trace, **changes: Any) -> Trace:
    """The trace with something else claimed."""
    return replace(trace, claim=replace(trace.claim, **changes))


def failing_run(machine: Machine[Any], path: str) -> Trace:
    """The shortest run to a state in which an action is a specification error."""

    def wanted(codes: tuple[int, ...]) -> Claim | None:
        state = machine.load(codes)
        for instance in machine.instances:
            try:
                if machine.attempt(state, instance.definition, instance.arguments):
                    machine.store_of(state).rollback()
            except SpecError:
                return Claim(ClaimKind.FAILS, instance.definition.name, instance.arguments)
        return None

    return shortest_run(machine, path, wanted)


# What is so


def test_a_counterexample_breaks_its_property_at_its_end() -> None:
    result = replay(BROKEN, COUNTEREXAMPLE)

    assert (result.ok, result.failed_at) == (True, None)
    assert result.message == "breaks outcomes_agree at state 10 of 10 (a=rm0, b=rm1)"


def test_a_witness_is_reached() -> None:
    result = replay(COMMIT, WITNESS)

    assert result.ok
    assert result.message == f"reaches everyone_commits at state {WITNESS.length} of 11"


def test_a_run_claims_nothing_else() -> None:
    result = replay(EVERY, random_run(EVERY, EVERY_FIELD, random.Random(0), 9))

    assert (result.ok, result.message) == (True, "is a run of 9 states")


def test_a_deadlock_is_a_state_in_which_nothing_is_possible() -> None:
    def stuck(codes: tuple[int, ...]) -> Claim | None:
        is_stuck = next(BROKEN.successors(codes), None) is None
        return Claim(ClaimKind.DEADLOCKS) if is_stuck else None

    trace = shortest_run(BROKEN, TWO_PHASE_COMMIT, stuck)

    assert replay(BROKEN, trace).message == "nothing is possible at state 5 of 5"
    earlier = replay(BROKEN, claiming(trace, state=2))
    assert (earlier.ok, earlier.failed_at) == (False, 2)
    assert "is no deadlock" in earlier.message


def test_an_action_that_fails_is_confirmed_to_fail() -> None:
    trace = failing_run(EVERY, EVERY_FIELD)

    result = replay(EVERY, trace)

    assert result.ok
    assert "pay(clerk=c0) fails at state" in result.message
    assert "every_field.py:" in result.message
    earlier = replay(EVERY, claiming(trace, state=0))
    assert (earlier.ok, earlier.failed_at) == (False, 0)
    assert "does not fail at state 1" in earlier.message


def test_a_property_that_fails_is_confirmed_to_fail() -> None:
    run = run_to_property(EVERY, EVERY_FIELD, "a_page_is_open")
    states, steps = [*run.states], [*run.steps]
    state = EVERY.load(states[-1])
    opening = next(
        i for i in EVERY.instances if i.label == "open_page(page=2, ink=RED, is_first=True)"
    )
    while True:
        try:
            EVERY.holds(state, EVERY.model.properties["numbers_stay_small"].definition, {})
        except SpecError:
            break
        assert EVERY.attempt(state, opening.definition, opening.arguments)
        EVERY.store_of(state).commit()
        states.append(EVERY.codes(state))
        steps.append(TraceStep(opening.definition.name, opening.arguments))
    claim = Claim(ClaimKind.FAILS, "numbers_stay_small")

    result = replay(EVERY, as_trace(EVERY, EVERY_FIELD, states, steps, claim))

    assert result.ok
    assert "index 3 is outside a sequence" in result.message
    fine = as_trace(EVERY, EVERY_FIELD, states[:1], [], claim)
    assert replay(EVERY, fine).message.endswith("it is True there")


def test_ids_of_another_load_of_the_same_file_are_understood() -> None:
    again = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked")

    assert replay(again, COUNTEREXAMPLE).ok


# What is not so


def assert_refused(machine: Machine[Any], trace: Trace, at: int, *said: str) -> None:
    result = replay(machine, trace)
    assert (result.ok, result.failed_at) == (False, at)
    for words in said:
        assert words in result.message


def test_a_property_that_breaks_earlier_is_not_broken_at_its_end() -> None:
    state = BROKEN.load(COUNTEREXAMPLE.states[-1])
    after = COUNTEREXAMPLE.steps[-2]
    definition = BROKEN.model.actions["receive_commit"]
    assert BROKEN.attempt(state, definition, after.arguments)
    longer = replace(
        COUNTEREXAMPLE,
        states=(*COUNTEREXAMPLE.states, BROKEN.codes(state)),
        steps=(*COUNTEREXAMPLE.steps, after),
    )

    assert replay(BROKEN, claiming(longer, state=LAST)).ok
    assert_refused(BROKEN, claiming(longer, state=LAST + 1), LAST, "already, not at state 11")


def test_a_property_that_holds_is_not_broken() -> None:
    assert_refused(
        BROKEN, claiming(COUNTEREXAMPLE, state=LAST - 1), LAST - 1, "does not break", "True there"
    )
    ids = COUNTEREXAMPLE.claim.arguments
    swapped = {"a": ids["b"], "b": ids["a"]}
    assert_refused(BROKEN, claiming(COUNTEREXAMPLE, arguments=swapped), LAST, "a=rm1, b=rm0")


def test_a_witness_that_is_not_there_is_not_reached() -> None:
    assert_refused(COMMIT, claiming(WITNESS, state=3), 3, "does not reach", "False there")


def test_a_trace_of_the_mutant_is_no_trace_of_the_correct_model() -> None:
    assert_refused(
        COMMIT,
        COUNTEREXAMPLE,
        LAST,
        "receive_abort(rm=rm1) is not possible",
        "s.abort_sent is False",
    )


def test_a_state_that_no_step_leads_to_is_named_by_what_differs() -> None:
    states = list(COUNTEREXAMPLE.states)
    leaf = next(i for i, one in enumerate(BROKEN.leaves) if one.label == "vote[rm2]")
    states[3] = (*states[3][:leaf], 3, *states[3][leaf + 1 :])

    assert_refused(
        BROKEN,
        replace(COUNTEREXAMPLE, states=tuple(states)),
        3,
        "prepare(rm=rm1) does not lead to state 4 of 10",
        "vote[rm2] is ABORTED in the trace, expected WORKING",
    )


def test_a_trace_must_begin_at_the_beginning() -> None:
    late = replace(COUNTEREXAMPLE, states=COUNTEREXAMPLE.states[1:], steps=COUNTEREXAMPLE.steps[1:])

    assert_refused(BROKEN, late, 0, "not an initial state", "vote[rm0] is PREPARED", "state 1")


def test_a_malformed_trace_is_said_to_be_so() -> None:
    trace = COUNTEREXAMPLE
    cases: list[tuple[Trace, str]] = [
        (replace(trace, states=()), "one step fewer"),
        (replace(trace, steps=trace.steps[:-1]), "one step fewer"),
        (replace(trace, states=(trace.states[0][:-1], *trace.states[1:])), "numbers, expected"),
        (replace(trace, states=((9, *trace.states[0][1:]), *trace.states[1:])), "the code 9"),
        (claiming(trace, state=10), "the claim is about state 10"),
        (replace(trace, steps=(TraceStep("fly", {}), *trace.steps[1:])), "no action fly"),
        (replace(trace, steps=(TraceStep("prepare", {}), *trace.steps[1:])), "given none"),
        (replace(trace, steps=(TraceStep("prepare", {"rm": 3}), *trace.steps[1:])), "is 3"),
        (claiming(trace, name="everyone_commits"), "no invariant property"),
        (claiming(trace, kind=ClaimKind.FAILS, name="nothing"), "neither an action nor"),
    ]

    for broken, said in cases:
        result = replay(BROKEN, broken)
        assert not result.ok
        assert said in result.message


def test_every_step_replaced_by_another_is_found_out() -> None:
    """Either another action is refused, or it leads elsewhere: no wrong step goes unseen."""
    for index, step in enumerate(COUNTEREXAMPLE.steps):
        right = COUNTEREXAMPLE.states[index + 1]
        for instance in BROKEN.instances:
            state = BROKEN.load(COUNTEREXAMPLE.states[index])
            is_possible = BROKEN.attempt(state, instance.definition, instance.arguments)
            wrong = TraceStep(instance.definition.name, instance.arguments)
            steps = [*COUNTEREXAMPLE.steps]
            steps[index] = wrong

            result = replay(BROKEN, replace(COUNTEREXAMPLE, steps=tuple(steps)))

            same = is_possible and BROKEN.codes(state) == right
            assert result.ok is same, (step.label, wrong.label)
