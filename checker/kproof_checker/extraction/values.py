"""Symbolic values: what a function gets in place of numbers, truth values, ids and enum members.

Asking one for a truth value, or using one as an index, makes the explorer of paths choose; it comes
back later and chooses otherwise.  What would tell values apart without choosing (a hash, a text)
raises, with advice.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from kproof_spec.lang import NONE, Id, Misuse, SpecError
from kproof_spec.lang.quantities import UNLIMITED, Quantity
from kproof_spec.lang.scalars import EnumDomain, IdDomain
from kproof_spec.lang.symbolic import Symbolic, Tracing

from . import terms
from .terms import Term

if TYPE_CHECKING:
    from .paths import Explorer


UNLIMITED_CODE = 1 << 62
"""Stands for a bound that is unlimited: greater than anything that a leaf can hold."""


def explorer() -> Explorer:
    """The explorer of paths that is at work."""
    from .paths import Explorer

    current = Tracing.current
    if not isinstance(current, Explorer):
        raise Misuse("a symbolic value was used after the function that it was given to")
    return current


class SymbolicValue(Symbolic):
    """What all symbolic values have in common: a term, and what they refuse."""

    __slots__ = ("term",)

    def __init__(self, term: Term) -> None:
        self.term = term

    def code(self) -> Any:
        """The number that stands for this value in a state's codes."""
        return self.term

    def __repr__(self) -> str:
        return f"<{self.term!r}>"

    def __hash__(self) -> NoReturn:
        raise Misuse(
            "a value of the state was hashed (put in a Python set or used as a dict key), but it "
            "is not known during extraction: use the language's SetOf and Table, or compare with =="
        )

    def __format__(self, spec: str) -> NoReturn:
        raise Misuse(
            "a value of the state was formatted as text, but it is not known during extraction: "
            "messages belong in docstrings and comments"
        )

    def __str__(self) -> str:
        return format(self)

    def __len__(self) -> NoReturn:
        raise Misuse("len() of a value of the state: use .end of a sequence, .size of a set")

    def __iter__(self) -> NoReturn:
        raise Misuse("a scalar of the state was iterated over")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Misuse(
            f".{name} of a value of the state was asked, but it is not known during extraction: "
            "compare the value itself with =="
        )


class SymbolicTruth(SymbolicValue):
    """A truth value that is not known."""

    __slots__ = ()

    def code(self) -> Term:
        return terms.ite(self.term, terms.const(1), terms.const(0))

    def resolve(self) -> bool:
        return explorer().decide(self.term)

    def __bool__(self) -> bool:
        return explorer().decide(self.term)

    def __and__(self, other: Any) -> Any:
        return truth_value(terms.both([self.term, truth_term(other)]))

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return truth_value(terms.either([self.term, truth_term(other)]))

    __ror__ = __or__

    def __invert__(self) -> Any:
        return truth_value(terms.negate(self.term))

    def __eq__(self, other: object) -> Any:
        theirs = truth_term(other)
        return truth_value(terms.bite(self.term, theirs, terms.negate(theirs)))

    def __ne__(self, other: object) -> Any:
        theirs = truth_term(other)
        return truth_value(terms.bite(self.term, terms.negate(theirs), theirs))

    __hash__ = SymbolicValue.__hash__

    def _refuse(self, other: Any = None) -> NoReturn:
        raise Misuse("arithmetic on a truth value: use count(...) to count what holds")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __index__ = __int__ = _refuse

    def __xor__(self, other: Any) -> Any:
        return self != other

    __rxor__ = __xor__

    def _no_order(self, other: Any) -> NoReturn:
        raise Misuse("truth values were ordered: use `and`, `or` and `not`")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order


