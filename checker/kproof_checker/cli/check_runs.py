"""Running checks and telling what they found, one or the whole catalogue."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from ..interrupts import Uninterrupted
from ..options import CheckOptions, Reporter
from ..reports.files import CannotWrite, TraceFolder, write_report
from ..reports.outcome import ExitCode, Outcome, worst
from ..reports.progress import ProgressLine
from ..reports.wording import variant_name
from ..verdicts import CheckResult, Stop
from .plans import Plan, run_check


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


def run_one(plan: Plan, options: CheckOptions, report: Report) -> int:
    """Checks one model and tells everything about it."""
    traces = TraceFolder(report.trace_dir, witnesses=report.witness_traces, source=plan.source)
    outcome = _outcome(plan, _searched(plan, options, report), options, traces)
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


def run_catalogue(
    plans: Sequence[Plan], options: CheckOptions, report: Report, jobs: int = 1
) -> int:
    """Runs every check, `jobs` at a time, and holds it against what is expected.

    What is told does not depend on the number of jobs, but for the times.
    """
    from ..reports import as_json, catalogue, text
    from ..reports.screen import Screen

    started = time.perf_counter()
    screen = Screen()
    traces = TraceFolder(report.trace_dir, witnesses=report.witness_traces)
    has_table = not report.is_json and not report.is_quiet
    if has_table:
        screen.show(catalogue.header())
    outcomes: list[Outcome] = []
    for plan, result in _results(plans, options, report, jobs):
        with Uninterrupted() as interrupted:  # What is done is told.
            outcome = _outcome(plan, result, options, traces)
            outcomes.append(outcome)
            if report.is_json:
                _print_line(as_json.line(outcome))
            elif has_table:
                screen.show(*catalogue.row(outcome))
        if interrupted.was:
            break
    codes = [outcome.code for outcome in outcomes]
    if len(outcomes) < len(plans):
        codes.append(ExitCode.UNKNOWN)
    code = worst(codes)
    if not report.is_json:
        details = text.problems(outcomes) if has_table else []
        seconds = time.perf_counter() - started
        ending = catalogue.conclusion(outcomes, len(plans), code, seconds)
        screen.show(*details)
        screen.show("", *ending) if has_table else screen.show(ending[-1])
    return _finish(outcomes, code, report, traces)


def _results(
    plans: Sequence[Plan], options: CheckOptions, report: Report, jobs: int
) -> Iterator[tuple[Plan, CheckResult]]:
    """The plans with their results, in order; fewer if it was interrupted."""
    if jobs > 1 and len(plans) > 1:
        yield from _side_by_side(plans, options, report, jobs)
        return
    for plan in plans:
        try:
            result = _searched(plan, options, report)
        except KeyboardInterrupt:  # Before the search began; what is done stays done.
            return
        yield plan, result
        if result.stop is Stop.INTERRUPTED:
            return


def _side_by_side(
    plans: Sequence[Plan], options: CheckOptions, report: Report, jobs: int
) -> Iterator[tuple[Plan, CheckResult]]:
    from .jobs import Jobs

    found: dict[int, CheckResult | Exception] = {}
    told = 0
    try:
        for number, result in Jobs(plans, options, jobs, report.is_quiet).results():
            found[number] = result
            while told in found:
                yield plans[told], _unless_raised(found.pop(told))
                told += 1
    except KeyboardInterrupt:
        for number in sorted(found):  # What is done stays done.
            yield plans[number], _unless_raised(found[number])


def _unless_raised(result: CheckResult | Exception) -> CheckResult:
    if isinstance(result, Exception):
        raise result
    return result


def _searched(plan: Plan, options: CheckOptions, report: Report) -> CheckResult:
    progress = ProgressLine(variant_name(plan.machine))
    reporter: Reporter = (lambda _: None) if report.is_quiet else progress
    try:
        return run_check(plan.machine, options, reporter)
    finally:
        progress.close()


def _outcome(
    plan: Plan, result: CheckResult, options: CheckOptions, traces: TraceFolder
) -> Outcome:
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
