"""The door through which an engine looks at a specification.

A specification runs on plain values.  An engine that wants all paths of a function at once passes
`Symbolic` stand-ins instead, and installs a `Tracer`; the language asks the tracer wherever a plain
value would simply be there.  Nothing here knows an engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol


class Symbolic:
    """A value that is not known yet.  Engines derive from it."""

    __slots__ = ()

    def resolve(self) -> Any:
        """One possible plain value; the engine sees to it that every other one is tried too."""
        raise NotImplementedError

    def code(self) -> Any:
        """The engine's own term for this value's code."""
        raise NotImplementedError


class Tracer(Protocol):
    """What the language asks while a function runs on symbolic values."""

    def require(self, condition: Any) -> None:
        """Goes on only where `condition` holds."""

    def merged(
        self,
        thunk: Callable[[], Any],
        given: Any = True,
        reached: Callable[[], Any] | None = None,
    ) -> Any:
        """The value of `thunk()` over all its paths, as one term, assuming `given`.

        Where `reached()` is false, plain values would not come here: what is raised is not meant.
        """

    def conjunction(self, terms: list[Any]) -> Any:
        """All of `terms`, each a truth value, as one term."""

    def disjunction(self, terms: list[Any]) -> Any:
        """Any of `terms`, as one term."""

    def total(self, terms: list[Any]) -> Any:
        """How many of `terms` are true."""

    def either(self, condition: Any, yes: Any, no: Any) -> Any:
        """`yes` where `condition` holds, else `no`, both numbers, as one term."""

    def bounds_of(self, number: Any) -> tuple[int, int]:
        """The least and the greatest value that `number` can have."""


class Tracing:
    """The tracer in charge; None when functions run on plain values."""

    current: ClassVar[Tracer | None] = None


def plain(value: Any) -> Any:
    """`value` if it is plain, else one of its possibilities (see `Symbolic.resolve`)."""
    return value.resolve() if isinstance(value, Symbolic) else value
