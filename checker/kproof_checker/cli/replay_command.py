"""`kproof replay`: execute traces again, in CPython, and say whether they show what they claim."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kproof_spec.lang import Machine

    from ..reports.outcome import ExitCode
    from ..traces.trace import Trace


class Against(StrEnum):
    """What a trace is replayed on."""

    SPEC = "spec"
    BROKER = "broker"


def replay(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE...", help="Files that end in .itf.json.")
    ],
    against: Annotated[
        Against,
        typer.Option(help="Replay on the specification, or drive the broker along it."),
    ] = Against.SPEC,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each trace.")
    ] = False,
) -> int:
    """Execute traces step by step in CPython, or drive a fresh broker along them.

    A broker has to follow a legal behaviour to its end, and a mutant's counterexample only up to
    the step at which the mutant errs.

    Exit code: 0 each breaks exactly what it claims where it claims it (and the broker does as it
    should), 1 one does not, 2 one cannot be read or there is no driver for its model, 3 the broker
    cannot be brought to a step of one.
    """
    from ..reports.outcome import ExitCode, worst
    from .refusals import Refused
    from .trace_files import load_trace

    codes = [ExitCode.GOOD]
    for path in traces:
        try:
            machine, trace = load_trace(path)
            code, fields = _replayed(machine, trace, against)
        except Refused as error:
            typer.echo(f"kproof: {error}", err=True)
            codes.append(ExitCode(error.code))
            continue
        codes.append(code)
        if as_json:
            typer.echo(json.dumps({"trace": str(path), **fields}))
        else:
            word = {ExitCode.GOOD: "ok", ExitCode.BAD: "FAILED"}.get(code, "unknown")
            typer.echo(f"{word}  {path}: {fields['message']}")
    return int(worst(codes))


def _replayed(
    machine: Machine[Any], trace: Trace, against: Against
) -> tuple[ExitCode, dict[str, Any]]:
    """The exit code of one trace, and what there is to say of it."""
    from ..reports.outcome import ExitCode
    from ..traces.replay import replay as replay_trace

    result = replay_trace(machine, trace)
    fields = {"ok": result.ok, "message": result.message, "failed_at": result.failed_at}
    if not result.ok or against is Against.SPEC:
        return ExitCode.GOOD if result.ok else ExitCode.BAD, fields

    from ..conformance.replay_on_broker import GOOD, Ending, NoDriver, replay_on_broker
    from .refusals import Refused

    try:
        found = replay_on_broker(trace)
    except NoDriver as error:
        raise Refused(str(error)) from error
    is_good = found.ending in GOOD
    fields = {"ok": is_good, "message": found.message(), **found.as_json()}
    if found.ending is Ending.UNDRIVABLE:
        return ExitCode.UNKNOWN, fields
    return ExitCode.GOOD if is_good else ExitCode.BAD, fields
