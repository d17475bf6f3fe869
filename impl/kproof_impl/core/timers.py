"""What is to be done later.  Time is a number that the caller brings; nothing here waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """One thing to do at a time, unless it is cancelled before."""

    __slots__ = ("action", "due_ms")

    def __init__(self, due_ms: int, action: Callable[[int], None]) -> None:
        self.due_ms = due_ms
        self.action: Callable[[int], None] | None = action

    def cancel(self) -> None:
        """Never happens.  A timer that has happened or was cancelled may be cancelled again."""
        self.action = None


class Timers:
    """Timers by the time they are due; those of one moment happen in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._numbers = count()
        self._cancelled_max = 64

    def at(self, due_ms: int, action: Callable[[int], None]) -> Timer:
        """`action` will be called with the time, at or after `due_ms`."""
        timer = Timer(due_ms, action)
        heapq.heappush(self._heap, (due_ms, next(self._numbers), timer))
        if len(self._heap) > self._cancelled_max:
            self._sweep()
        return timer

    def next_due_ms(self) -> int | None:
        """When something is next due; None if nothing is."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self, now_ms: int) -> None:
        """Does what is due, also what is set meanwhile to a time that has come."""
        heap = self._heap
        while heap and heap[0][0] <= now_ms:
            timer = heapq.heappop(heap)[2]
            action, timer.action = timer.action, None
            if action is not None:
                action(now_ms)

    def _sweep(self) -> None:
        """Long waits that ended early leave their timers: they must not pile up."""
        self._heap[:] = [entry for entry in self._heap if entry[2].action is not None]
        heapq.heapify(self._heap)
        self._cancelled_max = max(64, 2 * len(self._heap))
