"""Recordings: what a broker told, one event a line, in a file that anybody can read.

The first line says what the file is; each other line is one event as a JSON object, in the order
in which the broker told them.  A broker that is killed may leave the last line unfinished: then it
is taken for not written.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kproof_impl.events import Event

FORMAT = "kproof-recording"
VERSION = 2
FIELDS = ("sequence", "time_ms", "model", "subject", "action", "parameters", "state")


class UnreadableRecording(Exception):
    """A file that is no recording, or has a line that is no event; the message names the line."""


class Recorder:
    """Writes events to a new file as they are told.  Each line is given to the system at once.

    Raises `UnreadableRecording` if the file is there already or cannot be made, and `OSError` when
    a line cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.events_count = 0
        try:
            self._file: IO[str] = path.open("x", encoding="utf-8", buffering=1)
        except FileExistsError as error:
            raise UnreadableRecording(
                f"{path} is there already, and a recording is never written over: give another "
                "name (several are validated as one history: kproof validate FIRST SECOND)"
            ) from error
        except OSError as error:
            raise UnreadableRecording(f"{path} cannot be written: {error.strerror}") from error
        self._write({"format": FORMAT, "version": VERSION})

    def __call__(self, event: Event) -> None:
        self._write({name: getattr(event, name) for name in FIELDS})
        self.events_count += 1

    def _write(self, fields: dict[str, Any]) -> None:
        self._file.write(json.dumps(fields, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Ends the recording.  One without events is taken away, so that its name is free."""
        with contextlib.suppress(OSError):  # What could not be written was told when it was.
            self._file.close()
        if self.events_count == 0:
            self._path.unlink(missing_ok=True)


def read_recording(path: Path) -> Iterator[Event]:
    """The events of a recording, one by one.  Raises `UnreadableRecording`."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from _events(path, file)
    except OSError as error:
        raise UnreadableRecording(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableRecording(f"{path} is no recording: it is not text ({error})") from error


def is_unfinished(path: Path) -> bool:
    """Whether its last line is not whole, so that it counts as not written."""
    with path.open("rb") as file:
        return (
            file.seek(0, os.SEEK_END) > 0
            and file.seek(-1, os.SEEK_END) >= 0
            and (file.read(1) != b"\n")
        )


def _events(path: Path, file: IO[str]) -> Iterator[Event]:
    number = 0
    for number, line in enumerate(file, start=1):
        if not line.endswith("\n") and number > 1:
            return  # The broker was killed while it wrote this.
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnreadableRecording(
                f"{path}, line {number}: expected a JSON object, found {line[:40]!r}"
            ) from error
        if number == 1:
            _check_header(path, fields)
        else:
            yield _event(path, number, fields)
    if number == 0:
        raise UnreadableRecording(f"{path} is no recording: it is empty")


def _check_header(path: Path, fields: object) -> None:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise UnreadableRecording(
            f'{path} is no recording: its first line should have "format":"{FORMAT}"; make one '
            "with kproof serve --record FILE"
        )
    if fields.get("version") != VERSION:
        raise UnreadableRecording(
            f"{path} is a recording of version {fields.get('version')}; this kproof reads {VERSION}"
        )


def _event(path: Path, number: int, fields: object) -> Event:
    if not isinstance(fields, dict) or fields.keys() != set(FIELDS):
        raise UnreadableRecording(
            f"{path}, line {number}: expected an object with {', '.join(FIELDS)}"
        )
    is_event = (
        all(type(fields[name]) is int for name in FIELDS[:2])
        and all(isinstance(fields[name], str) for name in FIELDS[2:5])
        and all(isinstance(fields[name], dict) for name in FIELDS[5:])
    )
    if not is_event:
        raise UnreadableRecording(
            f"{path}, line {number}: expected two numbers, three strings and two objects in "
            f"{', '.join(FIELDS)}"
        )
    return Event(**fields)
