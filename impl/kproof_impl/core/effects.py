"""What a broker wants done after an input, in this order."""

from dataclasses import dataclass

from kproof_impl.core.inputs import Header


@dataclass(slots=True)
class Send:
    """Answer the request that had this header, with a record of `kproof_impl.messages`."""

    connection_id: int
    header: Header
    response: object


@dataclass(slots=True)
class Close:
    """Close a connection; the reason is for the broker's own log."""

    connection_id: int
    reason: str


@dataclass(slots=True)
class Pause:
    """Read no more from a connection: it has asked faster than it can be answered."""

    connection_id: int


@dataclass(slots=True)
class Resume:
    """Read from a connection again."""

    connection_id: int


@dataclass(slots=True)
class Report:
    """Something went wrong that is nobody's protocol error; a line for the broker's log."""

    text: str
    is_fault: bool = True
    """Whether the broker itself is at fault, and not its disk or what stands there."""


Effect = Send | Close | Pause | Resume | Report
