"""Every row of the oracle, by the fast engines; `generated` with what TLC counts besides."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.engines.base import Problem
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.extraction.decisions import HOLDS
from kproof_checker.extraction.extract import Extractor, extract
from kproof_checker.liveness.state_graph import StateMasks
from kproof_checker.options import CheckOptions
from kproof_checker.symmetry import Symmetry
from kproof_checker.verdicts import Stop
from kproof_spec.lang import Definition, Instance, Machine
from replication.oracle import Row, count_rows, counterexample_rows
from replication.tlc_counting import doubled_steps

FAST = 30_000
"""Rows with more states are heavy."""


def case(row: Row, states: int) -> Any:
    """The row as a test case, heavy if it is large."""
    return pytest.param(row, id=row.label, marks=[pytest.mark.heavy] if states > FAST else [])


def explored(row: Row) -> tuple[Machine[Any], NumpyEngine, int]:
    """The row's states, and how many steps were generated."""
    machine = row.machine
    symmetry = Symmetry(machine) if row.symmetry else None
    engine = NumpyEngine(Problem(machine, (), symmetry), extract(machine))
    generated = engine.distinct
    while engine.visited < engine.distinct:
        generated += sum(engine.expand(engine.batch_max, ()).enabled.values())
    return machine, engine, generated


@pytest.mark.parametrize("row", [case(row, row.number("distinct")) for row in count_rows()])
def test_every_count_of_the_oracle_is_reproduced(row: Row) -> None:
    machine, engine, generated = explored(row)

    extractor, extra = Extractor(machine), 0
    for function, arguments in doubled_steps(machine):
        definition = Definition(function.__name__, function, {})
        dag = extractor.predicate(Instance(0, definition, arguments))
        extra += int(StateMasks(engine, [dag]).where(dag, lambda o: o is HOLDS).sum())

    assert engine.distinct == row.number("distinct")
    assert engine.depth == row.number("depth")
    assert generated + extra == row.number("generated")


SCOPES = {(row.variant, *row.constants.values()): row for row in counterexample_rows()}


@pytest.mark.parametrize("symmetry", [False, True], ids=["every state", "symmetry"])
@pytest.mark.parametrize(
    "row", [case(row, FAST + 1 if row.constants["replicas"] > 2 else 1) for row in SCOPES.values()]
)
def test_every_shortest_counterexample_has_the_length_of_the_oracle(
    row: Row, symmetry: bool
) -> None:
    expected = {
        other.figures["property"]: other.number("states_in_shortest_counterexample")
        for other in counterexample_rows()
        if (other.variant, other.constants) == (row.variant, row.constants)
    }
    names = ("strong_isr", "weak_isr")

    found = check(row.machine, CheckOptions(properties=names, symmetry=symmetry, sample_seconds=0))

    assert found.stop in (Stop.EXHAUSTED, Stop.SETTLED)
    lengths = {n: p.trace.length for n, p in found.properties.items() if p.trace is not None}
    assert lengths == expected
