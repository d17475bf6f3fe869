"""The numbers that a scope fixes: how many replicas, how long a log, how many epochs.

A constant is declared once, at the top of a module, and reads like an `int` from then on:

    log_size = bound("log_size", default=2, low=1, doc="Records that a replica's log can hold.")

Inside an action, arithmetic and comparison use its value in the scope that is running.  Outside,
where fields are declared, arithmetic builds a quantity that is computed when a scope is made:
`integer(0, log_size + 1)`.

Two kinds.  A `bound` exists only to make exploration finite; an open scope has none, so it is
unlimited there.  A `constant` is part of the protocol (`min_in_sync_replicas`) and keeps its value
in every scope.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from .errors import ScopeError, SpecError

UNLIMITED = math.inf
"""The value of a bound in an open scope."""


class Values:
    """The constants of the scope that is running now; None between steps."""

    running: Mapping[Constant, float] | None = None


@contextmanager
def running(values: Mapping[Constant, float]) -> Iterator[None]:
    """Makes `values` the ones that constants stand for, inside the `with`."""
    before, Values.running = Values.running, values
    try:
        yield
    finally:
        Values.running = before


class Quantity:
    """A number that is known once a scope is."""

    __slots__ = ()

    def value_in(self, values: Mapping[Constant, float]) -> float:
        """The number in the scope with these constants."""
        raise NotImplementedError

    def _now(self) -> float:
        if Values.running is None:
            raise SpecError(
                f"{self!r} has no value here: constants have values only inside a running model. "
                "Use it in an action, a definition, a property or a field's declaration"
            )
        return self.value_in(Values.running)

    def _combined(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        if Values.running is None:
            return Computed(operation, left, right)
        return operation(evaluate(left, Values.running), evaluate(right, Values.running))

    def __add__(self, other: Any) -> Any:
        return self._combined(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._combined(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._combined(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._combined(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._combined(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._combined(operator.mul, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._combined(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._combined(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Any:
        return self._combined(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._combined(operator.mod, other, self)

    def __neg__(self) -> Any:
        return 0 - self

    def __lt__(self, other: Any) -> Any:
        return self._now() < other

    def __le__(self, other: Any) -> Any:
        return self._now() <= other

    def __gt__(self, other: Any) -> Any:
        return self._now() > other

    def __ge__(self, other: Any) -> Any:
        return self._now() >= other

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        return self._now() == other

    def __hash__(self) -> int:
        return id(self)

    def __index__(self) -> int:
        now = self._now()
        if now == UNLIMITED:
            raise SpecError(f"{self!r} is unlimited in an open scope and cannot be counted to")
        return int(now)

    __int__ = __index__

    def __bool__(self) -> bool:
        return bool(self._now())


class Constant(Quantity):
    """A named number of a model; see `bound` and `constant`."""

    __slots__ = ("default", "doc", "high", "is_bound", "low", "name")

    def __init__(
        self, name: str, default: int, low: int, high: int | None, doc: str, is_bound: bool
    ) -> None:
        self.name, self.default, self.low, self.high = name, default, low, high
        self.doc, self.is_bound = doc, is_bound

    def __repr__(self) -> str:
        return self.name

    def value_in(self, values: Mapping[Constant, float]) -> float:
        """The value that the scope gives; a `SpecError` if the model does not list the constant."""
        try:
            return values[self]
        except KeyError:
            raise SpecError(
                f"constant {self.name} is used but not declared: add it to the model's constants"
            ) from None

    def validate(self, value: int) -> None:
        """Refuses a value outside `low..high` with a `ScopeError`."""
        if value < self.low or (self.high is not None and value > self.high):
            top = "any size" if self.high is None else str(self.high)
            raise ScopeError(f"{self.name}={value} is impossible: expected {self.low} to {top}")


class Computed(Quantity):
    """A sum, difference, product, quotient or remainder of quantities."""

    __slots__ = ("left", "operation", "right")

    def __init__(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> None:
        self.operation, self.left, self.right = operation, left, right

    def __repr__(self) -> str:
        return f"{self.operation.__name__}({self.left!r}, {self.right!r})"

    def value_in(self, values: Mapping[Constant, float]) -> float:
        """The number in the scope with these constants."""
        return cast(
            float, self.operation(evaluate(self.left, values), evaluate(self.right, values))
        )


def evaluate(number: Any, values: Mapping[Constant, float]) -> Any:
    """`number` in the scope with these constants; a plain number is itself."""
    return number.value_in(values) if isinstance(number, Quantity) else number


def bound(name: str, *, default: int, low: int = 0, high: int | None = None, doc: str) -> int:
    """Declares a constant that only bounds exploration; unlimited in an open scope.

    Typed `int`, because that is how a specification reads it.
    """
    return cast(int, Constant(name, default, low, high, doc, is_bound=True))


def constant(name: str, *, default: int, low: int = 0, high: int | None = None, doc: str) -> int:
    """Declares a number of the protocol itself; it has a value in every scope.

    Typed `int`, because that is how a specification reads it.
    """
    return cast(int, Constant(name, default, low, high, doc, is_bound=False))
