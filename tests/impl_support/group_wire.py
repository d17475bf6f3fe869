"""A broker on a port, as the story of groups is told to it: several connections, by kio."""

from __future__ import annotations

import select
import socket
from typing import Any

from impl_support.group_story import GROUPS, TOPIC
from impl_support.kio_client import Asked
from kproof_impl.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproof_impl.messages.delete_groups import DeleteGroupsRequest

LATE_SECONDS = 5.0


class Wire:
    """Connections by name.  What has not answered within `patience` seconds is taken to wait."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience
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
        if connection not in self._sockets:
            self._sockets[connection] = socket.create_connection(("127.0.0.1", self._port))
        self._waiting[connection] = Asked(self._sockets[connection], request, version)
        return self._answer(connection, self._patience)

    def late(self, connection: str) -> Any:
        return self._answer(connection, LATE_SECONDS)

    def _answer(self, connection: str, seconds: float) -> Any:
        if not select.select([self._sockets[connection]], [], [], seconds)[0]:
            return None
        return self._waiting.pop(connection).answer()
