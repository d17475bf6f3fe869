"""What the logs ask of a file system.  Every refusal is a `LogFailed` that names the file.

Three kinds fulfil it: `real_files`, `memory_files` for a broker without files, and `faulty_files`,
which forget at a crash whatever was not forced to the disk.
"""

from collections.abc import Sequence
from typing import Protocol

from kproof_impl.messages.ids import Buffer


class Forcing:
    """Work that goes on beside: forcing some files to the disk."""

    __slots__ = ("failure", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self.failure = ""
        """Why it failed, if it is done and failed."""


class File(Protocol):
    """One file that is appended to and read at positions.  Sizes and positions in bytes."""

    def append(self, parts: Sequence[Buffer], size_bytes: int) -> None:
        """Writes all parts at the end, in one call where the system allows.

        `size_bytes` is the sum of the parts'.  When this raises, some of it may have been written.
        """
        ...

    def read(self, position: int, size_bytes: int) -> bytes:
        """So many bytes from a position on; fewer only at the end of the file."""
        ...

    def truncate(self, size_bytes: int) -> None: ...

    def fsync(self) -> None: ...

    def close(self) -> None:
        """Gives back what the system holds for it; the file may be opened again."""
        ...


class Files(Protocol):
    """A file system.  Paths have `/` between their parts."""

    def open(self, path: str) -> File:
        """A file that is there, for appending and reading; it is looked for at its first use."""
        ...

    def read_all(self, path: str) -> bytes: ...

    def write(self, path: str, data: bytes) -> None:
        """Replaces a small file unforced: whoever reads it must see whether it is whole."""
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Replaces a small file at once and for good: after a crash it is the old or the new."""
        ...

    def list_names(self, path: str) -> list[str]:
        """The names in a directory, sorted; none if there is no such directory."""
        ...

    def size(self, path: str) -> int:
        """-1 if there is no such file."""
        ...

    def rename(self, path: str, new_path: str) -> None: ...

    def remove(self, path: str) -> None:
        """It is no error if it is not there."""
        ...

    def make_directory(self, path: str) -> None:
        """With those above it; it is no error if it is there."""
        ...

    def remove_directory(self, path: str) -> None:
        """With the files in it; it is no error if it is not there."""
        ...

    def fsync_path(self, path: str) -> None:
        """Forces a file or directory to the disk; it is no error if it is not there."""
        ...

    def fsync_all(self, paths: Sequence[str]) -> None:
        """The same for many, at once where the system allows; returns when all is done."""
        ...

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        """The same for several, without waiting; whoever wants to know looks at the answer."""
        ...

    def fsync_directory(self, path: str) -> None: ...

    def lock(self, path: str) -> None:
        """Claims a directory by a file in it, until `unlock` or the end of the process."""
        ...

    def unlock(self, path: str) -> None: ...

    def volume_bytes(self, path: str) -> tuple[int, int]:
        """Total and free bytes; -1 where that is not known."""
        ...
