"""What a broker tells whoever runs it: connections that it closed and why, faults of its own.

A client can make the broker refuse thousands of times a second, and must not be able to fill a disk
with the lines of it, nor to put its own control characters on a terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

CLOSED, REFUSED, FAULT, WARNING = "closed", "refused", "fault", "warning"
PER_SECOND_MAX = 10
TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    kind: str
    """`closed` and `refused`: a connection; `fault`: the broker's own failure; `warning`."""
    text: str
    client: str = ""
    """The address of the client it is about, if it is about one."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.client + ': ' if self.client else ''}{self.text}"


Tell = Callable[[Notice], None]


def tell_logging(notice: Notice) -> None:
    """To the logger `kproof_impl`: faults as errors, what clients do wrong as information."""
    import logging

    levels = {FAULT: logging.ERROR, WARNING: logging.WARNING}
    logging.getLogger("kproof_impl").log(levels.get(notice.kind, logging.INFO), "%s", notice)


def printable(text: str) -> str:
    """A text of any origin as one line of limited length without control characters."""
    short = text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)


class Notices:
    """Passes on at most `PER_SECOND_MAX` notices of a kind each second, and counts the rest."""

    def __init__(self, tell: Tell, seconds: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._seconds = seconds
        self._since: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self.faults_count = 0

    def __call__(self, kind: str, text: str, client: str = "") -> None:
        if kind == FAULT:
            self.faults_count += 1
        now = self._seconds()
        if now - self._since.get(kind, now - 2) >= 1:
            self._tell_rest(kind)
            self._since[kind] = now
        self._told[kind] = self._told.get(kind, 0) + 1
        if self._told[kind] <= PER_SECOND_MAX:
            self._tell(Notice(kind, printable(text), client))

    def _tell_rest(self, kind: str) -> None:
        untold = self._told.get(kind, 0) - PER_SECOND_MAX
        if untold > 0:
            self._tell(Notice(kind, f"and {untold} more of this kind that are not shown"))
        self._told[kind] = 0

    def close(self) -> None:
        """Tells how many were not shown."""
        for kind in list(self._told):
            self._tell_rest(kind)
