"""A broker on a port, as the story of groups is told to it: several connections, by kio."""

from __future__ import annotations

import select
import socket
from typing import Any

from impl_support.group_story import GROUPS, TOPIC
from impl_support.kio_client import Asked
from kproof_impl.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.list_groups import ListGroupsRequest

LATE_SECONDS = 5.0


class Wire:
    """Connections by name.  What has not answered within `patience` seconds is taken to wait.

    With a fence, others are asked and answered before that time begins: a broker that serves in one
    thread has looked at the request by then, however busy the machine is.
    """

    def __init__(self, port: int, patience: float, *, has_fence: bool = False) -> None:
        self._port = port
        self._patience = patience
        self._has_fence = has_fence
        self._sockets: dict[str, socket.socket] = {}
        self._waiting: dict[str, Asked] = {}

    def __enter__(self) -> Wire:
        topic = CreatableTopic(TOPIC, 2, 1)
        self.ask("first", CreateTopicsRequest([topic], 30_000), 7) or self.late("first")
        self.ask("first", DeleteGroupsRequest(GROUPS), 2) or self.late("first")
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets.values():
            one.close()

    def ask(self, connection: str, request: object, version: int) -> Any:
        assert connection not in self._waiting, f"{connection} asks, and waits for an answer"
        self._waiting[connection] = Asked(self._socket(connection), request, version)
        for _ in range(2 if self._has_fence else 0):
            Asked(self._socket("fence"), ListGroupsRequest(), 3).answer()
        return self._answer(connection, self._patience)

    def _socket(self, connection: str) -> socket.socket:
        if connection not in self._sockets:
            self._sockets[connection] = socket.create_connection(("127.0.0.1", self._port))
        return self._sockets[connection]

    def late(self, connection: str) -> Any:
        return self._answer(connection, LATE_SECONDS)

    def _answer(self, connection: str, seconds: float) -> Any:
        if not select.select([self._sockets[connection]], [], [], seconds)[0]:
            return None
        return self._waiting.pop(connection).answer()
