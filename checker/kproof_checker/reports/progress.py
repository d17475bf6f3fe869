"""What is shown on standard error while a search runs."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

from ..options import Progress
from .wording import duration, memory, number

QUIET_FOR = 1.0
"""Seconds before anything is shown: short runs show nothing."""
TERMINAL_EVERY = 0.1
PLAIN_EVERY = 10.0
"""Seconds between lines where standard error is a file or a CI log."""


class ProgressLine:
    """A reporter: one line that renews itself on a terminal, a line each ten seconds elsewhere."""

    def __init__(self, label: str = "", stream: TextIO | None = None) -> None:
        self.label = label
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._begin = time.monotonic()
        self._next = QUIET_FOR if self._is_terminal else PLAIN_EVERY
        self._is_shown = False
        self._before = (0.0, 0)

    def __call__(self, progress: Progress) -> None:
        """Shows where the search is, if it is time to."""
        if not self.is_due():
            return
        seconds, distinct = self._before
        rate = (progress.distinct - distinct) / max(progress.seconds - seconds, 1e-9)
        if progress.seconds - seconds >= 1.0:
            self._before = (progress.seconds, progress.distinct)
        self.show(line(self.label, progress, rate))

    def is_due(self) -> bool:
        """Whether it is time to show something; it says so once."""
        elapsed = time.monotonic() - self._begin
        if elapsed < self._next:
            return False
        self._next = elapsed + (TERMINAL_EVERY if self._is_terminal else PLAIN_EVERY)
        return True

    def close(self) -> None:
        """Takes the line away."""
        if self._is_shown:
            self.show("")
            self._is_shown = False

    def show(self, text: str) -> None:
        """Shows a line instead of the one before."""
        try:
            if self._is_terminal:
                width = _columns(self._stream)
                self._stream.write(f"\r\x1b[K{text[: width - 1]}")
            else:
                self._stream.write(f"{text}\n")
            self._stream.flush()
        except OSError:
            return  # Nobody reads it: the search matters more.
        self._is_shown = self._is_terminal


class CountLine:
    """The same for work that only counts: `validate: 120,000 steps, 14,000/s, 8.5 s`."""

    LOOKS_EVERY = 256
    """Counts between two looks at the clock."""

    def __init__(self, label: str, what: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._what = what
        self._line = ProgressLine(label, stream)
        self._begin = time.monotonic()
        self._before = (0.0, 0)

    def __call__(self, count: int) -> None:
        """Shows how far it is, if it is time to."""
        if count % self.LOOKS_EVERY:
            return
        seconds = time.monotonic() - self._begin
        if not self._line.is_due():
            return
        before, count_before = self._before
        rate = (count - count_before) / max(seconds - before, 1e-9)
        self._before = (seconds, count)
        self._line.show(
            f"{self._label}: {number(count)} {self._what}, {number(int(rate))}/s, "
            f"{duration(seconds)}"
        )

    def close(self) -> None:
        """Takes the line away."""
        self._line.close()


def line(label: str, progress: Progress, rate: float) -> str:
    """`kip_320: 1,234,567 states, 600,000/s, frontier 12,345, depth 14, 300 MB, 2.1 s`."""
    return (
        f"{label + ': ' if label else ''}{number(progress.distinct)} states, "
        f"{number(int(max(rate, 0)))}/s, frontier {number(progress.frontier)}, "
        f"depth {progress.depth}, {memory(progress.memory_bytes)}, {duration(progress.seconds)}"
    )


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80
