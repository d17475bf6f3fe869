"""Requests in progress: one at a time for each connection, answered in their order.

Clients rely on the order of answers.  Kafka's broker does not look at a connection's next request
before it has answered the last one; nor does this one, so a fetch that waits holds up what was sent
behind it on the same connection and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from kproof_impl.core.inputs import Header

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


class NoAnswer:
    """What a handler returns for a request that gets no answer: Produce with acks=0."""


NO_ANSWER = NoAnswer()


class CloseConnection(Exception):
    """A request to which Kafka answers by closing the connection; the text is for the log."""


class Connection:
    """A client's connection: the call in progress and the requests behind it."""

    __slots__ = ("backlog", "busy", "client_host", "connection_id", "is_open", "is_paused")

    def __init__(self, connection_id: int, client_host: str) -> None:
        self.connection_id = connection_id
        self.client_host = client_host
        self.busy: Call | None = None
        self.backlog: deque[tuple[Header, object]] = deque()
        self.is_open = True
        self.is_paused = False


class Call:
    """One request from its arrival to its answer.

    A handler that cannot answer at once keeps the call, returns None and calls `answer` later.
    `on_gone` is called if the connection goes before that; then an answer is dropped.
    """

    __slots__ = ("_broker", "connection", "header", "is_answered", "on_gone", "request")

    def __init__(self, broker: Broker, connection: Connection, header: Header) -> None:
        self._broker = broker
        self.connection = connection
        self.header = header
        self.is_answered = False
        self.on_gone: Callable[[], None] | None = None
        self.request: object = None
        """Kept only if somebody observes the broker."""

    @property
    def client_id(self) -> str:
        return self.header.client_id or ""

    @property
    def client_host(self) -> str:
        return self.connection.client_host

    @property
    def api_version(self) -> int:
        return self.header.api_version

    def answer(self, response: object) -> None:
        """Answers a call that was kept.  A second answer is a fault of the broker."""
        self._broker.answer(self, response)
