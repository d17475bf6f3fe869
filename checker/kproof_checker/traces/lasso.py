"""Lassos: runs that go round for ever, and what makes one a violation of liveness.

A lasso is a trace whose claim is `NEVER`.  Its claimed state is where the circle begins: from there
on the steps lead back to that same state.  If it is the last state, the run stands still there.
"""

from __future__ import annotations

from typing import Any

from kproof_spec.lang import Fairness, Instance, Machine, Property, SpecError

from .trace import Trace


def lasso_problem(machine: Machine[Any], trace: Trace) -> str | None:
    """Why the trace is no violation of the property it names, in CPython; None if it is one.

    Checked: each step leads where it says, the circle closes and is fair, the premise was true at
    some state, and the goal at none from there on.
    """
    claim = machine.model.properties.get(trace.claim.name)
    if claim is None:
        return f"the model has no property {trace.claim.name}"
    loop = trace.claim.state
    if not 0 <= loop < len(trace.states):
        return f"the circle begins at state {loop}, which the trace does not have"
    if trace.states[0] not in machine.initial_codes():
        return "it does not begin in an initial state"
    if trace.states[-1] != trace.states[loop]:
        return "the circle does not come back to the state where it begins"
    return (
        _step_problem(machine, trace)
        or _goal_problem(machine, trace, claim)
        or _fairness_problem(machine, trace)
    )


def _step_problem(machine: Machine[Any], trace: Trace) -> str | None:
    for i, step in enumerate(trace.steps):
        state = machine.load(trace.states[i])
        definition = machine.model.actions.get(step.action)
        try:
            happened = definition is not None and machine.attempt(state, definition, step.arguments)
        except SpecError as error:
            return f"step {i + 1}, {step.label}, is a specification error: {error}"
        if not happened:
            return f"step {i + 1}, {step.label}, is not possible"
        if machine.codes(state) != trace.states[i + 1]:
            return f"step {i + 1}, {step.label}, leads to another state"
    return None


def _goal_problem(machine: Machine[Any], trace: Trace, claim: Property) -> str | None:
    arguments = trace.claim.arguments
    premise = claim.premise
    begun = 0 if premise is None else None
    for i, codes in enumerate(trace.states):
        state = machine.load(codes)
        goal = machine.holds(state, claim.definition, arguments)
        if begun is not None and goal:
            begun = None
        if begun is not None or premise is None or goal:
            continue
        if machine.holds(state, premise, arguments):
            begun = i
    if begun is None:
        return f"{claim.name} comes true"
    return None


def _fairness_problem(machine: Machine[Any], trace: Trace) -> str | None:
    circle = trace.states[trace.claim.state :]
    taken = {step.label for step in trace.steps[trace.claim.state :]}
    for instance in machine.instances:
        fairness = instance.definition.fairness
        if fairness is Fairness.NONE or instance.label in taken:
            continue
        moves = [_moves(machine, codes, instance) for codes in circle]
        if fairness is Fairness.WEAK and all(moves):
            return f"{instance.label} is possible all the time and never happens: not fair"
        if fairness is Fairness.STRONG and any(moves):
            return f"{instance.label} is possible again and again and never happens: not fair"
    return None


def _moves(machine: Machine[Any], codes: tuple[int, ...], instance: Instance) -> bool:
    """Whether a step of the instance is possible and changes something."""
    state = machine.load(codes)
    happened = machine.attempt(state, instance.definition, instance.arguments)
    return happened and machine.codes(state) != codes
