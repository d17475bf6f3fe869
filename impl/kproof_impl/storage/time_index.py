"""The sparse index of a segment from times to offsets: `.timeindex`.

Each entry is 12 bytes: the largest timestamp so far, in milliseconds, and the last offset of the
batch that has it, relative to the segment's base offset.  An entry is made together with one of the
offset index, and once more when the segment is closed, but only if the timestamp has grown.  So the
last entry of a closed segment tells its largest timestamp.

REF   KIP-33.
"""

import struct
from array import array
from bisect import bisect_left, bisect_right

from kproof_impl.storage.files import Files
from kproof_impl.storage.offset_index import save_entries

ENTRY = struct.Struct(">qi")
NO_TIMESTAMP = -1


class TimeIndex:
    """The entries of one segment, sorted by both numbers."""

    __slots__ = ("_base_offset", "_files", "_path", "_saved_count", "offsets", "timestamps")

    def __init__(self, files: Files, path: str, base_offset: int) -> None:
        self._files = files
        self._path = path
        self._base_offset = base_offset
        self._saved_count = 0
        self.timestamps = array("q")
        self.offsets = array("i")
        """Relative to the base offset."""

    @property
    def path(self) -> str:
        return self._path

    def load(self) -> bool:
        """Reads the file.  False if it is damaged."""
        if self._files.size(self._path) < 0:
            return False
        data = self._files.read_all(self._path)
        if len(data) % ENTRY.size:
            return False
        self.clear()
        for timestamp, offset in ENTRY.iter_unpack(data):
            self.timestamps.append(timestamp)
            self.offsets.append(offset)
        self._saved_count = len(self.offsets)
        return not self.offsets or (
            self.timestamps[0] <= self.timestamps[-1] and 0 <= self.offsets[0] <= self.offsets[-1]
        )

    def last(self) -> tuple[int, int]:
        """The largest timestamp of the last entry, and its offset."""
        if not self.timestamps:
            return NO_TIMESTAMP, self._base_offset
        return self.timestamps[-1], self._base_offset + self.offsets[-1]

    def append_if_later(self, timestamp_ms: int, offset: int) -> None:
        """Adds an entry unless its timestamp is not above the last one's."""
        if timestamp_ms > (self.timestamps[-1] if self.timestamps else NO_TIMESTAMP):
            self.timestamps.append(timestamp_ms)
            self.offsets.append(offset - self._base_offset)

    def size_bytes(self) -> int:
        return len(self.offsets) * ENTRY.size

    def floor(self, timestamp_ms: int) -> int:
        """An offset such that no batch wholly before it has this timestamp or a later one."""
        place = bisect_right(self.timestamps, timestamp_ms)
        return self._base_offset + (self.offsets[place - 1] if place else 0)

    def truncate_to(self, offset: int) -> None:
        """Forgets the entries of an offset and those after it."""
        place = bisect_left(self.offsets, offset - self._base_offset)
        del self.offsets[place:], self.timestamps[place:]
        self._saved_count = 0

    def clear(self) -> None:
        """Forgets all entries; the file stays until `save`."""
        del self.offsets[:], self.timestamps[:]
        self._saved_count = 0

    def save(self) -> None:
        """Brings the file up to the entries."""
        # Should writing fail on the way, the whole file is written the next time.
        start, self._saved_count = self._saved_count, 0
        entries = zip(self.timestamps[start:], self.offsets[start:], strict=True)
        data = b"".join(ENTRY.pack(timestamp, offset) for timestamp, offset in entries)
        save_entries(self._files, self._path, data, start == 0)
        self._saved_count = len(self.offsets)
