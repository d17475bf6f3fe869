"""A disk that loses at a power failure what it is told to lose, and not a byte that was forced."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from kproof_impl.storage.faulty_files import Directory, FaultyFiles, Inode

LOG = ".log"


class Forced(Exception):
    """What should be lost is on the disk for certain."""


class _LosesNothing(Random):
    """The choices of a disk that happened to write everything before the power failed."""

    def random(self) -> float:
        return 0.0

    def randrange(self, start: int, *_: Any) -> int:
        return start - 1

    def choice(self, seq: Any) -> Any:
        return seq[1]  # Of: what was forced, what is written, nothing.


class DiskOfChoice(FaultyFiles):
    """See the module.  All records of a log have the same size."""

    def __init__(self) -> None:
        super().__init__(_LosesNothing())
        self.residue_bytes = 0
        """What a failing append leaves."""

    def part_of(self, size_bytes: int) -> int:
        return min(self.residue_bytes, size_bytes)

    def lose_power(self, directory: str, record_bytes: int, end: int, torn: int) -> None:
        """The log's files end at offset `end`, and the record at `torn` is damaged if it is below.

        Raises `Forced`, and nothing is lost, if the disk is known to have more.
        """
        changes: list[tuple[Inode, bytes]] = []
        for base_offset, inode in self._logs(directory):
            live = bytearray(inode.live)
            del live[max(end - base_offset, 0) * record_bytes :]
            first_lost = len(live)
            if base_offset <= torn < end and (torn - base_offset) * record_bytes < len(live):
                first_lost = (torn - base_offset) * record_bytes
                live[first_lost + record_bytes - 1] ^= 0xFF
            is_changed = bytes(live) != bytes(inode.live)
            if is_changed and first_lost < len(inode.forced):
                offset = base_offset + first_lost // record_bytes
                raise Forced(f"the record at offset {offset} was forced to the disk")
            if is_changed:
                changes.append((inode, bytes(live)))
        for inode, content in changes:
            inode.live[:] = content
        self.crash()

    def first_base_offset(self, directory: str) -> int:
        """Of the log's segments; 0 if it has none yet."""
        return min((base_offset for base_offset, _ in self._logs(directory)), default=0)

    def _logs(self, directory: str) -> Iterator[tuple[int, Inode]]:
        found = self._find(directory)
        if not isinstance(found, Directory):
            return
        for name, inode in sorted(found.live.items()):
            if name.endswith(LOG) and isinstance(inode, Inode):
                yield int(name.removesuffix(LOG)), inode
