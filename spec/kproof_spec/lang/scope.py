"""A scope: how large the world is.

A closed scope gives every constant a number, so that everything is finite and can be exhausted.
An open scope leaves the bounds unlimited and lets sorts grow by name: in it the same functions
follow a real system, one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from .errors import ScopeError, SpecError
from .quantities import UNLIMITED, Constant, evaluate
from .sorts import Bounded, Id

I = TypeVar("I", bound=Id)  # noqa: E741


class Scope:
    """The constants of a model with their values, and the ids of its sorts.

    `constants` maps names to numbers; names left out take their defaults.  A `ScopeError` names
    what is unknown or impossible.
    """

    def __init__(
        self,
        declared: Iterable[Constant],
        constants: Mapping[str, int] | None = None,
        *,
        is_open: bool = False,
        overrides: Mapping[Any, Callable[..., Any]] | None = None,
    ) -> None:
        given = dict(constants or {})
        self.is_open = is_open
        self.values: dict[Constant, float] = {}
        for declaration in declared:
            if declaration.name in given:
                declaration.validate(given[declaration.name])
                self.values[declaration] = given.pop(declaration.name)
            elif is_open and declaration.is_bound:
                self.values[declaration] = UNLIMITED
            else:
                self.values[declaration] = declaration.default
        if given:
            known = ", ".join(c.name for c in self.values) or "none"
            raise ScopeError(f"no constant is called {', '.join(given)}; this model has: {known}")
        self.overrides = dict(overrides or {})
        """Definitions that this variant of the model replaces."""
        self._ids: dict[type[Id], list[Id]] = {}
        self._named: dict[type[Id], dict[str, Id]] = {}

    @property
    def constants(self) -> dict[str, int]:
        """The constants by name; bounds of an open scope are left out."""
        return {c.name: int(v) for c, v in self.values.items() if v != UNLIMITED}

    def size(self, sort: type[Id]) -> int:
        """How many ids of `sort` there are: all, or those seen so far in an open scope."""
        return len(self._named.get(sort, ())) if self.is_open else self._declared_size(sort)

    def _declared_size(self, sort: type[Id]) -> int:
        return int(evaluate(sort.size, self.values))

    def ids(self, sort: type[I]) -> list[I]:
        """The ids of `sort`: all, or those seen so far in an open scope."""
        known = self._ids.get(sort)
        if known is None:
            count = 0 if self.is_open else self._declared_size(sort)
            known = self._ids[sort] = [sort._numbered(i) for i in range(count)]
        return cast(list[I], known)

    def id(self, sort: type[I], name: str) -> I:
        """The id of `sort` with this name; in an open scope a new name is a new id."""
        named = self._named.get(sort)
        if named is None:
            named = self._named[sort] = {known.name: known for known in self.ids(sort)}
        if name not in named:
            if not self.is_open:
                raise SpecError(f"no {sort.__name__} is called {name}: there are {list(named)}")
            known = self.ids(sort)
            named[name] = sort(len(known), name)
            known.append(cast(I, named[name]))
        return cast(I, named[name])

    def each(self, sort: type[Any]) -> list[Any]:
        """The values of a sort that are there in this scope, in order."""
        if issubclass(sort, Id):
            return self.ids(sort)
        if issubclass(sort, Bounded):
            low, high = evaluate(sort.low, self.values), evaluate(sort.high, self.values)
            if high == UNLIMITED:
                raise SpecError(f"{sort.__name__} is unlimited in an open scope: it has no list")
            return list(range(int(low), int(high) + 1))
        return list(cast("Iterable[Any]", sort))
