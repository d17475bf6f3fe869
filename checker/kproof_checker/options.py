"""What a user can ask of a search, and what a search tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CheckOptions:
    """How to search.  The defaults are the command line's."""

    engine: str = "auto"
    """`auto`, `llvm`, `numpy` or `python`."""
    workers: int = 1
    symmetry: bool = True
    """Count states up to renaming of symmetric ids."""
    properties: tuple[str, ...] | None = None
    """The names to check; None is all of them, an empty tuple none."""
    max_seconds: float | None = None
    max_memory_bytes: int | None = None
    max_states: int | None = None
    checkpoint: Path | None = None
    """A file to save the search to, and to go on from if it is there."""
    checkpoint_seconds: float = 30.0
    """How often it is saved; also when the search ends, however it ends."""
    profile: bool = False
    """Tell where time and paths go."""
    sample_seconds: float = 0.1
    """For how long a random sample compares the engine with CPython; 0 is not at all."""


@dataclass(frozen=True)
class Progress:
    """Where a search is."""

    distinct: int
    generated: int
    frontier: int
    """States found and not yet expanded."""
    depth: int
    seconds: float
    memory_bytes: int


Reporter = Callable[[Progress], None]
"""Called now and then; may raise KeyboardInterrupt to stop the search early."""
