"""Terms and values as TLA+ expressions, for one action or property instance.

In an instance some values have names: `leader` instead of `b0`, because `b0` was chosen for the
parameter `leader`.  The text is written with those names, so that instances with equal texts are
one operator with parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from kproof_spec.lang import NONE, Id, SetOf, Struct
from kproof_spec.lang.scalars import Domain

from ..extraction import terms
from ..extraction.terms import Term
from .docs import Doc, Press
from .names import field_name
from .order import Order
from .schema import FLAG, NUMBER, Kind, Place, Schema, kind_of_scalar, value_key

NEGATED = {
    "=": "#",
    "#": "=",
    "<=": ">",
    ">": "<=",
    "<": ">=",
    "\\in": "\\notin",
    "\\notin": "\\in",
}
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}


Style = frozenset[str]
STYLES: tuple[Style, ...] = (
    frozenset({"length"}),
    frozenset({"length", "less"}),
    frozenset({"length", "more"}),
    frozenset({"length", "less", "more"}),
    frozenset(),
    frozenset({"length", "empty"}),
)
"""At an end of a range `x # 0` and `x > 0` are the same.  Written by order are the lengths of
sequences, what is `less`, what is `more`.  With `empty` an empty set may be called by a parameter
that is one.  Which style makes instances look alike is tried."""


class Scribe:
    """Writes terms and values; `named` are the values that have a name here, by `value_key`."""

    def __init__(
        self, schema: Schema, named: Mapping[Any, str] | None = None, style: Style = STYLES[0]
    ) -> None:
        self.schema, self.named, self.style = schema, dict(named or {}), style
        self.press = Press()
        self._truths: dict[Term, Doc] = {}
        self._numbers: dict[tuple[Term, Kind], Doc] = {}
        self._order = Order(schema, self.named)

    def in_order(self, members: Iterable[Any]) -> list[Any]:
        """Members of a set in the order in which texts list them."""
        return sorted(members, key=self._order.of_value)

    def _sorted(self, parts: Iterable[Term], docs: Mapping[Term, Doc]) -> list[Term]:
        return sorted(parts, key=lambda term: (self._order.of_term(term), docs[term].digest))

    # -- values --------------------------------------------------------------------------------

    def constant(self, value: Any) -> Doc:
        """A plain value: an id, a number, an enum member, a set or a struct of those."""
        press = self.press
        if value is NONE:
            return press.atom("NONE")
        if not isinstance(value, int) and value_key(value) in self.named:
            return press.atom(self.named[value_key(value)])
        if isinstance(value, Id):
            return press.atom(self.schema.id_name(value))
        if isinstance(value, Enum):
            return press.atom(f'"{value.name}"')
        if isinstance(value, bool):
            return press.atom("TRUE" if value else "FALSE")
        if isinstance(value, SetOf):
            return self.set_of(self.in_order(value))
        if isinstance(value, Struct):
            fields = type(value)._fields
            return press.record({field_name(n): self.constant(value.__dict__[n]) for n in fields})
        return press.atom(str(int(value)))

    def set_of(self, members: Iterable[Any]) -> Doc:
        """A set of plain values; all ids of a sort are the sort."""
        chosen = list(members)
        sort = self._whole_sort(chosen)
        if sort is not None:
            return self.press.atom(self.schema.sort_name(sort))
        docs = [self.constant(member) for member in chosen]
        if not docs:
            return self.press.atom("{}")
        return self.press.form("{" + ", ".join(["{}"] * len(docs)) + "}", *docs)

    def _whole_sort(self, members: list[Any]) -> type[Id] | None:
        """The sort of which these are all ids; None for a single id, which is said by its name."""
        sorts = {type(member) for member in members}
        if len(sorts) != 1 or len(members) < 2:
            return None
        sort = sorts.pop()
        if not issubclass(sort, Id) or len(members) != self.schema.machine.scope.size(sort):
            return None
        return sort

    def place(self, place: Place) -> Doc:
        """A part of the state."""
        press = self.press
        doc = press.atom(place.path[0].key)
        for step in place.path[1:]:
            if step.what == "field":
                doc = press.form("{}." + field_name(step.key), doc)
            elif step.what == "key":
                doc = press.form("{}[{}]", doc, self.constant(step.key))
            else:
                assert step.sequence is not None
                reader = self.schema.slot_reader(step.sequence)
                doc = press.form(reader + "({}, {})", doc, press.atom(str(step.key)))
        return doc

    def length(self, sequence: Place) -> Doc:
        """How long a sequence of the state is."""
        return self.press.form("Len({})", self.place(sequence))

    # -- truth values --------------------------------------------------------------------------

    def truth(self, term: Term) -> Doc:
        """A truth value."""
        known = self._truths.get(term)
        if known is None:
            for inner in terms.ordered([term]):
                if inner.is_truth and inner not in self._truths:
                    self._truths[inner] = self._truth(inner)
            known = self._truths[term]
        return known

    def _truth(self, term: Term) -> Doc:
        press, args = self.press, term.args
        match term.op:
            case "true" | "false":
                return press.atom(term.op.upper())
            case "eq":
                return self._equality(*args)
            case "le":
                if args[1].op == "const" and self._is_bounded(args[0], "less"):
                    return self._less(args[0], args[1].value + 1)
                left, right = (self.number(arg, NUMBER) for arg in args)
                return press.infix("<=", left, right)
            case "not":
                return self._denied(args[0])
            case "and" | "or":
                docs = {arg: self._truths[arg] for arg in args}
                operator = "/\\" if term.op == "and" else "\\/"
                return press.junction(operator, [docs[t] for t in self._sorted(args, docs)])
        condition, yes, no = (self._truths[arg] for arg in args)
        return press.choice(condition, yes, no)

    def truths_in_order(self, parts: Iterable[Term]) -> list[Doc]:
        """Several truth values, in the order in which texts list them."""
        docs = {part: self.truth(part) for part in parts}
        return [docs[part] for part in self._sorted(docs, docs)]

    def negation(self, doc: Doc) -> Doc:
        """The opposite of a truth value."""
        if doc.kind == "infix" and doc.head in NEGATED:
            return self.press.infix(NEGATED[doc.head], *doc.parts)
        return self.press.negated(doc)

    def _denied(self, term: Term) -> Doc:
        """The opposite of a truth value; of two codes, not the one is the other."""
        if term.op == "eq" and term.args[0].op == "leaf" and term.args[1].op == "const":
            leaf, code = term.args
            kind = self.kind(leaf)
            if leaf.high - leaf.low == 1 and kind is not None and kind[0] in ("number", "enum"):
                return self._equality(leaf, terms.const(leaf.low + leaf.high - code.value))
            if code.value == leaf.low and self._is_bounded(leaf, "more"):
                return self._more(leaf, code.value)
            if code.value == leaf.high and self._is_bounded(leaf, "less"):
                return self._less(leaf, code.value)
        if term.op == "le" and term.args[1].op == "const":
            return self._more(term.args[0], term.args[1].value)
        return self.negation(self._truths[term])

    def _is_bounded(self, term: Term, how: str) -> bool:
        """Whether the ends of a leaf's range are written as bounds: `> 0`, not `# 0`."""
        if term.op != "leaf":
            return False
        place = self.schema.leaves[term.value]
        wanted = "length" if place.what == "end" else how
        return wanted in self.style and place.kind == NUMBER

    def _less(self, term: Term, limit: int) -> Doc:
        return self.press.infix("<", self.number(term, NUMBER), self.press.atom(str(limit)))

    def _more(self, term: Term, limit: int) -> Doc:
        return self.press.infix(">", self.number(term, NUMBER), self.press.atom(str(limit)))

    def _equality(self, a: Term, b: Term) -> Doc:
        if b.op == "const" and b.value == a.high and self._is_bounded(a, "more"):
            return self._more(a, b.value - 1)
        is_lowest = b.op == "const" and b.value == a.low and self._is_bounded(a, "less")
        if is_lowest and self.schema.leaves[a.value].what != "end":  # Of length 0, not below 1.
            return self._less(a, b.value + 1)
        kind = _joined(self.kind(a), self.kind(b))
        if kind == FLAG and b.op == "const":
            flag = self.number(a, FLAG)
            return flag if b.value == 1 else self.negation(flag)
        if kind != NUMBER and not all(self._fits(term, kind) for term in (a, b)):
            kind = NUMBER
        docs = {a: self.number(a, kind), b: self.number(b, kind)}
        first, second = (a, b) if b.op == "const" else self._sorted([a, b], docs)
        return self.press.infix("<=>" if kind == FLAG else "=", docs[first], docs[second])

    # -- numbers -------------------------------------------------------------------------------

    def kind(self, term: Term) -> Kind | None:
        """What the codes that a term computes stand for; None for a constant."""
        match term.op:
            case "const":
                return None
            case "leaf":
                return self.schema.leaves[term.value].kind
            case "ite":
                return _joined(self.kind(term.args[1]), self.kind(term.args[2]))
        return NUMBER

    def _fits(self, term: Term, kind: Kind | None) -> bool:
        """Whether every constant of a term is a code of the kind."""
        if term.op == "ite":
            return all(self._fits(arg, kind) for arg in term.args[1:])
        if term.op != "const" or kind is None:
            return True
        if kind == FLAG:
            return term.value in (0, 1)
        if kind[0] == "enum":
            return 0 <= term.value < len(kind[1])
        return -1 <= term.value < self.schema.machine.scope.size(kind[1])

    def number(self, term: Term, kind: Kind | None) -> Doc:
        """The value of a term as a value of a kind; of `NUMBER`, the code itself."""
        key = (term, kind or NUMBER)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._number(*key)
        return known

    def _number(self, term: Term, kind: Kind) -> Doc:
        press = self.press
        own = self.kind(term)
        match term.op:
            case "const":
                return self.decoded(term.value, kind)
            case "ite":
                yes, no = term.args[1:]
                if kind == FLAG and (yes.value, no.value) == (1, 0) and yes.op == no.op == "const":
                    return self.truth(term.args[0])
                bound = self._bound(term.args[0], yes, no) if kind == NUMBER else None
                if bound is not None:
                    return bound
                return press.choice(
                    self.truth(term.args[0]), self.number(yes, kind), self.number(no, kind)
                )
            case "leaf":
                doc = self._leaf(term.value)
            case _:
                doc = self._computed(term)
        return self._converted(doc, own or NUMBER, kind)

    def _bound(self, condition: Term, yes: Term, no: Term) -> Doc | None:
        """The lesser or the greater of two numbers, if that is what a choice is."""
        if condition.op != "le" or {yes, no} != set(condition.args):
            return None
        name = "Min" if condition.args[0] is yes else "Max"
        docs = {yes: self.number(yes, NUMBER), no: self.number(no, NUMBER)}
        left, right = (docs[term] for term in self._sorted([yes, no], docs))
        return self.press.form(name + "({}, {})", left, right)

    def decoded(self, code: int, kind: Kind) -> Doc:
        """A constant code.  One that is out of range is never used: any value will do."""
        match kind[0]:
            case "flag":
                return self.press.atom("TRUE" if code else "FALSE")
            case "enum":
                options = list(kind[1])
                return self.constant(options[min(max(code, 0), len(options) - 1)])
            case "id":
                return self.constant(self._id(kind[1], code))
        return self.press.atom(str(code))

    def _id(self, sort: Any, code: int) -> Any:
        known = self.schema.machine.scope.ids(sort)
        return NONE if code < 0 else known[min(code, len(known) - 1)]

    def _leaf(self, index: int) -> Doc:
        leaf = self.schema.leaves[index]
        if leaf.what == "end":
            return self.length(leaf.place)
        if leaf.what == "member":
            return self.press.infix("\\in", self.constant(leaf.member), self.place(leaf.place))
        return self.place(leaf.place)

    def _converted(self, doc: Doc, own: Kind, kind: Kind) -> Doc:
        """From one kind to another: to a code and back."""
        press = self.press
        if own == kind:
            return doc
        if own == FLAG:
            doc = press.choice(doc, press.atom("1"), press.atom("0"))
        elif own != NUMBER:
            doc = self._by_cases(own, doc, lambda code: (self.decoded(code, own), str(code)))
        if kind == NUMBER:
            return doc
        if kind == FLAG:
            return press.infix("=", doc, press.atom("1"))
        return self._by_cases(
            kind, doc, lambda code: (press.atom(str(code)), self.decoded(code, kind))
        )

    def _by_cases(self, kind: Kind, doc: Doc, case: Any) -> Doc:
        codes = range(len(kind[1])) if kind[0] == "enum" else self._id_codes(kind[1])
        found: Doc | None = None
        for code in reversed(codes):
            value, result = case(code)
            result = self.press.atom(result) if isinstance(result, str) else result
            is_it = self.press.infix("=", doc, value)
            found = result if found is None else self.press.choice(is_it, result, found)
        assert found is not None
        return found

    def _id_codes(self, sort: Any) -> range:
        return range(-1, self.schema.machine.scope.size(sort))

    def _computed(self, term: Term) -> Doc:
        press, args = self.press, term.args
        if term.op == "add":
            size = self._set_size(term)
            if size is not None:
                return size
            if args[1].op == "const" and args[1].value < 0:
                less = press.atom(str(-args[1].value))
                return press.infix("-", self.number(args[0], NUMBER), less)
        docs = {arg: self.number(arg, NUMBER) for arg in args}
        if term.op in ("add", "min", "max") and args[1].op != "const":
            args = tuple(self._sorted(args, docs))
        left, right = (docs[arg] for arg in args)
        match term.op:
            case "min" | "max":
                return press.form(term.op.capitalize() + "({}, {})", left, right)
            case "div" | "mod":
                # As everywhere, the divisor is positive where the value is used.
                positive = press.form("Max({}, 1)", right) if args[1].low < 1 else right
                return press.infix("\\div" if term.op == "div" else "%", left, positive)
        return press.infix(ARITHMETIC[term.op], left, right)

    def _set_size(self, term: Term) -> Doc | None:
        """The sum of a set's leaves is how many members it has."""
        found: list[int] = []
        stack = [term]
        while stack:
            part = stack.pop()
            if part.op == "add":
                stack += part.args
            elif part.op == "leaf" and self.schema.leaves[part.value].what == "member":
                found.append(part.value)
            else:
                return None
        place = self.schema.leaves[found[0]].place
        every = list(range(place.at, place.at + place.size))
        if sorted(found) != every:
            return None
        return self.press.form("Cardinality({})", self.place(place))

    def scalar(self, domain: Domain, term: Term) -> Doc:
        """The value of a scalar field."""
        return self.number(term, kind_of_scalar(domain))


def _joined(a: Kind | None, b: Kind | None) -> Kind | None:
    """The kind of two branches: codes, if they differ."""
    if a is None or b is None or a == b:
        return b if a is None else a
    return NUMBER
