"""Requests and responses by kio, for tools and tests that ask a broker, ours or Kafka, by hand."""

from __future__ import annotations

import socket
from itertools import count
from typing import Any

from kproof_checker.conformance.client_frames import LENGTH, read_response, request_frame
from kproof_checker.conformance.driven_broker import api_of

_CORRELATION_IDS = count(1)


class Asked:
    """A request that was sent, and how its answer is read."""

    def __init__(self, connection: socket.socket, request: object, version: int) -> None:
        self._api, self._version = api_of(request), version
        self._connection = connection
        self._correlation_id = next(_CORRELATION_IDS)
        connection.sendall(
            request_frame(self._api, request, version, self._correlation_id, "story")
        )

    def answer(self) -> Any:
        """Waits for the answer, a record of `kproof_impl.messages`."""
        frame = self._read(LENGTH.unpack(self._read(LENGTH.size))[0])
        found = int.from_bytes(frame[:4], "big")
        assert found == self._correlation_id, (
            f"this is the answer to request {found}, and {self._correlation_id} was asked"
        )
        return read_response(self._api, self._version, frame)[1]

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data
