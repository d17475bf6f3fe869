"""Writing what was found to files.  A file that cannot be written never hides a verdict."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ..traces.files import CannotWrite, write_text
from ..traces.trace import Trace
from ..verdicts import CheckResult
from .wording import near, variant_name


def write_report(path: Path, text: str) -> None:
    """Writes a report; a `CannotWrite` error says why not and that the verdict stands."""
    try:
        write_text(path, text)
    except CannotWrite as error:
        raise CannotWrite(f"{error}. The verdict stands as it was told") from error


class TraceFolder:
    """Where the traces of one command go.  No two of one command share a file."""

    def __init__(self, folder: Path, *, witnesses: bool = False, source: str = "") -> None:
        self.folder, self.witnesses, self.source = folder, witnesses, source
        self.problems: list[str] = []
        """What could not be written, as messages."""
        self._taken: set[str] = set()

    def save(self, result: CheckResult) -> dict[str, str]:
        """Writes the traces that a check found; gives their paths by what they show."""
        found: dict[str, Trace] = {}
        for name, claim in result.properties.items():
            wanted = claim.verdict.is_bad or self.witnesses
            if claim.trace is not None and wanted:
                found[name] = claim.trace
        if result.deadlock is not None:
            found["deadlock"] = result.deadlock
        if result.fault is not None and result.fault.trace is not None:
            found["spec_error"] = result.fault.trace
        paths = {}
        for name, trace in found.items():
            path = self._write(result, name, trace)
            if path is not None:
                paths[name] = near(str(path))
        return paths

    def _write(self, result: CheckResult, name: str, trace: Trace) -> Path | None:
        from ..traces.itf import write_trace

        path = self.folder / self._name(result, name)
        try:
            # A model that was named by its file is found again by its file.
            named = replace(trace, model=self.source or trace.model)
            write_trace(named, result.machine, path)
        except OSError as error:
            self.problems.append(f"{error}, with --trace-dir. The verdict stands as it was told")
            return None
        return path

    def _name(self, result: CheckResult, name: str) -> str:
        model = result.machine.model
        variant = variant_name(result.machine)
        parts = [model.name, "" if variant == model.name else variant, model.mutant_name, name]
        stem = "-".join(part.replace(os.sep, "_") for part in parts if part)
        unique, copy = stem, 1
        while unique in self._taken:
            copy += 1
            unique = f"{stem}-{copy}"
        self._taken.add(unique)
        return f"{unique}.itf.json"


__all__ = ["CannotWrite", "TraceFolder", "write_report"]
