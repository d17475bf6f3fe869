"""Random models mean the same in CPython, in their decision DAGs, and in every engine."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, note, reject

from kproof_checker.engines.base import Engine, Problem
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.engines.python_engine import PythonEngine
from kproof_checker.extraction.extract import Extracted, extract
from kproof_checker.symmetry import Symmetry
from kproof_checker.trust import compare
from kproof_spec.lang import Machine, Misuse
from strategies.effort import effort
from strategies.random_models import machine_of, sources

PATHS_MAX = 1_500
STATES_MAX = 400


def extracted_of(machine: Machine[Any]) -> Extracted:
    """The model's DAGs; a model with too many paths is left out."""
    try:
        return extract(machine, machine.model.properties.values(), paths_max=PATHS_MAX)
    except Misuse as error:
        if "paths" not in error.message:
            raise
        reject()


Level = tuple[set[tuple[int, ...]], Counter[str], int, set[str]]


def levels(engine: Engine, problem: Problem) -> list[Level]:
    """Level by level: the states, what was possible in them, deadlocks, and what was found.

    Engines may choose different representatives, so the least twin of each is compared.  Goes on
    after specification errors, and ends once there are many states.
    """
    instances = problem.machine.instances
    found: list[Level] = []
    while engine.visited < engine.distinct < STATES_MAX:
        end = engine.distinct
        states = {engine.codes(i) for i in range(engine.visited, end)}
        if problem.symmetry is not None:
            states = {problem.symmetry.representative(codes) for codes in states}
        possible: Counter[str] = Counter()
        seen: set[str] = set()
        deadlocks = 0
        while engine.visited < end:
            batch = engine.expand(64, ["claim", "witness"])
            for instance, times in batch.enabled.items():
                possible[instances[instance].definition.name] += times
            seen |= {finding.name for finding in batch.findings}
            # Of a property that is broken and raises in one state, an engine may say either.
            seen |= {fault.name for fault in batch.faults}
            deadlocks += batch.deadlocks
        found.append((states, possible, deadlocks, seen))
    return found


def check_one_model(source: str) -> None:
    """Extracts the model and holds every way of running it against the others."""
    note(source)
    machine = machine_of(source)
    extracted = extracted_of(machine)

    compare(extracted, seed=0, max_states=40, depth=12)

    claims = tuple(machine.model.properties.values())
    for symmetry in (None, Symmetry(machine)):
        problem = Problem(machine, claims, symmetry)
        quick, plain = NumpyEngine(problem, extracted), PythonEngine(problem)
        assert levels(quick, problem) == levels(plain, problem)


@effort(50)
@given(sources())
def test_random_models_mean_the_same_in_cpython_in_their_dags_and_in_both_engines(
    source: str,
) -> None:
    check_one_model(source)


@pytest.mark.slow
@effort(2_500)
@given(sources())
def test_many_random_models_mean_the_same_in_cpython_in_their_dags_and_in_both_engines(
    source: str,
) -> None:
    check_one_model(source)
