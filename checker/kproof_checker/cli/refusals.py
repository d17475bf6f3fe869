"""What ends a command early, and the message for it.  `main.run` turns each into an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

USAGE, UNKNOWN, SPEC_ERROR = 2, 3, 4


class Refused(Exception):
    """The command cannot be carried out as it was given; the message says why and what to do."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


class ClosedPipe(Exception):
    """Nobody reads the output any more, as in `kproof list | head -1`."""


class Interrupted(Exception):
    """Ctrl-C, outside a search: a search ends with a verdict instead."""


def no_such(what: str, name: str, known: Iterable[str], whose: str = "") -> Refused:
    """Refuses a name: what was seen, what there is, and the likeliest meant."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f". Did you mean {close[0]}?" if close else ""
    there = ", ".join(names) or "none"
    return Refused(
        f"{whose + ' has no' if whose else 'there is no'} {what} {name}: "
        f"expected one of {there}{hint}"
    )
