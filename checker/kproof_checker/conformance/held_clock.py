"""A clock that stands still, and wakes a broker only when it is moved."""

from __future__ import annotations

from collections.abc import Callable


class HeldWake:
    """A call that comes when the clock is moved beyond its time."""

    def __init__(self, due_ms: int, action: Callable[[], None]) -> None:
        self.due_ms = due_ms
        self.action = action
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class HeldClock:
    """Milliseconds since 1970, as many as it is told: a `Time` of `kproof_impl.shell.clock`."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._wakes: list[HeldWake] = []

    def now_ms(self) -> int:
        return self._now_ms

    def wake(self, due_ms: int, action: Callable[[], None]) -> HeldWake:
        wake = HeldWake(due_ms, action)
        self._wakes.append(wake)
        return wake

    def advance(self, milliseconds: int) -> None:
        """Lets time pass; what is due by then happens, each when it is due."""
        end_ms = self._now_ms + milliseconds
        while due := self._first_due(end_ms):
            self._wakes.remove(due)
            self._now_ms = max(self._now_ms, due.due_ms)
            due.action()
        self._now_ms = end_ms

    def forget(self) -> None:
        """Wakes nobody whom it was to wake so far: the process that asked is dead."""
        self._wakes.clear()

    def _first_due(self, end_ms: int) -> HeldWake | None:
        self._wakes = [one for one in self._wakes if not one.is_cancelled]
        due = [one for one in self._wakes if one.due_ms <= end_ms]
        return min(due, key=lambda one: one.due_ms, default=None)
