"""Where the compiled code finds things: the arrays that Python and the code share.

`shared` is one array of 64-bit numbers for all workers, `own` one for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FLUSH_AT: Final = 256
"""Successors that are gathered before they are looked up together."""
CHUNK: Final = 512
"""States that a worker takes at once."""

# Indexes into `shared`.
TABLE: Final = 0
"""Address of the slots."""
MASK: Final = 1
"""Number of slots, a power of two, less one."""
STATES: Final = 2
"""Address of the packed states."""
PARENTS: Final = 3
STEPS: Final = 4
LIMIT: Final = 5
"""Workers stop taking chunks once there are more states than this."""
UNTIL: Final = 6
"""Take no state from here on."""
OPEN: Final = 7
"""A bit for each property that is looked for."""
# What workers write has cache lines of its own: else every new state would take from the other
# workers the line that tells them where the table is.
COUNT: Final = 32
"""How many states there are."""
CURSOR: Final = 64
"""The next state to take."""
OWNERS: Final = 96
"""From here on, the address of each worker's `own`."""
SHARED_SIZE: Final = OWNERS
"""Without the workers' addresses."""

# Indexes into `own`.
BUFFERED: Final = 0
"""How many successors are gathered."""
DEADLOCKS: Final = 1
FIRST_DEADLOCK: Final = 2
FAULT: Final = 3
"""One more than the number of the fault that was met first; 0 if none."""
FAULT_STATE: Final = 4
WORKER: Final = 5
"""The worker's number, from 0."""
FOUND: Final = 8
"""From here on, for each property the first state that settles it; -1 if none."""

NEVER: Final = -1


@dataclass(frozen=True)
class Frame:
    """The sizes that the layout of `own` depends on."""

    words: int
    properties: int
    instances: int

    @property
    def enabled(self) -> int:
        """Index in `own` of the first instance's counter."""
        return FOUND + self.properties

    @property
    def room(self) -> int:
        """How many successors fit: a flush's worth, and all those of one more state."""
        return FLUSH_AT + self.instances

    @property
    def rows(self) -> int:
        """Index in `own` of the gathered successors: `words` numbers each."""
        return self.enabled + self.instances

    @property
    def origins(self) -> int:
        """Index in `own` of where they come from: the state, and the instance above bit 32."""
        return self.rows + self.room * self.words

    @property
    def hashes(self) -> int:
        """Index in `own` of their hashes."""
        return self.origins + self.room

    @property
    def claims(self) -> int:
        """Index in `own` of the number of claims, and after it each one's row and slot."""
        return self.hashes + self.room

    @property
    def size(self) -> int:
        """How long `own` is."""
        return self.claims + 1 + 2 * self.room
