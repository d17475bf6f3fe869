"""All logs of a broker, in one directory: `core.ports.LogStore`.

The marker of a clean shutdown is taken away at the start and put back at the end, so a broker that
is killed leaves none and every log is then recovered from its recovery point.  The checkpoints of
the directory are written at the end, once a minute, and whenever a log says that it cannot wait.
"""

import os.path
from collections.abc import Iterable, Iterator
from contextlib import suppress
from uuid import UUID

from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage import checkpoint_files
from kproof_impl.storage.checkpoint_files import (
    CLEAN_SHUTDOWN,
    CLEAN_SHUTDOWN_TEXT,
    CLEANED_ENDS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    PARTITION_METADATA,
    RECOVERY_POINTS,
    PartitionName,
)
from kproof_impl.storage.files import Files
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.names import (
    DELETE_DIRECTORY,
    directory_name,
    id_text,
    parse_directory_name,
)
from kproof_impl.storage.new_directory import NewDirectory
from kproof_impl.storage.partition_log import FilePartitionLog
from kproof_impl.storage.recovery import Checkpointed, load_log

CHECKPOINT_INTERVAL_MS = 60_000
PRODUCER_EXPIRATION_MS = 86_400_000
LOCK = ".lock"
_NEVER = -1
REMOVED_AT_ONCE = 100
"""Directories of deleted logs that go in one tick; a topic may have thousands."""

Key = tuple[UUID, int]


