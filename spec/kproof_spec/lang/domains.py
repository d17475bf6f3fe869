"""What a field ranges over in one scope, and how its values become numbers and back.

A state is a tree of structs, tables, sequences and sets whose leaves are scalars.  Each leaf has a
code, a whole number; the codes in the order of `leaves` are the state, as engines store it.
A set is one 0/1 leaf for each possible member, a sequence its end and then its slots, where the
slots past the end hold the codes of initial values, so that equal states have equal codes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

from .containers import PlainStore, SetOf
from .errors import Misuse, OutOfRange, ScopeError, SpecError
from .fields import Field
from .keys import member_key, shown
from .quantities import UNLIMITED, evaluate
from .scalars import (
    IS_MEMBER,
    Domain,
    EnumDomain,
    FlagDomain,
    IdDomain,
    IntegerDomain,
    Leaf,
    Step,
    Take,
)
from .sorts import Bounded, Id
from .store import Store
from .structs import Struct
from .symbolic import Symbolic

if TYPE_CHECKING:
    from .scope import Scope


class StructDomain(Domain):
    """A struct: its fields, in order."""

    def __init__(self, cls: Any, fields: dict[str, Domain], history: frozenset[str]) -> None:
        self.cls, self.fields, self.history = cls, fields, history

    def __repr__(self) -> str:
        return f"a {self.cls.__name__}"

    def default(self, store: Store) -> Any:
        values = {name: field.default(store) for name, field in self.fields.items()}
        return self.cls._attached(self, store, values)

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if type(value) is not self.cls:
            raise OutOfRange(f"{where} was given {value!r}, which is not {self!r}")
        slots = value.__dict__
        values = {
            name: field.attach(slots[name], store, f"{where}.{name}")
            for name, field in self.fields.items()
        }
        return self.cls._attached(self, store, values)

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        for name, field in self.fields.items():
            yield from field.leaves(
                (*path, Step(f".{name}", name)), is_history or name in self.history
            )

    def read(self, take: Take, store: Store) -> Any:
        values = {name: field.read(take, store) for name, field in self.fields.items()}
        return self.cls._attached(self, store, values)

    def write(self, value: Any, out: list[Any]) -> None:
        slots = value.__dict__
        for name, field in self.fields.items():
            field.write(slots[name], out)

    def values(self) -> Iterator[Any]:
        names = list(self.fields)
        for combination in itertools.product(*(list(f.values()) for f in self.fields.values())):
            yield self.cls(**dict(zip(names, combination, strict=True)))._frozen()


class SeqDomain(Domain):
    """A sequence of at most `capacity` elements; no limit in an open scope."""

    def __init__(self, element: Domain, capacity: float, scope: Scope) -> None:
        if capacity < 0:
            raise ScopeError(f"a sequence cannot hold {capacity} elements")
        named = _named_by_default(element)
        if named is not None:
            raise Misuse(
                f"a sequence holds {named!r}, of a symmetric sort: its empty slots would name the "
                "first id, and so tell it from the others. Declare it with `maybe`, which is NONE "
                "there"
            )
        self.element, self.capacity, self.scope = element, capacity, scope
        self.length = IntegerDomain(0, capacity)
        self._padding: list[int] | None = None

    def __repr__(self) -> str:
        return f"a sequence of up to {self.capacity} of ({self.element!r})"

    @property
    def slots(self) -> int:
        """How many elements fit; a `SpecError` in an open scope."""
        if self.capacity == UNLIMITED:
            raise SpecError(f"{self!r} is unlimited: its leaves cannot be listed")
        return int(self.capacity)

    def default(self, store: Store) -> Any:
        return store.sequence(self, [])

    def attach(self, value: Any, store: Store, where: str) -> Any:
        items = [self.element.attach(item, store, f"{where}[{i}]") for i, item in enumerate(value)]
        if len(items) > self.capacity:
            raise OutOfRange(f"{where} was given {len(items)} elements, capacity {self.capacity}")
        return store.sequence(self, items)

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        yield Leaf((*path, Step(".end", "end")), self.length, is_history)
        for i in range(self.slots):
            yield from self.element.leaves((*path, Step(f"[{i}]", i)), is_history)

    def read(self, take: Take, store: Store) -> Any:
        end = take(self.length)
        items = [self.element.read(take, store) for _ in range(self.slots)]
        if isinstance(end, Symbolic):
            made = store.sequence(self, items)
            made.__dict__["_end"] = end
            return made
        return store.sequence(self, items[:end])

    def write(self, value: Any, out: list[Any]) -> None:
        end, items = value._ended()
        self.length.write(end, out)
        for item in items:
            self.element.write(item, out)
        missing = self.slots - len(items)
        if missing:
            if self._padding is None:
                self._padding = []
                self.element.write(self.element.default(PlainStore(self.scope)), self._padding)
            out.extend(self._padding * missing)


class SetDomain(Domain):
    """A set of scalars or of structs of scalars, one leaf for each possible member."""

    def __init__(self, element: Domain, scope: Scope) -> None:
        self.element, self.scope = element, scope
        self._elements: list[Any] | None = None
        self._positions: dict[Any, int] = {}

    def __repr__(self) -> str:
        return f"a set of ({self.element!r})"

    @property
    def elements(self) -> list[Any]:
        """Every possible member, ordered by key."""
        if self._elements is None:
            self._elements = sorted(self.element.values(), key=member_key)
            self._positions = {member_key(m): i for i, m in enumerate(self._elements)}
        return self._elements

    @property
    def positions(self) -> dict[Any, int]:
        """The position of each member's key in `elements`."""
        return self._positions if self.elements else {}

    def check(self, key: Any, member: Any) -> None:
        """Refuses what cannot be a member, by its key; everything can, in an open scope."""
        if not self.scope.is_open and key not in self.positions:
            raise OutOfRange(f"{member!r} cannot be in {self!r}")

    def default(self, store: Store) -> Any:
        return store.set_(self, {})

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if not isinstance(value, SetOf):
            value = SetOf(value)
        return value._copied(self, store)

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        for member in self.elements:
            step = Step(f"{{{shown(member)}}}", (self, member_key(member)))
            yield Leaf((*path, step), IS_MEMBER, is_history)

    def read(self, take: Take, store: Store) -> Any:
        members: dict[Any, Any] = {}
        cells = []
        for member in self.elements:
            cell = take(IS_MEMBER)
            cells.append(cell)
            if cell is True:
                members[member_key(member)] = member
        made = store.set_(self, members)
        if any(isinstance(cell, Symbolic) for cell in cells):
            made.__dict__["_cells"] = cells
        return made

    def write(self, value: Any, out: list[Any]) -> None:
        for cell in value._cells_of(self):
            IS_MEMBER.write(cell, out)

    def values(self) -> Iterator[Any]:
        for chosen in itertools.product((False, True), repeat=len(self.elements)):
            yield SetOf(itertools.compress(self.elements, chosen))._frozen()


