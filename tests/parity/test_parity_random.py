"""Random models mean the same in machine code as in NumPy and in CPython.

`differential` compares CPython with NumPy on many of them; compiling one takes a moment, so there
are few here by default.
"""

from typing import Any

import pytest
from hypothesis import assume, given, note

from kproof_checker.engines.base import Problem
from kproof_checker.engines.native.llvm_engine import LlvmEngine
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.engines.python_engine import PythonEngine
from kproof_checker.extraction.extract import Extracted, extract
from kproof_checker.symmetry import Symmetry
from kproof_spec.lang import Machine, Misuse
from strategies.effort import effort
from strategies.random_models import machine_of, sources

PATHS_MAX = 300
"""A model with more paths is left out: it would take long to compile, and shows no more."""
STATES_MAX = 1_500


def extracted_of(machine: Machine[Any]) -> Extracted:
    """The model's DAGs; a model with too many paths is left out."""
    try:
        return extract(machine, machine.model.properties.values(), paths_max=PATHS_MAX)
    except Misuse as error:
        assume("paths" not in error.message)
        raise


def levels(engine: Any, symmetry: Symmetry | None) -> list[Any]:
    """Level by level: the states, what was possible in them, deadlocks, and what was found.

    Ends at an error of the specification, or once there are many states.  With symmetry, a state is
    given by the representative that `Symmetry` names, and actions are counted by name.
    """
    machine = engine.problem.machine
    found: list[Any] = []
    while engine.visited < engine.distinct < STATES_MAX:
        end = engine.distinct
        codes = [engine.codes(i) for i in range(engine.visited, end)]
        states = {c if symmetry is None else symmetry.representative(c) for c in codes}
        assert len(states) == len(codes), "a state was stored twice"
        possible: dict[str, int] = {}
        seen: set[str] = set()
        deadlocks = 0
        while engine.visited < end:
            batch = engine.expand(1 << 14, ["claim", "witness"])
            for index, times in batch.enabled.items():
                instance = machine.instances[index]
                label = instance.label if symmetry is None else instance.definition.name
                possible[label] = possible.get(label, 0) + times
            seen |= {finding.name for finding in batch.findings}
            deadlocks += batch.deadlocks
            if batch.faults:
                # What else is seen in a batch with an error depends on how the engine goes on.
                return [*found, "error"]
        found.append((states, possible, deadlocks, seen))
    return found


def check_one_model(source: str) -> None:
    """Runs the model in machine code, and in the other engines."""
    note(source)
    machine = machine_of(source)
    extracted = extracted_of(machine)

    claims = tuple(machine.model.properties.values())
    for symmetry in (None, Symmetry(machine)):
        problem = Problem(machine, claims, symmetry)
        expected = levels(NumpyEngine(problem, extracted), symmetry)
        for workers in (1, 2):
            engine = LlvmEngine(problem, extracted, workers=workers)
            assert levels(engine, symmetry) == expected
        if len(expected) < 4:
            assert levels(PythonEngine(problem), symmetry) == expected


@effort(12)
@given(sources())
def test_random_models_mean_the_same_in_machine_code(source: str) -> None:
    check_one_model(source)


@pytest.mark.slow
@effort(400)
@given(sources())
def test_many_random_models_mean_the_same_in_machine_code(source: str) -> None:
    check_one_model(source)