class FileLogStore:
    """The logs below one directory.  Close it; else the next start recovers.

    Raises `LogFailed` if the directory is another broker's, or cannot be used.
    """

    def __init__(
        self,
        files: Files,
        directory: str,
        *,
        cluster_id: str = "kproof",
        node_id: int = 0,
        producer_expiration_ms: int = PRODUCER_EXPIRATION_MS,
    ) -> None:
        self._files = files
        self._directory = directory.rstrip("/")
        self._producer_expiration_ms = producer_expiration_ms
        self._logs: dict[Key, FilePartitionLog] = {}
        self._doomed: list[tuple[int, str]] = []
        self._checkpoint_ms = _NEVER
        self._now_ms = _NEVER
        self._is_closed = False
        files.make_directory(self._directory)
        files.fsync_directory(os.path.dirname(os.path.abspath(self._directory)))
        files.lock(self._path(LOCK))
        try:
            self._start(cluster_id, node_id)
        except LogFailed:
            files.unlock(self._path(LOCK))
            raise

    def _start(self, cluster_id: str, node_id: int) -> None:
        files = self._files
        checkpoint_files.check_meta_properties(files, self._directory, cluster_id, node_id)
        self.was_clean = files.size(self._path(CLEAN_SHUTDOWN)) >= 0
        """Whether the broker before this one closed its logs."""
        files.remove(self._path(CLEAN_SHUTDOWN))
        files.fsync_directory(self._directory)
        self._recovery_points = checkpoint_files.read_offsets(files, self._path(RECOVERY_POINTS))
        self._log_starts = checkpoint_files.read_offsets(files, self._path(LOG_STARTS))
        self._cleaned_ends = checkpoint_files.read_offsets(files, self._path(CLEANED_ENDS))
        for name in files.list_names(self._directory):
            if name.endswith(DELETE_DIRECTORY):
                files.remove_directory(self._path(name))

    @property
    def log_dir(self) -> str:
        return self._directory

    def open(
        self, topic_id: UUID, topic: str, partition: int, config: LogConfig
    ) -> FilePartitionLog:
        key = (topic_id, partition)
        if key in self._logs:
            return self._logs[key]
        name = directory_name(topic_id, partition)
        directory = self._path(name)
        files, new = self._files, None
        if files.size(f"{directory}/{PARTITION_METADATA}") < 0:
            if not files.list_names(directory):
                files = new = NewDirectory(files, directory)
            files.make_directory(directory)
            text = checkpoint_files.partition_metadata_text(topic_id, topic)
            files.write(f"{directory}/{PARTITION_METADATA}", text)
        place = (id_text(topic_id), partition)
        loaded = load_log(
            files,
            directory,
            config,
            Checkpointed(
                self._log_starts.get(place, 0),
                self._recovery_points.get(place, 0),
                self._cleaned_ends.get(place, -1),
            ),
            self.was_clean,
        )
        log = FilePartitionLog(
            loaded,
            config,
            self._producer_expiration_ms,
            self.write_checkpoints,
            None if new is None else new.make,
        )
        self._logs[key] = log
        return log

    def existing(self) -> Iterator[Key]:
        for name in self._files.list_names(self._directory):
            key = parse_directory_name(name)
            if key is not None:
                yield key

    def delete(self, topic_id: UUID, partitions: Iterable[int]) -> None:
        failure: LogFailed | None = None
        names = set(self._files.list_names(self._directory))
        for partition in partitions:
            try:
                self._doom(topic_id, partition, names)
            except LogFailed as error:
                failure = error
        self._files.fsync_directory(self._directory)
        if failure is not None:
            raise failure

    def _doom(self, topic_id: UUID, partition: int, names: set[str]) -> None:
        log = self._logs.pop((topic_id, partition), None)
        delay_ms = log.file_delete_delay_ms if log is not None else 0
        if log is not None:
            log.abandon()
        place = (id_text(topic_id), partition)
        self._recovery_points.pop(place, None)
        self._log_starts.pop(place, None)
        self._cleaned_ends.pop(place, None)
        name = directory_name(topic_id, partition)
        if name not in names:
            return
        doomed = self._path(f"{name}.{topic_id.hex}{DELETE_DIRECTORY}")
        self._files.remove_directory(doomed)
        self._files.rename(self._path(name), doomed)
        self._doomed.append((self._now_ms + delay_ms, doomed))

    def usable_bytes(self) -> tuple[int, int]:
        return self._files.volume_bytes(self._directory)

    def tick(self, now_ms: int) -> None:
        """What the disk refuses is tried again the next time."""
        self._now_ms = now_ms
        with suppress(LogFailed):
            self._remove_doomed(now_ms)
            if self._checkpoint_ms < 0:
                self._checkpoint_ms = now_ms
            elif now_ms - self._checkpoint_ms >= CHECKPOINT_INTERVAL_MS:
                self._checkpoint_ms = now_ms
                self.write_checkpoints()

    def _remove_doomed(self, now_ms: int) -> None:
        due = [path for due_ms, path in self._doomed if due_ms <= now_ms][:REMOVED_AT_ONCE]
        removed: set[str] = set()
        try:
            for path in due:
                self._files.remove_directory(path)
                removed.add(path)
        finally:
            self._doomed = [doomed for doomed in self._doomed if doomed[1] not in removed]

    def write_checkpoints(self) -> None:
        """Writes up to where each log is forced to the disk and cleaned, and where it starts.

        What the file says of logs that are not open stays as it was.
        """
        recovery_points, log_starts = dict(self._recovery_points), dict(self._log_starts)
        cleaned_ends = dict(self._cleaned_ends)
        for (topic_id, partition), log in self._logs.items():
            place = (id_text(topic_id), partition)
            recovery_points[place] = log.recovery_point
            log_starts[place] = log.log_start_offset
            if log.first_dirty_offset >= 0:
                cleaned_ends[place] = log.first_dirty_offset
        for name, old, new in (
            (RECOVERY_POINTS, self._recovery_points, recovery_points),
            (LOG_STARTS, self._log_starts, log_starts),
            (CLEANED_ENDS, self._cleaned_ends, cleaned_ends),
        ):
            if new != old:
                checkpoint_files.write_offsets(self._files, self._path(name), new)
        self._recovery_points, self._log_starts = recovery_points, log_starts
        self._cleaned_ends = cleaned_ends

    def write_high_watermarks(self, offsets: dict[Key, int]) -> None:
        """For a broker that replicates; a single one has its high watermark at the log's end."""
        rows: dict[PartitionName, int] = {
            (id_text(topic_id), partition): offset
            for (topic_id, partition), offset in offsets.items()
        }
        checkpoint_files.write_offsets(self._files, self._path(HIGH_WATERMARKS), rows)

    def read_high_watermarks(self) -> dict[Key, int]:
        rows = checkpoint_files.read_offsets(self._files, self._path(HIGH_WATERMARKS))
        keys = {
            parse_directory_name(f"{topic}-{partition}"): offset
            for (topic, partition), offset in rows.items()
        }
        return {key: offset for key, offset in keys.items() if key is not None}

    def close(self, is_clean: bool = True) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if is_clean:
                self._close_clean()
        finally:
            for log in self._logs.values():
                log.abandon()
            self._files.unlock(self._path(LOCK))

    def _close_clean(self) -> None:
        unopened = set(self.existing()) - self._logs.keys()
        is_marked = self.was_clean or not unopened
        failures: list[LogFailed] = []
        paths: list[str] = []
        for log in self._logs.values():
            try:
                paths += log.prepare_close()
            except LogFailed as error:
                failures.append(error)
            is_marked = is_marked and not log.is_failed
        if failures:
            raise failures[0]
        self._files.fsync_all(paths)
        for log in self._logs.values():
            log.finish_close()
        self.write_checkpoints()
        if is_marked:
            self._files.replace(self._path(CLEAN_SHUTDOWN), CLEAN_SHUTDOWN_TEXT.encode())

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"


def memory_log_store() -> FileLogStore:
    """Logs that are gone when the broker is."""
    return FileLogStore(MemoryFiles(), "/memory")
