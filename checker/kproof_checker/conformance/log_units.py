"""How a log's offsets are counted by the model, and which batches the log has.

The model gives each record the next whole number.  A broker's batch of a hundred records takes a
hundred offsets, but it is written, forced, lost and deleted as one, so for the model it is one
record: a unit.  `Units` translates.  Units that nothing stands between are joined now and then, and
a unit is cut in two where something has to: where the log is made to start, or a crash has cut it.
That keeps a step at the cost of a step, however large batches are and however long a log grows.

`Batches` remembers of each batch where it begins and its CRC, in 12 bytes, so that what a reader is
given can be held against what was appended.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from zlib import crc32

CRC_BYTES = 4


class Units:
    """The broker's offsets at which the units begin, the end of the log last."""

    def __init__(self, bases: Iterable[int]) -> None:
        self._bases = sorted(set(bases))

    def __len__(self) -> int:
        return len(self._bases) - 1

    @property
    def end(self) -> int:
        return self._bases[-1]

    def offset(self, unit: int) -> int:
        """The broker's offset at which a unit begins; beyond the last, they are one offset each."""
        beyond = unit - len(self)
        return self.end + beyond if beyond > 0 else self._bases[unit]

    def begins(self, offset: int) -> bool:
        """Whether an offset is where a unit begins, or beyond all of them."""
        return offset >= self.end or self._bases[bisect_left(self._bases, offset)] == offset

    def unit(self, offset: int) -> int:
        """The number of the unit that an offset is in; not below the first."""
        if offset >= self.end:
            return len(self) + offset - self.end
        return bisect_right(self._bases, offset) - 1

    def append(self, end: int) -> None:
        """One more unit, up to an offset."""
        self._bases.append(end)

    def truncate(self, end: int) -> None:
        """What is at or above an offset at which a unit begins is gone."""
        del self._bases[bisect_left(self._bases, end) + 1 :]

    @property
    def bases(self) -> list[int]:
        return self._bases


class Batches:
    """Where each batch begins, and its CRC, from the offset on at which somebody began to look."""

    def __init__(self, begin: int) -> None:
        self._bases = array("q")
        self._crcs = bytearray()
        """Four bytes each, the highest first."""
        self.end = begin

    @property
    def begin(self) -> int:
        """Nothing is known of what is below this offset."""
        return self._bases[0] if self._bases else self.end

    def append(self, last_offset: int, crc: int) -> None:
        self._bases.append(self.end)
        self._crcs += crc.to_bytes(CRC_BYTES, "big")
        self.end = last_offset + 1

    def ends(self, offset: int) -> bool:
        """Whether no batch is cut in two at an offset, as far as is known."""
        return self.base_of(offset) == offset

    def truncate(self, end: int) -> None:
        """What is at or above an offset is gone."""
        if end < self.end:
            keep = bisect_left(self._bases, end)
            del self._bases[keep:], self._crcs[keep * CRC_BYTES :]
            self.end = end

    def rewritten(self, end: int) -> None:
        """What is below an offset may be of other batches by now."""
        keep = bisect_left(self._bases, end)
        del self._bases[:keep], self._crcs[: keep * CRC_BYTES]

    def forget(self, offset: int) -> None:
        """Nothing below an offset will be asked for any more."""
        keep = bisect_right(self._bases, offset) - 1
        if keep > len(self._bases) // 2:  # So that it costs little, however often it is called.
            del self._bases[:keep], self._crcs[: keep * CRC_BYTES]

    def base_of(self, offset: int) -> int:
        """Where the batch begins that an offset is in; the offset itself if that is not known."""
        if not self.begin <= offset < self.end:
            return offset
        return self._bases[bisect_right(self._bases, offset) - 1]

    def checksum(self, begin: int, end: int) -> int | None:
        """The CRC-32 of the CRCs of all batches between two offsets; None if one is not known."""
        if begin < self.begin or end > self.end:
            return None
        first, last = bisect_left(self._bases, begin), bisect_left(self._bases, end)
        return crc32(memoryview(self._crcs)[first * CRC_BYTES : last * CRC_BYTES])
