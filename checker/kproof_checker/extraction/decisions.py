"""Decision DAGs: what a function does, as conditions and outcomes.

A DAG node is a condition with a branch for each answer, down to an outcome: the action is disabled,
or it gives some leaves new values, or the specification fails here.  Predicates end in true or
false.  Equal subtrees are one object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .terms import FALSE, TRUE, Term, negate


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of a path."""


@dataclass(frozen=True, eq=False)
class Update(Outcome):
    """The action happens: these leaves get these values, the others keep theirs."""

    changes: tuple[tuple[int, Term], ...]


@dataclass(frozen=True, eq=False)
class Failure(Outcome):
    """The specification is in error on this path."""

    message: str
    where: str


@dataclass(frozen=True, eq=False)
class Answer(Outcome):
    """A predicate's value, or that an action is disabled (`DISABLED`)."""

    name: str


DISABLED: Final = Answer("disabled")
HOLDS: Final = Answer("holds")
FAILS: Final = Answer("fails")


@dataclass(frozen=True, eq=False)
class Decision:
    """A question about the state, and where each answer leads."""

    condition: Term
    yes: Dag
    no: Dag


Dag = Decision | Outcome


@dataclass
class Library:
    """Makes DAG nodes so that equal ones are the same object."""

    _decisions: dict[tuple[int, int, int], Decision] = field(default_factory=dict)
    _outcomes: dict[object, Outcome] = field(default_factory=dict)

    def decision(self, condition: Term, yes: Dag, no: Dag) -> Dag:
        """A question, unless both answers lead to the same."""
        if yes is no or condition is TRUE:
            return yes
        if condition is FALSE:
            return no
        if condition.op == "not":
            condition, yes, no = negate(condition), no, yes
        key = (condition.id, id(yes), id(no))
        known = self._decisions.get(key)
        if known is None:
            known = self._decisions[key] = Decision(condition, yes, no)
        return known

    def update(self, changes: tuple[tuple[int, Term], ...]) -> Outcome:
        """An outcome that changes leaves."""
        key = tuple((leaf, term.id) for leaf, term in changes)
        return self._outcomes.setdefault(key, Update(changes))

    def failure(self, message: str, where: str) -> Outcome:
        """An outcome that is a specification error."""
        return self._outcomes.setdefault((message, where), Failure(message, where))


def nodes(roots: list[Dag]) -> Iterator[Dag]:
    """Every node of some DAGs once, each before its branches' nodes."""
    order: list[Dag] = []
    seen: set[int] = set()
    stack: list[tuple[Dag, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            if isinstance(node, Decision):
                stack += [(node.yes, False), (node.no, False)]
    return reversed(order)
