"""Sequences, sets and tables of a specification.

They are what Python's `list`, `set` and `dict` would be, with the few differences that a
specification needs: a declared capacity, an order that does not depend on hashing, and operations
that an engine can follow on values it does not know yet.

Assigning to a container's attribute copies: `a.isr = b.isr` makes two sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .errors import OutOfRange, SpecError
from .keys import member_key, shown
from .store import FROZEN, MADE, RETIRED, Place, Store, frozen
from .symbolic import plain

if TYPE_CHECKING:
    from .domains import SeqDomain, SetDomain, TableDomain

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Seq(Place, Generic[T]):
    """A sequence.  Its elements are at `0..end - 1`; `end` is exclusive."""

    _domain: SeqDomain
    _items: list[T]

    def __init__(self, items: Iterable[T] = ()) -> None:
        self.__dict__.update(_store=None, _domain=None, _items=list(items))

    @classmethod
    def _attached(cls, domain: SeqDomain, store: Store, items: list[Any]) -> Self:
        made = cls.__new__(cls)
        made.__dict__.update(_store=store, _domain=domain, _items=items)
        return made

    def _parts(self) -> Iterable[Any]:
        return self._items

    def _ended(self) -> tuple[Any, list[T]]:
        return len(self._items), self._items

    def _candidates(self) -> list[tuple[Any, T]]:
        return [(True, item) for item in self._items]

    @property
    def end(self) -> int:
        """How many elements there are: the log end offset of a log."""
        return len(self._items)

    @property
    def is_empty(self) -> bool:
        """Whether there is no element."""
        return self.end == 0

    @property
    def has_room(self) -> bool:
        """Whether one more fits; always, in an open scope."""
        return self._store is None or self.end < self._domain.capacity

    @property
    def last(self) -> T:
        """The element at `end - 1`; a `SpecError` if there is none."""
        return self[self.end - 1]

    def __getitem__(self, index: int) -> T:
        index = plain(index)
        if 0 <= index < len(self._items):
            return self._items[index]
        raise SpecError(f"index {index} is outside a sequence that ends at {len(self._items)}")

    def __setitem__(self, index: int, value: T) -> None:
        index = plain(index)
        former = self[index]
        if self._store is None:
            self._items[index] = value
            return
        self._store.check()
        new = self._domain.element.attach(value, self._store, f"[{index}]")
        self._store.journal.append((self._items, index, former))
        self._items[index] = new
        self._store.retire(former)

    def append(self, value: T) -> None:
        """Adds an element at the end; an `OutOfRange` error if there is no room."""
        store = self._store
        if store is None:
            self._items.append(value)
            return
        store.check()
        if len(self._items) >= self._domain.capacity:
            raise OutOfRange(
                f"append to a sequence that is full, capacity {self._domain.capacity}: "
                "guard the action with `require(sequence.has_room)`"
            )
        self._items.append(self._domain.element.attach(value, store, f"[{len(self._items)}]"))
        store.journal.append((self._items, "append", None))

    def truncate(self, end: int) -> None:
        """Keeps the elements below `end`, which may not be beyond the present end."""
        end = plain(end)
        if not 0 <= end <= len(self._items):
            raise OutOfRange(f"truncate to {end} a sequence that ends at {len(self._items)}")
        if self._store is not None:
            self._store.check()
        removed = self._items[end:]
        del self._items[end:]
        if self._store is not None:
            self._store.journal.append((self._items, "cut", removed))
            for item in removed:
                self._store.retire(item)

    def pop_first(self) -> T:
        """Removes and returns the first element; the others move down by one."""
        if not self._items:
            raise SpecError("pop_first on an empty sequence")
        if self._store is not None:
            self._store.check()
        first = self._items.pop(0)
        if self._store is not None:
            self._store.journal.append((self._items, "pop_first", first))
            self._store.retire(first)
        return first

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, Seq):
            return NotImplemented
        return self._items == other._items

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"[{', '.join(map(shown, self._items))}]"


class SetOf(Place, Generic[T]):
    """A set.  Its members come in the order of their codes, never of a hash."""

    _domain: SetDomain
    _members: dict[Any, T]

    def __init__(self, members: Iterable[T] = ()) -> None:
        self.__dict__.update(_store=None, _domain=None, _members={})
        for member in members:
            self._members[member_key(member)] = frozen(plain(member))

    @classmethod
    def _attached(cls, domain: SetDomain, store: Store | None, members: dict[Any, Any]) -> Self:
        made = cls.__new__(cls)
        made.__dict__.update(_store=store, _domain=domain, _members=members)
        return made

    def _frozen(self) -> SetOf[T]:
        if self._store is FROZEN:
            return self
        made: SetOf[T] = SetOf(self)
        made.__dict__.update(_store=FROZEN, _domain=self._domain)
        return made

    def _copied(self, domain: SetDomain, store: Store) -> SetOf[Any]:
        self._check_members(domain)
        return store.set_(domain, dict(self._members))

    def _check_members(self, domain: SetDomain | None) -> None:
        """Refuses to meet a set that ranges over less: a member of this one may be missing."""
        if domain is not None and domain is not self._domain:
            for key, member in self._members.items():
                domain.check(key, member)

    def _member_key(self) -> Any:
        return tuple(sorted(self._members))

    def _candidates(self) -> list[tuple[Any, T]]:
        return [(True, member) for member in self]

    def _cells_of(self, domain: SetDomain) -> list[Any]:
        return [member_key(member) in self._members for member in domain.elements]

    def _derived(self, members: dict[Any, T]) -> SetOf[T]:
        return SetOf._attached(self._domain, None, members)

    def _keys_beside(self, other: SetOf[T]) -> tuple[Any, Any]:
        """The members of both, by key; an error if one could not be in the other's place."""
        if self._domain is None:
            self._check_members(other._domain)
        else:
            other._check_members(self._domain)
        return self._members, other._members

    def __contains__(self, member: object) -> bool:
        return member_key(member) in self._members

    def __iter__(self) -> Iterator[T]:
        return iter([self._members[key] for key in sorted(self._members)])

    def add(self, member: T) -> None:
        """Puts `member` in; nothing changes if it is in already."""
        key = member_key(member)
        if self._store is not None:
            self._store.check()
            self._domain.check(key, member)
            self._store.keep(self._members, key)
        self._members[key] = frozen(plain(member))

    def remove(self, member: T) -> None:
        """Takes `member` out; nothing changes if it is not in."""
        key = member_key(member)
        if self._store is not None:
            self._store.check()
        if key in self._members:
            if self._store is not None:
                self._store.keep(self._members, key)
            del self._members[key]

    def including(self, member: T) -> SetOf[T]:
        """A set with `member` as well."""
        key = member_key(member)
        if self._domain is not None:
            self._domain.check(key, member)
        return self._derived({**self._members, key: frozen(plain(member))})

    def excluding(self, member: T) -> SetOf[T]:
        """A set without `member`."""
        key = member_key(member)
        return self._derived({k: m for k, m in self._members.items() if k != key})

    def __or__(self, other: SetOf[T]) -> SetOf[T]:
        mine, theirs = self._keys_beside(other)
        return self._derived({**mine, **theirs})

    def __and__(self, other: SetOf[T]) -> SetOf[T]:
        mine, theirs = self._keys_beside(other)
        return self._derived({k: m for k, m in mine.items() if k in theirs})

    def __sub__(self, other: SetOf[T]) -> SetOf[T]:
        mine, theirs = self._keys_beside(other)
        return self._derived({k: m for k, m in mine.items() if k not in theirs})

    def __le__(self, other: SetOf[T]) -> bool:
        mine, theirs = self._keys_beside(other)
        return bool(mine.keys() <= theirs.keys())

    def __ge__(self, other: SetOf[T]) -> bool:
        return other <= self

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, SetOf):
            return NotImplemented
        mine, theirs = self._keys_beside(other)
        return mine.keys() == theirs.keys()

    __hash__ = None  # type: ignore[assignment]  # mutable

    @property
    def size(self) -> int:
        """How many members there are."""
        return len(self._members)

    @property
    def is_empty(self) -> bool:
        """Whether there is no member."""
        return self.size == 0

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return "{" + ", ".join(map(shown, self)) + "}"


