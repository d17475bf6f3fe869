"""A stream of bytes cut into frames: four bytes of length, then so many bytes.

Made for `asyncio.BufferedProtocol`, whose two calls it has: the socket writes into the memory that
`get_buffer` gives, and `buffer_updated` gives the frames that are whole by then.

    def get_buffer(self, sizehint): return self.reader.get_buffer(sizehint)
    def buffer_updated(self, count):
        try:
            self.reader.buffer_updated(count, frames)
        except MalformedRequest as error: ...  # close the connection, after answering `frames`

Small frames are read many at a time into one chunk and copied out of it; a frame that is longer
than the chunk is read into memory of its own, which is the frame then.  That memory is never made
by what a client claims: it is at most four times what came, or a chunk, or it is there already
from an earlier frame (`FrameMemory`).  The chunk itself begins
small, for a broker has thousands of silent connections, and doubles while reads fill it.
"""

from __future__ import annotations

import struct
from collections import deque

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.frame_memory import FrameMemory

MAX_REQUEST_BYTES = 100 * 1024 * 1024
"""Kafka's default of socket.request.max.bytes."""

LENGTH_BYTES = 4
LENGTH = struct.Struct(">i")
SMALLEST_FRAME = 10
"""The header of a request without a client id."""

FIRST_CHUNK = 4 * 1024
LARGEST_CHUNK = 128 * 1024
GROWTH = 4


class FrameReader:
    """The frames of one connection."""

    __slots__ = (
        "_buffer", "_chunk_bytes", "_end", "_frame_bytes", "_memory", "_view", "max_request_bytes",
    )  # fmt: skip

    def __init__(
        self, max_request_bytes: int = MAX_REQUEST_BYTES, memory: FrameMemory | None = None
    ) -> None:
        self.max_request_bytes = max_request_bytes
        self._memory = FrameMemory() if memory is None else memory
        self._buffer = bytearray(FIRST_CHUNK)
        self._view = memoryview(self._buffer)
        self._end = 0
        """Where the bytes end that came and are in no frame yet; they begin at 0."""
        self._frame_bytes = 0
        """Of the frame that has the buffer for itself, its length included; 0 for a chunk."""
        self._chunk_bytes = FIRST_CHUNK

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an unfinished frame are here: a frame that does not grow is a sender
        that is slow or gone."""
        return self._end

    def get_buffer(self, sizehint: int = -1) -> memoryview:
        """Where the next bytes go: as much as there is room, never nothing."""
        if self._end == len(self._view):
            # Only a frame's own memory is ever full: what is in a chunk fits into it.
            self._move_to(bytearray(min(self._frame_bytes, GROWTH * self._end)), 0)
        return self._view[self._end :]

    def buffer_updated(self, count: int, frames: deque[Buffer]) -> None:
        """Adds the frames that `count` more bytes make whole, each without its length.

        What is added is nobody else's: it is never written to again.  Raises `MalformedRequest`
        where a length is negative, too small for a request or beyond `max_request_bytes`, after
        the frames before it have been added.
        """
        self._end += count
        if self._frame_bytes:
            if self._end == self._frame_bytes:
                frames.append(self._view[LENGTH_BYTES:])
                self._memory.keep(self._buffer)
                self._frame_bytes = self._end = 0
                self._buffer = bytearray(self._chunk_bytes)
                self._view = memoryview(self._buffer)
            return
        view, end, start = self._view, self._end, 0
        size = 0
        while end - start >= LENGTH_BYTES:
            (length,) = LENGTH.unpack_from(view, start)
            if not SMALLEST_FRAME <= length <= self.max_request_bytes:
                raise self._refused(length)
            size = LENGTH_BYTES + length
            if size > end - start:
                break
            frames.append(bytes(view[start + LENGTH_BYTES : start + size]))
            start += size
            size = 0
        self._keep(start, size)

    def _refused(self, length: int) -> MalformedRequest:
        if length < SMALLEST_FRAME:
            return MalformedRequest(
                f"a frame of {length} bytes, and the header of a request has {SMALLEST_FRAME} at "
                "the least"
            )
        return MalformedRequest(
            f"a frame of {length} bytes, and {self.max_request_bytes} is the limit"
        )

    def _keep(self, start: int, size: int) -> None:
        """Bring the unfinished frame to the front; `size` is its whole size, or 0 if unknown."""
        pending = self._end - start
        if self._chunk_bytes < LARGEST_CHUNK and self._end == len(self._buffer):
            self._chunk_bytes *= 2
        room = self._chunk_bytes
        if size > room:
            self._frame_bytes = size
            kept = self._memory.take(size)
            if kept is not None:
                self._move_to(kept, start)
                self._view = self._view[:size]
                self._end = pending
                return
            room = min(size, max(room, GROWTH * pending))
        if room != len(self._buffer):
            self._move_to(bytearray(room), start)
        elif start:
            # Where it stands and where it goes may overlap: so by way of a copy.
            self._view[:pending] = bytes(self._view[start : self._end])
        self._end = pending

    def _move_to(self, buffer: bytearray, start: int) -> None:
        buffer[: self._end - start] = self._view[start : self._end]
        self._buffer = buffer
        self._view = memoryview(buffer)
