"""What a broker wants done after an input, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kproof_impl.core.inputs import Header

if TYPE_CHECKING:
    from kproof_impl.wire.repeated_produce import ProduceRoute


@dataclass(slots=True)
class Send:
    """Answer the request that had this header, with a record of `kproof_impl.messages`."""

    connection_id: int
    header: Header
    response: object


@dataclass(slots=True)
class SendProduced:
    """Answer a `ReceivedBatch`: the batch is in the log, from this offset on."""

    connection_id: int
    correlation_id: int
    route: ProduceRoute
    base_offset: int
    log_append_time_ms: int
    log_start_offset: int


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


Effect = Send | SendProduced | Close | Pause | Resume | Report
