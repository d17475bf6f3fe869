"""Memory that large frames were in, kept for the next ones.

To get a megabyte from the system, page by page, and to give it back costs more than to fill it.  So
what a frame was in is kept, and is used again as soon as nobody has a view of it any more: a
bytearray refuses to change its size while somebody has.
"""

from __future__ import annotations

KEPT_MAX = 4
"""So many are kept, of at most so many bytes each."""
KEPT_BYTES_MAX = 2 << 20


class FrameMemory:
    """What is kept, for all connections together."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[bytearray] = []

    def keep(self, buffer: bytearray) -> None:
        """Takes the memory of a frame, which may still be in use."""
        if len(buffer) > KEPT_BYTES_MAX or any(buffer is each for each in self._kept):
            return
        if len(self._kept) >= KEPT_MAX:
            smallest = min(range(KEPT_MAX), key=lambda index: len(self._kept[index]))
            if len(self._kept[smallest]) >= len(buffer):
                return
            del self._kept[smallest]
        self._kept.append(buffer)

    def take(self, size: int) -> bytearray | None:
        """At least so many bytes that nobody uses; None if there are none."""
        for index, buffer in enumerate(self._kept):
            if len(buffer) >= size and _is_free(buffer):
                return self._kept.pop(index)
        return None


def _is_free(buffer: bytearray) -> bool:
    try:
        buffer.append(buffer.pop())
    except BufferError:
        return False
    return True
