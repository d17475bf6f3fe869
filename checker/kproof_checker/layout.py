"""How a state is packed: each leaf in as many bits as it needs, in 64-bit words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kproof_spec.lang import SpecError
from kproof_spec.lang.scalars import Leaf

WORD_BITS = 64


@dataclass(frozen=True)
class Place:
    """Where a leaf is: its code less `low` is in `bits` bits of word `word`, from bit `shift`."""

    word: int
    shift: int
    bits: int
    low: int
    high: int

    @property
    def mask(self) -> int:
        """The bits of the leaf in its word."""
        return ((1 << self.bits) - 1) << self.shift


@dataclass(frozen=True)
class Layout:
    """The places of all leaves, and how many words a state takes."""

    places: tuple[Place, ...]
    words: int

    def pack(self, codes: Sequence[int]) -> tuple[int, ...]:
        """A state's codes as words."""
        words = [0] * self.words
        for place, code in zip(self.places, codes, strict=True):
            words[place.word] |= (code - place.low) << place.shift
        return tuple(words)

    def unpack(self, words: Sequence[int]) -> tuple[int, ...]:
        """The codes of a packed state."""
        return tuple(
            ((int(words[p.word]) & p.mask) >> p.shift) + p.low if p.bits else p.low
            for p in self.places
        )


def layout_of(leaves: Sequence[Leaf]) -> Layout:
    """Packs leaves in order; one that does not fit what is left of a word begins the next."""
    places = []
    word = used = 0
    for leaf in leaves:
        low, high = int(leaf.domain.low), int(leaf.domain.high)
        bits = (high - low).bit_length()
        if bits > WORD_BITS:
            raise SpecError(f"{leaf.label} needs {bits} bits: at most {WORD_BITS} are possible")
        if used + bits > WORD_BITS:
            word, used = word + 1, 0
        places.append(Place(word, used, bits, low, high))
        used += bits
    return Layout(tuple(places), word + 1)
