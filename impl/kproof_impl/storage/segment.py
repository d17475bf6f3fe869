"""One segment of a log: a `.log` file with its two sparse indexes.

A batch is written as it came, but for its first 16 bytes.  Before a batch is written, an entry goes
into each index if more than `index.interval.bytes` have been written since the last entry.

The segment that is written to remembers the places of its last batches, so that whoever reads at
the end of the log needs neither index nor search.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.batch_scan import headers, places
from kproof_impl.storage.files import Files
from kproof_impl.storage.names import INDEX, LOG, TIME_INDEX, offset_name
from kproof_impl.storage.offset_index import OffsetIndex
from kproof_impl.storage.time_index import NO_TIMESTAMP, TimeIndex

TAIL_MAX = 1024
"""So many places of batches are remembered; then the older half is forgotten."""


READ_ENDS_MAX = 64


class Segment:
    """Positions and sizes in bytes, times in milliseconds; `next_offset` is exclusive."""

    __slots__ = (
        "base_offset", "bytes_since_index", "created_ms", "file", "files", "first_timestamp_ms",
        "index_interval_bytes", "is_loaded", "is_rebuilt", "max_timestamp_ms", "next_offset",
        "offset_index", "offset_of_max_timestamp", "path", "read_ends", "size", "tail_offsets",
        "tail_positions", "time_index",
    )  # fmt: skip

    def __init__(
        self,
        files: Files,
        directory: str,
        base_offset: int,
        index_interval_bytes: int,
        suffix: str = "",
    ) -> None:
        self.files = files
        self.base_offset = base_offset
        self.path = f"{directory}/{offset_name(base_offset)}"
        self.file = files.open(self.path + LOG + suffix)
        self.offset_index = OffsetIndex(files, self.path + INDEX + suffix, base_offset)
        self.time_index = TimeIndex(files, self.path + TIME_INDEX + suffix, base_offset)
        self.index_interval_bytes = index_interval_bytes
        self.is_loaded = True
        self.is_rebuilt = False
        self.created_ms = NO_TIMESTAMP
        self._reset()

    def _reset(self) -> None:
        self.size = 0
        self.next_offset = self.base_offset
        self.bytes_since_index = 0
        self.first_timestamp_ms = NO_TIMESTAMP
        """The largest timestamp of the first batch: the age of a segment counts from it."""
        self.max_timestamp_ms = NO_TIMESTAMP
        self.offset_of_max_timestamp = self.base_offset
        """The last offset of the first batch that has it."""
        self.tail_offsets = array("q")
        self.tail_positions = array("q")
        self.read_ends: dict[int, int] = {}
        """Where reads ended: the position of the batch that begins with an offset."""

    def append(
        self,
        base_offset: int,
        last_offset: int,
        max_timestamp_ms: int,
        parts: Sequence[Buffer],
        size_bytes: int,
    ) -> None:
        """Writes one batch.  When this raises, some of it may stand after `size`."""
        self.file.append(parts, size_bytes)
        self.note_batch(base_offset, last_offset, max_timestamp_ms, size_bytes)
        tail = self.tail_offsets
        tail.append(base_offset)
        self.tail_positions.append(self.size - size_bytes)
        if len(tail) > TAIL_MAX:
            del tail[: TAIL_MAX // 2], self.tail_positions[: TAIL_MAX // 2]

    def note_batch(
        self, base_offset: int, last_offset: int, max_timestamp_ms: int, size_bytes: int
    ) -> None:
        """Counts a batch that stands at the end, and indexes it if it is time."""
        position = self.size
        if position == 0:
            self.first_timestamp_ms = max_timestamp_ms
        if max_timestamp_ms > self.max_timestamp_ms:
            self.max_timestamp_ms = max_timestamp_ms
            self.offset_of_max_timestamp = last_offset
        if self.bytes_since_index > self.index_interval_bytes:
            self.offset_index.append(last_offset, position)
            self.time_index.append_if_later(self.max_timestamp_ms, self.offset_of_max_timestamp)
            self.bytes_since_index = 0
        self.bytes_since_index += size_bytes
        self.size = position + size_bytes
        self.next_offset = last_offset + 1

    def load(self) -> None:
        """Reads the indexes of a segment that was closed, or makes them if they are damaged."""
        if self.is_loaded:
            return
        self.is_loaded = True
        if not self.load_indexes():
            self.rebuild_indexes()
            self.save_indexes()

    def load_indexes(self) -> bool:
        """Reads the index files.  False if they are damaged."""
        if not self.offset_index.load(self.size) or not self.time_index.load():
            return False
        self.max_timestamp_ms, self.offset_of_max_timestamp = self.time_index.last()
        return True

    def unload(self) -> None:
        """Gives back the memory of the indexes, which are in their files."""
        if self.is_loaded:
            self.is_loaded = False
            self.offset_index.clear()
            self.time_index.clear()

    def rebuild_indexes(self) -> None:
        """Makes both indexes anew from the log."""
        size, next_offset = self.size, self.next_offset
        self.restart()
        for _, header in headers(self.file, 0, size):
            self.note_batch(
                header.base_offset, header.last_offset, header.max_timestamp, header.size_bytes
            )
        self.next_offset = max(self.next_offset, next_offset)

    def restart(self) -> None:
        """Forgets what is known of the log, as if it were empty."""
        self._reset()
        self.offset_index.clear()
        self.time_index.clear()

    def save_indexes(self) -> None:
        self.offset_index.save()
        self.time_index.save()

    def close_indexes(self) -> None:
        """The last entry of the time index tells the segment's largest timestamp."""
        self.load()
        self.time_index.append_if_later(self.max_timestamp_ms, self.offset_of_max_timestamp)
        self.save_indexes()

    def locate(self, offset: int) -> int:
        """The position of the first batch that reaches an offset; the size, if none does."""
        if offset >= self.next_offset:
            return self.size
        tail = self.tail_offsets
        if tail and offset >= tail[0]:
            return self.tail_positions[bisect_right(tail, offset) - 1]
        if offset in self.read_ends:
            return self.read_ends[offset]
        self.load()
        try:
            return self._walk_to(offset)
        except LogFailed:
            self._distrust_indexes()
            return self._walk_to(offset)

    def _walk_to(self, offset: int) -> int:
        for place in places(self.file, self.offset_index.floor(offset), self.size):
            if place.last_offset >= offset:
                return place.position
        return self.size

    def _distrust_indexes(self) -> None:
        """Makes the indexes anew, once: an entry pointed to what is no batch."""
        if self.is_rebuilt:
            raise LogFailed(f"{self.path}{LOG} is damaged.")
        self.is_rebuilt = True
        self.rebuild_indexes()
        self.save_indexes()

    def boundary(self, start: int, limit: int) -> int:
        """The last position not after `limit` where a batch ends that begins at `start` or later.

        `start`, if the batch there reaches beyond.
        """
        tail = self.tail_positions
        if tail and start >= tail[0]:
            return tail[bisect_right(tail, limit) - 1] if limit < self.size else self.size
        self.load()
        position = max(start, self.offset_index.floor_position(limit))
        for place in places(self.file, position, self.size):
            if place.end > limit:
                # Whoever reads on will ask for this offset.
                if len(self.read_ends) >= READ_ENDS_MAX:
                    self.read_ends.clear()
                self.read_ends[place.base_offset] = position
                break
            position = place.end
        return position

    def batches_from(
        self, start: int, max_bytes: int, end_offset: int, at_least_one: bool
    ) -> Buffer:
        """The batches from a position on that are below an offset, as far as the bytes allow."""
        stop = self.size if end_offset >= self.next_offset else self.locate(end_offset)
        if stop - start > max_bytes:
            limit, stop = stop, self.boundary(start, start + max_bytes)
            if stop == start and at_least_one:
                stop = min(limit, self.first_batch_end(start))
        return self.file.read(start, stop - start) if stop > start else b""

    def first_batch_end(self, position: int) -> int:
        """Where the batch that begins at a position ends."""
        for place in places(self.file, position, self.size):
            return place.end
        return self.size

    def first_timestamp(self) -> int:
        """Of the first batch, the largest timestamp; -1 if there is none."""
        if self.first_timestamp_ms == NO_TIMESTAMP:
            for _, header in headers(self.file, 0, self.size):
                self.first_timestamp_ms = header.max_timestamp
                break
        return self.first_timestamp_ms

    def largest_timestamp(self) -> int:
        """The largest timestamp of its records; -1 if none has any."""
        self.load()
        return self.max_timestamp_ms

    def truncate_to(self, offset: int) -> None:
        """Cuts off the batches that reach the offset."""
        position = self.locate(offset)
        self.load()
        self.file.truncate(position)
        self.size, self.next_offset = position, self.base_offset
        self.rebuild_indexes()
