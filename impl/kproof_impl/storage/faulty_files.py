"""A file system in memory that forgets at a crash what was not forced, and fails on demand.

What it may do at `crash`, by the choices of the random numbers that it is given:

| what was done | what a crash leaves |
|---|---|
| bytes appended since the last fsync | any prefix, and perhaps zero or other bytes after it |
| a file truncated or replaced since | the old content, the new one, or nothing |
| names made, renamed, removed since the directory's fsync | the first few of these, in order |

Nothing that was forced is ever lost.  Names are changed in the order of the calls, as file systems
with a journal do; data and names may overtake each other.

A double for tests and for the simulator: `fail_after` makes a later call fail, as a full disk or a
broken one does.
"""

from collections.abc import Sequence
from random import Random

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.files import Forcing


class Inode:
    """The content of a file, and what of it is on the disk."""

    def __init__(self) -> None:
        self.live = bytearray()
        self.forced = b""
        self.is_append_only = True
        """Since it was last forced."""

    def force(self) -> None:
        self.forced = bytes(self.live)
        self.is_append_only = True

    def truncate(self, size_bytes: int) -> None:
        if size_bytes < len(self.live):
            del self.live[size_bytes:]
            self.is_append_only = self.is_append_only and size_bytes >= len(self.forced)

    def crash(self, random: Random) -> None:
        if self.is_append_only:
            self.live = bytearray(self._torn(random))
        else:
            self.live = bytearray(random.choice((self.forced, bytes(self.live), b"")))
        self.force()

    def _torn(self, random: Random) -> bytes:
        missing = len(self.live) - len(self.forced)
        if not missing or random.random() < 0.2:
            return bytes(self.live)
        kept = self.live[: len(self.forced) + random.randrange(missing + 1)]
        lost = len(self.live) - len(kept)
        match random.randrange(4):
            case 0:
                return bytes(kept) + bytes(lost)
            case 1:
                return bytes(kept) + random.randbytes(lost)
        return bytes(kept)


class Directory:
    """Names, and the changes to them that are not on the disk yet."""

    def __init__(self) -> None:
        self.live: dict[str, Inode | Directory] = {}
        self.forced: dict[str, Inode | Directory] = {}
        self.changes: list[dict[str, Inode | Directory]] = []
        """What the names were after each change."""

    def change(self) -> None:
        self.changes.append(dict(self.live))

    def force(self) -> None:
        self.forced = dict(self.live)
        self.changes.clear()

    def crash(self, random: Random) -> None:
        states = [self.forced, *self.changes]
        self.live = dict(states[random.randrange(len(states))])
        self.force()
        for name in sorted(self.live):
            self.live[name].crash(random)


