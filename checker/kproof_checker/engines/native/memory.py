"""Where the states are kept: large arrays that are reserved once and filled as states are found.

Reserved address space costs nothing until it is written to, so the arrays of states never move and
never have to be copied.  The table of slots does have to grow: its slots are given back first and
filled anew from the states, so that two tables never exist at once.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy as np
import numpy.typing as npt

STATE_OVERHEAD_BYTES = 4 + 2
"""Parent and step of each state."""
SLOT_BYTES = 8
FULLNESS_MAX = 0.72
"""Of the slots, how many may be taken: beyond, probing gets long."""
STATES_MAX = (1 << 31) - 16
SLOTS_MIN = 1 << 18


class Reserved:
    """Memory that is reserved at once, and becomes real page by page as it is written."""

    def __init__(self, size: int) -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        self.size = size
        try:
            self._map = mmap.mmap(-1, max(size, mmap.PAGESIZE), flags=flags)
        except OSError as error:
            raise MemoryError(f"the system gives no {size:,} bytes: {error.strerror}") from error
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Look-ups are all over the place: fewer, larger pages are found faster.
            self._map.madvise(mmap.MADV_HUGEPAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))

    def view(self, kind: Any, count: int) -> npt.NDArray[Any]:
        """The first `count` numbers of this kind."""
        return np.frombuffer(self._map, dtype=kind, count=count)


class StateMemory:
    """States with their parents and steps, and the slots to find them by."""

    def __init__(self, words: int, limit_bytes: int | None = None) -> None:
        self.words = words
        self.limit_bytes = limit_bytes
        per_state = words * 8 + STATE_OVERHEAD_BYTES
        room = min(limit_bytes or physical_memory_bytes(), physical_memory_bytes())
        self.capacity = max(min(room // per_state, STATES_MAX), 1 << 16)
        self.states = Reserved(self.capacity * words * 8)
        self.parents = Reserved(self.capacity * 4)
        self.steps = Reserved(self.capacity * 2)
        self.slot_count = SLOTS_MIN
        self.slots: Reserved | None = Reserved(SLOTS_MIN * SLOT_BYTES)

    @property
    def fill_limit(self) -> int:
        """Up to how many states the present slots may hold."""
        return min(int(self.slot_count * FULLNESS_MAX), self.capacity)

    def used_bytes(self, count: int) -> int:
        """What `count` states and the slots take."""
        return count * (self.words * 8 + STATE_OVERHEAD_BYTES) + self.slot_count * SLOT_BYTES

    def clear(self, count: int, slack: int) -> None:
        """Empty slots for `count` states and `slack` more; a `MemoryError` if that is too much.

        The least number of slots is always allowed: a small budget ends the search, not the start.
        """
        if count > self.capacity:
            raise MemoryError
        while int(self.slot_count * FULLNESS_MAX) <= count + slack:
            self.slot_count *= 2
        is_least = self.slot_count <= SLOTS_MIN
        limit = self.limit_bytes
        if limit is not None and not is_least and self.used_bytes(count) > limit:
            raise MemoryError
        self._renew()

    def can_spare(self, slack: int) -> bool:
        """Whether room for that many states that come late leaves half of the memory."""
        room = self.limit_bytes or physical_memory_bytes()
        return slack < self.capacity // 2 and slack / FULLNESS_MAX * 2 * SLOT_BYTES < room / 2

    def grow(self, count: int, slack: int) -> None:
        """Twice the slots, empty; a `MemoryError` if that is more than may be used.

        `slack` is how many states more than the limit there may be for a moment.
        """
        limit = self.limit_bytes
        after = self.used_bytes(count) + self.slot_count * SLOT_BYTES
        if (limit is not None and after > limit) or count + slack >= self.capacity - slack:
            raise MemoryError
        self.slot_count *= 2
        self._renew()

    def _renew(self) -> None:
        self.slots = None  # Given back before the new ones are taken.
        self.slots = Reserved(self.slot_count * SLOT_BYTES)


def physical_memory_bytes() -> int:
    """How much memory this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
