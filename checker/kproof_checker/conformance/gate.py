"""A gate between clients and a broker: a TCP proxy in which every frame stops until it is let go.

A *line* is a client's connection through the gate: a socket from the client to the gate, and one
from the gate to the broker.  Frames of a line keep their order, as TCP keeps it; what is to
overtake a frame takes another line.

All in one thread and in few words: on the loopback what was written can be read at once.
"""

from __future__ import annotations

import socket
from collections import deque

from .client_frames import LENGTH

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10.0
"""A frame that does not come for so long is a fault of the gate or of the machine."""
READ_BYTES = 1 << 16


class Line:
    """A client's connection through the gate."""

    def __init__(self, client: socket.socket, inner: socket.socket, broker: socket.socket) -> None:
        self._client, self._inner, self._broker = client, inner, broker
        for one in (client, inner, broker):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(PATIENCE_SECONDS)
        self._broker.setblocking(False)
        self._unread = bytearray()
        self.requests: deque[bytes] = deque()
        """Frames that the client has sent and the broker has not got."""
        self.replies: deque[bytes] = deque()
        """Frames that the broker has sent and the client has not got."""
        self.is_ended = False
        """Whether the broker has closed it."""

    def send(self, frame: bytes) -> None:
        """The client sends a frame; it stops in the gate."""
        self._client.sendall(frame)
        self.requests.append(_read_frame(self._inner))

    def let_in(self) -> None:
        """The first frame that stopped on its way to the broker goes there."""
        self._broker.sendall(self.requests.popleft())

    def look(self) -> None:
        """Takes what the broker has sent; it stops in the gate."""
        try:
            while not self.is_ended:
                data = self._broker.recv(READ_BYTES)
                self._unread += data
                self.is_ended = not data
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.is_ended = True
        while len(self._unread) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._unread)[0]
            if len(self._unread) < end:
                break
            self.replies.append(bytes(self._unread[:end]))
            del self._unread[:end]

    def let_out(self) -> bytes:
        """The first frame that stopped on its way to the client goes there; without its length."""
        self._inner.sendall(self.replies.popleft())
        return _read_frame(self._client)[LENGTH.size :]

    def close(self) -> None:
        for one in (self._client, self._inner, self._broker):
            one.close()


class Gate:
    """Where clients connect to, instead of the broker."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(PATIENCE_SECONDS)
        self.lines: list[Line] = []

    def connect(self, port: int) -> Line:
        """A client connects to the gate, and the gate to the broker behind it."""
        client = socket.create_connection(self._listener.getsockname(), PATIENCE_SECONDS)
        inner, _ = self._listener.accept()
        line = Line(client, inner, socket.create_connection((HOST, port), PATIENCE_SECONDS))
        self.lines.append(line)
        return line

    def look(self) -> None:
        """Takes what the broker has sent on any line."""
        for line in self.lines:
            line.look()

    def close(self) -> None:
        self._listener.close()
        for line in self.lines:
            line.close()


def _read_frame(connection: socket.socket) -> bytes:
    """A frame with its length."""
    start = _read(connection, LENGTH.size)
    return start + _read(connection, LENGTH.unpack(start)[0])


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError(
                "a connection through the gate has ended in the middle of a frame"
            )
        data += more
    return data
