"""Terms: whole numbers and truth values computed from the leaves of a state.

Terms are interned: equal terms are the same object, so they are compared with `is` and may be
dictionary keys.  Constructors simplify; a term's `low..high` bounds every value that it can have.
Truth values are terms of their own, never the numbers 0 and 1, so that `True` and `1` cannot be
taken for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

NUMBER_OPERATIONS: Final = ("const", "leaf", "add", "sub", "mul", "div", "mod", "min", "max", "ite")
TRUTH_OPERATIONS: Final = ("true", "false", "eq", "le", "and", "or", "not", "bite")


class Term:
    """An interned expression.  Never build one directly: use the functions of this module."""

    __slots__ = ("args", "high", "id", "leaves", "low", "op", "value")

    op: str
    args: tuple[Term, ...]
    value: int
    """The number of a `const`, the index of a `leaf`; 0 otherwise."""
    low: int
    high: int
    leaves: frozenset[int]
    id: int

    def __repr__(self) -> str:
        match self.op:
            case "const":
                return str(self.value)
            case "leaf":
                return f"v{self.value}"
            case "true" | "false":
                return self.op
        return f"{self.op}({', '.join(map(repr, self.args))})"

    @property
    def is_truth(self) -> bool:
        """Whether this is a truth value and not a number."""
        return self.op in TRUTH_OPERATIONS


_interned: dict[Any, Term] = {}


def _make(op: str, args: tuple[Term, ...], low: int, high: int, value: int = 0) -> Term:
    key = (op, value, low, high) if not args else (op, *[a.id for a in args])
    known = _interned.get(key)
    if known is None:
        known = Term()
        known.op, known.args, known.value, known.low, known.high = op, args, value, low, high
        known.leaves = frozenset([value]) if op == "leaf" else frozenset()
        for arg in args:
            known.leaves |= arg.leaves
        known.id = len(_interned)
        _interned[key] = known
    return known


TRUE: Final = _make("true", (), 1, 1)
FALSE: Final = _make("false", (), 0, 0)


def const(value: int) -> Term:
    """A number."""
    return _make("const", (), value, value, value)


def leaf(index: int, low: int, high: int) -> Term:
    """The value of a leaf of the state, which is in `low..high`."""
    return const(low) if low == high else _make("leaf", (), low, high, index)


def truth(value: bool) -> Term:
    """A truth value."""
    return TRUE if value else FALSE


def add(a: Term, b: Term) -> Term:
    """a + b"""
    if a.op == "const" and b.op == "const":
        return const(a.value + b.value)
    if a.op == "const":
        a, b = b, a
    if b.op == "const":
        if b.value == 0:
            return a
        if a.op == "add" and a.args[1].op == "const":
            return add(a.args[0], const(a.args[1].value + b.value))
    elif a.id > b.id:
        a, b = b, a
    return _make("add", (a, b), a.low + b.low, a.high + b.high)


def sub(a: Term, b: Term) -> Term:
    """a - b"""
    if b.op == "const":
        return add(a, const(-b.value))
    if a is b:
        return const(0)
    return _make("sub", (a, b), a.low - b.high, a.high - b.low)


def mul(a: Term, b: Term) -> Term:
    """a * b"""
    if a.op == "const" and b.op == "const":
        return const(a.value * b.value)
    corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
    return _make("mul", (a, b), min(corners), max(corners))


def div(a: Term, b: Term) -> Term:
    """a // b, rounded down as Python does; `b` is positive."""
    if a.op == "const" and b.op == "const":
        return const(a.value // b.value)
    corners = [x // y for x in (a.low, a.high) for y in (max(b.low, 1), max(b.high, 1))]
    return _make("div", (a, b), min(corners), max(corners))


def mod(a: Term, b: Term) -> Term:
    """a % b, never negative; `b` is positive."""
    if a.op == "const" and b.op == "const":
        return const(a.value % b.value)
    return _make("mod", (a, b), 0, max(b.high - 1, 0))


def least(a: Term, b: Term) -> Term:
    """The smaller of two."""
    if a.high <= b.low or a is b:
        return a
    if b.high <= a.low:
        return b
    a, b = (a, b) if a.id < b.id else (b, a)
    return _make("min", (a, b), min(a.low, b.low), min(a.high, b.high))


def greatest(a: Term, b: Term) -> Term:
    """The greater of two."""
    if a.low >= b.high or a is b:
        return a
    if b.low >= a.high:
        return b
    a, b = (a, b) if a.id < b.id else (b, a)
    return _make("max", (a, b), max(a.low, b.low), max(a.high, b.high))


def ite(condition: Term, yes: Term, no: Term) -> Term:
    """The number `yes` where `condition` holds, else `no`."""
    if condition is TRUE or yes is no:
        return yes
    if condition is FALSE:
        return no
    if condition.op == "not":
        condition, yes, no = condition.args[0], no, yes
    if condition.op == "eq" and condition.args[1] is yes and (yes.value, no.value) == (1, 0):
        number = condition.args[0]
        if (number.low, number.high, no.op) == (0, 1, "const"):
            return number  # A flag, as it came from its leaf.
    return _make("ite", (condition, yes, no), min(yes.low, no.low), max(yes.high, no.high))


def eq(a: Term, b: Term) -> Term:
    """Whether two numbers are equal."""
    if a is b:
        return TRUE
    if a.high < b.low or b.high < a.low:
        return FALSE
    if a.op == "const" or (b.op != "const" and a.id > b.id):
        a, b = b, a
    if b.op == "const":
        if a.op == "const":
            return truth(a.value == b.value)
        if a.op == "ite":
            return bite(a.args[0], eq(a.args[1], b), eq(a.args[2], b))
        if a.op == "add" and a.args[1].op == "const":
            return eq(a.args[0], const(b.value - a.args[1].value))
        if a.high - a.low == 1 and b.value == a.low:
            return negate(eq(a, const(a.high)))
    return _make("eq", (a, b), 0, 1)


def le(a: Term, b: Term) -> Term:  # noqa: PLR0911 - a list of simplifications
    """a <= b"""
    if a.high <= b.low or a is b:
        return TRUE
    if a.low > b.high:
        return FALSE
    if b.op == "const":
        if a.op == "ite":
            return bite(a.args[0], le(a.args[1], b), le(a.args[2], b))
        if a.op == "add" and a.args[1].op == "const":
            return le(a.args[0], const(b.value - a.args[1].value))
        if b.value == a.low:
            return eq(a, b)
        if b.value == a.high - 1:
            return negate(eq(a, const(a.high)))
    if a.op == "const":
        if b.op == "ite":
            return bite(b.args[0], le(a, b.args[1]), le(a, b.args[2]))
        return negate(le(b, const(a.value - 1)))
    return _make("le", (a, b), 0, 1)


def lt(a: Term, b: Term) -> Term:
    """a < b"""
    if a.op == "const":
        return le(const(a.value + 1), b)
    if b.op == "const":
        return le(a, const(b.value - 1))
    return negate(le(b, a))


def negate(a: Term) -> Term:
    """not a"""
    if a is TRUE:
        return FALSE
    if a is FALSE:
        return TRUE
    return a.args[0] if a.op == "not" else _make("not", (a,), 0, 1)


def both(terms: Iterable[Term]) -> Term:
    """All of the terms."""
    return _gathered("and", terms, neutral=TRUE, absorbing=FALSE)


def either(terms: Iterable[Term]) -> Term:
    """Any of the terms."""
    return _gathered("or", terms, neutral=FALSE, absorbing=TRUE)


def _gathered(op: str, terms: Iterable[Term], *, neutral: Term, absorbing: Term) -> Term:
    found: dict[Term, None] = {}
    for term in terms:
        for part in term.args if term.op == op else (term,):
            if part is absorbing or negate(part) in found:
                return absorbing
            if part is not neutral:
                found[part] = None
    if not found:
        return neutral
    if len(found) == 1:
        return next(iter(found))
    return _make(op, tuple(sorted(found, key=lambda term: term.id)), 0, 1)


def bite(condition: Term, yes: Term, no: Term) -> Term:
    """The truth value `yes` where `condition` holds, else `no`."""
    if condition is TRUE or yes is no:
        return yes
    if condition is FALSE:
        return no
    if condition.op == "not":
        condition, yes, no = condition.args[0], no, yes
    if yes is TRUE:
        return either([condition, no])
    if yes is FALSE:
        return both([negate(condition), no])
    if no is TRUE:
        return either([negate(condition), yes])
    if no is FALSE:
        return both([condition, yes])
    return _make("bite", (condition, yes, no), 0, 1)


def ordered(terms: Iterable[Term]) -> list[Term]:
    """The terms with everything inside them, arguments before what uses them."""
    found: dict[Term, None] = {}
    stack = list(terms)
    while stack:
        term = stack[-1]
        missing = [arg for arg in term.args if arg not in found]
        if missing and term not in found:
            stack.extend(missing)
        else:
            stack.pop()
            found[term] = None
    return list(found)


_PYTHON: Final = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    # A divisor is positive wherever the value is used; elsewhere any value will do.
    "div": "({0} // max({1}, 1))",
    "mod": "({0} % max({1}, 1))",
    "min": "min({0}, {1})",
    "max": "max({0}, {1})",
    "ite": "({1} if {0} else {2})",
    "bite": "({1} if {0} else {2})",
    "eq": "({0} == {1})",
    "le": "({0} <= {1})",
    "not": "(not {0})",
}


def python_lines(terms: Iterable[Term], leaf_name: str = "v[{}]") -> tuple[list[str], list[str]]:
    """Python source that computes `terms`: the assignments, and the name of each term."""
    lines: list[str] = []
    names: dict[Term, str] = {}
    wanted = list(terms)
    for term in ordered(wanted):
        match term.op:
            case "const":
                names[term] = str(term.value)
                continue
            case "leaf":
                names[term] = leaf_name.format(term.value)
                continue
            case "true" | "false":
                names[term] = str(term is TRUE)
                continue
            case "and" | "or":
                source = f" {term.op} ".join(names[arg] for arg in term.args)
            case _:
                source = _PYTHON[term.op].format(*[names[arg] for arg in term.args])
        names[term] = f"t{term.id}"
        lines.append(f"{names[term]} = {source}")
    return lines, [names[term] for term in wanted]


_compiled: dict[Term, Any] = {}


def evaluator(term: Term) -> Any:
    """A function from the values of the term's leaves, in order of their index, to its value."""
    known = _compiled.get(term)
    if known is None:
        arguments = ", ".join(f"v{i}" for i in sorted(term.leaves))
        lines, (name,) = python_lines([term], "v{}")
        body = "".join(f"    {line}\n" for line in lines)
        space: dict[str, Any] = {}
        exec(f"def f({arguments}):\n{body}    return {name}\n", space)
        known = _compiled[term] = space["f"]
    return known
