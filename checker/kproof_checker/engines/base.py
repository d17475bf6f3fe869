"""What a search asks of an engine: visit the next states, breadth first, and say what was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kproof_spec.lang import Machine, Property

from ..layout import Layout
from ..symmetry import Symmetry

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class EngineRefused(ValueError):
    """An engine cannot do what was asked of it; the message says why and what to ask instead."""


@dataclass(frozen=True)
class Problem:
    """What to explore: a machine in a closed scope, and what to look for in each state."""

    machine: Machine[Any]
    properties: tuple[Property, ...] = ()
    """Invariants and witnesses."""
    symmetry: Symmetry | None = None
    """If given, states are counted up to it."""


@dataclass(frozen=True)
class Finding:
    """A state that settles a property: it breaks an invariant, or reaches a witness."""

    name: str
    arguments: dict[str, Any]
    state: int


@dataclass(frozen=True)
class Fault:
    """A state in which an action or property is a specification error."""

    step: str
    """The label of the action or property instance."""
    arguments: dict[str, Any]
    name: str
    message: str
    where: str
    state: int


@dataclass
class Batch:
    """What was seen while some states were visited."""

    visited: int = 0
    enabled: dict[int, int] = field(default_factory=dict)
    """For each action instance (by index), in how many of the states it was possible."""
    findings: list[Finding] = field(default_factory=list)
    """For each property at most the first."""
    faults: list[Fault] = field(default_factory=list)
    deadlocks: int = 0
    first_deadlock: int | None = None


@dataclass(frozen=True)
class Rows:
    """States in the order of their indexes, packed, with what found them."""

    states: npt.NDArray[np.uint64]
    """By state, then by word."""
    parents: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Edges:
    """Steps between states, as three arrays of equal length."""

    sources: npt.NDArray[np.int64]
    instances: npt.NDArray[np.int64]
    """The action instance of each."""
    targets: npt.NDArray[np.int64]
    """-1 if the state that the step leads to was not found (yet)."""


class Engine(Protocol):
    """An explorer.  States have indexes in the order in which they were found, from 0."""

    name: str
    batch_max: int
    """How many states to visit in one call, so that progress and budgets are prompt."""

    @property
    def distinct(self) -> int:
        """How many states were found."""

    visited: int
    """How many of them were expanded: states `0..visited - 1`."""
    depth: int
    """How many levels were found; the initial states are the first."""

    @property
    def memory_bytes(self) -> int:
        """What the states, and the table to find them, take."""

    @property
    def state_bytes(self) -> int:
        """What one state takes at most, just after the table has grown; an estimate in CPython."""

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level, looking for the `wanted` properties."""

    def codes(self, state: int) -> tuple[int, ...]:
        """The codes of a state."""

    def parent(self, state: int) -> tuple[int, int]:
        """The state it was found from (-1: an initial one), and the index of the action instance.

        With symmetry both states are representatives: the step leads to a twin of the state.
        """


class HasRows(Engine, Protocol):
    """An engine that gives its states packed."""

    layout: Layout

    def rows_from(self, first: int, end: int | None = None) -> Rows:
        """The states from index `first` on, or up to but not including `end`."""


class HasEdges(HasRows, Protocol):
    """An engine that gives the state graph's edges without having stored them."""

    def edges(self, first: int, last: int) -> Iterator[Edges]:
        """Every step from states `first..last - 1`, in pieces, computed anew by its successors."""


class Resumable(HasRows, Protocol):
    """An engine whose search can be saved and gone on with."""

    @property
    def level_end(self) -> int:
        """Where the level ends that is being visited."""

    def fill(self, parts: Iterable[Rows]) -> None:
        """Replaces the states by those of a checkpoint, given in the order of their indexes."""

    def go_on(self, visited: int, depth: int, level_end: int) -> None:
        """Takes up the search where the checkpoint left it."""
