"""One client's connection: bytes to requests for the core, the core's answers to bytes.

Requests are handed to the core in the order they came.  They are held back here while the core asks
for a pause, or while the client does not take its answers: so a client's memory in this process is
what was read at once, the answers to it, and no more, however fast it asks.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from kproof_impl.core.inputs import Input, Received, ReceivedBatch
from kproof_impl.messages.ids import Buffer
from kproof_impl.shell.notices import CLOSED, FAULT, REFUSED
from kproof_impl.wire.apis import PRODUCE
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.frames import FrameReader
from kproof_impl.wire.requests import RequestHeader, decode_request

if TYPE_CHECKING:
    from kproof_impl.shell.server import Server
    from kproof_impl.wire.repeated_produce import KnownRoutes

JOINED_BYTES_MAX = 64 << 10
"""Buffers that are larger are written by themselves: to copy them costs more than a system call."""

LONG_SECONDS = 0.005
"""Whoever is served for so long is the last in its turn of the event loop."""

TURN_SECONDS = 0.01
"""How long the requests of one connection are served before the others have their turn."""

BATCHES_TOGETHER = 16
"""So many requests are handed to the core at once where each has only a small batch."""

COUNTED_BYTES = 1 << 20
"""A request that is still coming is counted among what all clients have begun from here on."""

HAS_GATHERED_WRITES = sys.version_info >= (3, 12)
"""Before, asyncio joins what `writelines` gets, which copies records once more."""


class Connection(asyncio.BufferedProtocol):
    """The protocol of one accepted socket, numbered by `connection_id` from 1."""

    __slots__ = (
        "_frames",
        "_held_by_core",
        "_held_by_writes",
        "_is_serving",
        "_known_routes",
        "_pending",
        "_pending_bytes",
        "_reader",
        "_server",
        "_transport",
        "client",
        "connection_id",
        "is_closing",
        "is_heavy",
        "last_active",
        "last_read",
        "unfinished_bytes",
        "unsent_before",
        "write_progress",
    )

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reader = FrameReader(server.limits.request_max_bytes, server.frame_memory)
        self._frames: deque[Buffer] = deque()
        self._pending: list[Buffer] = []
        self._pending_bytes = 0
        self._held_by_core = False
        self._held_by_writes = False
        self._is_serving = False
        self._known_routes: KnownRoutes | None = None
        self._transport: asyncio.Transport | None = None
        self.connection_id = 0
        self.client = ""
        self.is_closing = False
        self.is_heavy = False
        """Whether what it asked for took long."""
        self.last_active = self.last_read = self.write_progress = server.seconds()
        self.unsent_before = 0
        self.unfinished_bytes = 0
        """Of a large request that is still coming, as the server counts them."""

    # -- what asyncio calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports are of no class of asyncio's.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        host, port = (str(peer[0]), peer[1]) if isinstance(peer, tuple) else ("", 0)
        self.client = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        transport.set_write_buffer_limits(high=self._server.limits.write_high_bytes)
        if isinstance(peer, tuple):
            # A client whose machine is gone says nothing any more; the system finds that out.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._server.accept(self, host)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._reader.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        self.last_active = self.last_read = self._server.seconds()
        self._server.bytes_in += nbytes
        try:
            self._reader.buffer_updated(nbytes, self._frames)
        except MalformedRequest as error:
            self._serve()  # What came whole before it is answered.
            self.close(REFUSED, str(error))
            return
        pending = self._reader.pending_bytes
        if pending >= COUNTED_BYTES or self.unfinished_bytes:
            self._server.unfinished(self, pending if pending >= COUNTED_BYTES else 0)
        self._serve()

    def eof_received(self) -> bool:
        """A client that only stops sending gets what has been answered, then the end."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closing = True
        self._frames.clear()
        self._pending.clear()
        self._server.lost(self)

    def pause_writing(self) -> None:
        self._held_by_writes = True
        self._server.write_full(self)
        self._hold_reading()

    def resume_writing(self) -> None:
        self._held_by_writes = False
        self._server.write_free(self)
        self.last_active = self._server.seconds()
        self.go_on()

    # -- what the server calls -----------------------------------------------------------------

    def hold(self) -> None:
        """The core wants no more requests for now."""
        self._held_by_core = True
        self._hold_reading()

    def release(self) -> None:
        """The core wants requests again."""
        self._held_by_core = False
        if not self._is_serving:
            self._server.soon(self.go_on)

    def send(self, buffers: list[Buffer]) -> None:
        """Takes the buffers of an answer; they leave at `flush`, or at once when they are many."""
        if self.is_closing:
            return
        if not self._pending:
            self._server.unflushed.append(self)
        self._pending += buffers
        for buffer in buffers:
            self._pending_bytes += len(buffer)
        if self._pending_bytes > JOINED_BYTES_MAX:
            self.flush()

    def send_one(self, buffer: Buffer) -> None:
        """As `send`, of an answer in one small buffer."""
        if self.is_closing:
            return
        if not self._pending:
            self._server.unflushed.append(self)
        self._pending.append(buffer)
        self._pending_bytes += len(buffer)
        if self._pending_bytes > JOINED_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Writes what `send` has taken, in as few system calls as pay."""
        pending = self._pending
        if not pending or self._transport is None:
            return
        self._server.bytes_out += self._pending_bytes
        self.last_active = self._server.seconds()
        self._pending, size, self._pending_bytes = [], self._pending_bytes, 0
        if len(pending) == 1:
            self._transport.write(pending[0])
        elif HAS_GATHERED_WRITES or size <= JOINED_BYTES_MAX:
            self._transport.writelines(pending)
        else:
            self._write_large(pending, self._transport)

    def close(self, kind: str = "", reason: str = "") -> None:
        """Ends the connection from this side, after what is on its way out, and tells a reason."""
        if self.is_closing or self._transport is None:
            return
        self.flush()
        self.is_closing = True
        self._frames.clear()
        if kind:
            self._server.notices(kind, reason, self.client)
        self._transport.close()

    def abort(self, kind: str = "", reason: str = "") -> None:
        """Ends the connection now, and tells a reason; what has not left is dropped."""
        if self._transport is None:
            return
        if kind and not self.is_closing:
            self._server.notices(kind, reason, self.client)
        self.is_closing = True
        self._transport.abort()

    @property
    def unsent_bytes(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def stalled(self, now: float) -> str:
        """Why this connection should end, judged at a time of `server.seconds`; empty: it need not.

        To be asked now and then: whether the client takes its answers is seen from one time to the
        next.
        """
        limits = self._server.limits
        unsent, before = self.unsent_bytes, self.unsent_before
        self.unsent_before = unsent
        if unsent == 0 or unsent < before or before == 0:
            self.write_progress = now
        if (now - self.write_progress) * 1000 >= limits.write_stalled_ms:
            return f"{unsent} bytes of answers were not taken for {limits.write_stalled_ms} ms"
        if unsent:
            return ""
        is_amid = self._reader.pending_bytes and not self._is_held
        if is_amid and (now - self.last_read) * 1000 >= limits.frame_stalled_ms:
            return f"a request was begun, and no more of it came for {limits.frame_stalled_ms} ms"
        if (now - self.last_active) * 1000 >= limits.connections_max_idle_ms:
            return f"idle for {limits.connections_max_idle_ms} ms"
        return ""

    # -- within --------------------------------------------------------------------------------

    @property
    def _is_held(self) -> bool:
        return self._held_by_core or self._held_by_writes

    def _serve(self) -> None:
        """Hands the core what has come whole, as long as neither core nor client holds it up."""
        if self._is_serving:
            return
        frames, server = self._frames, self._server
        if frames and server.is_crowded(self):
            self._hold_reading()
            return
        self._is_serving = True
        now_ms = server.clock.now_ms()
        turn_begin = server.seconds()
        turn_end = turn_begin + TURN_SECONDS
        try:
            while frames and not (self._held_by_core or self._held_by_writes or self.is_closing):
                batches = self._batches()
                if batches:
                    server.feed_all(batches, now_ms)
                elif event := self._read(frames.popleft()):
                    server.feed(event, now_ms)
                if frames and server.seconds() >= turn_end:
                    server.soon(self.go_on)
                    break
        finally:
            self._is_serving = False
            server.flush()
        self.is_heavy = False
        if server.seconds() >= turn_begin + LONG_SECONDS:
            server.served_long(self)
        if self._frames:
            self._hold_reading()

    def _batches(self) -> list[ReceivedBatch]:
        """The next requests, as far as they are like earlier ones."""
        batches: list[ReceivedBatch] = []
        known, frames, connection_id = self._known_routes, self._frames, self.connection_id
        if known is not None:
            while frames and len(batches) < BATCHES_TOGETHER:
                found = known.find(frames[0])
                if found is None:
                    break
                frames.popleft()
                route, correlation_id, records = found
                batches.append(ReceivedBatch(connection_id, correlation_id, route, records))
                if len(records) > JOINED_BYTES_MAX:
                    break
        return batches

    def _read(self, frame: Buffer) -> Input | None:
        """What a frame asks; None if it cannot be read, and then the connection ends."""
        try:
            header, request = decode_request(frame)
        except MalformedRequest as error:
            self.close(REFUSED, str(error))
            return None
        except Exception as error:
            self._server.notices(FAULT, f"a request could not be read: {error!r}", self.client)
            self.close(CLOSED, "the broker failed to read its request")
            return None
        if header.api_key == PRODUCE:
            self._learn(header, request)
        return Received(self.connection_id, header, request)

    def _learn(self, header: RequestHeader, request: Any) -> None:
        """A client that has produced will do it again."""
        if self._known_routes is None:
            from kproof_impl.wire.repeated_produce import KnownRoutes

            self._known_routes = KnownRoutes()
        self._known_routes.learn(header, request)

    def _hold_reading(self) -> None:
        if self._transport is not None and not self.is_closing and self._transport.is_reading():
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self.is_closing or self._is_held:
            return
        self._serve()
        if not self._frames:
            self._resume_reading()

    def _resume_reading(self) -> None:
        transport = self._transport
        if transport is None or self._is_held or self.is_closing or transport.is_reading():
            return
        self.last_read = self._server.seconds()
        transport.resume_reading()

    @staticmethod
    def _write_large(buffers: list[Buffer], transport: asyncio.Transport) -> None:
        small: list[Buffer] = []
        for buffer in buffers:
            if len(buffer) <= JOINED_BYTES_MAX:
                small.append(buffer)
                continue
            if small:
                transport.writelines(small)
                small = []
            transport.write(buffer)
        if small:
            transport.writelines(small)
