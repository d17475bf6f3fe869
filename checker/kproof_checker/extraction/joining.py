"""Joining what a definition returns on its paths into one value."""

from __future__ import annotations

from enum import Enum
from typing import Any

from kproof_spec.lang import NONE, Id, Misuse
from kproof_spec.lang.guards import Running
from kproof_spec.lang.quantities import Quantity
from kproof_spec.lang.scalars import EnumDomain, IdDomain
from kproof_spec.lang.symbolic import Symbolic

from . import terms
from .terms import Term
from .values import (
    SymbolicEnum,
    SymbolicId,
    SymbolicInt,
    SymbolicTruth,
    number,
    number_term,
    truth_term,
    truth_value,
)


def one_value(condition: Term, yes: Any, no: Any) -> Any:
    """One value for two outcomes of a definition."""
    if yes is no:
        return yes
    if isinstance(yes, tuple) and isinstance(no, tuple) and len(yes) == len(no):
        return tuple(one_value(condition, a, b) for a, b in zip(yes, no, strict=True))
    if all(isinstance(value, bool | SymbolicTruth) for value in (yes, no)):
        return truth_value(terms.bite(condition, truth_term(yes), truth_term(no)))
    if all(_is_number(value) for value in (yes, no)):
        left, right = number_term(yes), number_term(no)
        assert left is not None and right is not None
        return number(terms.ite(condition, left, right))
    for kind in (SymbolicId, SymbolicEnum):
        symbolic: Any = next((value for value in (yes, no) if isinstance(value, kind)), None)
        if symbolic is not None and all(_is_alike(symbolic, value) for value in (yes, no)):
            codes = [_code(symbolic.domain, value) for value in (yes, no)]
            return kind(terms.ite(condition, *codes), symbolic.domain)
    if isinstance(yes, Id) and isinstance(no, Id) and _of_one_sort(yes, no):
        assert Running.scope is not None
        sort = type(no if yes is NONE else yes)
        domain = IdDomain(sort, Running.scope, optional=True)
        return SymbolicId(
            terms.ite(condition, terms.const(yes._index), terms.const(no._index)), domain
        )
    if isinstance(yes, Enum) and type(yes) is type(no):
        options = EnumDomain(type(yes))
        codes = [_code(options, value) for value in (yes, no)]
        return SymbolicEnum(terms.ite(condition, *codes), options)
    raise Misuse(
        f"a definition returns {yes!r} on one path and {no!r} on another: a `pure` definition "
        "returns a truth value, a number, an id, an enum member or a tuple of these"
    )


def _of_one_sort(a: Id, b: Id) -> bool:
    return a is NONE or b is NONE or type(a) is type(b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | SymbolicInt | Quantity) and not isinstance(value, bool)


def _is_alike(symbolic: SymbolicId | SymbolicEnum, value: Any) -> bool:
    """Whether a value may be where an id, or an enum member, is on another path."""
    if isinstance(symbolic, SymbolicId):
        sort = symbolic.domain.sort
        if isinstance(value, SymbolicId):
            return value.domain.sort is sort
        return value is NONE or type(value) is sort
    if isinstance(value, SymbolicEnum):
        return value.domain.options == symbolic.domain.options
    return isinstance(value, Enum) and value in symbolic.domain.options


def _code(domain: Any, value: Any) -> Term:
    if isinstance(value, Symbolic):
        term: Term = value.code()
        return term
    return terms.const(domain.encode(value))
