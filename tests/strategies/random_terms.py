"""Random terms over a handful of leaves, and random states of those."""

from typing import Any

from hypothesis import strategies as st

from kproof_checker.extraction import terms
from kproof_checker.extraction.terms import Term

LEAVES = ((0, 1), (-1, 2), (0, 3), (-3, -1), (5, 5), (0, 1))
"""The ranges of the leaves."""

LEAF_TERMS = [terms.leaf(i, low, high) for i, (low, high) in enumerate(LEAVES)]

BINARY: dict[Any, Any] = {
    terms.add: lambda a, b: a + b,
    terms.sub: lambda a, b: a - b,
    terms.mul: lambda a, b: a * b,
    terms.least: min,
    terms.greatest: max,
}
COMPARISONS: dict[Any, Any] = {
    terms.eq: lambda a, b: a == b,
    terms.le: lambda a, b: a <= b,
    terms.lt: lambda a, b: a < b,
}


def states() -> st.SearchStrategy[tuple[int, ...]]:
    """A value for each leaf."""
    return st.tuples(*[st.integers(low, high) for low, high in LEAVES])


def _positive(value: Term) -> Term:
    return terms.greatest(value, terms.const(1))


def _more_numbers(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.sampled_from(list(BINARY)).flatmap(lambda make: st.builds(make, inner, inner))
    divided = st.sampled_from([terms.div, terms.mod]).flatmap(
        lambda make: st.builds(lambda a, b: make(a, _positive(b)), inner, inner)
    )
    chosen = st.builds(terms.ite, _truths(inner, 1), inner, inner)
    return st.one_of(pairs, divided, chosen)


def _truths(inner: st.SearchStrategy[Term], depth: int) -> st.SearchStrategy[Term]:
    compared = st.sampled_from(list(COMPARISONS)).flatmap(
        lambda make: st.builds(make, inner, inner)
    )
    if depth == 0:
        return compared
    parts = _truths(inner, depth - 1)
    return st.one_of(
        compared,
        st.just(terms.TRUE),
        st.builds(terms.negate, parts),
        st.lists(parts, max_size=3).map(terms.both),
        st.lists(parts, max_size=3).map(terms.either),
        st.builds(terms.bite, parts, parts, parts),
    )


def numbers() -> st.SearchStrategy[Term]:
    """A random number."""
    simple = st.one_of(st.sampled_from(LEAF_TERMS), st.integers(-3, 4).map(terms.const))
    return st.recursive(simple, _more_numbers, max_leaves=6)


def truths() -> st.SearchStrategy[Term]:
    """A random truth value."""
    return _truths(numbers(), 2)
