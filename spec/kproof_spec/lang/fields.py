"""How a struct declares what its fields range over.

Each function returns a declaration, typed as the value that the field will hold, so that
`high_watermark: int = integer(0, log_size)` reads and type-checks as what it means.

| declaration | value | initially |
|---|---|---|
| `integer(low, high)` | `int`, both ends inclusive | `low`, or `default=` |
| `flag()` | `bool` | `False` |
| `choice(Phase)` | a member of the enum | the first |
| `member(ReplicaId)` | an id | the first |
| `maybe(ReplicaId)` | an id or `NONE` | `NONE` |
| `nested(Record)` | a struct | all its fields initial |
| `subset(ReplicaId)` | `SetOf[ReplicaId]`: ids, enums, bounded ints, structs of these | empty |
| `seq(Record, capacity)` | `Seq[Record]`, at most `capacity` long | empty |
| `table(ReplicaId, Replica)` | `Table[ReplicaId, Replica]`: one value for each key | all initial |
| `history(field)` | as the field; kept for properties only, no action may depend on it | same |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .containers import Seq, SetOf, Table
from .errors import SpecError
from .sorts import NONE, Bounded, Id

if TYPE_CHECKING:
    from .structs import Struct

I = TypeVar("I", bound=Id)  # noqa: E741
E = TypeVar("E", bound=Enum)
S = TypeVar("S", bound="Struct")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class Field:
    """What a field ranges over, as declared; a scope resolves it to a `Domain`."""

    kind: str
    of: Any = None
    """The sort, enum, struct or element declaration; for a table, the element."""
    low: Any = 0
    high: Any = 0
    key: Any = None
    default: Any = None
    is_history: bool = False

    def initial(self) -> Any:
        """The value of the field in a struct that was built without naming it."""
        match self.kind:
            case "integer":
                return self.low if self.default is None else self.default
            case "flag":
                return False
            case "choice":
                return next(iter(self.of)) if self.default is None else self.default
            case "maybe":
                return NONE
            case "subset":
                return SetOf()
            case "seq":
                return Seq()
            case "nested":
                return self.of()
        raise SpecError(f"a {self.kind} field has no value of its own: name it when building")


def integer(low: int, high: int, *, default: int | None = None) -> int:
    """A whole number from `low` to `high`, both inclusive; either may use constants."""
    return cast(int, Field("integer", low=low, high=high, default=default))


def flag() -> bool:
    """True or false."""
    return cast(bool, Field("flag"))


def choice(options: type[E], *, default: E | None = None) -> E:
    """One member of an enum."""
    return cast(E, Field("choice", of=options, default=default))


def member(sort: type[I]) -> I:
    """An id of the sort."""
    return cast(I, Field("member", of=sort))


def maybe(sort: type[I]) -> I:
    """An id of the sort, or `NONE`.  Compare with `== NONE`, never `is None`."""
    return cast(I, Field("maybe", of=sort))


def nested(struct: type[S]) -> S:
    """A struct inside this one."""
    return cast(S, Field("nested", of=struct))


def subset(sort: type[T]) -> SetOf[T]:
    """A set of ids, enum members, bounded ints, or structs made of those (a set of messages)."""
    return cast("SetOf[T]", Field("subset", of=sort))


def seq(element: type[T] | T, capacity: int) -> Seq[T]:
    """A sequence of structs, or of a scalar field such as `integer(0, 3)`."""
    return cast("Seq[T]", Field("seq", of=element, high=capacity))


def table(key: type[K], element: type[V] | V) -> Table[K, V]:
    """One value for every key of a sort: a struct, or a scalar field such as `integer(0, 3)`."""
    return cast("Table[K, V]", Field("table", of=element, key=key))


def history(field: T) -> T:
    """The field, kept only so that properties can speak of the past.

    No action may read it to decide what to do or what to write elsewhere; extraction checks that.
    """
    if not isinstance(field, Field):
        raise SpecError(f"history takes a field declaration such as flag(), not {field!r}")
    return cast(T, replace(field, is_history=True))


def is_sort(thing: Any) -> bool:
    """Whether a class can be a parameter's type, a set's element or a table's key."""
    return isinstance(thing, type) and (
        thing is bool or issubclass(thing, Id | Bounded | Enum) or hasattr(thing, "_fields")
    )


__all__ = [
    "Field",
    "choice",
    "flag",
    "history",
    "integer",
    "is_sort",
    "maybe",
    "member",
    "nested",
    "seq",
    "subset",
    "table",
]
