"""What a broker did, one record for each step that the specification has a name for.

A broker hands these to whoever observes it, right after the step has taken effect and before its
answer leaves; without an observer none is made.  What each action has for parameters and state is
written in traces/README.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Event:
    """A step: of what, what was done, with what, and what the broker has after it.

    `sequence` counts the steps of a broker's life from 0; `time_ms` is the time that the broker was
    told.  `parameters` and `state` have values that JSON knows.
    """

    sequence: int
    time_ms: int
    model: str
    """Whose step it is: `log`, `group`, or, of the client, `worker_pool`."""
    subject: str
    """Which log or pool, as `topic id-partition`; or which group, by its id."""
    action: str
    parameters: dict[str, Any]
    state: dict[str, Any]


Observer = Callable[[Event], None]
"""It must not call the broker; if it raises, the broker stops, and the step has happened."""