class FaultyFiles:
    """See the module.  Paths are looked up in a tree of directories."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._root = Directory()
        self._generation = 0
        self._failures: dict[str, tuple[int, str]] = {}
        self._locked: set[str] = set()

    def crash(self) -> None:
        """The power fails: open files are of no use any more, and no failure is due any more."""
        self._failures.clear()
        self._generation += 1
        self._locked.clear()
        self._root.crash(self._random)

    def fail_after(self, action: str, calls: int, reason: str = "No space left on device") -> None:
        """Lets so many calls of an action pass and fails the next one, once.

        Actions: append, read, truncate, fsync, write, rename, remove.  A failing append writes some
        of its bytes.
        """
        self._failures[action] = (calls, reason)

    def is_failing(self, action: str, path: str) -> LogFailed | None:
        """The failure that is due now, if one is."""
        calls, reason = self._failures.get(action, (-1, ""))
        if calls < 0:
            return None
        if calls > 0:
            self._failures[action] = (calls - 1, reason)
            return None
        del self._failures[action]
        return LogFailed(f"Cannot {action} {path}: {reason}.")

    def check_generation(self, generation: int, path: str) -> None:
        if generation != self._generation:
            raise LogFailed(f"Cannot use {path}: it was opened before the crash.")

    def part_of(self, size_bytes: int) -> int:
        """How much of a failing append is written."""
        return self._random.randrange(size_bytes + 1)

    def open(self, path: str) -> "FaultyFile":
        return FaultyFile(self, path, self._generation)

    def inode(self, path: str) -> Inode:
        """The file of a path, made if it is not there."""
        parent, name = self._parent(path)
        found = parent.live.get(name)
        if isinstance(found, Directory):
            raise LogFailed(f"Cannot open {path}: it is a directory.")
        if found is None:
            found = parent.live[name] = Inode()
            parent.change()
        return found

    def read_all(self, path: str) -> bytes:
        found = self._find(path)
        if not isinstance(found, Inode):
            raise LogFailed(f"Cannot read {path}: there is no such file.")
        return bytes(found.live)

    def write(self, path: str, data: bytes) -> None:
        self._fail("write", path)
        inode = self.inode(path)
        inode.truncate(0)
        inode.is_append_only = not inode.forced
        inode.live += data

    def replace(self, path: str, data: bytes) -> None:
        self.write(path + ".tmp", data)
        self.fsync_path(path + ".tmp")
        self.rename(path + ".tmp", path)
        self.fsync_directory(path.rpartition("/")[0])

    def list_names(self, path: str) -> list[str]:
        found = self._find(path)
        return sorted(found.live) if isinstance(found, Directory) else []

    def size(self, path: str) -> int:
        found = self._find(path)
        return len(found.live) if isinstance(found, Inode) else -1

    def rename(self, path: str, new_path: str) -> None:
        self._fail("rename", path)
        parent, name = self._parent(path)
        new_parent, new_name = self._parent(new_path)
        if name not in parent.live or parent is not new_parent:
            raise LogFailed(f"Cannot rename {path}: there is no such file in that directory.")
        parent.live[new_name] = parent.live.pop(name)
        parent.change()

    def remove(self, path: str) -> None:
        self._fail("remove", path)
        self._remove(path)

    def make_directory(self, path: str) -> None:
        place = self._root
        for name in path.strip("/").split("/"):
            found = place.live.get(name)
            if isinstance(found, Inode):
                raise LogFailed(f"Cannot make {path}: {name} is a file.")
            if found is None:
                found = place.live[name] = Directory()
                place.change()
            place = found

    def remove_directory(self, path: str) -> None:
        self._remove(path)

    def fsync_path(self, path: str) -> None:
        found = self._find(path)
        if found is not None:
            self._fail("fsync", path)
            found.force()

    def fsync_all(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.fsync_path(path)

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        """It is done at once, or else it never comes to an end before a crash."""
        forcing = Forcing()
        if self._random.random() < 0.5:
            return forcing
        forcing.is_done = True
        try:
            for path in paths:
                self.fsync_path(path)
        except LogFailed as error:
            forcing.failure = str(error)
        return forcing

    def fsync_directory(self, path: str) -> None:
        self.fsync_path(path)

    def lock(self, path: str) -> None:
        if path in self._locked:
            raise LogFailed(f"Another broker uses the directory of {path}.")
        self._locked.add(path)

    def unlock(self, path: str) -> None:
        self._locked.discard(path)

    def volume_bytes(self, path: str) -> tuple[int, int]:
        return -1, -1

    def _fail(self, action: str, path: str) -> None:
        failure = self.is_failing(action, path)
        if failure is not None:
            raise failure

    def _find(self, path: str) -> Inode | Directory | None:
        place: Inode | Directory | None = self._root
        for name in filter(None, path.split("/")):
            if not isinstance(place, Directory):
                return None
            place = place.live.get(name)
        return place

    def _parent(self, path: str) -> tuple[Directory, str]:
        parent, _, name = path.rpartition("/")
        found = self._find(parent)
        if not isinstance(found, Directory):
            raise LogFailed(f"Cannot use {path}: there is no such directory.")
        return found, name

    def _remove(self, path: str) -> None:
        parent, _, name = path.rpartition("/")
        found = self._find(parent)
        if isinstance(found, Directory) and found.live.pop(name, None) is not None:
            found.change()


class FaultyFile:
    """A file of `FaultyFiles`, until the next crash."""

    def __init__(self, files: FaultyFiles, path: str, generation: int) -> None:
        self._files = files
        self._path = path
        self._generation = generation
        self._inode: Inode | None = None

    def append(self, parts: Sequence[Buffer], size_bytes: int) -> None:
        inode = self._use()
        data = b"".join(parts)
        failure = self._files.is_failing("append", self._path)
        if failure is not None:
            inode.live += data[: self._files.part_of(size_bytes)]
            raise failure
        inode.live += data

    def read(self, position: int, size_bytes: int) -> bytes:
        inode = self._use()
        self._fail("read")
        return bytes(inode.live[position : position + size_bytes])

    def truncate(self, size_bytes: int) -> None:
        inode = self._use()
        self._fail("truncate")
        inode.truncate(size_bytes)

    def fsync(self) -> None:
        inode = self._use()
        self._fail("fsync")
        inode.force()

    def close(self) -> None:
        self._inode = None

    def _use(self) -> Inode:
        self._files.check_generation(self._generation, self._path)
        if self._inode is None:
            if self._files.size(self._path) < 0:
                raise LogFailed(f"Cannot open {self._path}: there is no such file.")
            self._inode = self._files.inode(self._path)
        return self._inode

    def _fail(self, action: str) -> None:
        failure = self._files.is_failing(action, self._path)
        if failure is not None:
            raise failure
