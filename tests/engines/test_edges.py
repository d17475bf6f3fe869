"""The edges that engines give of a state graph are the steps of CPython, each once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

from kproof_checker.engines.base import HasEdges, Problem
from kproof_checker.engines.native import frame, table_ir
from kproof_checker.engines.native.llvm_engine import LlvmEngine
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.extraction.extract import Extracted, extract
from kproof_checker.symmetry import Symmetry
from kproof_spec.lang import Machine, Misuse
from parity import shapes
from strategies.effort import effort
from strategies.random_models import machine_of, sources
from strategies.tiny_scopes import tiny_machine, two_phase_commit

MACHINES: dict[str, Callable[[], Machine[Any]]] = {
    "commit": lambda: two_phase_commit(2),
    "replication": lambda: tiny_machine("replication-kip_320"),
    "async_isr": lambda: tiny_machine("async_isr-async_isr"),
    "nothing": shapes.nothing.closed,
    "wide": lambda: shapes.wide.closed(size=1),
    "house": lambda: shapes.house.closed(people=2),
    "start": lambda: shapes.start.closed(size=2),
}

ENGINES = ("numpy", "llvm", "llvm of two workers")

Steps = Counter[tuple[tuple[int, ...], int, tuple[int, ...]]]
"""How often: a state, an action instance, and the state it leads to."""


@pytest.fixture
def cramped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A native engine whose buffers hold little."""
    for module in (frame, table_ir):
        monkeypatch.setattr(module, "CHUNK", 4)
        monkeypatch.setattr(module, "FLUSH_AT", 4)


def engine_of(name: str, problem: Problem, extracted: Extracted) -> HasEdges:
    """An engine that has found nothing yet but the initial states."""
    if name == "numpy":
        return NumpyEngine(problem, extracted)
    return LlvmEngine(problem, extracted, workers=2 if "two" in name else 1)


def problem_of(machine: Machine[Any], *, symmetry: bool) -> Problem:
    """What to explore; a model without symmetric sorts has no symmetry."""
    found = Symmetry(machine) if symmetry else None
    return Problem(machine, (), found if found is not None and found.is_usable else None)


def explored(engine: HasEdges, states_max: int = 100_000) -> HasEdges:
    """The engine when it has visited everything, or `states_max`."""
    while engine.visited < engine.distinct < states_max:
        engine.expand(engine.batch_max, ())
    return engine


def steps_of(engine: HasEdges, first: int = 0, last: int | None = None) -> Steps:
    """The edges of an engine, by codes."""
    codes = [engine.codes(state) for state in range(engine.distinct)]
    found: Steps = Counter()
    for part in engine.edges(first, engine.distinct if last is None else last):
        assert len(part.sources) == len(part.instances) == len(part.targets)
        for source, instance, target in zip(
            part.sources.tolist(), part.instances.tolist(), part.targets.tolist(), strict=True
        ):
            assert first <= source < engine.distinct
            assert target >= 0
            found[codes[source], instance, codes[target]] += 1
    return found


def expected(engine: HasEdges, problem: Problem) -> Steps:
    """The steps that CPython takes from the states of an engine, to states of the engine."""
    twin = {}
    symmetry = problem.symmetry
    for state in range(engine.distinct):
        codes = engine.codes(state)
        twin[codes if symmetry is None else symmetry.representative(codes)] = codes
    found: Steps = Counter()
    for codes in twin.values():
        for instance, after in problem.machine.successors(codes):
            target = after if symmetry is None else symmetry.representative(after)
            found[codes, instance.index, twin[target]] += 1
    return found


@pytest.mark.usefixtures("cramped")
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("engine", ENGINES[:2])
def test_edges_are_the_steps_of_cpython(engine: str, name: str, symmetry: bool) -> None:
    problem = problem_of(MACHINES[name](), symmetry=symmetry)
    found = explored(engine_of(engine, problem, extract(problem.machine, ())))

    assert steps_of(found) == expected(found, problem)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_that_changes_nothing_is_an_edge_to_where_it_began(engine: str) -> None:
    problem = problem_of(shapes.nothing.closed(), symmetry=False)
    found = explored(engine_of(engine, problem, extract(problem.machine, ())))

    (part,) = [part for part in found.edges(0, 1) if len(part.sources)]

    assert (part.sources.tolist(), part.targets.tolist()) == ([0], [0])


@pytest.mark.parametrize("engine", ENGINES)
def test_edges_of_a_range_are_those_that_begin_in_it(engine: str) -> None:
    problem = problem_of(tiny_machine("replication-kip_320"), symmetry=False)
    found = explored(engine_of(engine, problem, extract(problem.machine, ())))
    middle = found.distinct // 3

    one, other = steps_of(found, 0, middle), steps_of(found, middle, found.distinct)

    assert one + other == steps_of(found)
    assert {codes for codes, _, _ in one} <= {found.codes(state) for state in range(middle)}
    assert not steps_of(found, 5, 5)


@pytest.mark.parametrize("engine", ENGINES)
def test_edges_to_states_that_were_not_found_yet_lead_nowhere(engine: str) -> None:
    problem = problem_of(two_phase_commit(2), symmetry=False)
    found = engine_of(engine, problem, extract(problem.machine, ()))
    before = found.distinct

    targets = np.concatenate([part.targets for part in found.edges(0, before)])

    assert before == 1
    assert len(targets)
    assert (targets == -1).all()
    assert found.distinct == before


@pytest.mark.parametrize("engine", ENGINES)
def test_asking_for_edges_does_not_disturb_the_search(engine: str) -> None:
    problem = problem_of(tiny_machine("replication-kip_320"), symmetry=True)
    extracted = extract(problem.machine, ())
    quiet, asked = (engine_of(engine, problem, extracted) for _ in range(2))
    totals: list[Counter[int]] = [Counter(), Counter()]
    for found, total in zip((quiet, asked), totals, strict=True):
        while found.visited < found.distinct:
            if found is asked:
                list(found.edges(0, found.distinct))
            total.update(found.expand(50, ()).enabled)

    assert (quiet.distinct, quiet.depth) == (asked.distinct, asked.depth)
    assert totals[0] == totals[1]


@pytest.mark.heavy
@effort(12)
@given(sources())
def test_edges_of_random_models_are_the_same_in_all_engines(source: str) -> None:
    machine = machine_of(source)
    try:
        extracted = extract(machine, (), paths_max=150)
    except Misuse as error:
        assume("paths" not in error.message)
        raise
    for symmetry in (False, True):
        problem = problem_of(machine, symmetry=symmetry)
        for name in ENGINES[:2]:
            found = engine_of(name, problem, extracted)
            has_faults = False
            while found.visited < found.distinct < 400 and not has_faults:
                has_faults = bool(found.expand(found.batch_max, ()).faults)
            if found.visited == found.distinct and not has_faults:
                assert steps_of(found) == expected(found, problem)
