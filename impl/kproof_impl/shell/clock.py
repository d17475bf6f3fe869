"""The time of a broker: the wall clock's, but it never goes back and never stands still.

Timestamps of records and retention want the time of day; time-outs want a clock that runs evenly.
So a step of the wall clock forward is followed at once, and after a step backward this clock runs
at half speed until the wall clock has caught up.

It also wakes: whoever brings a `Server` another `Time` chooses when what is due happens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Wake(Protocol):
    """A call that is to come."""

    def cancel(self) -> None: ...


class Time(Protocol):
    """What a server goes by."""

    def now_ms(self) -> int: ...
    def wake(self, due_ms: int, action: Callable[[], None]) -> Wake: ...


class Clock:
    """Milliseconds since 1970.  `wall` and `even` give seconds; a test may bring its own."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        even: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._even = even
        self._even_before = even()
        self._now = wall()

    def now_ms(self) -> int:
        """The time, never below what was told before."""
        wall, even = self._wall(), self._even()
        elapsed, self._even_before = even - self._even_before, even
        ahead = self._now + elapsed > wall
        self._now = max(self._now + elapsed / 2, wall) if ahead else wall
        return int(self._now * 1000)

    def wake(self, due_ms: int, action: Callable[[], None]) -> Wake:
        """Calls `action` on the running event loop at a time, or at once if that is over."""
        wait_ms = max(0, due_ms - self.now_ms())
        return asyncio.get_running_loop().call_later(wait_ms / 1000, action)
