"""Between a leaf's code, which is a term, and the value that a function sees."""

from __future__ import annotations

from typing import Any

from kproof_spec.lang.scalars import EnumDomain, FlagDomain, IdDomain, Scalar

from . import terms
from .terms import Term
from .values import SymbolicEnum, SymbolicId, SymbolicInt, truth_value


def lifted(scalar: Scalar, term: Term) -> Any:
    """The value with a symbolic code: plain if the code is constant."""
    if term.op == "const":
        return scalar.decode(term.value)
    if isinstance(scalar, FlagDomain):
        return truth_value(terms.eq(term, terms.const(1)))
    if isinstance(scalar, IdDomain):
        return SymbolicId(term, scalar)
    if isinstance(scalar, EnumDomain):
        return SymbolicEnum(term, scalar)
    return SymbolicInt(term)


def code_term(code: Any) -> Term:
    """The term of one code, as `Domain.write` gives it: a number, or a term already."""
    return code if isinstance(code, Term) else terms.const(int(code))
