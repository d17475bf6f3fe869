"""The segments of one log, in the order of their base offsets, and the files that go with them."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import SegmentFacts
from kproof_impl.storage.files import Files
from kproof_impl.storage.names import (
    CLEANED,
    DELETED,
    INDEX,
    LOG,
    SNAPSHOT,
    SWAP,
    TIME_INDEX,
    offset_name,
)
from kproof_impl.storage.segment import Segment

LOADED_MAX = 4
"""Indexes of so many closed segments of a log are kept in memory."""


class Segments:
    """Never empty.  The last one is active: it is written to."""

    def __init__(self, files: Files, directory: str, segments: list[Segment]) -> None:
        self.files = files
        self.directory = directory
        self.all = segments
        self.base_offsets = [segment.base_offset for segment in segments]
        self._loaded: list[Segment] = []
        self._doomed: deque[tuple[int, str]] = deque()
        """When to remove which file, by the clock in milliseconds."""

    @property
    def active(self) -> Segment:
        return self.all[-1]

    def size_bytes(self) -> int:
        return sum(segment.size for segment in self.all)

    def facts(self) -> list[SegmentFacts]:
        return [
            SegmentFacts(s.base_offset, s.next_offset, s.largest_timestamp(), s.size)
            for s in self.all
        ]

    def floor(self, offset: int) -> int:
        """The place of the last segment that begins at the offset or before it, or of the first."""
        return max(0, bisect_right(self.base_offsets, offset) - 1)

    def from_offset(self, offset: int) -> Iterator[Segment]:
        """The segments from the one that has the offset on, with their indexes in memory."""
        for place in range(self.floor(offset), len(self.all)):
            segment = self.all[place]
            self._load(segment)
            yield segment

    def _load(self, segment: Segment) -> None:
        if not segment.is_loaded:
            segment.load()
            self.keep_few_loaded(segment)

    def keep_few_loaded(self, segment: Segment) -> None:
        """A closed segment has its indexes in memory; others give theirs back."""
        self._loaded.append(segment)
        if len(self._loaded) > LOADED_MAX:
            self._loaded.pop(0).unload()

    def create(self, base_offset: int, config: LogConfig) -> Segment:
        """A new active segment.  Its file is made at once: its name tells where the log ends."""
        path = f"{self.directory}/{offset_name(base_offset)}{LOG}"
        self.files.write(path, b"")
        return self.add(base_offset, config)

    def add(self, base_offset: int, config: LogConfig) -> Segment:
        """A segment whose file is there."""
        segment = Segment(self.files, self.directory, base_offset, config.index_interval_bytes)
        self.all.append(segment)
        self.base_offsets.append(base_offset)
        return segment

    def doom_first(self, count: int, remove_at_ms: int) -> None:
        """Forgets the oldest segments; their files get another name and go when it is time.

        The log goes after its indexes, which can be made again if this fails on the way.
        """
        for segment in self.all[:count]:
            for path in reversed(files_of(segment.path)):
                if self.files.size(path) >= 0:
                    self.files.rename(path, path + DELETED)
                    self._doomed.append((remove_at_ms, path + DELETED))
            self._forget(segment)

    def replace(self, sources: Sequence[Segment], cleaned: Segment, remove_at_ms: int) -> None:
        """Puts a segment whose log has the name `.swap` in the place of those it was made from.

        Their indexes go before their logs: none must be found beside a log that it is not of.
        """
        first = self.all.index(sources[0])
        files = self.files
        for segment in sources:
            for path in (segment.path + INDEX, segment.path + TIME_INDEX, segment.path + LOG):
                if files.size(path) >= 0:
                    files.rename(path, path + DELETED)
                    self._doomed.append((remove_at_ms, path + DELETED))
            self._forget(segment)
        cleaned.file.close()
        for suffix in (INDEX, TIME_INDEX):
            files.rename(cleaned.path + suffix + CLEANED, cleaned.path + suffix)
        files.rename(cleaned.path + LOG + SWAP, cleaned.path + LOG)
        segment = Segment(files, self.directory, cleaned.base_offset, cleaned.index_interval_bytes)
        segment.size, segment.next_offset = cleaned.size, sources[-1].next_offset
        segment.is_loaded = False
        self.all.insert(first, segment)
        self.base_offsets.insert(first, segment.base_offset)

    def drop_from(self, place: int) -> None:
        """Forgets the segments from a place on; their files go at once.

        The last goes first, so that a crash on the way leaves no hole.
        """
        for segment in reversed(self.all[place:]):
            for path in files_of(segment.path):
                self.files.remove(path)
            self._forget(segment)

    def drop_first(self, count: int) -> None:
        """Forgets the oldest segments; their files go at once."""
        for segment in self.all[:count]:
            for path in reversed(files_of(segment.path)):
                self.files.remove(path)
            self._forget(segment)

    def _forget(self, segment: Segment) -> None:
        segment.file.close()
        place = self.all.index(segment)
        del self.all[place], self.base_offsets[place]
        self._loaded = [loaded for loaded in self._loaded if loaded is not segment]

    def remove_doomed(self, now_ms: int) -> None:
        """Removes the files whose delay is over."""
        while self._doomed and self._doomed[0][0] <= now_ms:
            self.files.remove(self._doomed[0][1])
            self._doomed.popleft()

    def close(self) -> None:
        for segment in self.all:
            segment.file.close()


def files_of(path: str) -> tuple[str, ...]:
    """The files of a segment, the log first, by the path that they have in common."""
    return path + LOG, path + INDEX, path + TIME_INDEX, path + SNAPSHOT


def snapshot_path(directory: str, offset: int) -> str:
    return f"{directory}/{offset_name(offset)}{SNAPSHOT}"


Notify = Callable[[], None]
