"""The state as TLA+ sees it: a variable for each field, records, functions, sequences and sets.

Every number of the state (a leaf) has a place in a variable.  A slot of a sequence beyond its end
holds nothing in TLA+, and initial values in ours; it is read through an operator that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kproof_spec.lang import Id, Machine, SetOf
from kproof_spec.lang.containers import PlainStore
from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain
from kproof_spec.lang.keys import member_key
from kproof_spec.lang.scalars import Domain, EnumDomain, FlagDomain, IdDomain, Scalar

from ..extraction import terms
from ..extraction.terms import Term
from .names import Names

Kind = tuple[Any, ...]
NUMBER: Kind = ("number",)
FLAG: Kind = ("flag",)


@dataclass(frozen=True)
class Step:
    """One step into a value: a field's name, a table's key, or a slot of a sequence."""

    what: str
    key: Any
    sequence: SeqDomain | None = None


@dataclass(frozen=True)
class Place:
    """A part of the state: its leaves are `at .. at + size - 1`."""

    domain: Domain
    at: int
    size: int
    path: tuple[Step, ...]


@dataclass(frozen=True)
class LeafPlace:
    """What a leaf is: the scalar in a place, the end of a sequence, or a member of a set."""

    place: Place
    what: str
    member: Any = None

    @property
    def kind(self) -> Kind:
        """What its codes stand for."""
        if self.what == "end":
            return NUMBER
        return FLAG if self.what == "member" else kind_of_scalar(self.place.domain)


def kind_of_scalar(domain: Domain) -> Kind:
    """What the codes of a scalar stand for; equal kinds have equal codes for equal values."""
    match domain:
        case FlagDomain():
            return FLAG
        case EnumDomain():
            return ("enum", type(domain.options[0]))
        case IdDomain():
            return ("id", domain.sort)
    return NUMBER


def shape(domain: Domain) -> Any:
    """Equal for domains whose codes can be copied from one to the other."""
    match domain:
        case StructDomain():
            return ("struct", domain.cls)
        case SeqDomain():
            return ("seq", shape(domain.element), domain.capacity)
        case SetDomain():
            return ("set", shape(domain.element), len(domain.elements))
        case TableDomain():
            return ("table", shape(domain.keys), shape(domain.element))
    return kind_of_scalar(domain)


class Schema:
    """The places of a machine's state, and the names of what is global in its module."""

    def __init__(self, machine: Machine[Any]) -> None:
        self.machine = machine
        self.names = Names()
        self.variables: dict[str, str] = {}
        """The name in TLA+ of each field of the state."""
        self.ids: dict[tuple[type[Id], int], str] = {}
        self.sorts: dict[type[Any], str] = {}
        """The sorts, enums and structs that have a set in the module."""
        self.defaults: dict[tuple[Any, tuple[int, ...]], str] = {}
        """For an element's shape and initial codes, the operator that reads a slot."""
        self.readers: dict[str, SeqDomain] = {}
        """By these operators, a sequence of the elements that they read."""
        self.leaf_terms: list[Term] = [
            terms.leaf(i, int(leaf.domain.low), int(leaf.domain.high))
            for i, leaf in enumerate(machine.leaves)
        ]
        self.leaves: list[LeafPlace] = []
        self._places: dict[tuple[int, Any], Place] = {}
        self._sizes: dict[int, int] = {}
        domain = machine.domain
        assert isinstance(domain, StructDomain)
        self.domain = domain
        for name in domain.fields:
            self.variables[name] = self.names.new(name)
        self._bound: list[str] = []
        self.top: dict[str, Place] = {}
        if tables_in(domain):
            self.bound(domain)  # Before any parameter takes the names.
        for name, inner in domain.fields.items():
            self.top[name] = self._walk(inner, (Step("variable", self.variables[name]),))

    # -- places --------------------------------------------------------------------------------

    def _walk(self, domain: Domain, path: tuple[Step, ...]) -> Place:
        at = len(self.leaves)
        match domain:
            case StructDomain():
                for name, inner in domain.fields.items():
                    self._walk(inner, (*path, Step("field", name)))
            case TableDomain():
                for key in domain.keys.values():
                    self._note(domain.keys)
                    self._walk(domain.element, (*path, Step("key", key)))
            case SeqDomain():
                size = 1 + domain.slots * self.size(domain.element)
                place = Place(domain, at, size, path)
                self.leaves.append(LeafPlace(place, "end"))
                for i in range(domain.slots):
                    self._walk(domain.element, (*path, Step("slot", i, domain)))
            case SetDomain():
                place = Place(domain, at, len(domain.elements), path)
                self._note(domain.element)
                self.leaves += [LeafPlace(place, "member", m) for m in domain.elements]
            case _:
                self._note(domain)
                self.leaves.append(LeafPlace(Place(domain, at, 1, path), "scalar"))
        found = Place(domain, at, len(self.leaves) - at, path)
        self._places.setdefault((at, shape(domain)), found)
        return found

    def _note(self, domain: Domain) -> None:
        """Names the ids of a domain."""
        match domain:
            case IdDomain():
                for known in self.machine.scope.ids(domain.sort):
                    self.id_name(known)
            case StructDomain():
                for inner in domain.fields.values():
                    self._note(inner)
            case SetDomain() | SeqDomain():
                self._note(domain.element)

    def size(self, domain: Domain) -> int:
        """How many leaves a value has."""
        known = self._sizes.get(id(domain))
        if known is None:
            known = self._sizes[id(domain)] = sum(1 for _ in domain.leaves(()))
        return known

    def place_at(self, at: int, domain: Domain) -> Place | None:
        """The place of this domain that begins at a leaf."""
        return self._places.get((at, shape(domain)))

    def place_of(self, domain: Domain, values: Sequence[Term]) -> Place | None:
        """The part of the state that `values` are a copy of, if they are one."""
        for offset, term in enumerate(values):
            if term.op == "leaf":
                at = term.value - offset
                found = self._places.get((at, shape(domain)))
                if found is None or len(values) != found.size:
                    return None
                inside = self.leaf_terms[at : at + found.size]
                same = all(a is b for a, b in zip(inside, values, strict=True))
                return found if same else None
            if term.op != "const":
                return None
        return None

    # -- values --------------------------------------------------------------------------------

    def id_name(self, known: Id) -> str:
        """The name of an id; each is a constant of the module."""
        key = (type(known), known._index)
        if key not in self.ids:
            self.ids[key] = self.names.new(known.name)
        return self.ids[key]

    def sort_name(self, sort: type[Any]) -> str:
        """The name of the set of a sort's values."""
        if sort is bool:
            return "BOOLEAN"
        if sort not in self.sorts:
            self.sorts[sort] = self.names.new(sort.__name__)
        return self.sorts[sort]

    def bound(self, domain: Domain) -> str:
        """The name in `[key \\in S |-> value]`: another one for each table inside another."""
        height = tables_in(domain)
        while len(self._bound) < height:
            self._bound.append(self.names.new("key"))
        return self._bound[height - 1]

    def slot_reader(self, sequence: SeqDomain) -> str:
        """The operator that reads a slot of a sequence, or the initial value beyond its end."""
        key = (shape(sequence.element), tuple(self.initial_codes(sequence.element)))
        if key not in self.defaults:
            element = sequence.element
            stem = element.cls.__name__ if isinstance(element, StructDomain) else "Element"
            self.defaults[key] = self.names.new(f"{stem}At")
            self.readers[self.defaults[key]] = sequence
        return self.defaults[key]

    def initial_codes(self, domain: Domain) -> list[int]:
        """The codes of a domain's initial value."""
        out: list[int] = []
        domain.write(domain.default(PlainStore(self.machine.scope)), out)
        return out

    def plain_value(self, domain: Domain, codes: Sequence[int]) -> Any:
        """The value with these codes."""
        numbers = iter(codes)
        store = PlainStore(self.machine.scope)
        return domain.read(lambda scalar: scalar.decode(next(numbers)), store)


def tables_in(domain: Domain) -> int:
    """How many tables are one inside another."""
    match domain:
        case TableDomain():
            return 1 + tables_in(domain.element)
        case StructDomain():
            return max(map(tables_in, domain.fields.values()), default=0)
        case SeqDomain():
            return tables_in(domain.element)
    return 0


def value_key(value: Any) -> Any:
    """Equal for equal plain values of one type, and for none of another."""
    if isinstance(value, SetOf):
        return ("set", value._member_key())
    if isinstance(value, Enum | bool):
        return (type(value), member_key(value))
    return (type(value), member_key(value))


def bounds(domain: Scalar) -> tuple[int, int]:
    """The least and the greatest code."""
    return int(domain.low), int(domain.high)
