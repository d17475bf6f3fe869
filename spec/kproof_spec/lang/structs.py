"""Structs: records of bounded fields, in the state or as plain values.

    class Record(Struct):
        id: int = integer(0, max_records - 1)
        epoch: int = integer(0, max_leader_epoch)

A struct that is part of a state checks every assignment against the field's range.  One that was
just built, `Record(id=0, epoch=3)`, is a value: assigning or appending it copies it into the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from . import fields
from .errors import Misuse
from .fields import Field
from .keys import member_key, shown_arguments
from .store import FROZEN, Place, Store, frozen
from .symbolic import Tracing

if TYPE_CHECKING:
    from .domains import StructDomain


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        fields.integer,
        fields.maybe,
        fields.member,
        fields.flag,
        fields.choice,
        fields.nested,
        fields.subset,
        fields.seq,
        fields.table,
        fields.history,
    ),
)
class Struct(Place):
    """Base class of every record of a specification, the state itself included."""

    _fields: ClassVar[dict[str, Field]] = {}
    _store: Store | None
    _domain: StructDomain

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        for name in getattr(cls, "__annotations__", {}):
            if not name.startswith("_") and name not in own:
                raise Misuse(
                    f"{cls.__name__}.{name} has a type but no field: say what it ranges over, for "
                    "example `= integer(0, 3)` or `= maybe(ReplicaId)`"
                )
        cls._fields = {**cls._fields, **own}

    def __init__(self, **values: Any) -> None:
        slots = self.__dict__
        slots["_store"] = None
        names = type(self)._fields
        for name, value in values.items():
            if name not in names:
                raise Misuse(f"{type(self).__name__} has no field {name}: it has {list(names)}")
            slots[name] = value
        for name, field in names.items():
            if name not in slots:
                slots[name] = field.initial()

    @classmethod
    def _attached(cls, domain: StructDomain, store: Store, values: dict[str, Any]) -> Any:
        made = cls.__new__(cls)
        slots = made.__dict__
        slots["_store"], slots["_domain"] = store, domain
        slots.update(values)
        return made

    def _parts(self) -> Iterable[Any]:
        return [self.__dict__[name] for name in type(self)._fields]

    def _frozen(self) -> Any:
        slots = self.__dict__
        if slots["_store"] is FROZEN:
            return self
        made = type(self)(**{name: frozen(slots[name]) for name in type(self)._fields})
        made.__dict__["_store"] = FROZEN
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        slots = self.__dict__
        store = slots["_store"]
        if name not in type(self)._fields:
            raise Misuse(
                f"{type(self).__name__} has no field {name}: it has {list(type(self)._fields)}"
            )
        if store is None:
            slots[name] = value
            return
        store.keep(slots, name)
        former = slots[name]
        if former is value:
            return
        slots[name] = self._domain.fields[name].attach(value, store, name)
        if isinstance(former, Place):
            store.retire(former)

    def __eq__(self, other: object) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self.__dict__, other.__dict__
        equal = [mine[name] == theirs[name] for name in type(self)._fields]
        if Tracing.current is not None:
            return Tracing.current.conjunction(equal)
        return all(equal)

    def _member_key(self) -> Any:
        return tuple(member_key(self.__dict__[name]) for name in type(self)._fields)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        inner = shown_arguments({name: self.__dict__[name] for name in type(self)._fields})
        return f"{type(self).__name__}({inner})"
