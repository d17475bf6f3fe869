"""Codes survive packing, whatever the ranges of the leaves."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.engines.columns import Compiled, unpacked
from kproof_checker.layout import Layout, layout_of
from kproof_spec.lang import SpecError
from kproof_spec.lang.scalars import IntegerDomain, Leaf, Step
from strategies.effort import effort

Range = tuple[int, int]


def layout(ranges: Sequence[Range]) -> Layout:
    """The layout of leaves with these ranges."""
    return layout_of(
        [
            Leaf((Step(f"v{i}", i),), IntegerDomain(low, high), False)
            for i, (low, high) in enumerate(ranges)
        ]
    )


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """The range of a leaf: of 0 to 63 bits, from below zero or above."""
    bits = draw(st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 31, 32, 33, 62, 63]))
    size = draw(st.sampled_from([(1 << bits) - 1, 1 << max(bits - 1, 0)])) if bits else 0
    low = draw(st.sampled_from([0, 1, -1, -size // 2, -size]))
    return (low, min(low + size, 2**63 - 1))


@effort(200)
@given(st.data())
def test_unpacking_gives_back_what_was_packed(data: st.DataObject) -> None:
    given_ranges = data.draw(st.lists(ranges(), min_size=1, max_size=12))
    codes = tuple(data.draw(st.one_of(st.sampled_from(r), st.integers(*r))) for r in given_ranges)
    made = layout(given_ranges)

    words = made.pack(codes)

    assert len(words) == made.words
    assert all(0 <= word < 1 << 64 for word in words)
    assert made.unpack(words) == codes


@effort(150)
@given(st.data())
def test_columns_hold_what_was_packed(data: st.DataObject) -> None:
    given_ranges = data.draw(st.lists(ranges(), min_size=1, max_size=8))
    codes = [
        tuple(data.draw(st.one_of(st.sampled_from(r), st.integers(*r))) for r in given_ranges)
        for _ in range(3)
    ]
    made = layout(given_ranges)
    words = np.array([made.pack(one) for one in codes], dtype=np.uint64).T

    columns = Compiled(made, []).batch(words)

    for i in range(len(given_ranges)):
        assert [int(v) for v in columns.leaf(i)] == [one[i] for one in codes]


def test_a_leaf_never_straddles_two_words() -> None:
    made = layout([(0, 2**40 - 1)] * 3 + [(0, 2**24 - 1)])

    assert [(p.word, p.shift) for p in made.places] == [(0, 0), (1, 0), (2, 0), (2, 40)]


def test_leaves_that_just_fill_a_word_take_no_second_one() -> None:
    assert layout([(0, 2**32 - 1), (0, 2**32 - 1)]).words == 1
    assert layout([(0, 2**32 - 1), (0, 2**32 - 1), (0, 1)]).words == 2


def test_leaves_of_one_value_take_no_bits() -> None:
    made = layout([(7, 7), (-3, -3), (0, 1)])

    assert [p.bits for p in made.places] == [0, 0, 1]
    assert made.unpack(made.pack((7, -3, 1))) == (7, -3, 1)


def test_a_state_without_any_choice_still_takes_a_word() -> None:
    assert layout([(5, 5)]).words == 1


def test_a_leaf_of_64_bits_fills_a_word() -> None:
    made = layout([(0, 1), (-(2**63), 2**63 - 1)])
    extremes = (1, -(2**63)), (0, 2**63 - 1), (1, 0), (0, -1)
    words = np.array([made.pack(codes) for codes in extremes], dtype=np.uint64).T
    place = made.places[1]

    column = unpacked(words, place.word, place.shift, place.bits, place.low, np.int64)

    assert made.words == 2
    assert [made.unpack(made.pack(codes)) for codes in extremes] == list(extremes)
    assert [int(v) for v in column] == [codes[1] for codes in extremes]


def test_a_leaf_of_more_than_64_bits_is_refused_by_name() -> None:
    with pytest.raises(SpecError, match="v0 needs 65 bits"):
        layout([(0, 2**64)])
