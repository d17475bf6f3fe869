"""What can happen to a broker: a connection comes or goes, a request arrives, time passes."""

from dataclasses import dataclass
from typing import Protocol


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
class Tick:
    """Nothing but that it is later: whatever was due until now happens."""


Input = Connected | Disconnected | Received | Tick
