"""Requests and responses by kio, for tools and tests that ask a broker, ours or Kafka, by hand."""

from __future__ import annotations

import socket
from typing import Any

from kproof_checker.conformance.client_frames import LENGTH, read_response, request_frame
from kproof_checker.conformance.driven_broker import api_of


class Asked:
    """A request that was sent, and how its answer is read."""

    def __init__(self, connection: socket.socket, request: object, version: int) -> None:
        self._api, self._version = api_of(request), version
        self._connection = connection
        connection.sendall(request_frame(self._api, request, version, 1, "story"))

    def answer(self) -> Any:
        """Waits for the answer, a record of `kproof_impl.messages`."""
        frame = self._read(LENGTH.unpack(self._read(LENGTH.size))[0])
        return read_response(self._api, self._version, frame)[1]

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data
