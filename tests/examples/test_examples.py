"""The examples have the states, verdicts and mutants that their own text claims."""

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult, Verdict
from kproof_spec.lang import Model

FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py"))
MUTANTS = [
    (name, mutant) for name in EXAMPLES for mutant in find_model(f"{FOLDER / name}.py").mutants
]

Bits = tuple[int, ...]
Channel = tuple[tuple[int, int], ...]
Place = tuple[int, int, Bits, int, Channel, Bits]
"""Sent, the sender's bit, what was received, the bit that is due, frames, acknowledgements."""


def example(name: str, mutant: str = "") -> Model[Any]:
    """A model of the folder of examples."""
    return find_model(str(FOLDER / f"{name}.py"), mutant=mutant)


def checked(name: str, mutant: str = "", **constants: int) -> CheckResult:
    """What the NumPy engine says."""
    machine = example(name, mutant).closed(**constants)
    return check(machine, CheckOptions(engine="numpy", sample_seconds=0.05))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_holds_in_its_own_scope_and_none_of_its_actions_is_dead(name: str) -> None:
    found = checked(name)

    words = {name: result.verdict for name, result in found.properties.items()}
    assert set(words.values()) == {Verdict.EXHAUSTED, Verdict.REACHED}
    assert found.is_complete
    assert all(found.actions.values())


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_every_mutant_of_an_example_breaks_what_it_is_there_to_break(
    name: str, mutant: str
) -> None:
    tied = example(name).mutants[mutant]

    found = checked(name, mutant, **tied.scope)

    assert found.properties[tied.breaks].verdict is Verdict.VIOLATED


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_a_mutant(name: str) -> None:
    assert example(name).mutants


def test_paxos_has_the_185369_states_of_lamports_module() -> None:
    options = CheckOptions(symmetry=False, properties=(), sample_seconds=0)

    found = check(example("paxos").closed(), options)

    assert found.distinct == 185_369
    assert "185,369 states" in (FOLDER / "paxos.py").read_text()


# -- the alternating bit, counted by a program of its own ----------------------------------------


def steps(place: Place, items: int, capacity: int) -> Iterator[Place]:
    """The protocol once more, on tuples, with nothing of kproof."""
    sent, bit, received, due, frames, heard = place
    if sent < items and len(frames) < capacity:
        yield sent, bit, received, due, (*frames, (sent, bit)), heard
    if frames:
        (item, its_bit), rest = frames[0], frames[1:]
        yield sent, bit, received, due, rest, heard
        if len(heard) < capacity:
            if its_bit == due:
                yield sent, bit, (*received, item), 1 - due, rest, (*heard, its_bit)
            else:
                yield sent, bit, received, due, rest, (*heard, its_bit)
    if heard:
        yield sent, bit, received, due, frames, heard[1:]
        if heard[0] == bit and sent < items:
            yield sent + 1, 1 - bit, received, due, frames, heard[1:]


def counted(items: int, capacity: int) -> tuple[int, int]:
    """How many states there are, and how many are on the longest shortest path."""
    start: Place = (0, 0, (), 0, (), ())
    depths = {start: 1}
    queue = deque([start])
    while queue:
        place = queue.popleft()
        for after in steps(place, items, capacity):
            if after not in depths:
                depths[after] = depths[place] + 1
                queue.append(after)
    return len(depths), max(depths.values())


@pytest.mark.parametrize(("items", "capacity"), [(1, 1), (2, 1), (2, 3), (3, 2), (4, 3)])
def test_the_alternating_bit_has_as_many_states_as_another_program_finds(
    items: int, capacity: int
) -> None:
    found = checked("alternating_bit", items=items, capacity=capacity)

    assert (found.distinct, found.depth) == counted(items, capacity)


def test_the_docstring_of_the_alternating_bit_says_how_many_states_it_has() -> None:
    text = (FOLDER / "alternating_bit.py").read_text()
    claimed = re.search(r"make ([\d,]+) states", text)

    assert claimed is not None
    assert int(claimed[1].replace(",", "")) == counted(4, 3)[0]
