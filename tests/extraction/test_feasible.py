"""What is known on a path never rules out a state that takes the path."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.extraction import feasible, terms
from kproof_checker.extraction.feasible import Knowledge
from kproof_checker.extraction.interpret import value_of
from kproof_checker.extraction.terms import Term
from strategies.effort import effort
from strategies.random_terms import LEAVES, numbers, truths

RANGES = [range(low, high + 1) for low, high in LEAVES]
EVERY_STATE = list(itertools.product(*RANGES))

Path = list[tuple[Term, bool]]
paths = st.lists(st.tuples(truths(), st.booleans()), max_size=4)


def taken_by(path: Path) -> list[tuple[int, ...]]:
    """Every state for which the conditions of the path have these answers."""
    return [
        codes
        for codes in EVERY_STATE
        if all(value_of(term, codes) is holds for term, holds in path)
    ]


def known_after(path: Path) -> Knowledge | None:
    """What is known at the end of a path."""
    knowledge: Knowledge | None = Knowledge(RANGES)
    for term, holds in path:
        if knowledge is not None:
            knowledge = knowledge.assuming(term, holds)
    return knowledge


@pytest.mark.parametrize("combinations_max", [300, 6, 1])
@effort(35)
@given(path=paths, question=truths(), number=numbers())
def test_nothing_possible_is_ruled_out(
    combinations_max: int, path: Path, question: Term, number: Term
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feasible, "COMBINATIONS_MAX", combinations_max)
        feasible._outcomes.clear()
        states = taken_by(path)
        knowledge = known_after(path)

        if knowledge is None:
            assert states == []
            return
        for codes in states:
            assert all(value in knowledge.values_of(i) for i, value in enumerate(codes))
            assert knowledge.truth_of(question) in (None, value_of(question, codes))
            assert value_of(number, codes) in knowledge.possible_values(number)


@effort(35)
@given(paths, truths())
def test_what_is_assumed_is_known_and_leaves_the_former_knowledge_alone(
    path: Path, more: Term
) -> None:
    knowledge = known_after(path)
    if knowledge is None:
        return
    before = dict(knowledge.domains), dict(knowledge.facts)

    after = knowledge.assuming(more, True)

    assert (knowledge.domains, knowledge.facts) == before
    if after is not None:
        assert after.truth_of(more) is True
        assert after.assuming(more, False) is None or not after._is_small(more)


def test_a_contradiction_between_two_leaves_is_seen() -> None:
    a, b = terms.leaf(0, 0, 3), terms.leaf(1, 0, 3)
    below = Knowledge([range(4), range(4)]).assuming(terms.lt(a, b), True)
    assert below is not None

    assert list(below.values_of(0)) == [0, 1, 2]
    assert list(below.values_of(1)) == [1, 2, 3]
    assert below.assuming(terms.eq(a, terms.const(3)), True) is None
    assert below.assuming(terms.lt(b, a), True) is None


def test_what_is_learned_later_decides_an_earlier_condition() -> None:
    a, b = terms.leaf(0, 0, 3), terms.leaf(1, 0, 3)
    knowledge = Knowledge([range(4), range(4)]).assuming(terms.eq(a, b), True)
    assert knowledge is not None

    narrower = knowledge.assuming(terms.eq(a, terms.const(2)), True)

    assert narrower is not None
    assert list(narrower.values_of(1)) == [2]
