"""Held against CPython: random walks that compare the decision DAGs with the functions as they are.

On every state of a walk, every action instance and every property instance is run both ways: the
DAG's outcome and CPython's must agree, refusals and errors included.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from kproof_spec.lang import Instance, SpecError

from .extraction.decisions import DISABLED, HOLDS, Dag, Failure, Update
from .extraction.extract import Extracted
from .extraction.interpret import outcome_of, updated


class Disagreement(Exception):
    """Two ways to run one specification gave two answers: a defect of the checker, never theirs."""


@dataclass(frozen=True)
class Sample:
    """How much was compared."""

    states: int
    comparisons: int


def compare(
    extracted: Extracted,
    *,
    seed: int,
    max_seconds: float | None = None,
    max_states: int | None = None,
    depth: int = 60,
) -> Sample:
    """Walks at random and compares on every state; a `Disagreement` if CPython differs.

    Ends after `max_seconds` or `max_states`, whichever is given and comes first.  A walk begins
    anew after `depth` steps or where nothing is possible.
    """
    assert max_seconds is not None or max_states is not None, "a comparison needs an end"
    generator = random.Random(seed)
    machine = extracted.machine
    initial = machine.initial_codes()
    end = None if max_seconds is None else time.perf_counter() + max_seconds
    states = comparisons = 0
    codes = generator.choice(initial)
    age = 0
    while max_states is None or states < max_states:
        successors: list[tuple[int, ...]] = []
        for after in _compared(extracted, codes):
            comparisons += 1
            if after is not None:
                successors.append(after)
            if end is not None and time.perf_counter() > end:
                return Sample(states, comparisons)
        states += 1
        age += 1
        if successors and age < depth:
            # A step that changes nothing teaches nothing: prefer the others.
            codes = generator.choice([s for s in successors if s != codes] or successors)
        else:
            codes, age = generator.choice(initial), 0
    return Sample(states, comparisons)


def _compared(extracted: Extracted, codes: tuple[int, ...]) -> Iterator[tuple[int, ...] | None]:
    """Compares every instance in one state; yields the successor of each, None if there is none."""
    machine = extracted.machine
    state = machine.load(codes)
    store = machine.store_of(state)
    for instance, dag in extracted.actions:
        fault = ""
        after: tuple[int, ...] | None = None
        try:
            if machine.attempt(state, instance.definition, instance.arguments):
                after = machine.codes(state)
                store.rollback()
        except SpecError as error:
            fault = error.message
        theirs, their_fault = _answer(dag, codes)
        if theirs != after or bool(fault) != bool(their_fault):
            raise _disagreement(instance, codes, fault or after, their_fault or theirs)
        yield after
    for pairs in extracted.properties.values():
        for instance, dag in pairs:
            mine: bool | str
            try:
                mine = machine.holds(state, instance.definition, instance.arguments)
            except SpecError:
                mine = "error"
            outcome = outcome_of(dag, codes)
            theirs_too = "error" if isinstance(outcome, Failure) else outcome is HOLDS
            if mine != theirs_too:
                raise _disagreement(instance, codes, mine, theirs_too)
            yield None


def _answer(dag: Dag, codes: tuple[int, ...]) -> tuple[tuple[int, ...] | None, str]:
    outcome = outcome_of(dag, codes)
    if isinstance(outcome, Update):
        return updated(outcome, codes), ""
    if isinstance(outcome, Failure):
        return None, outcome.message or "error"
    assert outcome is DISABLED
    return None, ""


def _disagreement(
    instance: Instance, codes: tuple[int, ...], mine: object, theirs: object
) -> Disagreement:
    return Disagreement(
        f"CPython and the decision DAG disagree about {instance.label} in state {codes}: CPython "
        f"says {mine}, the DAG {theirs}. This is a defect of kproof: please report it with the "
        "model and its scope. `--engine python` does not depend on the DAG"
    )
