"""Where a state lives: what was written in this step, and how to take it back.

Nothing is copied per step.  Every write leaves an entry in the journal; a step that is refused, or
whose result was only wanted for a look, is rolled back from it at the cost of what it touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import SpecError

if TYPE_CHECKING:
    from .containers import Seq, SetOf, Table
    from .domains import SeqDomain, SetDomain, TableDomain
    from .scalars import Domain
    from .scope import Scope

MISSING: Any = object()
MADE: Any = object()
"""As `MISSING`, for a table's entry that came to be because it was asked for."""


class Place:
    """A struct or container.  It belongs to a state's store, or to none while it is a value."""

    _store: Store | None

    def _parts(self) -> Iterable[Any]:
        return ()

    def _frozen(self) -> Place:
        """A copy that nobody can change."""
        return self


class Store:
    """The owner of one state.  Containers and structs in the state point to it.

    `containers.PlainStore` builds plain containers; an engine that runs specifications on symbolic
    values builds its own.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.journal: list[tuple[Any, Any, Any]] = []
        """What to put back, oldest first: (mapping or list, key or operation, former value)."""

    def keep(self, mapping: dict[Any, Any], key: Any) -> None:
        """Notes the value of `mapping[key]` before it changes."""
        self.journal.append((mapping, key, mapping.get(key, MISSING)))

    def check(self) -> None:
        """Refuses a write to what is no longer part of a state."""

    def commit(self) -> None:
        """Makes the writes since the last commit final."""
        self.journal.clear()

    def rollback(self) -> None:
        """Takes back every write since the last commit."""
        journal = self.journal
        while journal:
            place, key, former = journal.pop()
            if type(place) is dict:
                if former is MISSING or former is MADE:
                    del place[key]
                else:
                    place[key] = former
            elif key == "append":
                place.pop()
            elif key == "cut":
                place.extend(former)
            elif key == "pop_first":
                place.insert(0, former)
            else:
                place[key] = former

    def retire(self, value: Any) -> None:
        """Marks a value as no longer part of the state: a write to it would be lost, so raises."""
        if isinstance(value, Place) and value._store is self:
            self.keep(value.__dict__, "_store")
            value.__dict__["_store"] = RETIRED
            for part in value._parts():
                self.retire(part)

    def admit(self, domain: Domain, value: Any, where: str) -> Any:
        """Takes a symbolic value into a field; plain stores hold plain values only."""
        raise SpecError(f"{where}: {domain!r} cannot hold {value!r}")

    def sequence(self, domain: SeqDomain, items: list[Any]) -> Seq[Any]:
        """A sequence of this state holding `items`, which are part of the state already."""
        raise NotImplementedError

    def set_(self, domain: SetDomain, members: dict[Any, Any]) -> SetOf[Any]:
        """A set of this state with `members`, by key."""
        raise NotImplementedError

    def table(self, domain: TableDomain, items: dict[Any, Any]) -> Table[Any, Any]:
        """A table of this state holding `items`, which are part of the state already."""
        raise NotImplementedError


class _Closed(Store):
    """The store of what may not be changed; `why` says so."""

    def __init__(self, why: str) -> None:
        self.journal = []
        self.why = why

    def keep(self, mapping: dict[Any, Any], key: Any) -> None:
        self.check()

    def check(self) -> None:
        raise SpecError(self.why)


RETIRED = _Closed(
    "a struct or container was changed that is no longer part of the state (it was "
    "replaced or truncated away): take the reference again after the change"
)
FROZEN = _Closed(
    "a parameter, or a member of a set, was changed: these are values, and other states share "
    "them. Build a new one; for a set, remove the member and add the new one"
)


def frozen(value: Any) -> Any:
    """The value, copied if it could be changed: what a set holds must keep its key."""
    return value._frozen() if isinstance(value, Place) else value
