"""The replication models reproduce the figures of another checker, in scopes that take seconds."""

from typing import Any

import pytest

from kproof_spec.lang import PropertyKind
from replication.oracle import Row, count_rows, counterexample_rows, explore
from replication.tlc_counting import extra_for

QUICK, HEAVY, SLOW = 600, 3_000, 11_000
"""The most states of a row that takes a moment, a second or two, several seconds."""


def case(row: Row) -> Any:
    """The row as a test case, marked by how long it takes."""
    states = row.number("distinct")
    marks = [pytest.mark.slow] if states > HEAVY else [pytest.mark.heavy] if states > QUICK else []
    return pytest.param(row, id=row.label, marks=marks)


CASES = [case(row) for row in count_rows() if not row.symmetry and row.number("distinct") <= SLOW]


def traces_of(row: Row) -> dict[str, int]:
    """The properties that the oracle found violated in a scope, with the states in the trace."""
    return {
        found.figures["property"]: found.number("states_in_shortest_counterexample")
        for found in counterexample_rows()
        if (found.variant, found.constants) == (row.variant, row.constants)
    }


def test_no_row_of_the_oracle_is_overlooked() -> None:
    assert len(count_rows()) == 92
    assert len(counterexample_rows()) == 38
    assert {c.values[0].variant for c in CASES} == {row.variant for row in count_rows()}


@pytest.mark.parametrize("row", CASES)
def test_counts_and_verdicts_are_those_of_the_oracle(row: Row) -> None:
    machine = row.machine
    claims = machine.model.properties.values()
    invariants = tuple(claim.name for claim in claims if claim.kind is PropertyKind.INVARIANT)

    seen = explore(machine, properties=invariants, extra=extra_for(machine))

    assert seen.distinct == row.number("distinct")
    assert seen.depth == row.number("depth")
    assert seen.generated + seen.extra == row.number("generated")
    assert seen.found == traces_of(row)


@pytest.mark.heavy
def test_kip101_loses_a_committed_record_with_two_replicas_in_twelve_states() -> None:
    rows = [row for row in counterexample_rows() if row.label == "kip_101-2-2-2-2"]

    seen = explore(rows[0].machine, properties=("strong_isr", "weak_isr"), until_found=True)

    assert seen.found == traces_of(rows[0]) == {"strong_isr": 12, "weak_isr": 12}
