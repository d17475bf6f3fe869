"""What a check found, in words that never claim more than was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from kproof_spec.lang import Machine, Property

from .traces.trace import Trace

if TYPE_CHECKING:
    from .profile import Profile


class Verdict(Enum):
    """The outcome for one property.  Each is printed with its bounds."""

    EXHAUSTED = "exhausted"
    """Holds in every reachable state of this scope."""
    VIOLATED = "violated"
    """Does not hold; there is a trace."""
    REACHED = "reached"
    """A witness (`sometimes`) was found; there is a trace."""
    UNREACHABLE = "unreachable"
    """A witness is in no reachable state of this scope: the model may be vacuous."""
    BOUNDED = "bounded"
    """Not violated as far as the search went, which was not everywhere."""
    WALKED = "walked"
    """Not violated on any of the random walks."""
    UNCHECKED = "unchecked"
    """Declared, but this kind of property was not looked at."""
    UNKNOWN = "unknown"
    """Nothing can be said; the note says why."""

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look: a violation, or a witness that cannot be reached."""
        return self in (Verdict.VIOLATED, Verdict.UNREACHABLE)

    @property
    def is_settled(self) -> bool:
        """Whether the question is answered for this scope."""
        return self in (
            Verdict.EXHAUSTED,
            Verdict.VIOLATED,
            Verdict.REACHED,
            Verdict.UNREACHABLE,
        )


class Stop(Enum):
    """Why a search ended."""

    EXHAUSTED = "every reachable state was visited"
    SETTLED = "every property was settled before the scope was exhausted"
    INTERRUPTED = "interrupted"
    TIME = "the time budget was used up"
    MEMORY = "the memory budget was used up"
    STATES = "the budget of states was used up"
    SPEC_ERROR = "the specification is in error"


@dataclass(frozen=True)
class PropertyResult:
    """What was found about one property."""

    claim: Property
    verdict: Verdict
    trace: Trace | None = None
    """The shortest trace to the state that settles it, replayed in CPython."""
    note: str = ""

    @property
    def name(self) -> str:
        """The property's name."""
        return self.claim.name


@dataclass(frozen=True)
class SpecFault:
    """The specification itself is wrong: where, what, and how to get there."""

    message: str
    where: str
    """The specification's line, `path:line`, or empty."""
    trace: Trace | None = None
    """To the state in which `step` goes wrong."""
    step: str = ""
    """The action instance, or the property, that failed: `leader_write(leader=b0)`."""


@dataclass(frozen=True)
class CheckResult:
    """Everything a check found."""

    machine: Machine[Any]
    engine: str
    symmetry: bool
    """Whether states were counted up to renaming of symmetric ids."""
    stop: Stop
    distinct: int
    generated: int
    """The initial states, and one for every action instance possible in a visited state."""
    depth: int
    """States on the longest shortest path; the initial one is counted."""
    seconds: float
    cpu_seconds: float
    actions: dict[str, int] = field(default_factory=dict)
    """For each action: in how many (state, parameters) it was possible."""
    deadlocks: int = 0
    """States in which nothing is possible."""
    deadlock: Trace | None = None
    """The shortest trace to one of them."""
    properties: dict[str, PropertyResult] = field(default_factory=dict)
    fault: SpecFault | None = None
    state_bytes: int = 0
    """What a state takes at most in the engine's memory, the table to find it included."""
    profile: Profile | None = None
    warnings: tuple[str, ...] = ()
    """For people: actions that never fire, a sample comparison that was cut short, and so on."""

    @property
    def is_complete(self) -> bool:
        """Whether every reachable state of the scope was visited."""
        return self.stop is Stop.EXHAUSTED

    @property
    def is_good(self) -> bool:
        """Whether nothing is violated, unreachable or in error."""
        return self.fault is None and not any(p.verdict.is_bad for p in self.properties.values())

    @property
    def is_settled(self) -> bool:
        """Whether the search answered what it was asked."""
        return self.stop in (Stop.EXHAUSTED, Stop.SETTLED)
