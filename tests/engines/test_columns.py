"""Columns compute what the interpreter computes, for every term and every decision DAG."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.engines.columns import Compiled, narrowest_type, program
from kproof_checker.extraction import terms
from kproof_checker.extraction.decisions import DISABLED, HOLDS, Library
from kproof_checker.extraction.interpret import outcome_of, value_of
from kproof_checker.extraction.terms import Term
from kproof_checker.layout import layout_of
from kproof_spec.lang.scalars import IntegerDomain, Leaf, Step
from strategies.effort import effort
from strategies.random_terms import LEAVES, numbers, states, truths

LAYOUT = layout_of(
    [
        Leaf((Step(f"v{i}", i),), IntegerDomain(low, high), False)
        for i, (low, high) in enumerate(LEAVES)
    ]
)


def columns_of(roots: list[Any], codes: list[tuple[int, ...]]) -> Any:
    """A batch of states, ready for some DAGs."""
    words = np.array([LAYOUT.pack(one) for one in codes], dtype=np.uint64).T
    return Compiled(LAYOUT, roots).batch(words)


@effort(150)
@given(st.lists(numbers(), min_size=1, max_size=3), st.lists(states(), min_size=1, max_size=8))
def test_columns_compute_numbers_as_the_interpreter_does(
    values: list[Term], codes: list[tuple[int, ...]]
) -> None:
    library = Library()
    columns = columns_of([library.update(tuple(enumerate(values)))], codes)

    for value in values:
        column = np.broadcast_to(np.asarray(columns.value(value)), len(codes))
        assert [int(v) for v in column] == [value_of(value, one) for one in codes]


@effort(150)
@given(st.lists(truths(), min_size=1, max_size=5), st.lists(states(), min_size=1, max_size=8))
def test_a_program_sends_each_state_where_its_dag_does(
    conditions: list[Term], codes: list[tuple[int, ...]]
) -> None:
    library = Library()
    ends = [library.update(((0, terms.const(0)),)), library.failure("wrong", ""), DISABLED, HOLDS]
    node: Any = ends[0]
    for i, condition in enumerate(conditions):
        branches = (node, ends[(i + 1) % 4]) if i % 2 else (ends[i % 4], node)
        node = library.decision(condition, *branches)
    columns = columns_of([node], codes)

    for skip in (None, DISABLED):
        found: dict[int, Any] = {}
        for outcome, mask in program(node).reached(columns, skip):
            for i in map(int, np.flatnonzero(mask)):
                assert i not in found
                found[i] = outcome
        expected = {i: outcome_of(node, one) for i, one in enumerate(codes)}
        assert found == {i: end for i, end in expected.items() if end is not skip}


def test_the_narrowest_type_holds_both_ends() -> None:
    assert narrowest_type([(0, 127)]) is np.int8
    assert narrowest_type([(0, 128)]) is np.int16
    assert narrowest_type([(-129, 0)]) is np.int16
    assert narrowest_type([(0, 2**62), (-1, 0)]) is np.int64
