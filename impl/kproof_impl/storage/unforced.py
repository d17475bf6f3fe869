"""The closed segments of a log that are not on the disk yet, and how they get there.

A segment that is closed at a roll is forced by a thread while the broker goes on.  Whoever asks
then learns up to which offset everything has arrived.
"""

from collections import deque
from collections.abc import Container, Sequence

from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.epoch_checkpoint import EpochCheckpoint
from kproof_impl.storage.files import File, Files, Forcing
from kproof_impl.storage.names import INDEX, LOG, TIME_INDEX
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import snapshot_path


class Unforced:
    """Oldest first.  `epochs_path` is forced with each, since a segment may have begun one."""

    def __init__(self, files: Files, directory: str, epochs_path: str) -> None:
        self._files = files
        self._directory = directory
        self._epochs_path = epochs_path
        self._is_directory_forced = False
        self._waiting: deque[tuple[Segment, Forcing]] = deque()

    @property
    def directories(self) -> tuple[str, str]:
        """Those that tell the names: the log's own, and the one that it is in."""
        return self._directory, self._directory.rpartition("/")[0]

    def add(self, segment: Segment) -> None:
        """Begins to force a closed segment."""
        self._is_directory_forced = False
        paths = (*self._paths_of(segment), *self.directories)
        self._waiting.append((segment, self._files.fsync_later(paths)))

    def forced_end(self, recovery_point: int) -> int:
        """The recovery point, moved over the segments that have arrived.

        Raises `LogFailed` if one of them could not be forced.
        """
        while self._waiting and self._waiting[0][1].is_done:
            segment, forcing = self._waiting.popleft()
            if forcing.failure:
                raise LogFailed(forcing.failure)
            recovery_point = max(recovery_point, segment.next_offset)
        return recovery_point

    def keep_only(self, segments: Container[Segment]) -> None:
        """Deleted segments need not be forced."""
        self._waiting = deque(pair for pair in self._waiting if pair[0] in segments)

    def force(self) -> None:
        """Forces all of them now, whether begun or not."""
        while self._waiting:
            for path in self._paths_of(self._waiting[0][0]):
                self._files.fsync_path(path)
            self._waiting.popleft()

    def paths_at_close(self, active: Segment) -> Sequence[str]:
        """What a clean shutdown forces: these and the active segment, with its snapshot."""
        closing = [*(segment for segment, _ in self._waiting), active]
        paths = [path for segment in closing for path in self._paths_of(segment)]
        return (*paths, *self.directories)

    def force_all(self, active: File | None, epochs: EpochCheckpoint) -> None:
        """Forces the closed segments, the active one's file if it is given, and the names."""
        self.force()
        if active is not None:
            active.fsync()
        epochs.force()
        if not self._is_directory_forced:
            for path in self.directories:
                self._files.fsync_directory(path)
            self._is_directory_forced = True

    def clear(self) -> None:
        """All of them are on the disk."""
        self._waiting.clear()

    def _paths_of(self, segment: Segment) -> tuple[str, ...]:
        return (
            segment.path + LOG,
            segment.path + INDEX,
            segment.path + TIME_INDEX,
            snapshot_path(self._directory, segment.next_offset),
            self._epochs_path,
        )
