"""The directory of a log that has no record yet: in memory, until the log has one.

A topic may have thousands of partitions, and most of them stay empty for long.  To make a directory
with its files costs a millisecond, and nobody else is served meanwhile.  Nothing in it needs to be
kept: the metadata log has the partition, and whoever opens it finds it empty.
"""

from collections.abc import Sequence

from kproof_impl.storage.files import File, Files, Forcing
from kproof_impl.storage.memory_files import MemoryFiles


class NewDirectory:
    """A file system that has this directory only.  `make` brings it to the one that it is for."""

    def __init__(self, files: Files, directory: str) -> None:
        self._files = files
        self._directory = directory
        self._now: Files = MemoryFiles()
        """Where the directory is."""

    def make(self) -> None:
        """From now on the directory is on the disk.  Raises `LogFailed`; then it may be called
        again."""
        if self._now is self._files:
            return
        self._files.make_directory(self._directory)
        for name in self._now.list_names(self._directory):
            path = f"{self._directory}/{name}"
            self._files.write(path, self._now.read_all(path))
        self._now = self._files

    def open(self, path: str) -> File:
        """Files that were opened before `make` have to be opened again after it."""
        return self._now.open(path)

    def read_all(self, path: str) -> bytes:
        return self._now.read_all(path)

    def write(self, path: str, data: bytes) -> None:
        self._now.write(path, data)

    def replace(self, path: str, data: bytes) -> None:
        self._now.replace(path, data)

    def list_names(self, path: str) -> list[str]:
        return self._now.list_names(path)

    def size(self, path: str) -> int:
        return self._now.size(path)

    def rename(self, path: str, new_path: str) -> None:
        self._now.rename(path, new_path)

    def remove(self, path: str) -> None:
        self._now.remove(path)

    def make_directory(self, path: str) -> None:
        self._now.make_directory(path)

    def remove_directory(self, path: str) -> None:
        self._now.remove_directory(path)

    def fsync_path(self, path: str) -> None:
        self._now.fsync_path(path)

    def fsync_all(self, paths: Sequence[str]) -> None:
        self._now.fsync_all(paths)

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        return self._now.fsync_later(paths)

    def fsync_directory(self, path: str) -> None:
        self._now.fsync_directory(path)

    def lock(self, path: str) -> None:
        self._files.lock(path)

    def unlock(self, path: str) -> None:
        self._files.unlock(path)

    def volume_bytes(self, path: str) -> tuple[int, int]:
        return self._files.volume_bytes(path)
