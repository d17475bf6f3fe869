"""What a search asks of an engine: visit the next states, breadth first, and say what was seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from kproof_spec.lang import Machine, Property

from ..symmetry import Symmetry


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

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level, looking for the `wanted` properties."""

    def codes(self, state: int) -> tuple[int, ...]:
        """The codes of a state."""

    def parent(self, state: int) -> tuple[int, int]:
        """The state it was found from (-1: an initial one), and the index of the action instance.

        With symmetry both states are representatives: the step leads to a twin of the state.
        """
