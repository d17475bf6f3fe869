"""`kproof replay`: execute traces again, in CPython, and say whether they show what they claim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE...", help="Files that end in .itf.json.")
    ],
) -> int:
    """Execute traces step by step in CPython.

    Exit code: 0 each breaks exactly what it claims where it claims it, 1 one does not, 2 one
    cannot be read.
    """
    from ..reports.outcome import ExitCode
    from ..traces.replay import replay as replay_trace
    from .refusals import Refused
    from .trace_files import load_trace

    codes = [ExitCode.GOOD]
    for path in traces:
        try:
            machine, trace = load_trace(path)
        except Refused as error:
            typer.echo(f"kproof: {error}", err=True)
            codes.append(ExitCode(error.code))
            continue
        result = replay_trace(machine, trace)
        codes.append(ExitCode.GOOD if result.ok else ExitCode.BAD)
        word = "ok" if result.ok else "FAILED"
        typer.echo(f"{word}  {path}: {result.message}")
    return int(max(codes))
