"""A trace: a run of a model, step by step, and what it claims to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kproof_spec.lang.keys import shown_arguments


class ClaimKind(Enum):
    """What a trace is kept for."""

    RUN = "run"
    """Nothing more than that it is a run of the model."""
    VIOLATES = "violates"
    """The state breaks an invariant, and no earlier one does."""
    REACHES = "reaches"
    """The state makes a `sometimes` true."""
    DEADLOCKS = "deadlocks"
    """Nothing is possible in the state."""
    NEVER = "never"
    """A run that goes round for ever, fairly, and on which the property never comes true.  The
    state is where the circle begins; the steps after it lead back to it (see `lasso`)."""
    FAILS = "fails"
    """In the state an action or a property is a specification error."""


@dataclass(frozen=True)
class Claim:
    """What a trace claims, and at which of its states."""

    kind: ClaimKind = ClaimKind.RUN
    name: str = ""
    """The property; for `FAILS`, the action or property that fails."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """For which parameters."""
    state: int = -1
    """0-based; -1 is the last."""


@dataclass(frozen=True)
class TraceStep:
    """An action that was taken, with its parameters as plain values of the scope."""

    action: str
    arguments: Mapping[str, Any]

    @property
    def label(self) -> str:
        """As a reader writes it: `leader_write(leader=b0)`."""
        return f"{self.action}({shown_arguments(self.arguments)})"


@dataclass(frozen=True)
class Trace:
    """States and the steps between them: `steps[i]` leads from `states[i]` to `states[i + 1]`."""

    model: str
    variant: str
    mutant: str
    constants: Mapping[str, int]
    spec_hash: str
    states: tuple[tuple[int, ...], ...]
    """The codes of each state (see `Machine.codes`)."""
    steps: tuple[TraceStep, ...]
    claim: Claim = field(default_factory=Claim)
    story: str = ""
    """For readers: what goes wrong here and why it matters."""

    @property
    def length(self) -> int:
        """How many states, the initial one included."""
        return len(self.states)