class Table(Place, Generic[K, V]):
    """One value for every key of a sort.  In an open scope, a key that is asked for is made."""

    _domain: TableDomain
    _items: dict[K, V]

    @classmethod
    def _attached(cls, domain: TableDomain, store: Store, items: dict[Any, Any]) -> Self:
        made = cls.__new__(cls)
        made.__dict__.update(_store=store, _domain=domain, _items=items)
        return made

    def _parts(self) -> Iterable[Any]:
        return self._items.values()

    def _entries(self) -> list[tuple[K, V]]:
        return list(self._items.items())

    def __getitem__(self, key: K) -> V:
        key = plain(key)
        try:
            return self._items[key]
        except KeyError:
            return self._missing(key)

    def _missing(self, key: K) -> V:
        store = self._store
        if store is None or store is RETIRED or not store.scope.is_open:
            raise SpecError(f"{key!r} is not a key of {self._domain!r}")
        self._domain.keys.attach(key, store, "key")
        store.journal.append((self._items, key, MADE))
        made: V = self._domain.element.default(store)
        self._items[key] = made
        return made

    def __setitem__(self, key: K, value: V) -> None:
        key = plain(key)
        former = self[key]
        store = self._store
        if store is not None:
            store.check()
        if former is value or store is None:
            return
        new = self._domain.element.attach(value, store, f"[{key!r}]")
        store.keep(self._items, key)
        self._items[key] = new
        if isinstance(former, Place):
            store.retire(former)

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._items))

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, Table):
            return NotImplemented
        return self._items == other._items

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        pairs = (f"{shown(key)}: {shown(value)}" for key, value in self._items.items())
        return "{" + ", ".join(pairs) + "}"


class PlainStore(Store):
    """The store of a state of plain values."""

    def sequence(self, domain: SeqDomain, items: list[Any]) -> Seq[Any]:
        """A sequence of this state holding `items`, which are part of the state already."""
        return Seq._attached(domain, self, items)

    def set_(self, domain: SetDomain, members: dict[Any, Any]) -> SetOf[Any]:
        """A set of this state with `members`, by key."""
        return SetOf._attached(domain, self, members)

    def table(self, domain: TableDomain, items: dict[Any, Any]) -> Table[Any, Any]:
        """A table of this state holding `items`, which are part of the state already."""
        return Table._attached(domain, self, items)
