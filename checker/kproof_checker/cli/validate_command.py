"""`kproof validate`: is what a broker has recorded what the specification allows?"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..conformance.trial import Report, Trial


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Recordings, in the order in which they were made: they are one history.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on standard error.")
    ] = False,
) -> int:
    """Hold what `kproof serve --record FILE` has recorded against the specification.

    Exit code: 0 it is all as the specification allows, 1 a step is not, 2 a file cannot be read.
    """
    from ..conformance.lockstep import Divergence
    from ..conformance.recording import UnreadableRecording, is_unfinished
    from ..conformance.trial import Trial
    from .refusals import Refused

    trial = Trial()
    begin = time.monotonic()
    progress = _progress(quiet=quiet or as_json)
    path = files[0]
    try:
        for path in files:
            _follow(path, trial, progress)
    except UnreadableRecording as error:
        raise Refused(str(error)) from error
    except Divergence as divergence:
        return _diverged(trial.report(divergence, str(path)), as_json=as_json)
    finally:
        if progress is not None:
            progress.close()
    unfinished = [path for path in files if is_unfinished(path)]
    _allowed(trial, time.monotonic() - begin, unfinished, as_json=as_json)
    return 0


def _progress(*, quiet: bool) -> Any:
    from ..reports.progress import CountLine

    return None if quiet else CountLine("validate", "steps")


def _follow(path: Path, trial: Trial, progress: Any) -> None:
    from ..conformance.recording import read_recording

    for event in read_recording(path):
        trial(event)
        if progress is not None:
            progress(trial.steps_count)


def _allowed(trial: Trial, seconds: float, unfinished: list[Path], *, as_json: bool) -> None:
    counts = trial.counts()
    if as_json:
        _print_json(
            {
                "verdict": "allowed",
                "steps": trial.steps_count,
                "logs": counts["log"],
                "groups": counts["group"],
                "pools": counts["worker_pool"],
                "unfinished": [str(path) for path in unfinished],
                "seconds": round(seconds, 3),
            }
        )
        return
    subjects = f"{_counted(counts['log'], 'log')} and {_counted(counts['group'], 'group')}"
    if counts["worker_pool"]:
        subjects += f" and {_counted(counts['worker_pool'], 'worker pool')}"
    typer.echo(f"{_counted(trial.steps_count, 'step')} of {subjects}: as the specification allows")
    for path in unfinished:
        typer.echo(
            f"{path} ends within a line, which was not looked at: the broker was killed there"
        )


def _diverged(report: Report, *, as_json: bool) -> int:
    from ..reports.outcome import ExitCode

    if as_json:
        _print_json({"verdict": "diverged", **report.as_json()})
    else:
        typer.echo(report.text())
    return int(ExitCode.BAD)


def _print_json(fields: dict[str, Any]) -> None:
    typer.echo(json.dumps(fields))


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing if count == 1 else thing + 's'}"
