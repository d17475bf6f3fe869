"""Running checks and telling what they found, one or the whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from kproof_spec.lang import Machine, ScopeError, SpecError

from ..options import CheckOptions, Reporter
from ..reports.files import CannotWrite, TraceFolder, write_report
from ..reports.outcome import ExitCode, Outcome, failed_before_search, worst
from ..reports.progress import ProgressLine
from ..reports.wording import variant_name
from ..verdicts import CheckResult, Stop
from .refusals import Refused
from .subjects import load_model, machine_of


@dataclass(frozen=True)
class Plan:
    """One check to run."""

    machine: Machine[Any]
    expected: Mapping[str, str] | None = None
    title: str = ""
    source: str = ""
    """The path of the file that has the model, if it was named by one."""


@dataclass(frozen=True)
class Report:
    """In which forms to tell the outcome."""

    is_json: bool = False
    is_quiet: bool = False
    junit: Path | None = None
    sarif: Path | None = None
    is_github: bool = False
    trace_dir: Path = Path(".kproof/traces")
    witness_traces: bool = False


SCOPES = ("small", "medium", "all")


def catalogue(scope: str) -> list[Plan]:
    """The checks of the catalogue whose scopes are of this size."""
    from kproof_spec.catalog import CHECKS

    if scope not in SCOPES:
        raise Refused(f"there is no scope {scope}: expected one of {', '.join(SCOPES)}")
    return [
        Plan(machine_of(load_model(c.model, c.variant, c.mutant), c.constants), c.expected, c.title)
        for c in CHECKS
        if scope in (c.size, "all")
    ]


def run_one(plan: Plan, options: CheckOptions, report: Report) -> int:
    """Checks one model and tells everything about it."""
    traces = TraceFolder(report.trace_dir, witnesses=report.witness_traces, source=plan.source)
    outcome = _outcome(plan, options, report, traces)
    return tell_one(outcome, report, traces)


def tell_one(outcome: Outcome, report: Report, traces: TraceFolder) -> int:
    """Tells one outcome in every form that was asked for; gives the exit code."""
    from ..reports import as_json, text
    from ..reports.screen import Screen

    if report.is_json:
        _print_line(as_json.line(outcome))
    elif report.is_quiet:
        Screen().show(text.summary(outcome))
    else:
        Screen().show(*text.report(outcome))
    return _finish([outcome], outcome.code, report, traces)


def run_catalogue(plans: Sequence[Plan], options: CheckOptions, report: Report) -> int:
    """Runs every check and holds it against what is expected."""
    from ..reports import as_json, catalogue, text
    from ..reports.screen import Screen

    screen = Screen()
    traces = TraceFolder(report.trace_dir, witnesses=report.witness_traces)
    has_table = not report.is_json and not report.is_quiet
    if has_table:
        screen.show(catalogue.header())
    outcomes: list[Outcome] = []
    for plan in plans:
        try:
            outcome = _outcome(plan, options, report, traces)
        except KeyboardInterrupt:  # Before the search began; what is done stays done.
            break
        outcomes.append(outcome)
        if report.is_json:
            _print_line(as_json.line(outcome))
        elif has_table:
            screen.show(*catalogue.row(outcome))
        if outcome.result.stop is Stop.INTERRUPTED:
            break
    codes = [outcome.code for outcome in outcomes]
    if len(outcomes) < len(plans):
        codes.append(ExitCode.UNKNOWN)
    code = worst(codes)
    if not report.is_json:
        details = text.problems(outcomes) if has_table else []
        ending = catalogue.conclusion(outcomes, len(plans), code)
        screen.show(*details)
        screen.show("", *ending) if has_table else screen.show(ending[-1])
    return _finish(outcomes, code, report, traces)


def run_check(machine: Machine[Any], options: CheckOptions, reporter: Reporter) -> CheckResult:
    """Checks; a specification that fails before the search gives a result too."""
    from ..check import check
    from ..checkpoint import BadCheckpoint
    from ..engines.base import EngineRefused

    try:
        return check(machine, options, reporter)
    except SpecError as error:
        return failed_before_search(machine, error, options.engine)
    except (BadCheckpoint, EngineRefused) as error:
        raise Refused(str(error)) from error
    except ScopeError as error:
        raise Refused(f"{machine.model!r}: {error}") from error


def _outcome(plan: Plan, options: CheckOptions, report: Report, traces: TraceFolder) -> Outcome:
    progress = ProgressLine(variant_name(plan.machine))
    reporter: Reporter = (lambda _: None) if report.is_quiet else progress
    try:
        result = run_check(plan.machine, options, reporter)
    finally:
        progress.close()
    saved = traces.save(result)
    return Outcome(result, plan.expected, plan.title, saved, options.properties or ())


def _print_line(text: str) -> None:
    typer.echo(text)


def _finish(
    outcomes: Sequence[Outcome], code: ExitCode, report: Report, traces: TraceFolder
) -> int:
    """The reports for other programs, after the verdict was told; their failure is exit code 2."""
    problems = list(traces.problems)
    if report.is_github:
        from ..reports.github import commands

        for line in commands(outcomes):
            typer.echo(line, err=report.is_json)
    for path, is_junit in ((report.junit, True), (report.sarif, False)):
        if path is None:
            continue
        from ..reports import junit, sarif

        document = junit.document(outcomes) if is_junit else sarif.document(outcomes)
        try:
            write_report(path, document)
        except CannotWrite as error:
            problems.append(str(error))
    for problem in problems:
        typer.echo(f"kproof: {problem}", err=True)
    return int(ExitCode.USAGE if problems else code)
