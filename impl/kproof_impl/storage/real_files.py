"""Files of the operating system, with a bound on how many are open at once.

A broker has thousands of partitions, and a process may open a limited number of files.  So a file
gives up its descriptor when others need it, and takes a new one when it is used again: whoever was
not used since the last look goes first.
"""

import fcntl
import os
import resource
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.files import Forcing
from kproof_impl.storage.forcer import Forcer

OPEN_MAX = 4096
"""Files open at once, unless half of what the process may open is less."""
_CLOSED = -1


@contextmanager
def _refusals(action: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failure(action, path, error) from error


def _failure(action: str, path: str, error: OSError) -> LogFailed:
    return LogFailed(f"Cannot {action} {path}: {error.strerror or error}.")


class RealFiles:
    """The file system of the machine.

    With `is_forcing=False` nothing is forced to the disk: for a temporary directory, which nobody
    wants back after the power has failed.
    """

    def __init__(self, open_max: int | None = None, *, is_forcing: bool = True) -> None:
        self.is_forcing = is_forcing
        if open_max is None:
            allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            open_max = OPEN_MAX if allowed < 0 else max(8, min(OPEN_MAX, allowed // 2))
        self._open_max = open_max
        self._open: deque[RealFile] = deque()
        self._locks: dict[str, int] = {}
        self._forcer = Forcer(self.fsync_path)

    @property
    def open_count(self) -> int:
        """How many files are open now."""
        return len(self._open)

    def open(self, path: str) -> "RealFile":
        return RealFile(self, path)

    def enlist(self, file: "RealFile") -> None:
        """Counts a file that has just been opened, and closes another one if there are too many."""
        self._open.append(file)
        while len(self._open) > self._open_max:
            oldest = self._open.popleft()
            if oldest is file or oldest.is_used:
                oldest.is_used = False
                self._open.append(oldest)
            else:
                oldest.give_up_descriptor()

    def strike_off(self, file: "RealFile") -> None:
        """No longer counts a file that has been closed."""
        self._open.remove(file)

    def read_all(self, path: str) -> bytes:
        with _refusals("read", path), open(path, "rb") as file:
            return file.read()

    def write(self, path: str, data: bytes) -> None:
        with _refusals("write", path), open(path, "wb") as file:
            file.write(data)

    def replace(self, path: str, data: bytes) -> None:
        temporary = path + ".tmp"
        with _refusals("write", path):
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                if self.is_forcing:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        self.fsync_directory(os.path.dirname(path))

    def list_names(self, path: str) -> list[str]:
        with _refusals("list", path):
            try:
                return sorted(os.listdir(path))
            except FileNotFoundError:
                return []

    def size(self, path: str) -> int:
        with _refusals("look at", path):
            try:
                return os.stat(path).st_size
            except FileNotFoundError:
                return -1

    def rename(self, path: str, new_path: str) -> None:
        with _refusals("rename", path):
            os.rename(path, new_path)

    def remove(self, path: str) -> None:
        with _refusals("remove", path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                return

    def make_directory(self, path: str) -> None:
        with _refusals("make", path):
            os.makedirs(path, exist_ok=True)

    def remove_directory(self, path: str) -> None:
        with _refusals("remove", path):
            try:
                shutil.rmtree(path)
            except FileNotFoundError:
                return

    def fsync_path(self, path: str) -> None:
        try:
            self._fsync(path, os.O_RDONLY)
        except LogFailed as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise

    def fsync_directory(self, path: str) -> None:
        self._fsync(path, os.O_RDONLY | os.O_DIRECTORY)

    def fsync_all(self, paths: Sequence[str]) -> None:
        if self.is_forcing:
            self._forcer.finish(paths)

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        return self._forcer.start(paths)

    def _fsync(self, path: str, flags: int) -> None:
        if not self.is_forcing:
            return
        with _refusals("force to the disk", path):
            descriptor = os.open(path, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def lock(self, path: str) -> None:
        with _refusals("lock", path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise LogFailed(
                f"Another broker uses the directory of {path}: stop it, or give this one another."
            ) from error
        self._locks[path] = descriptor

    def unlock(self, path: str) -> None:
        descriptor = self._locks.pop(path, _CLOSED)
        if descriptor != _CLOSED:
            os.close(descriptor)

    def volume_bytes(self, path: str) -> tuple[int, int]:
        with _refusals("look at", path):
            usage = shutil.disk_usage(path)
        return usage.total, usage.free


class RealFile:
    """A file that is open when it is used."""

    __slots__ = ("_descriptor", "_files", "_path", "is_used")

    def __init__(self, files: RealFiles, path: str) -> None:
        self._files = files
        self._path = path
        self._descriptor = _CLOSED
        self.is_used = False

    def append(self, parts: Sequence[Buffer], size_bytes: int) -> None:
        if self._descriptor < 0:
            self._open()
        self.is_used = True
        try:
            written = os.writev(self._descriptor, parts)
            if written != size_bytes:
                self._append_rest(parts, written)
        except OSError as error:
            raise _failure("append to", self._path, error) from error

    def read(self, position: int, size_bytes: int) -> bytes:
        if self._descriptor < 0:
            self._open()
        self.is_used = True
        try:
            data = os.pread(self._descriptor, size_bytes, position)
            if len(data) != size_bytes and data:
                data = self._read_rest(data, position, size_bytes)
        except OSError as error:
            raise _failure("read", self._path, error) from error
        return data

    def truncate(self, size_bytes: int) -> None:
        if self._descriptor < 0:
            self._open()
        with _refusals("truncate", self._path):
            os.ftruncate(self._descriptor, size_bytes)

    def fsync(self) -> None:
        if not self._files.is_forcing:
            return
        if self._descriptor < 0:
            self._open()
        with _refusals("force to the disk", self._path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            self._files.strike_off(self)
            self.give_up_descriptor()

    def give_up_descriptor(self) -> None:
        """Closes the file until it is used again."""
        descriptor, self._descriptor = self._descriptor, _CLOSED
        with _refusals("close", self._path):
            os.close(descriptor)

    def _open(self) -> None:
        with _refusals("open", self._path):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self._files.enlist(self)

    def _append_rest(self, parts: Sequence[Buffer], written: int) -> None:
        rest = memoryview(b"".join(parts))[written:]
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def _read_rest(self, data: bytes, position: int, size_bytes: int) -> bytes:
        parts = [data]
        count = len(data)
        while count < size_bytes and parts[-1]:
            parts.append(os.pread(self._descriptor, size_bytes - count, position + count))
            count += len(parts[-1])
        return b"".join(parts)