class TableDomain(Domain):
    """One element for each key; in an open scope, for each key that was ever asked for."""

    def __init__(self, keys: Domain, element: Domain) -> None:
        self.keys, self.element = keys, element

    def __repr__(self) -> str:
        return f"a table from ({self.keys!r}) to ({self.element!r})"

    def _listed(self, store: Store) -> list[Any]:
        return [] if store.scope.is_open else list(self.keys.values())

    def default(self, store: Store) -> Any:
        return store.table(self, {k: self.element.default(store) for k in self._listed(store)})

    def attach(self, value: Any, store: Store, where: str) -> Any:
        items = {
            key: self.element.attach(item, store, f"{where}[{key!r}]")
            for key, item in value._entries()
        }
        return store.table(self, items)

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        for key in self.keys.values():
            yield from self.element.leaves((*path, Step(f"[{shown(key)}]", key)), is_history)

    def read(self, take: Take, store: Store) -> Any:
        return store.table(
            self, {key: self.element.read(take, store) for key in self.keys.values()}
        )

    def write(self, value: Any, out: list[Any]) -> None:
        for _, item in value._entries():
            self.element.write(item, out)


def _named_by_default(domain: Domain) -> IdDomain | None:
    """A symmetric sort of which the initial value of a domain names one, if there is such."""
    inside: list[Domain] = []
    match domain:
        case IdDomain() if domain.sort.symmetric and not domain.optional:
            return domain
        case StructDomain():
            inside = list(domain.fields.values())
        case TableDomain():
            inside = [domain.element]
    return next((found for part in inside if (found := _named_by_default(part))), None)


def domain_of(thing: Any, scope: Scope) -> Domain:  # noqa: PLR0911 - one for each declaration
    """The domain in `scope` of a field declaration, a sort, an enum, `bool` or a struct class."""
    at = scope.values
    if isinstance(thing, Field):
        match thing.kind:
            case "integer":
                initial = evaluate(thing.default, at)
                return IntegerDomain(evaluate(thing.low, at), evaluate(thing.high, at), initial)
            case "flag":
                return FlagDomain()
            case "choice":
                return EnumDomain(thing.of, thing.default)
            case "member" | "maybe":
                return IdDomain(thing.of, scope, optional=thing.kind == "maybe")
            case "nested":
                return domain_of(thing.of, scope)
            case "subset":
                return SetDomain(domain_of(thing.of, scope), scope)
            case "seq":
                return SeqDomain(domain_of(thing.of, scope), evaluate(thing.high, at), scope)
            case "table":
                return TableDomain(domain_of(thing.key, scope), domain_of(thing.of, scope))
    if isinstance(thing, type):
        if issubclass(thing, Struct):
            fields = {name: domain_of(field, scope) for name, field in thing._fields.items()}
            history = frozenset(n for n, field in thing._fields.items() if field.is_history)
            return StructDomain(thing, fields, history)
        if issubclass(thing, Bounded):
            return IntegerDomain(evaluate(thing.low, at), evaluate(thing.high, at))
        if issubclass(thing, Id):
            return IdDomain(thing, scope, optional=False)
        if issubclass(thing, Enum):
            return EnumDomain(thing)
        if thing is bool:
            return FlagDomain()
    raise SpecError(
        f"{thing!r} is not something to range over: expected a sort (a subclass of Id or Bounded), "
        "an Enum, bool, a Struct, or a field declaration such as integer(0, 3)"
    )
