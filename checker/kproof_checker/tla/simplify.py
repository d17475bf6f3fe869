"""Terms made simpler: what a condition settles is not asked again on its branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..extraction import terms
from ..extraction.terms import FALSE, TRUE, Term

SIZE_MAX = 3000
"""Larger terms are written as they are."""

_REBUILD: dict[str, Callable[..., Term]] = {
    "add": terms.add,
    "sub": terms.sub,
    "mul": terms.mul,
    "div": terms.div,
    "mod": terms.mod,
    "min": terms.least,
    "max": terms.greatest,
    "ite": terms.ite,
    "bite": terms.bite,
    "eq": terms.eq,
    "le": terms.le,
    "not": terms.negate,
    "and": lambda *args: terms.both(args),
    "or": lambda *args: terms.either(args),
}


def simplified(term: Term, known: Mapping[Term, Term] | None = None) -> Term:
    """An equal term in which no branch asks again what led to it.

    `known` are conditions that are settled already: it is equal wherever they are.
    """
    inside = terms.ordered([term])
    if len(inside) > SIZE_MAX:
        return term
    if known:
        inside = terms.ordered([term := _replaced(term, known)])
    now: dict[Term, Term] = {}
    for part in inside:
        args: tuple[Any, ...] = tuple(now[arg] for arg in part.args)
        if part.op in ("ite", "bite"):
            condition, yes, no = args
            args = condition, _assuming(yes, condition, TRUE), _assuming(no, condition, FALSE)
        now[part] = _REBUILD[part.op](*args) if args else part
    return now[term]


def _assuming(term: Term, condition: Term, answer: Term) -> Term:
    """The term where the condition is known."""
    if not condition.leaves & term.leaves:
        return term
    return _replaced(term, settled_by(condition, answer))


def settled_by(condition: Term, answer: Term) -> dict[Term, Term]:
    """The truth values that are known where a condition has this answer."""
    known = {condition: answer}
    if condition.op == ("and" if answer is TRUE else "or"):
        known |= dict.fromkeys(condition.args, answer)
    for part, value in list(known.items()):
        known[terms.negate(part)] = terms.negate(value)
    return known


def _replaced(term: Term, known: Mapping[Term, Term]) -> Term:
    now: dict[Term, Term] = {}
    for part in terms.ordered([term]):
        if part in known:
            now[part] = known[part]
        elif part.args:
            args = [now[arg] for arg in part.args]
            same = all(a is b for a, b in zip(args, part.args, strict=True))
            now[part] = part if same else _REBUILD[part.op](*args)
        else:
            now[part] = part
    return now[term]
