"""The leaves of a state: whole numbers, flags, enum members and ids, each with its codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from .errors import OutOfRange, ScopeError, SpecError
from .quantities import UNLIMITED, Quantity, Values
from .sorts import NONE, Id
from .store import Store
from .symbolic import Symbolic

if TYPE_CHECKING:
    from .scope import Scope

Take = Callable[["Scalar"], Any]
"""Gives the next leaf's value while a tree is built."""


@dataclass(frozen=True)
class Step:
    """One step of a leaf's path: how it is written, and the key it goes by."""

    text: str
    key: Any


@dataclass(frozen=True)
class Leaf:
    """One number of the state."""

    path: tuple[Step, ...]
    domain: Scalar
    is_history: bool

    @property
    def path_keys(self) -> tuple[Any, ...]:
        """The keys of the path: field names, indexes, table keys, (set's domain, member's key)."""
        return tuple(step.key for step in self.path)

    @property
    def label(self) -> str:
        """The path as a reader writes it: `replica[b1].log[0].epoch`."""
        return "".join(step.text for step in self.path).lstrip(".")


class Domain:
    """A finite (in closed scopes) set of values.  `values` lists them, where that is possible."""

    def default(self, store: Store) -> Any:
        """The initial value, made for `store`."""
        raise NotImplementedError

    def attach(self, value: Any, store: Store, where: str) -> Any:
        """`value` as part of the state: checked, and copied unless it is a scalar."""
        raise NotImplementedError

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        """The leaves of a value, in code order."""
        raise NotImplementedError

    def read(self, take: Take, store: Store) -> Any:
        """A value whose leaves are taken in code order."""
        raise NotImplementedError

    def write(self, value: Any, out: list[Any]) -> None:
        """Appends the codes of `value`."""
        raise NotImplementedError

    def values(self) -> Iterator[Any]:
        """Every value, in code order."""
        raise SpecError(f"the values of {self!r} cannot be listed")


class Scalar(Domain):
    """A domain of one leaf, with codes `low..high`."""

    low: float
    high: float

    def decode(self, code: int) -> Any:
        """The value with this code."""
        raise NotImplementedError

    def encode(self, value: Any) -> int:
        """The code of a plain value."""
        raise NotImplementedError

    def _refuse(self, value: Any, where: str) -> OutOfRange:
        return OutOfRange(f"{where} was given {value!r}, which is not {self!r}")

    def leaves(self, path: tuple[Step, ...], is_history: bool = False) -> Iterator[Leaf]:
        yield Leaf(path, self, is_history)

    def read(self, take: Take, store: Store) -> Any:
        return take(self)

    def write(self, value: Any, out: list[Any]) -> None:
        out.append(value.code() if isinstance(value, Symbolic) else self.encode(value))

    def values(self) -> Iterator[Any]:
        if self.high == UNLIMITED:
            raise SpecError(f"{self!r} is unlimited: its values cannot be listed")
        return map(self.decode, range(int(self.low), int(self.high) + 1))


class IntegerDomain(Scalar):
    """Whole numbers, both ends inclusive; `high` is infinite in an open scope."""

    def __init__(self, low: float, high: float, initial: float | None = None) -> None:
        if high < low:
            raise ScopeError(f"a field ranges from {low} to {high}: nothing fits")
        self.low, self.high = low, high
        self.initial = low if initial is None else initial
        if not low <= self.initial <= high:
            raise ScopeError(f"a field starts at {initial}, outside its range {self!r}")

    def __repr__(self) -> str:
        return f"{self.low}..{self.high if self.high != UNLIMITED else ''}"

    def default(self, store: Store) -> Any:
        return self.initial

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if type(value) is int:
            if self.low <= value <= self.high:
                return value
            raise self._refuse(value, where)
        if isinstance(value, Symbolic):
            return store.admit(self, value, where)
        if isinstance(value, Quantity) and Values.running is not None:
            return self.attach(value.value_in(Values.running), store, where)
        raise self._refuse(value, where)

    def decode(self, code: int) -> Any:
        return code

    def encode(self, value: Any) -> int:
        return int(value)


class FlagDomain(Scalar):
    """True or false."""

    low, high = 0, 1

    def __repr__(self) -> str:
        return "True or False"

    def default(self, store: Store) -> Any:
        return False

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, Symbolic):
            return store.admit(self, value, where)
        raise self._refuse(value, where)

    def decode(self, code: int) -> Any:
        return code == 1

    def encode(self, value: Any) -> int:
        return 1 if value else 0


class EnumDomain(Scalar):
    """The members of an enum, in their order of definition."""

    def __init__(self, options: type[Enum], initial: Enum | None = None) -> None:
        self.options = list(options)
        self.position = {option: i for i, option in enumerate(self.options)}
        self.low, self.high = 0, len(self.options) - 1
        self.initial = self.options[0] if initial is None else initial

    def __repr__(self) -> str:
        return "one of " + ", ".join(option.name for option in self.options)

    def default(self, store: Store) -> Any:
        return self.initial

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if isinstance(value, Symbolic):
            return store.admit(self, value, where)
        if value in self.position:
            return value
        raise self._refuse(value, where)

    def decode(self, code: int) -> Any:
        return self.options[code]

    def encode(self, value: Any) -> int:
        return self.position[value]


class IdDomain(Scalar):
    """The ids of a sort, and perhaps `NONE`, whose code is -1."""

    def __init__(self, sort: type[Id], scope: Scope, optional: bool) -> None:
        self.sort, self.scope, self.optional = sort, scope, optional
        self.low = -1 if optional else 0
        if not scope.is_open and scope.size(sort) < 1:
            raise ScopeError(f"there is no {sort.__name__} in this scope: expected one at least")

    @property
    def high(self) -> float:  # type: ignore[override]
        """The greatest code; ids may be added in an open scope."""
        return UNLIMITED if self.scope.is_open else self.scope.size(self.sort) - 1

    def __repr__(self) -> str:
        return f"a {self.sort.__name__}" + (" or NONE" if self.optional else "")

    def default(self, store: Store) -> Any:
        if self.optional:
            return NONE
        known = self.scope.ids(self.sort)
        if not known:
            raise SpecError(
                f"a field holds {self!r}, and in this open scope there is none yet: make the first "
                "with scope.id(sort, name), or declare the field with `maybe`"
            )
        return known[0]

    def attach(self, value: Any, store: Store, where: str) -> Any:
        if isinstance(value, Symbolic):
            return store.admit(self, value, where)
        if type(value) is self.sort or (value is NONE and self.optional):
            return value
        raise self._refuse(value, where)

    def decode(self, code: int) -> Any:
        return NONE if code < 0 else self.scope.ids(self.sort)[code]

    def encode(self, value: Any) -> int:
        return int(value._index)

    def values(self) -> Iterator[Any]:
        return iter(([NONE] if self.optional else []) + list(self.scope.ids(self.sort)))


IS_MEMBER = FlagDomain()
"""The domain of a set's leaves."""
