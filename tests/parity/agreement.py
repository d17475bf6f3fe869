"""What must not depend on the engine, and a way to ask every engine for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kproof_checker.check import check
from kproof_checker.engines.base import Problem
from kproof_checker.engines.native import llvm_engine
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.engines.python_engine import PythonEngine
from kproof_checker.extraction.extract import extract
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.symmetry import Symmetry
from kproof_checker.verdicts import CheckResult
from kproof_spec.lang import Machine, Model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

WAYS: list[tuple[str, int]] = [("python", 1), ("numpy", 1), ("llvm", 1), ("llvm", 2)]
"""Each engine with its workers.  CPython is first: the others are held against it."""

Answer = dict[str, Any]


def example(name: str, mutant: str = "") -> Model[Any]:
    """A model of the folder of examples."""
    return find_model(str(EXAMPLES / f"{name}.py"), mutant=mutant)


def answer(found: CheckResult) -> Answer:
    """What a check says that any engine must say.

    A search that ends early has its own number of states in each engine, because it ends after a
    batch, so counts are compared only if everything was visited.
    """
    said: Answer = {
        "stop": found.stop,
        "properties": {
            name: (result.verdict.value, result.trace and result.trace.length)
            for name, result in found.properties.items()
        },
        "steps to the error": found.fault and found.fault.trace and found.fault.trace.length,
    }
    if found.is_complete:
        said |= {
            "distinct": found.distinct,
            "generated": found.generated,
            "depth": found.depth,
            "actions": found.actions,
            "deadlocks": found.deadlocks,
            "steps to a deadlock": found.deadlock and found.deadlock.length,
        }
    return said


def answers(
    machine: Machine[Any], *, symmetry: bool = True, ways: list[tuple[str, int]] = WAYS
) -> list[Answer]:
    """What each engine says."""
    # Liveness is judged on one graph for all engines; CPython has none.
    claims = tuple(n for n, c in machine.model.properties.items() if not c.kind.is_liveness)
    return [
        answer(
            check(
                machine,
                CheckOptions(
                    engine=engine,
                    workers=workers,
                    symmetry=symmetry,
                    sample_seconds=0,
                    properties=claims,
                ),
            )
        )
        for engine, workers in ways
    ]


def agreed(
    machine: Machine[Any], *, symmetry: bool = True, ways: list[tuple[str, int]] = WAYS
) -> Answer:
    """What all engines say; an `AssertionError` shows the first that says otherwise."""
    first, *others = answers(machine, symmetry=symmetry, ways=ways)
    for way, other in zip(ways[1:], others, strict=True):
        assert other == first, f"{way} disagrees with {ways[0]}"
    return first


def states_by_level(machine: Machine[Any], *, symmetry: bool, ways: list[tuple[str, int]]) -> Any:
    """For each engine, the sets of states by depth and how often each instance was possible.

    With symmetry a state stands for its orbit, by the representative that `Symmetry` names, and
    actions are counted by name: which instance it is depends on the twin that an engine keeps.
    """
    claims = tuple(machine.model.properties.values())
    extracted = extract(machine, claims)
    chosen = Symmetry(machine) if symmetry else None
    problem = Problem(machine, claims, chosen if chosen and chosen.is_usable else None)
    found = []
    for name, workers in ways:
        engine: Any
        if name == "python":
            engine = PythonEngine(problem)
        elif name == "numpy":
            engine = NumpyEngine(problem, extracted)
        else:
            engine = llvm_engine.LlvmEngine(problem, extracted, workers=workers)
        levels = []
        possible: dict[str, int] = {}
        while engine.visited < engine.distinct:
            end = engine.distinct
            states = [engine.codes(i) for i in range(engine.visited, end)]
            if problem.symmetry is not None:
                states = [problem.symmetry.representative(codes) for codes in states]
            assert len(set(states)) == len(states), "a state was stored twice"
            levels.append(set(states))
            while engine.visited < end:
                for index, times in engine.expand(engine.batch_max, []).enabled.items():
                    instance = machine.instances[index]
                    label = instance.definition.name if problem.symmetry else instance.label
                    possible[label] = possible.get(label, 0) + times
        found.append((levels, possible))
    return found