class SymbolicInt(SymbolicValue):
    """A whole number that is not known."""

    __slots__ = ()

    def resolve(self) -> int:
        return explorer().choose(self.term)

    __index__ = resolve
    __int__ = resolve

    def __bool__(self) -> bool:
        return explorer().decide(terms.negate(terms.eq(self.term, terms.const(0))))

    def _with(self, make: Callable[[Term, Term], Term], other: Any) -> Any:
        theirs = number_term(other)
        return NotImplemented if theirs is None else number(make(self.term, theirs))

    def _under(self, make: Callable[[Term, Term], Term], other: Any) -> Any:
        theirs = number_term(other)
        return NotImplemented if theirs is None else number(make(theirs, self.term))

    def _compared(self, make: Callable[[Term, Term], Term], other: Any) -> Any:
        theirs = number_term(other)
        return NotImplemented if theirs is None else truth_value(make(self.term, theirs))

    def __add__(self, other: Any) -> Any:
        return self._with(terms.add, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(terms.sub, other)

    def __rsub__(self, other: Any) -> Any:
        return self._under(terms.sub, other)

    def __neg__(self) -> Any:
        return self._under(terms.sub, 0)

    def __mul__(self, other: Any) -> Any:
        return self._with(terms.mul, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return _divided(self, other)

    def __mod__(self, other: Any) -> Any:
        return _remainder(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _divided(other, self)

    def __rmod__(self, other: Any) -> Any:
        return _remainder(other, self)

    def __abs__(self) -> Any:
        return number(terms.greatest(self.term, terms.sub(terms.const(0), self.term)))

    def __lt__(self, other: Any) -> Any:
        return self._compared(terms.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._compared(terms.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._compared(lambda a, b: terms.lt(b, a), other)

    def __ge__(self, other: Any) -> Any:
        return self._compared(lambda a, b: terms.le(b, a), other)

    def __eq__(self, other: object) -> Any:
        return self._compared(terms.eq, other)

    def __ne__(self, other: object) -> Any:
        return self._compared(lambda a, b: terms.negate(terms.eq(a, b)), other)

    __hash__ = SymbolicValue.__hash__

    def _no_float(self, other: Any = None) -> NoReturn:
        raise Misuse("a whole number of the state became a fraction: use // for division")

    __truediv__ = __rtruediv__ = __float__ = _no_float

    def _no_operation(self, *_: Any) -> NoReturn:
        raise Misuse("a whole number of the state has +, -, *, //, % and abs(), and no more")

    __pow__ = __rpow__ = __divmod__ = __rdivmod__ = __round__ = __invert__ = _no_operation
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _no_operation
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _no_operation


def _divided(a: Any, b: Any) -> Any:
    """a // b; the explorer splits on the sign of `b`, since terms divide by positive numbers."""
    if b > 0:
        dividend, divisor = number_term(a), number_term(b)
    elif b < 0:
        dividend, divisor = number_term(-a), number_term(-b)
    else:
        raise SpecError("division by zero")
    if dividend is None or divisor is None:
        return NotImplemented
    return number(terms.div(dividend, divisor))


def _remainder(a: Any, b: Any) -> Any:
    """a % b; it has the sign of `b`, as Python says."""
    if b < 0:
        return -_remainder(-a, -b)
    if b == 0:
        raise SpecError("remainder of a division by zero")
    dividend, divisor = number_term(a), number_term(b)
    if dividend is None or divisor is None:
        return NotImplemented
    return number(terms.mod(dividend, divisor))


class SymbolicId(SymbolicValue):
    """An id that is not known."""

    __slots__ = ("domain",)

    def __init__(self, term: Term, domain: IdDomain) -> None:
        self.term, self.domain = term, domain

    def resolve(self) -> Any:
        return self.domain.decode(explorer().choose(self.term))

    def _term_of(self, other: object) -> Term:
        if isinstance(other, SymbolicId) and other.domain.sort is self.domain.sort:
            return other.term
        if isinstance(other, Id) and (other is NONE or type(other) is self.domain.sort):
            return terms.const(other._index)
        sort = self.domain.sort.__name__
        raise Misuse(
            f"a {sort} was compared with {other!r}: an id can be compared with ids of its own sort "
            "and with NONE. Pass ids as parameters, not as literals"
        )

    def __eq__(self, other: object) -> Any:
        return truth_value(terms.eq(self.term, self._term_of(other)))

    def __ne__(self, other: object) -> Any:
        return truth_value(terms.negate(terms.eq(self.term, self._term_of(other))))

    __hash__ = SymbolicValue.__hash__

    def _ordered(self, make: Callable[[Term, Term], Term], other: Any) -> Any:
        if self.domain.sort.symmetric:
            raise Misuse(
                f"order was asked of a {self.domain.sort.__name__}, but ids of a symmetric sort "
                "are interchangeable"
            )
        mine, theirs = self.term, self._term_of(other)
        for term in (mine, theirs):
            if truth_value(terms.lt(term, terms.const(0))):
                raise SpecError("NONE cannot be ordered against an id")
        return truth_value(make(mine, theirs))

    def __lt__(self, other: Any) -> Any:
        return self._ordered(terms.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._ordered(terms.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._ordered(lambda a, b: terms.lt(b, a), other)

    def __ge__(self, other: Any) -> Any:
        return self._ordered(lambda a, b: terms.le(b, a), other)

    def _refuse(self, other: Any = None) -> NoReturn:
        raise Misuse(f"arithmetic was asked of a {self.domain.sort.__name__}, but it is an id")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = _refuse
    __index__ = __int__ = __neg__ = __floordiv__ = _refuse

    def __bool__(self) -> NoReturn:
        raise Misuse("an id was used as a truth value: write `== NONE` or `!= NONE`")


class SymbolicEnum(SymbolicValue):
    """A member of an enum that is not known."""

    __slots__ = ("domain",)

    def __init__(self, term: Term, domain: EnumDomain) -> None:
        self.term, self.domain = term, domain

    def resolve(self) -> Any:
        return self.domain.decode(explorer().choose(self.term))

    def __eq__(self, other: object) -> Any:
        if isinstance(other, SymbolicEnum):
            return truth_value(terms.eq(self.term, other.term))
        if isinstance(other, Enum) and other in self.domain.position:
            return truth_value(terms.eq(self.term, terms.const(self.domain.position[other])))
        raise Misuse(f"a value that is {self.domain!r} was compared with {other!r}")

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return ~equal if isinstance(equal, SymbolicTruth) else not equal

    __hash__ = SymbolicValue.__hash__

    def __bool__(self) -> NoReturn:
        raise Misuse("a member of an enum was used as a truth value: compare it with ==")

    def _no_order(self, other: Any) -> NoReturn:
        raise Misuse("members of an enum were ordered: use an integer field for what has an order")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order


def number(term: Term) -> Any:
    """The value of a number term: a plain int if it is constant."""
    return term.value if term.op == "const" else SymbolicInt(term)


def truth_value(term: Term) -> Any:
    """The value of a truth term: a plain bool if it is constant."""
    if term is terms.TRUE:
        return True
    if term is terms.FALSE:
        return False
    return SymbolicTruth(term)


def number_term(value: Any) -> Term | None:
    """The term of a number, or None if `value` is not one."""
    if isinstance(value, SymbolicInt):
        return value.term
    if isinstance(value, Quantity):
        value = value._now()
    if isinstance(value, float) and value == UNLIMITED:
        return terms.const(UNLIMITED_CODE)
    if isinstance(value, int):
        return terms.const(int(value))
    return None


def truth_term(value: Any) -> Term:
    """The term of a truth value; a `SpecError` for anything else."""
    if isinstance(value, SymbolicTruth):
        return value.term
    if isinstance(value, bool):
        return terms.truth(value)
    raise Misuse(f"{value!r} was used as a truth value")
