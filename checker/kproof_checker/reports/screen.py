"""Where text goes: the width, and colour only where a terminal wants it (NO_COLOR is respected)."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PLAIN_WIDTH = 100
"""Columns where the output is no terminal: files and CI logs read alike everywhere."""


class Screen:
    """Prints to standard output.  What is written is plain text unless a terminal shows it."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.has_colour = self.is_terminal and not os.environ.get("NO_COLOR")

    def show(self, *things: RenderableType) -> None:
        """Prints texts and tables, one below the other; long lines are left whole.

        They are rendered to a string first, because rich has its own idea of a closed pipe.
        """
        console = self._console()
        for thing in things:
            console.print(thing, soft_wrap=True)
        text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO below
        sys.stdout.write("\n".join(line.rstrip() for line in text.split("\n")))
        sys.stdout.flush()

    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=io.StringIO(),
            width=None if self.is_terminal else PLAIN_WIDTH,
            force_terminal=self.has_colour,
            color_system="standard" if self.has_colour else None,
            no_color=not self.has_colour,
            highlight=False,
            markup=False,
            emoji=False,
        )
