"""Terms mean what Python's own operators mean, and their bounds are never wrong."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.extraction import terms
from kproof_checker.extraction.interpret import value_of
from kproof_checker.extraction.terms import Term
from strategies.effort import effort
from strategies.random_terms import BINARY, COMPARISONS, LEAVES, numbers, states, truths

EVERY_STATE = list(itertools.product(*[range(low, high + 1) for low, high in LEAVES]))


def worth(term: Term, codes: tuple[int, ...]) -> Any:  # noqa: PLR0911 - one for each operation
    """The value of a term, computed from what it is made of: nothing is compiled."""
    inside = [worth(arg, codes) for arg in term.args]
    for make, meaning in {**BINARY, **COMPARISONS}.items():
        if term.op == make.__name__:
            return meaning(*inside)
    match term.op:
        case "const":
            return term.value
        case "leaf":
            return codes[term.value]
        case "true" | "false":
            return term.op == "true"
        case "min":
            return min(inside)
        case "max":
            return max(inside)
        case "div":
            return inside[0] // inside[1]
        case "mod":
            return inside[0] % inside[1]
        case "and":
            return all(inside)
        case "or":
            return any(inside)
        case "not":
            return not inside[0]
    assert term.op in ("ite", "bite")
    return inside[1] if inside[0] else inside[2]


@effort(120)
@given(numbers(), states())
def test_a_number_is_compiled_to_what_it_is_made_of(term: Term, codes: tuple[int, ...]) -> None:
    assert value_of(term, codes) == worth(term, codes)


@effort(120)
@given(truths(), states())
def test_a_truth_value_is_compiled_to_what_it_is_made_of(
    term: Term, codes: tuple[int, ...]
) -> None:
    assert term.is_truth
    assert value_of(term, codes) is worth(term, codes)


@effort(40)
@given(numbers())
def test_no_value_is_outside_the_bounds_of_its_term(term: Term) -> None:
    for codes in EVERY_STATE:
        assert term.low <= value_of(term, codes) <= term.high


@effort(120)
@given(st.sampled_from(list(BINARY)), numbers(), numbers(), states())
def test_simplification_of_numbers_changes_no_value(
    make: Any, a: Term, b: Term, codes: tuple[int, ...]
) -> None:
    meaning = BINARY[make]

    assert value_of(make(a, b), codes) == meaning(value_of(a, codes), value_of(b, codes))


@effort(120)
@given(st.sampled_from(list(COMPARISONS)), numbers(), numbers(), states())
def test_simplification_of_comparisons_changes_no_answer(
    make: Any, a: Term, b: Term, codes: tuple[int, ...]
) -> None:
    meaning = COMPARISONS[make]

    assert value_of(make(a, b), codes) is meaning(value_of(a, codes), value_of(b, codes))


@effort(100)
@given(numbers(), numbers(), states())
def test_division_and_remainder_are_pythons(a: Term, b: Term, codes: tuple[int, ...]) -> None:
    divisor = terms.greatest(b, terms.const(1))
    x, y = value_of(a, codes), max(value_of(b, codes), 1)

    assert value_of(terms.div(a, divisor), codes) == x // y
    assert value_of(terms.mod(a, divisor), codes) == x % y


@effort(100)
@given(truths(), truths(), numbers(), numbers(), states())
def test_simplification_of_choices_changes_no_value(
    p: Term, q: Term, a: Term, b: Term, codes: tuple[int, ...]
) -> None:
    one, two = value_of(p, codes), value_of(q, codes)
    x, y = value_of(a, codes), value_of(b, codes)

    assert value_of(terms.ite(p, a, b), codes) == (x if one else y)
    assert value_of(terms.bite(p, q, terms.negate(q)), codes) is (one == two)
    assert value_of(terms.both([p, q]), codes) is (one and two)
    assert value_of(terms.either([p, q]), codes) is (one or two)
    assert value_of(terms.negate(p), codes) is (not one)


@effort(40)
@given(truths(), truths())
def test_equal_terms_are_one_object(p: Term, q: Term) -> None:
    assert terms.both([p, q]) is terms.both([q, p])
    assert terms.either([p, q, p]) is terms.either([q, p])
    assert terms.negate(terms.negate(p)) is p


def test_one_and_true_are_not_taken_for_each_other() -> None:
    flag = terms.leaf(0, 0, 1)
    is_one = terms.eq(flag, terms.const(1))

    assert terms.const(1) is not terms.TRUE
    assert terms.ite(is_one, terms.const(1), terms.const(0)) is flag
    assert value_of(terms.const(1), ()) == 1
    assert value_of(is_one, (1,)) is True


@effort(60)
@given(st.lists(numbers(), max_size=3))
def test_arguments_come_before_what_uses_them(wanted: list[Term]) -> None:
    order = terms.ordered(wanted)
    position = {term: i for i, term in enumerate(order)}

    assert len(position) == len(order)
    assert all(position[arg] < position[term] for term in order for arg in term.args)
    assert set(wanted) <= set(order)


def test_a_division_is_harmless_where_its_divisor_is_not_positive() -> None:
    a, b = terms.leaf(0, 0, 3), terms.leaf(1, -1, 3)

    for divided in (terms.div(a, b), terms.mod(a, b)):
        assert isinstance(value_of(divided, (2, 0)), int)
        assert isinstance(value_of(divided, (2, -1)), int)
