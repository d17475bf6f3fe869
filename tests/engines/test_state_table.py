"""The table of states is an exact set: nothing lost, nothing twice, the first one wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.engines import table
from kproof_checker.engines.table import StateTable
from strategies.effort import effort

Row = tuple[int, ...]

NUMBERS = st.one_of(st.integers(0, 5), st.sampled_from([2**63, 2**64 - 1, 2**32]))


def insert(states: StateTable, batch: list[Row], words: int, first: int = 0) -> None:
    """Inserts rows whose parent is their number, counted from `first`."""
    rows = np.array(batch, dtype=np.uint64).reshape(len(batch), words).T
    numbers = np.arange(first, first + len(batch))
    states.insert(np.ascontiguousarray(rows), numbers, numbers * 2)


def content(states: StateTable) -> list[Row]:
    """The states by index."""
    return [tuple(int(w) for w in states.states[:, i]) for i in range(states.count)]


@effort(150)
@given(st.data(), st.integers(1, 3))
def test_it_holds_what_a_python_set_would_hold(data: st.DataObject, words: int) -> None:
    row = st.tuples(*[NUMBERS] * words)
    batches = data.draw(st.lists(st.lists(row, max_size=30), max_size=6))
    states = StateTable(words, capacity=4)
    expected: dict[Row, int] = {}
    number = 0

    for batch in batches:
        insert(states, batch, words, number)
        for made in batch:
            expected.setdefault(made, number)
            number += 1

    found = content(states)
    assert len(found) == len(set(found))
    assert set(found) == set(expected)
    assert {r: int(p) for r, p in zip(found, states.parents, strict=False)} == expected
    assert [int(s) for s in states.steps[: states.count]] == [expected[r] * 2 for r in found]


@effort(40)
@given(st.lists(st.lists(st.integers(0, 40), max_size=40), max_size=5))
def test_it_is_exact_although_every_state_has_one_of_two_hashes(
    batches: list[list[int]],
) -> None:
    expected: dict[Row, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_hashes", lambda rows: (rows[0] % np.uint64(2)).astype(np.int64))
        states = StateTable(1, capacity=4)
        number = 0
        for batch in batches:
            insert(states, [(n,) for n in batch], 1, number)
            for n in batch:
                expected.setdefault((n,), number)
                number += 1

    found = content(states)
    assert sorted(found) == sorted(expected)
    assert [int(p) for p in states.parents[: states.count]] == [expected[r] for r in found]


def test_states_of_an_earlier_batch_keep_their_indexes_while_it_grows() -> None:
    states = StateTable(1, capacity=2)
    insert(states, [(n,) for n in range(10)], 1)
    before = content(states)

    insert(states, [(n,) for n in range(5_000)], 1)

    assert content(states)[:10] == before
    assert states.count == 5_000


def test_nothing_is_inserted_from_an_empty_batch() -> None:
    states = StateTable(2, capacity=2)

    insert(states, [], 2)

    assert states.count == 0


def test_the_memory_that_is_told_grows_with_the_table() -> None:
    states = StateTable(1, capacity=2)
    before = states.memory_bytes

    insert(states, [(n,) for n in range(1_000)], 1)

    assert states.memory_bytes >= before + 1_000 * 8
