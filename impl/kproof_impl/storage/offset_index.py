"""The sparse index of a segment from offsets to positions: `.index`.

Each entry is 8 bytes: the last offset of a batch, relative to the segment's base offset, and the
position of that batch in the `.log` file.  There is one entry for about every
`index.interval.bytes` of log, so whoever looks for an offset walks on from the entry below it.

New entries are kept in memory and go to the file at a roll, a flush or a close: a log that was not
closed cleanly makes its last index anew anyway.
"""

import sys
from array import array
from bisect import bisect_left, bisect_right

from kproof_impl.storage.files import Files

ENTRY_BYTES = 8
OFFSET_MAX = (1 << 31) - 1
"""The largest relative offset that an entry holds."""


class OffsetIndex:
    """The entries of one segment, sorted."""

    __slots__ = ("_base_offset", "_files", "_path", "_saved_count", "offsets", "positions")

    def __init__(self, files: Files, path: str, base_offset: int) -> None:
        self._files = files
        self._path = path
        self._base_offset = base_offset
        self._saved_count = 0
        self.offsets = array("i")
        """Relative to the base offset."""
        self.positions = array("i")

    @property
    def path(self) -> str:
        return self._path

    def load(self, log_bytes: int) -> bool:
        """Reads the file.  False if it is damaged or points past so many bytes of log."""
        if self._files.size(self._path) < 0:
            return False
        data = self._files.read_all(self._path)
        if len(data) % ENTRY_BYTES:
            return False
        numbers = array("i", data)
        if sys.byteorder == "little":
            numbers.byteswap()
        self.offsets, self.positions = numbers[0::2], numbers[1::2]
        self._saved_count = len(self.offsets)
        return not self.offsets or (
            0 <= self.offsets[0] <= self.offsets[-1]
            and 0 <= self.positions[0] <= self.positions[-1] < log_bytes
        )

    def append(self, offset: int, position: int) -> None:
        self.offsets.append(offset - self._base_offset)
        self.positions.append(position)

    def size_bytes(self) -> int:
        return len(self.offsets) * ENTRY_BYTES

    def last_position(self) -> int:
        """Of the last batch that has an entry; 0 if none has."""
        return self.positions[-1] if self.positions else 0

    def floor(self, offset: int) -> int:
        """The position of the last indexed batch that does not reach beyond the offset; or 0."""
        place = bisect_right(self.offsets, offset - self._base_offset)
        return self.positions[place - 1] if place else 0

    def floor_position(self, position: int) -> int:
        """The position of the last indexed batch not after a position; or 0."""
        place = bisect_right(self.positions, position)
        return self.positions[place - 1] if place else 0

    def truncate_to(self, position: int) -> None:
        """Forgets the batches from a position of the log on."""
        place = bisect_left(self.positions, position)
        del self.offsets[place:], self.positions[place:]
        self._saved_count = 0

    def clear(self) -> None:
        """Forgets all entries; the file stays until `save`."""
        del self.offsets[:], self.positions[:]
        self._saved_count = 0

    def save(self) -> None:
        """Brings the file up to the entries."""
        # Should writing fail on the way, the whole file is written the next time.
        start, self._saved_count = self._saved_count, 0
        numbers = array("i", bytes(ENTRY_BYTES * (len(self.offsets) - start)))
        numbers[0::2] = self.offsets[start:]
        numbers[1::2] = self.positions[start:]
        if sys.byteorder == "little":
            numbers.byteswap()
        save_entries(self._files, self._path, numbers.tobytes(), start == 0)
        self._saved_count = len(self.offsets)


def save_entries(files: Files, path: str, data: bytes, is_whole: bool) -> None:
    """Writes the whole of an index file, or what is new at its end."""
    if is_whole:
        files.write(path, data)
    elif data:
        file = files.open(path)
        file.append((data,), len(data))
        file.close()
