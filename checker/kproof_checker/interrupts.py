"""Ctrl-C at a moment of our choosing."""

from __future__ import annotations

import signal
import threading


class Uninterrupted:
    """Puts Ctrl-C off inside a `with`; `was` says whether it came.

    What a search has found, and what it knows of it, change together: an interrupt between the two
    would leave states that nobody has looked at.  Outside the main thread nothing is put off,
    because Python brings no interrupt there.
    """

    def __init__(self) -> None:
        self.was = False
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Uninterrupted:
        if self._is_main:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, *_: object) -> None:
        self.was = True

    def __exit__(self, *_: object) -> None:
        if self._is_main:
            # None stands for a handler that was not set by Python, and cannot be set again by it.
            before = signal.SIG_DFL if self._before is None else self._before
            signal.signal(signal.SIGINT, before)
