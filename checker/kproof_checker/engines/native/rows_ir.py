"""States as rows of words, in IR: reading, hashing, comparing and writing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .frame import Frame
from .text import Function, unsigned

INDEX_BITS = 0xFFFFFFFF
"""The part of a slot that is an index; the rest is the state's tag."""


@dataclass(frozen=True)
class Arrays:
    """The names of the arrays' addresses, and of the mask of the slots."""

    slots: str
    mask: str
    states: str
    parents: str
    steps: str


def row(f: Function, words: int, base: str, number: str, offset: int = 0) -> list[str]:
    """The words of row `number` of an array of states that begins at `base[offset]`."""
    first = f.op(f"mul i64 {number}, {words}")
    return [f.load(base, f.op(f"add i64 {first}, {offset + word}")) for word in range(words)]


def is_same(f: Function, mine: Sequence[str], theirs: Sequence[str]) -> str:
    """Whether all words are equal."""
    differing = [f.op(f"xor i64 {a}, {b}") for a, b in zip(mine, theirs, strict=True)]
    any_ = differing[0]
    for difference in differing[1:]:
        any_ = f.op(f"or i64 {any_}, {difference}")
    return f.op(f"icmp eq i64 {any_}, 0")


def write_state(f: Function, frame: Frame, arrays: Arrays, i: str, new: str) -> None:
    """Makes gathered state `i` the state with index `new`."""
    first = f.op(f"mul i64 {new}, {frame.words}")
    for word, value in enumerate(row(f, frame.words, "%own", i, frame.rows)):
        f.store(value, arrays.states, f.op(f"add i64 {first}, {word}"))
    origin = f.load("%own", f.op(f"add i64 {i}, {frame.origins}"))
    f.store(f.op(f"trunc i64 {origin} to i32"), arrays.parents, new, "i32")
    step = f.op(f"trunc i64 {f.op(f'lshr i64 {origin}, 32')} to i16")
    f.store(step, arrays.steps, new, "i16")


def hashed(function: Function, words: list[str]) -> str:
    """A 64-bit hash of a state's words."""
    mixed = function.op(f"mul i64 {words[0]}, {unsigned(0x9E3779B97F4A7C15)}")
    for word in words[1:]:
        high = function.op(f"lshr i64 {mixed}, 32")
        mixed = function.op(f"xor i64 {mixed}, {high}")
        mixed = function.op(f"xor i64 {mixed}, {word}")
        mixed = function.op(f"mul i64 {mixed}, {unsigned(0xBF58476D1CE4E5B9)}")
    mixed = function.op(f"xor i64 {mixed}, {function.op(f'lshr i64 {mixed}, 31')}")
    mixed = function.op(f"mul i64 {mixed}, {unsigned(0x94D049BB133111EB)}")
    return function.op(f"xor i64 {mixed}, {function.op(f'lshr i64 {mixed}, 29')}")
