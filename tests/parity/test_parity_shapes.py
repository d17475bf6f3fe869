"""All engines give one answer where machine code could go wrong: widths, symmetry, faults, growth.

The models are in `shapes`.  `cramped` makes the native engine's table, chunks and buffers tiny, so
that a small model has it grow, fill up and race as a large one would.
"""

from collections.abc import Callable
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.engines.native import frame, llvm_engine, memory, rows_ir, table_ir
from kproof_checker.layout import layout_of
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import Stop
from kproof_spec.lang import Bounded, Model, Struct, integer, require
from parity import shapes
from parity.agreement import WAYS, agreed, answer, states_by_level

NATIVE = [("numpy", 1), ("llvm", 1), ("llvm", 2)]


@pytest.fixture
def cramped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A native engine with no room; the list gets the number of states at each growth."""
    monkeypatch.setattr(memory, "SLOTS_MIN", 1 << 6)
    monkeypatch.setattr(llvm_engine, "ALONE_BELOW", 0)
    for module in (frame, table_ir):
        monkeypatch.setattr(module, "CHUNK", 4)
        monkeypatch.setattr(module, "FLUSH_AT", 4)
    grown: list[int] = []
    grow = memory.StateMemory.grow

    def counted(self: memory.StateMemory, count: int, slack: int) -> None:
        grown.append(count)
        grow(self, count, slack)

    monkeypatch.setattr(memory.StateMemory, "grow", counted)
    return grown


# -- widths --------------------------------------------------------------------------------------


def test_a_state_of_no_bits_is_one_state() -> None:
    said = agreed(shapes.nothing.closed())

    assert (said["distinct"], said["generated"], said["depth"]) == (1, 2, 1)


def test_negative_numbers_and_long_words_are_the_same_in_all_engines() -> None:
    machine = shapes.wide.closed(size=2)
    assert layout_of(machine.leaves).words >= 3

    first, *others = states_by_level(machine, symmetry=False, ways=WAYS)

    assert all(other == first for other in others)


@pytest.mark.parametrize(("bits", "words"), [(6, 1), (31, 2), (32, 2), (33, 3), (60, 3)])
def test_the_number_of_words_changes_nothing(bits: int, words: int) -> None:
    model = padded_grid(bits)
    machine = model.closed()
    assert layout_of(machine.leaves).words == words

    first, *others = states_by_level(machine, symmetry=False, ways=WAYS)

    assert len(set().union(*first[0])) == 36
    assert all(other == first for other in others)


def padded_grid(bits: int) -> Model[Any]:
    """Three numbers of so many bits, of which one goes up to the top and another down from it."""
    top = 2**bits - 1

    class Padded(Struct):
        x: int = integer(0, top)
        y: int = integer(0, top)
        z: int = integer(0, top)

    model = Model("padded", Padded)

    @model.action
    def raise_x(s: Padded) -> None:
        require(s.x < 5)
        s.x += 1
        s.y = top - s.x

    @model.action
    def raise_z(s: Padded) -> None:
        require(s.z < 5)
        s.z += 1

    return model


# -- symmetry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("people", "rooms"), [(2, 2), (3, 1), (2, 3)])
def test_two_symmetric_sorts_with_ids_that_are_none_have_the_same_orbits_in_all_engines(
    people: int, rooms: int
) -> None:
    machine = shapes.house.closed(people=people, rooms=rooms)
    ways = NATIVE if people * rooms > 4 else WAYS

    first, *others = states_by_level(machine, symmetry=True, ways=ways)

    assert all(other == first for other in others)


@pytest.mark.parametrize("symmetry", [False, True], ids=["all", "symmetry"])
def test_verdicts_and_lengths_of_traces_agree_for_two_symmetric_sorts(symmetry: bool) -> None:
    said = agreed(shapes.house.closed(people=2, rooms=2), symmetry=symmetry)

    assert said["properties"]["host_is_at_home"][0] == "violated"
    assert said["properties"]["friendship_is_mutual"][0] == "reached"


# -- initial states ------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetry", [False, True], ids=["all", "symmetry"])
@pytest.mark.parametrize("size", [0, 9, 2_000])
def test_many_initial_states_are_one_level(size: int, symmetry: bool) -> None:
    machine = shapes.start.closed(size=size, people=2)

    first, *others = states_by_level(machine, symmetry=symmetry, ways=WAYS)

    assert len(first[0][0]) == (size // 2 + 1) * (1 if symmetry else 2)
    assert all(other[0] == first[0] for other in others)


def test_a_property_that_an_initial_state_breaks_has_a_trace_of_one_state() -> None:
    said = agreed(shapes.start.closed(size=8, people=2))

    assert said["properties"]["ends_early"] == ("violated", 1)


# -- errors in the specification -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "claim", "length"),
    [
        (shapes.go_too_far, None, 4),
        (shapes.divide, None, 4),
        (None, shapes.is_known, 4),
    ],
    ids=["out of range", "action raises", "property raises"],
)
def test_all_engines_meet_the_same_error_of_the_specification_first(
    action: Callable[..., Any] | None, claim: Callable[..., Any] | None, length: int
) -> None:
    said = agreed(shapes.counter(action, claim).closed())

    assert said["stop"] is Stop.SPEC_ERROR
    assert said["steps to the error"] == length


# -- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_table_that_grows_many_times_loses_no_state(cramped: list[int], workers: int) -> None:
    machine = shapes.grid.closed(size=60)
    ways = [("numpy", 1), ("llvm", workers)]

    first, other = states_by_level(machine, symmetry=False, ways=ways)

    assert other == first
    assert len(cramped) >= 6
    assert sum(map(len, first[0])) > 7_000


@pytest.mark.usefixtures("cramped")
def test_many_workers_on_tiny_chunks_find_each_state_once_and_give_shortest_traces() -> None:
    machine = shapes.grid.closed(size=25)
    expected = answer(check(machine, CheckOptions(engine="numpy", sample_seconds=0)))
    options = CheckOptions(engine="llvm", workers=4, sample_seconds=0)

    for _ in range(5):
        assert answer(check(machine, options)) == expected


LIKE_HASHES: dict[str, list[str]] = {
    "all equal": ["and i64 {hash}, 0"],
    "one home": ["and i64 {hash}, -4294967296"],
    "one tag, all zeros": ["and i64 {hash}, 4294967295"],
    "one tag, all ones": ["or i64 {hash}, -4294967296"],
    "four values": ["and i64 {hash}, 12884901891"],
}
"""What is done to a hash so that different states have the same one, or parts of it."""


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", LIKE_HASHES)
@pytest.mark.usefixtures("cramped")
def test_states_with_equal_hashes_are_still_different_states(
    monkeypatch: pytest.MonkeyPatch, kind: str, workers: int
) -> None:
    hashed = rows_ir.hashed

    def alike(function: Any, words: list[str]) -> str:
        mixed = hashed(function, words)
        for operation in LIKE_HASHES[kind]:
            mixed = function.op(operation.format(hash=mixed))
        return mixed

    monkeypatch.setattr(table_ir, "hashed", alike)
    machine = shapes.grid.closed(size=14)

    first, other = states_by_level(machine, symmetry=False, ways=[("numpy", 1), ("llvm", workers)])

    assert other == first
    assert sum(map(len, first[0])) > 400


# -- many properties, many instances -------------------------------------------------------------


def test_the_last_of_as_many_properties_as_fit_is_still_looked_for() -> None:
    model = shapes.counter()
    for i in range(llvm_engine.PROPERTIES_MAX):
        model.properties |= claimed_below(i + 1).properties

    said = agreed(model.closed(), ways=[("numpy", 1), ("llvm", 1)])

    assert len(said["properties"]) == llvm_engine.PROPERTIES_MAX
    assert [words[0] for words in said["properties"].values()].count("violated") == 3


def claimed_below(limit: int) -> Model[shapes.Counter]:
    """A model with one invariant, under a name of its own."""

    def claim(s: shapes.Counter) -> bool:
        return s.number < limit

    claim.__name__ = f"below_{limit}"
    return shapes.counter(None, claim)


def test_many_instances_of_one_action_are_counted_apart() -> None:
    class Spot(Struct):
        x: int = integer(0, 300)

    class Target(Bounded, low=0, high=300):
        pass

    model = Model("spot", Spot)

    @model.action
    def jump(s: Spot, target: Target) -> None:
        require(s.x == 0)
        s.x = target

    first, *others = states_by_level(model.closed(), symmetry=False, ways=NATIVE)

    assert len(first[1]) == 301
    assert all(other == first for other in others)
