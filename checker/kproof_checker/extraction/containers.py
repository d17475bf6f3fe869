"""The language's containers, holding values that are not known yet.

A sequence has all its slots and an end that may be unknown; a set has a truth value for each
possible member.  Where a plain container would branch on what it holds, these join both outcomes
into one term, so that a path is split only where the specification itself splits it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from kproof_spec.lang import Misuse, OutOfRange, Scope, Seq, SetOf, SpecError
from kproof_spec.lang.containers import PlainStore
from kproof_spec.lang.domains import SeqDomain, SetDomain
from kproof_spec.lang.keys import member_key
from kproof_spec.lang.scalars import Domain, IdDomain, IntegerDomain, Scalar
from kproof_spec.lang.store import Store
from kproof_spec.lang.symbolic import Symbolic, plain

from . import terms
from .leaves import code_term, lifted
from .terms import Term
from .values import (
    SymbolicEnum,
    SymbolicId,
    SymbolicInt,
    SymbolicTruth,
    explorer,
    truth_term,
    truth_value,
)


class SymbolicStore(PlainStore):
    """The owner of a symbolic state."""

    def __init__(self, scope: Scope, *, ignores_bounds: bool = False) -> None:
        super().__init__(scope)
        self.ignores_bounds = ignores_bounds
        """Sequences say that they have room even when they are full; appending still fails."""

    def admit(self, domain: Domain, value: Any, where: str) -> Any:
        """Takes a symbolic value into a scalar field, splitting off what is out of its range."""
        if not isinstance(domain, Scalar) or not self._fits(domain, value):
            raise OutOfRange(f"{where} was given {value!r}, which is not {domain!r}")
        if isinstance(value, SymbolicTruth):
            return value
        low, high = int(domain.low), int(domain.high)
        inside = terms.both(
            [
                terms.le(terms.const(low), value.term),
                terms.le(value.term, terms.const(high)),
            ]
        )
        if not truth_value(inside):
            raise OutOfRange(f"{where} was given a value which is not {domain!r}")
        return value

    @staticmethod
    def _fits(domain: Scalar, value: Any) -> bool:
        if isinstance(value, SymbolicId):
            return isinstance(domain, IdDomain) and domain.sort is value.domain.sort
        if isinstance(value, SymbolicInt):
            return isinstance(domain, IntegerDomain)
        if isinstance(value, SymbolicEnum):
            return getattr(domain, "options", None) == value.domain.options
        return isinstance(value, SymbolicTruth) and repr(domain) == "True or False"

    def sequence(self, domain: SeqDomain, items: list[Any]) -> SymbolicSeq:
        """A sequence with all its slots; the ones past the end hold initial values."""
        end = len(items)
        padding = [domain.element.default(self) for _ in range(domain.slots - end)]
        made = SymbolicSeq._attached(domain, self, items + padding)
        made.__dict__["_end"] = end
        return made

    def set_(self, domain: SetDomain, members: dict[Any, Any]) -> SymbolicSet:
        """A set with a truth value for each possible member."""
        made = SymbolicSet._attached(domain, self, {})
        made.__dict__["_cells"] = [member_key(element) in members for element in domain.elements]
        return made


class SymbolicSeq(Seq[Any]):
    """A sequence with an end, and elements, that may be unknown."""

    _end: Any

    def _ended(self) -> tuple[Any, list[Any]]:
        return self._end, self._items

    def _candidates(self) -> list[tuple[Any, Any]]:
        return [(self._end > i, item) for i, item in enumerate(self._items)]

    @property
    def end(self) -> Any:
        """How many elements there are."""
        return self._end

    @property
    def has_room(self) -> Any:
        """Whether one more fits."""
        return getattr(self._store, "ignores_bounds", False) or self._end < len(self._items)

    def __getitem__(self, index: Any) -> Any:
        if index < 0 or self._end <= index:
            raise SpecError("an index is outside the sequence")
        return self._items[plain(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        former = self[index]
        index = plain(index)
        store = self._alive()
        new = self._domain.element.attach(value, store, f"[{index}]")
        store.journal.append((self._items, index, former))
        self._items[index] = new
        store.retire(former)

    def append(self, value: Any) -> None:
        """Adds an element at the end."""
        store = self._alive()
        if not self._end < len(self._items):
            raise OutOfRange(
                f"append to a sequence that is full, capacity {len(self._items)}: "
                "guard the action with `require(sequence.has_room)`"
            )
        index = plain(self._end)
        new = self._domain.element.attach(value, store, f"[{index}]")
        store.journal.append((self._items, index, self._items[index]))
        self._items[index] = new
        self._set_end(index + 1)

    def truncate(self, end: Any) -> None:
        """Keeps the elements below `end`, which may not be beyond the present end."""
        store = self._alive()
        if end < 0 or self._end < end:
            raise OutOfRange("truncate to beyond the end of a sequence")
        element = self._domain.element
        empty = codes_of(element, element.default(store))
        for i, item in enumerate(self._items):
            keep = truth_term(end > i)
            if keep is terms.TRUE:
                continue
            codes = [
                terms.ite(keep, a, b) for a, b in zip(codes_of(element, item), empty, strict=True)
            ]
            store.journal.append((self._items, i, item))
            self._items[i] = from_codes(element, codes, store)
            store.retire(item)
        self._set_end(end)

    def pop_first(self) -> Any:
        """Removes and returns the first element; the others move down by one."""
        store = self._alive()
        if self._end == 0:
            raise SpecError("pop_first on an empty sequence")
        first, *rest = self._items
        store.keep(self.__dict__, "_items")
        self.__dict__["_items"] = [*rest, self._domain.element.default(store)]
        self._set_end(self._end - 1)
        store.retire(first)
        return first

    def __iter__(self) -> Iterator[Any]:
        i = 0
        while i < len(self._items) and not self._end <= i:
            yield self._items[i]
            i += 1

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, Seq):
            return NotImplemented
        end, items = other._ended()
        pairs = [
            (self._end <= i) | (mine == theirs)
            for i, (mine, theirs) in enumerate(zip(self._items, items, strict=False))
        ]
        return explorer().conjunction([self._end == end, *pairs])

    __hash__ = None

    def __len__(self) -> NoReturn:
        raise Misuse("len() of a sequence in the state: use .end, which need not be known yet")

    def __repr__(self) -> str:
        return f"<sequence of up to {len(self._items)}>"

    def _set_end(self, end: Any) -> None:
        self._alive().keep(self.__dict__, "_end")
        self.__dict__["_end"] = end

    def _alive(self) -> Store:
        assert self._store is not None
        self._store.check()
        return self._store


class SymbolicSet(SetOf[Any]):
    """A set whose members may be unknown: one truth value for each possible member."""

    _cells: list[Any]

    def _candidates(self) -> list[tuple[Any, Any]]:
        pairs = zip(self._cells, self._domain.elements, strict=True)
        return [(cell, member) for cell, member in pairs if cell is not False]

    def _cells_of(self, domain: SetDomain) -> list[Any]:
        if domain is self._domain:
            return self._cells
        known = {
            member_key(member): cell
            for cell, member in zip(self._cells, self._domain.elements, strict=True)
        }
        cells = [known.pop(key, False) for key in domain.positions]
        if explorer().disjunction(list(known.values())):
            raise OutOfRange(f"a set has a member that cannot be in {domain!r}")
        return cells

    def _copied(self, domain: SetDomain, store: Store) -> SetOf[Any]:
        made = SymbolicSet._attached(domain, store, {})
        made.__dict__["_cells"] = list(self._cells_of(domain))
        return made

    def _with_cells(self, cells: list[Any]) -> SymbolicSet:
        made = SymbolicSet._attached(self._domain, None, {})
        made.__dict__["_cells"] = cells
        return made

    def _matches(self, member: Any) -> list[Any]:
        """For each possible member, whether it is `member`."""
        if isinstance(member, SetOf) or not _is_plain(member):
            return [element == member for element in self._domain.elements]
        position = self._domain.positions.get(member_key(member))
        return [i == position for i in range(len(self._cells))]

    def _has(self, member: Any) -> Any:
        pairs = zip(self._cells, self._matches(member), strict=True)
        return explorer().disjunction([_and(cell, match) for cell, match in pairs])

    def __contains__(self, member: object) -> bool:
        return bool(self._has(member))

    def __iter__(self) -> Iterator[Any]:
        for cell, member in self._candidates():
            if cell:
                yield member

    def _added(self, member: Any) -> list[Any]:
        matches = self._matches(member)
        if not explorer().disjunction(list(matches)):
            raise OutOfRange(f"a member was added that cannot be in {self._domain!r}")
        return [_or(cell, match) for cell, match in zip(self._cells, matches, strict=True)]

    def _removed(self, member: Any) -> list[Any]:
        pairs = zip(self._cells, self._matches(member), strict=True)
        return [_and(cell, _not(match)) for cell, match in pairs]

    def _set_cells(self, cells: list[Any]) -> None:
        if self._store is not None:
            self._store.keep(self.__dict__, "_cells")
        self.__dict__["_cells"] = cells

    def add(self, member: Any) -> None:
        """Puts `member` in."""
        self._set_cells(self._added(member))

    def remove(self, member: Any) -> None:
        """Takes `member` out."""
        self._set_cells(self._removed(member))

    def including(self, member: Any) -> SetOf[Any]:
        """A set with `member` as well."""
        return self._with_cells(self._added(member))

    def excluding(self, member: Any) -> SetOf[Any]:
        """A set without `member`."""
        return self._with_cells(self._removed(member))

    def _paired(self, other: SetOf[Any]) -> Iterator[tuple[Any, Any]]:
        if not isinstance(other, SymbolicSet):
            other._check_members(self._domain)
        return zip(self._cells, other._cells_of(self._domain), strict=True)

    def _member_key(self) -> Any:
        return tuple(sorted(member_key(member) for member in self))

    def _check_members(self, domain: SetDomain | None) -> None:
        """Only `_cells_of` can tell, and does."""

    def _frozen(self) -> SetOf[Any]:
        return SetOf(self)._frozen()

    def __or__(self, other: SetOf[Any]) -> SetOf[Any]:
        return self._with_cells([_or(a, b) for a, b in self._paired(other)])

    __ror__ = __or__

    def __and__(self, other: SetOf[Any]) -> SetOf[Any]:
        return self._with_cells([_and(a, b) for a, b in self._paired(other)])

    __rand__ = __and__

    def __sub__(self, other: SetOf[Any]) -> SetOf[Any]:
        return self._with_cells([_and(a, _not(b)) for a, b in self._paired(other)])

    def __rsub__(self, other: SetOf[Any]) -> SetOf[Any]:
        return self._with_cells([_and(b, _not(a)) for a, b in self._paired(other)])

    def __le__(self, other: SetOf[Any]) -> Any:
        return explorer().conjunction([_or(_not(a), b) for a, b in self._paired(other)])

    def __ge__(self, other: SetOf[Any]) -> Any:
        return explorer().conjunction([_or(_not(b), a) for a, b in self._paired(other)])

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, SetOf):
            return NotImplemented
        return explorer().conjunction([_same(a, b) for a, b in self._paired(other)])

    __hash__ = None

    @property
    def size(self) -> Any:
        """How many members there are."""
        return explorer().total(self._cells)

    @property
    def is_empty(self) -> Any:
        """Whether there is no member."""
        return _not(explorer().disjunction(list(self._cells)))

    def __len__(self) -> NoReturn:
        raise Misuse("len() of a set in the state: use .size, which need not be known yet")

    def __repr__(self) -> str:
        return f"<{self._domain!r}>"


def codes_of(domain: Domain, value: Any) -> list[Term]:
    """The terms of a value's codes."""
    out: list[Any] = []
    domain.write(value, out)
    return [code_term(code) for code in out]


def from_codes(domain: Domain, codes: list[Term], store: Store) -> Any:
    """The value with these terms as codes."""
    remaining = iter(codes)
    return domain.read(lambda scalar: lifted(scalar, next(remaining)), store)


def _is_plain(member: Any) -> bool:
    if isinstance(member, Symbolic | SymbolicSet):
        return False
    fields = getattr(member, "_fields", None)
    return fields is None or all(_is_plain(member.__dict__[name]) for name in fields)


def _and(a: Any, b: Any) -> Any:
    return truth_value(terms.both([truth_term(a), truth_term(b)]))


def _or(a: Any, b: Any) -> Any:
    return truth_value(terms.either([truth_term(a), truth_term(b)]))


def _not(a: Any) -> Any:
    return truth_value(terms.negate(truth_term(a)))


def _same(a: Any, b: Any) -> Any:
    left, right = truth_term(a), truth_term(b)
    return truth_value(terms.bite(left, right, terms.negate(right)))
