"""What an action says besides plain Python: guards, definitions, and quantifiers.

Plain `if`, `and`, `or`, `not`, `for`, comprehensions and `in` work as they are: an engine that
wants every path runs the function once for each.  `pure` and the quantifiers here join their paths
into one value instead, which keeps the number of paths small.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, cast

from .containers import Seq, SetOf
from .errors import Disabled, Misuse, SpecError
from .scope import Scope
from .symbolic import Symbolic, Tracing

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Running:
    """The scope whose functions run now; None between steps."""

    scope: Scope | None = None


def require(condition: bool) -> None:
    """Says when an action is possible.  Where `condition` is false, the action is disabled."""
    if condition is True:
        return
    if isinstance(condition, Symbolic) and Tracing.current is not None:
        Tracing.current.require(condition)
    elif not condition:
        raise Disabled


class Pure(Generic[P, R]):
    """A definition: a function of the state that changes nothing.  See `pure`."""

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        function = self.function
        if Running.scope is not None and Running.scope.overrides:
            function = Running.scope.overrides.get(self, function)
        if Tracing.current is None:
            return function(*args, **kwargs)
        return cast(R, Tracing.current.merged(lambda: function(*args, **kwargs)))

    def __repr__(self) -> str:
        return f"<definition {self.function.__name__}>"


def pure(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a definition.  Its paths merge into one value, and a mutant may replace it.

    It may return a truth value, a number, an id, an enum member, or a tuple of those; it may not
    change the state.
    """
    return Pure(function)


class Everyone(list[T]):
    """The ids of a symmetric sort: to go through, not to pick from."""

    def __getitem__(self, index: Any) -> Any:
        if Tracing.current is not None:
            raise Misuse(
                "an id of a symmetric sort was picked by its number, but such ids are "
                "interchangeable: pass it as a parameter, or declare the sort without "
                "symmetric=True"
            )
        return super().__getitem__(index)


def each(sort: type[T]) -> list[T]:
    """Every value of a sort in the scope that is running, in order."""
    if Running.scope is None:
        raise SpecError(f"each({sort.__name__}) was asked outside a running model")
    values = Running.scope.each(sort)
    return Everyone(values) if getattr(sort, "symmetric", False) else values


SPAN_MAX = 10_000
"""The longest span that a quantifier follows value by value."""


class Span:
    """The whole numbers `start..end - 1`, where either may be unknown to an engine."""

    def __init__(self, start: Any, end: Any) -> None:
        self.start, self.end = start, end

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end))


def span(start: int, end: int) -> Iterable[int]:
    """The numbers from `start` up to but not including `end`, for the quantifiers here.

    As `range`, but a quantifier over it does not split paths on its ends.
    """
    return Span(start, end)


def forall(over: Iterable[T] | type[T], predicate: Callable[[T], bool]) -> bool:
    """Whether `predicate` holds for everything in a set, sequence, `span`, list or sort."""
    tracer = Tracing.current
    if tracer is None:
        return all(predicate(value) for value in _listed(over))
    terms: list[Any] = []
    for given, value in _candidates(over):
        reached = functools.partial(tracer.conjunction, terms)  # `all` ends at the first no.
        holds = tracer.merged(functools.partial(predicate, value), given, reached)
        terms.append(tracer.disjunction([_negated(given), holds]))
    return cast(bool, tracer.conjunction(terms))


def exists(over: Iterable[T] | type[T], predicate: Callable[[T], bool]) -> bool:
    """Whether `predicate` holds for something in a set, sequence, `span`, list or sort."""
    tracer = Tracing.current
    if tracer is None:
        return any(predicate(value) for value in _listed(over))
    terms: list[Any] = []
    for given, value in _candidates(over):
        reached = functools.partial(_none_of, terms)  # `any` ends at the first yes.
        holds = tracer.merged(functools.partial(predicate, value), given, reached)
        terms.append(tracer.conjunction([given, holds]))
    return cast(bool, tracer.disjunction(terms))


def count(over: Iterable[T] | type[T], predicate: Callable[[T], bool]) -> int:
    """For how many things in a set, sequence, `span`, list or sort `predicate` holds."""
    tracer = Tracing.current
    if tracer is None:
        return sum(1 for value in _listed(over) if predicate(value))
    terms = [
        tracer.conjunction([given, tracer.merged(functools.partial(predicate, value), given)])
        for given, value in _candidates(over)
    ]
    return cast(int, tracer.total(terms))


def min_(first: int, *others: int) -> int:
    """The least of some numbers, without splitting paths."""
    return _extreme(first, others, is_least=True)


def max_(first: int, *others: int) -> int:
    """The greatest of some numbers, without splitting paths."""
    return _extreme(first, others, is_least=False)


def min_over(over: Iterable[T] | type[T], value: Callable[[T], int], *, start: int) -> int:
    """The least of `start` and of `value(x)` for every `x` in `over`."""
    return _extreme_over(over, value, start, is_least=True)


def max_over(over: Iterable[T] | type[T], value: Callable[[T], int], *, start: int) -> int:
    """The greatest of `start` and of `value(x)` for every `x` in `over`."""
    return _extreme_over(over, value, start, is_least=False)


def _extreme(first: int, others: Iterable[int], *, is_least: bool) -> int:
    tracer = Tracing.current
    best = first
    for other in others:
        better = other < best if is_least else other > best
        best = other if better is True else best
        if better is not True and better is not False:
            assert tracer is not None
            best = tracer.either(better, other, best)
    return best


def _extreme_over(
    over: Iterable[T] | type[T], value: Callable[[T], int], start: int, *, is_least: bool
) -> int:
    tracer = Tracing.current
    best = start
    if tracer is None:
        return _extreme(start, [value(x) for x in _listed(over)], is_least=is_least)
    for given, x in _candidates(over):
        here = tracer.merged(functools.partial(value, x), given)
        best = tracer.either(given, _extreme(best, [here], is_least=is_least), best)
    return best


def _none_of(terms: list[Any]) -> Any:
    tracer = Tracing.current
    assert tracer is not None
    return _negated(tracer.disjunction(terms))


def _negated(term: Any) -> Any:
    return (not term) if isinstance(term, bool) else ~term


def _listed(over: Any) -> Iterable[Any]:
    return each(over) if isinstance(over, type) else over


def _candidates(over: Any) -> list[tuple[Any, Any]]:
    """Everything that may be in `over`, each with the condition that it is."""
    tracer = Tracing.current
    assert tracer is not None
    if isinstance(over, SetOf | Seq):
        return over._candidates()
    if isinstance(over, Span):
        (low, _), (_, high) = tracer.bounds_of(over.start), tracer.bounds_of(over.end)
        if high - low > SPAN_MAX:
            raise Misuse(f"a span from {low} to {high} is too long to look at one by one")
        return [(tracer.conjunction([over.start <= i, over.end > i]), i) for i in range(low, high)]
    return [(True, value) for value in _listed(over)]
