"""Checkpoints of a long search: a file that only grows, and that a killed run can go on from.

The states that a search has found never change, so a checkpoint writes only what is new since the
last one: a segment of states, with what the search knew at that moment, a checksum, and a flush to
the disk.  A segment that was cut short, by kill -9 or a full disk, is dropped when the file is
read; the one before it is whole.

    kproof checkpoint 1\\n
    {"model": ..., "constants": ..., ...}\\n          whose states these are
    length (8 bytes) | header (JSON) | states | parents | steps | CRC-32 (4 bytes)     repeated
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .engines.base import Problem, Rows
from .spec_hash import spec_hash

MAGIC = b"kproof checkpoint 1\n"
LENGTH = struct.Struct("<Q")
CHECKSUM = struct.Struct("<I")
HEADER_MAX = 1 << 26
"""No header is longer; a greater length is damage."""


class BadCheckpoint(ValueError):
    """The file is no checkpoint, or one of another search; the message says which."""


@dataclass
class Knowledge:
    """What a search knows besides the states."""

    visited: int = 0
    depth: int = 1
    level_end: int = 0
    generated: int = 0
    enabled: dict[str, int] = field(default_factory=dict)
    """By the index of the action instance, as text."""
    findings: dict[str, int] = field(default_factory=dict)
    """For each settled property, the state that settles it."""
    deadlocks: int = 0
    first_deadlock: int | None = None
    seconds: float = 0.0
    """How long the search had run."""


def identity(problem: Problem, engine: str) -> dict[str, Any]:
    """What must be the same for a checkpoint to be gone on from."""
    machine = problem.machine
    return {
        "model": machine.model.name,
        "variant": machine.model.variant,
        "mutant": machine.model.mutant_name,
        "constants": machine.scope.constants,
        "spec_hash": spec_hash(machine.model),
        "properties": [claim.name for claim in problem.properties],
        "symmetry": problem.symmetry is not None,
        "engine": engine,
    }


class CheckpointFile:
    """One checkpoint, new or to be gone on from."""

    def __init__(self, path: Path, mine: dict[str, Any]) -> None:
        self.path, self.mine = path, mine
        self.count = 0
        """How many states the file holds."""
        self._end = 0
        """Where the last whole segment ends."""

    def read(self) -> Iterator[tuple[Knowledge, Rows]]:
        """Every whole segment; cuts off one that is not.  Nothing if there is no file yet."""
        if not self.path.exists():
            return
        try:
            opened = self.path.open("rb")
        except OSError as error:
            raise BadCheckpoint(
                f"{self.path} cannot be read as a checkpoint: {error.strerror}. Name a file that "
                "does not exist yet, or one that a check has written"
            ) from error
        with opened as file:
            if not self._check_identity(file):
                return
            self._end = file.tell()
            while True:
                segment = _read_segment(file)
                if segment is None:
                    break
                self._end = file.tell()
                self.count += len(segment[1].parents)
                yield segment

    def _check_identity(self, file: BinaryIO) -> bool:
        """False if the file was cut short before its first segment, so that it holds nothing."""
        magic = file.read(len(MAGIC))
        line = file.readline(HEADER_MAX) if magic == MAGIC else b""
        if MAGIC.startswith(magic) and not line.endswith(b"\n"):
            return False
        if magic != MAGIC:
            raise BadCheckpoint(
                f"{self.path} is not a checkpoint of kproof: name a file that does not exist yet, "
                "or one that a check has written"
            )
        try:
            theirs = dict(json.loads(line))
        except (ValueError, TypeError) as error:
            raise BadCheckpoint(
                f"{self.path} is damaged at its start ({error}): delete it, or name another file"
            ) from error
        for key, value in self.mine.items():
            if theirs.get(key) != value:
                raise BadCheckpoint(
                    f"{self.path} belongs to another search: its {key} is {theirs.get(key)!r}, "
                    f"here it is {value!r}. Name another file, or check what it was made for"
                )
        return True

    def append(self, knowledge: Knowledge, rows: Rows) -> None:
        """Adds a segment and waits until it is on the disk.  An `OSError` leaves the file whole."""
        is_new = self._end == 0
        # Unbuffered: what could not be written is not tried again when the file is closed.
        with self.path.open("wb" if is_new else "r+b", buffering=0) as file:
            file.seek(self._end)
            file.truncate()
            try:
                if is_new:
                    _write(file, MAGIC + json.dumps(self.mine).encode() + b"\n")
                for part in _segment(knowledge, rows):
                    _write(file, part)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(self._end)
                raise
            self._end = file.tell()
        self.count += len(rows.parents)


def _write(file: RawIOBase, data: bytes) -> None:
    """Writes all of it; the system may take less at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _segment(knowledge: Knowledge, rows: Rows) -> Iterator[bytes]:
    arrays: list[Any] = [rows.states, rows.parents, rows.steps]
    about = {**asdict(knowledge), "rows": len(rows.parents), "words": rows.states.shape[1]}
    header = json.dumps(about).encode()
    parts = [LENGTH.pack(len(header)), header, *(array.tobytes() for array in arrays)]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
        yield part
    yield CHECKSUM.pack(checksum)


def _read_segment(file: BinaryIO) -> tuple[Knowledge, Rows] | None:
    """The next segment, or None if there is none, or none that is whole."""
    length = file.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(length)
    if size > HEADER_MAX:
        return None
    header = file.read(size)
    try:
        about = json.loads(header)
        count, words = int(about.pop("rows")), int(about.pop("words"))
        knowledge = Knowledge(**about)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if count < 0 or words < 1:
        return None
    checksum = zlib.crc32(header, zlib.crc32(length))
    left = os.fstat(file.fileno()).st_size - file.tell()
    if count * (words * 8 + 8) + CHECKSUM.size > left:
        return None
    arrays: list[Any] = []
    for kind, numbers in ((np.uint64, count * words), (np.int32, count), (np.int32, count)):
        data = file.read(numbers * np.dtype(kind).itemsize)
        checksum = zlib.crc32(data, checksum)
        arrays.append(np.frombuffer(data, dtype=kind))
    if file.read(CHECKSUM.size) != CHECKSUM.pack(checksum):
        return None
    states, parents, steps = arrays
    return knowledge, Rows(states.reshape(count, words), parents, steps)
