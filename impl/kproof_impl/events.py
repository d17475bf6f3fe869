"""What a broker did, one record for each step that the specification has a name for.

A broker hands these to whoever observes it, right after the step has taken effect and before its
answer leaves.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Event:
    """A step: what was done, with what, and what changed by it.

    `sequence` counts the steps of a node from 0.
    """

    node_id: int
    sequence: int
    action: str
    parameters: dict[str, object]
    changed: dict[str, object]
