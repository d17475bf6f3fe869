"""A file system in memory: for a broker that keeps nothing, and for tests."""

from collections.abc import Sequence

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.files import Forcing


class MemoryFiles:
    """Files as byte arrays by their path.  Nothing of it is bounded."""

    def __init__(self) -> None:
        self._contents: dict[str, dict[str, bytearray]] = {}
        """Of each directory, its files by their name."""
        self._directories: dict[str, set[str]] = {}
        """Of each path, the names of the directories right below it."""

    def open(self, path: str) -> "MemoryFile":
        directory, name = self._split(path)
        if name not in directory:
            raise LogFailed(f"Cannot open {path}: there is no such file.")
        return MemoryFile(directory[name])

    def read_all(self, path: str) -> bytes:
        directory, name = self._split(path)
        if name not in directory:
            raise LogFailed(f"Cannot read {path}: there is no such file.")
        return bytes(directory[name])

    def write(self, path: str, data: bytes) -> None:
        directory, name = self._split(path)
        directory[name] = bytearray(data)

    def replace(self, path: str, data: bytes) -> None:
        self.write(path, data)

    def list_names(self, path: str) -> list[str]:
        path = path.rstrip("/")
        return sorted(self._directories.get(path, set()).union(self._contents.get(path, ())))

    def size(self, path: str) -> int:
        parent, _, name = path.rpartition("/")
        file = self._contents.get(parent, {}).get(name)
        return -1 if file is None else len(file)

    def rename(self, path: str, new_path: str) -> None:
        if path in self._contents:
            self._rename_directory(path, new_path)
            return
        directory, name = self._split(path)
        if name not in directory:
            raise LogFailed(f"Cannot rename {path}: there is no such file.")
        new_directory, new_name = self._split(new_path)
        new_directory[new_name] = directory.pop(name)

    def remove(self, path: str) -> None:
        parent, _, name = path.rpartition("/")
        self._contents.get(parent, {}).pop(name, None)

    def make_directory(self, path: str) -> None:
        path = path.rstrip("/")
        if path not in self._contents:
            self._put(path, {})

    def remove_directory(self, path: str) -> None:
        if path in self._contents:
            for other in self._below(path):
                del self._contents[other]
                self._directories.pop(other, None)
            parent, _, name = path.rpartition("/")
            self._directories[parent].discard(name)

    def fsync_path(self, path: str) -> None:
        """There is nothing to force."""

    def fsync_all(self, paths: Sequence[str]) -> None:
        """There is nothing to force."""

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        forcing = Forcing()
        forcing.is_done = True
        return forcing

    def fsync_directory(self, path: str) -> None:
        """There is nothing to force."""

    def lock(self, path: str) -> None:
        """Nobody else can see it."""

    def unlock(self, path: str) -> None:
        """Nobody else can see it."""

    def volume_bytes(self, path: str) -> tuple[int, int]:
        return -1, -1

    def _split(self, path: str) -> tuple[dict[str, bytearray], str]:
        parent, _, name = path.rpartition("/")
        if parent not in self._contents:
            raise LogFailed(f"Cannot use {path}: there is no such directory.")
        return self._contents[parent], name

    def _put(self, path: str, files: dict[str, bytearray]) -> None:
        """A directory with these files; those above it are there from now on, if they were not."""
        self._contents[path] = files
        while path:
            path, _, name = path.rpartition("/")
            self._directories.setdefault(path, set()).add(name)

    def _below(self, path: str) -> list[str]:
        """A directory and all below it that have been made."""
        found = [path] if path in self._contents else []
        for name in self._directories.get(path, ()):
            found += self._below(f"{path}/{name}")
        return found

    def _rename_directory(self, path: str, new_path: str) -> None:
        moved = {other: self._contents[other] for other in self._below(path)}
        self.remove_directory(path)
        for other, files in moved.items():
            self._put(new_path + other[len(path) :], files)


class MemoryFile:
    """One file in memory."""

    __slots__ = ("_content",)

    def __init__(self, content: bytearray) -> None:
        self._content = content

    def append(self, parts: Sequence[Buffer], size_bytes: int) -> None:
        content = self._content
        for part in parts:
            content += part

    def read(self, position: int, size_bytes: int) -> bytes:
        return bytes(self._content[position : position + size_bytes])

    def truncate(self, size_bytes: int) -> None:
        del self._content[size_bytes:]

    def fsync(self) -> None:
        """There is nothing to force."""

    def close(self) -> None:
        """There is nothing to give back."""
