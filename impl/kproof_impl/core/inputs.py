"""What can happen to a broker: a connection comes or goes, a request arrives, time passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kproof_impl.messages.ids import Buffer

if TYPE_CHECKING:
    from kproof_impl.wire.repeated_produce import ProduceRoute


class Header(Protocol):
    """What the head of a request says (`kproof_impl.wire.requests.RequestHeader`)."""

    @property
    def api_key(self) -> int: ...
    @property
    def api_version(self) -> int: ...
    @property
    def correlation_id(self) -> int: ...
    @property
    def client_id(self) -> str | None: ...


@dataclass(slots=True)
class Connected:
    """A client has connected; `client_host` is its address, as DescribeGroups shows it."""

    connection_id: int
    client_host: str


@dataclass(slots=True)
class Disconnected:
    """A connection is gone, whoever closed it.  What was to be sent there is lost."""

    connection_id: int


@dataclass(slots=True)
class Received:
    """A request has arrived whole; `request` is a record of `kproof_impl.messages`."""

    connection_id: int
    header: Header
    request: object


@dataclass(slots=True)
class ReceivedBatch:
    """A Produce request with one batch has arrived: the same as `Received` with all of it, which
    `in_full` gives."""

    connection_id: int
    correlation_id: int
    route: ProduceRoute
    """What the request says besides: the client, the partition, the version."""
    records: Buffer

    def in_full(self) -> Received:
        route = self.route
        header, request = route.header(self.correlation_id), route.request(self.records)
        return Received(self.connection_id, header, request)


@dataclass(slots=True)
class Tick:
    """Nothing but that it is later: whatever was due until now happens."""


Input = Connected | Disconnected | Received | ReceivedBatch | Tick
