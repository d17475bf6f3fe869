"""A decision DAG on one state: slow, simple, and the reference for every compiled form."""

from __future__ import annotations

from collections.abc import Sequence

from .decisions import Dag, Decision, Outcome, Update
from .terms import Term, evaluator


def value_of(term: Term, codes: Sequence[int]) -> int:
    """The value of a term in a state."""
    value: int = evaluator(term)(*[codes[i] for i in sorted(term.leaves)])
    return value


def outcome_of(dag: Dag, codes: Sequence[int]) -> Outcome:
    """Where a DAG ends in a state."""
    while isinstance(dag, Decision):
        dag = dag.yes if value_of(dag.condition, codes) else dag.no
    return dag


def updated(update: Update, codes: Sequence[int]) -> tuple[int, ...]:
    """The state after an update."""
    after = list(codes)
    for leaf, term in update.changes:
        after[leaf] = value_of(term, codes)
    return tuple(after)
