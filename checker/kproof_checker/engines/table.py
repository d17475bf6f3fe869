"""An exact set of packed states, with NumPy: many insertions at once, no state ever lost.

Open addressing.  A slot holds the index of a state, and a match is always a match of the whole
state, not of a fingerprint.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Indexes = npt.NDArray[np.int64]

EMPTY = -1


class StateTable:
    """States by index, in the order of insertion, with the parent and step that found each."""

    def __init__(self, words: int, capacity: int = 1 << 14) -> None:
        self.count = 0
        self.states: Words = np.zeros((words, capacity), dtype=np.uint64)
        self.parents: npt.NDArray[Any] = np.zeros(capacity, dtype=np.int32)
        self.steps: npt.NDArray[Any] = np.zeros(capacity, dtype=np.int32)
        self._slots: npt.NDArray[Any] = np.full(capacity * 2, EMPTY, dtype=np.int32)

    @property
    def memory_bytes(self) -> int:
        """What the arrays take."""
        arrays = (self.states, self.parents, self.steps, self._slots)
        return sum(array.nbytes for array in arrays)

    def insert(self, rows: Words, parents: Indexes, steps: Indexes) -> None:
        """Adds the states that are not there yet; of equal ones the first."""
        self._make_room(rows.shape[1])
        pending = np.arange(rows.shape[1])
        mask = np.int64(len(self._slots) - 1)
        slots = _hashes(rows) & mask
        while len(pending):
            occupant = self._slots[slots[pending]]
            is_free = occupant < 0
            free, taken = pending[is_free], pending[~is_free]
            # Every state that found a free slot writes its mark; the mark that stays has won.
            self._slots[slots[free][::-1]] = (-2 - free[::-1]).astype(np.int32)
            has_won = self._slots[slots[free]] == -2 - free
            won = free[has_won]
            start, self.count = self.count, self.count + len(won)
            self._slots[slots[won]] = np.arange(start, self.count, dtype=np.int32)
            self.states[:, start : self.count] = rows[:, won]
            self.parents[start : self.count] = parents[won]
            self.steps[start : self.count] = steps[won]
            other = (self.states[:, occupant[~is_free]] != rows[:, taken]).any(axis=0)
            slots[taken[other]] = (slots[taken[other]] + 1) & mask
            pending = np.concatenate([free[~has_won], taken[other]])
            pending.sort()

    def find(self, rows: Words) -> Indexes:
        """The index of each state, or -1 if it is not there."""
        found = np.full(rows.shape[1], EMPTY, dtype=np.int64)
        mask = np.int64(len(self._slots) - 1)
        slots = _hashes(rows) & mask
        pending = np.arange(rows.shape[1])
        while len(pending):
            occupant = self._slots[slots[pending]]
            pending, occupant = pending[occupant >= 0], occupant[occupant >= 0]
            is_same = (self.states[:, occupant] == rows[:, pending]).all(axis=0)
            found[pending[is_same]] = occupant[is_same]
            pending = pending[~is_same]
            slots[pending] = (slots[pending] + 1) & mask
        return found

    def restore(self, rows: Words, parents: npt.NDArray[Any], steps: npt.NDArray[Any]) -> None:
        """Fills an empty table with different states, which keep their order as indexes."""
        count = rows.shape[1]
        self._make_room(count)
        self.states[:, :count], self.parents[:count], self.steps[:count] = rows, parents, steps
        self.count = count
        self._rehash(len(self._slots))

    def _make_room(self, more: int) -> None:
        needed = self.count + more
        if needed > np.iinfo(np.int32).max - 2:
            raise MemoryError("the NumPy engine's table holds at most 2**31 states")
        capacity = self.states.shape[1]
        if needed > capacity:
            larger = max(capacity * 2, needed)
            self.states = np.concatenate(
                [self.states, np.zeros((len(self.states), larger - capacity), np.uint64)], axis=1
            )
            self.parents = np.resize(self.parents, larger)
            self.steps = np.resize(self.steps, larger)
        if needed * 2 > len(self._slots):
            size = len(self._slots)
            while needed * 2 > size:
                size *= 2
            self._rehash(size)

    def _rehash(self, size: int) -> None:
        self._slots = np.full(size, EMPTY, dtype=np.int32)
        mask = np.int64(size - 1)
        pending = np.arange(self.count)
        slots = _hashes(self.states[:, : self.count]) & mask
        while len(pending):
            is_free = self._slots[slots[pending]] < 0
            free = pending[is_free]
            self._slots[slots[free]] = free.astype(np.int32)
            is_placed = self._slots[slots[pending]] == pending
            pending = pending[~is_placed]
            slots[pending] = (slots[pending] + 1) & mask


def _hashes(rows: Words) -> Indexes:
    mixed = np.zeros(rows.shape[1], dtype=np.uint64)
    for word in rows:
        mixed = (mixed ^ word) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
    return mixed.astype(np.int64) & np.int64(0x7FFFFFFFFFFFFFFF)
