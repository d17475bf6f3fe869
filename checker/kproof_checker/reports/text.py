"""A check as text for a plain terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from rich.text import Text

from kproof_spec.lang.keys import shown_arguments

from ..traces.trace import Trace
from ..verdicts import CheckResult, PropertyResult, Verdict
from .findings import findings, place_of
from .outcome import ExitCode, Outcome
from .wording import (
    counted,
    duration,
    listed,
    near,
    number,
    place_text,
    scope_text,
    states_text,
    steps_text,
    subject,
    verdict_text,
    warnings_of,
)

STYLES = {
    Verdict.EXHAUSTED: "green",
    Verdict.REACHED: "green",
    Verdict.WALKED: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.UNREACHABLE: "bold red",
    Verdict.BOUNDED: "yellow",
    Verdict.UNKNOWN: "yellow",
    Verdict.UNCHECKED: "yellow",
}

CODE_STYLES = {
    ExitCode.GOOD: "bold green",
    ExitCode.BAD: "bold red",
    ExitCode.USAGE: "bold red",
    ExitCode.UNKNOWN: "bold yellow",
    ExitCode.SPEC_ERROR: "bold red",
}


def report(outcome: Outcome) -> list[Text]:
    """The whole report, line by line, the summary last."""
    result = outcome.result
    lines = heading(outcome)
    for found in result.properties.values():
        lines += _property(result, found)
    shown: dict[tuple[str, ...], str] = {}
    for found in result.properties.values():
        if found.trace is not None and found.verdict.is_bad:
            same = shown.setdefault(tuple(steps_text(found.trace, most=None)), found.name)
            lines += [Text(), *_violation(outcome, found, found.trace, same)]
    lines += _fault(outcome)
    if result.profile is not None:
        from .profile_table import table

        lines += [Text(), *map(Text, table(result.profile))]
    lines += _rest(outcome)
    return [*lines, Text(), summary(outcome)]


def heading(outcome: Outcome) -> list[Text]:
    """Which model in which scope, and how much was visited."""
    result = outcome.result
    scope = scope_text(result.machine.scope.constants)
    counts = (
        f"{states_text(result)}, {number(result.generated)} generated, depth {number(result.depth)}"
    )
    if outcome.walks:
        counts = f"{counted(outcome.walks, 'walk')} through {counted(result.generated, 'state')}"
    is_whole = result.is_complete or (outcome.walks and result.is_settled)
    ending = "" if is_whole else f"; not everything was visited: {outcome.stopped}"
    lines = [Text.assemble((subject(result.machine), "bold"), f" in scope {scope}")]
    title = outcome.title or result.machine.model.title
    if title:
        lines += _wrapped(title, "  ", "  ")
    took = f"{duration(result.seconds)} with engine {result.engine}"
    size = f", {result.state_bytes} bytes a state" if result.state_bytes else ""
    lines += _wrapped(f"{counts}, {took}{size}{ending}", "  ", "  ")
    if result.properties:
        lines.append(Text())
    return lines


def _property(result: CheckResult, found: PropertyResult) -> list[Text]:
    word = found.verdict.value
    lines = _wrapped(f"{found.name}: {verdict_text(result, found)}", f"  {word:<11}  ", " " * 15)
    lines[0].stylize(STYLES[found.verdict], 2, 2 + len(word))
    return lines


def _violation(outcome: Outcome, found: PropertyResult, trace: Trace, same: str) -> list[Text]:
    verb = "is violated" if found.verdict is Verdict.VIOLATED else f"is {found.verdict.value}"
    arguments = shown_arguments(trace.claim.arguments)
    after = f"after {counted(len(trace.steps), 'step')}" if trace.steps else "in the initial state"
    lines = [
        Text.assemble(
            (f"{found.name} {verb}", "bold red"),
            f" {'for ' + arguments + ' ' if arguments else ''}{after}"
            f" ({counted(trace.length, 'state')}):",
        )
    ]
    if found.claim.definition.title:
        lines += _wrapped(found.claim.definition.title, "  ", "  ")
    path, line = found.claim.definition.position
    lines.append(Text(f"  {near(path)}:{line}", "dim"))
    if same == found.name:
        lines += [Text(f"  {step}") for step in steps_text(trace)]
    else:
        lines.append(Text(f"  by the steps that violate {same}, above"))
    return lines + _where_next(outcome.traces.get(found.name))


def _where_next(path: str | None) -> list[Text]:
    if path is None:
        return []
    return [
        Text(f"  trace: {path}"),
        Text.assemble("  next:  ", (f"kproof explain {path}", "bold")),
    ]


def _fault(outcome: Outcome) -> list[Text]:
    fault = outcome.result.fault
    if fault is None:
        return []
    lines = [Text(), Text("The specification is in error", "bold red")]
    lines += _wrapped(fault.message, "  ", "  ")
    if fault.step:
        lines.append(Text(f"  in {fault.step}"))
    if fault.where:
        lines.append(Text(f"  at {place_text(fault.where)}"))
    if fault.trace is not None:
        after = counted(len(fault.trace.steps), "step")
        lines.append(Text(f"  after {after}:" if fault.trace.steps else "  in the initial state"))
        if fault.trace.steps:
            lines += [Text(f"  {step}") for step in steps_text(fault.trace)]
    return lines + _where_next(outcome.traces.get("spec_error"))


def _rest(outcome: Outcome) -> list[Text]:
    """Coverage, deadlocks, the mutant's promise and the warnings."""
    result = outcome.result
    lines: list[Text] = []
    if result.actions:
        fired = sum(1 for times in result.actions.values() if times)
        lines += [Text(), Text(f"  actions    {fired} of {len(result.actions)} happen")]
    if result.deadlocks:
        trace = outcome.traces.get("deadlock")
        lines.append(
            Text(
                f"  deadlocks  {counted(result.deadlocks, 'state')} in which nothing is possible, "
                "which may be meant"
            )
        )
        lines += [Text(f"             nearest: {trace}")] if trace else []
    lines += _mutant(result)
    for warning in warnings_of(result):
        found = _wrapped(warning, "  warning: ", "           ")
        found[0].stylize("yellow", 2, 10)
        lines += found
    for name in outcome.missing:
        lines.append(Text(f"  {name} was not checked, but a verdict on it is expected", "bold red"))
    return lines


def _mutant(result: CheckResult) -> list[Text]:
    model = result.machine.model
    mutant = model.mutants.get(model.mutant_name) if model.mutant_name else None
    if mutant is None:
        return []
    found = result.properties.get(mutant.breaks)
    broken = found is not None and found.verdict is Verdict.VIOLATED
    outcome = "and it does" if broken else "but in this search it does not"
    return [Text(f"  mutant     {mutant.name} is meant to break {mutant.breaks}, {outcome}")]


def summary(outcome: Outcome) -> Text:
    """The last line: what to remember."""
    return Text(_summary_text(outcome), CODE_STYLES[outcome.code])


def _summary_text(outcome: Outcome) -> str:
    result = outcome.result
    scope = scope_text(result.machine.scope.constants)
    match outcome.code:
        case ExitCode.SPEC_ERROR:
            where = f" at {place_text(result.fault.where)}" if result.fault else ""
            return f"Specification error{where}: no verdict holds until it is mended."
        case ExitCode.BAD:
            bad = [f.headline for f in findings(outcome) if f.code is ExitCode.BAD]
            return f"Bad: {listed(bad)}."
        case ExitCode.UNKNOWN:
            if not result.is_settled:
                return (
                    f"Unknown: {result.stop.value} after {_seen(outcome)} "
                    f"of {scope}; nothing wrong was seen until then."
                )
            open_ones = [f.headline for f in findings(outcome) if f.code is ExitCode.UNKNOWN]
            return f"Unknown: {listed(open_ones)}."
    return f"Good: {_good_text(outcome)} of {scope}."


def _seen(outcome: Outcome) -> str:
    if outcome.walks:
        looked = counted(outcome.result.generated, "state")
        return f"{counted(outcome.walks, 'random walk')} through {looked}"
    return states_text(outcome.result)


def _good_text(outcome: Outcome) -> str:
    result = outcome.result
    verdicts = [found.verdict for found in result.properties.values()]
    parts = []
    holding = verdicts.count(Verdict.EXHAUSTED)
    if holding:
        parts.append(counted(holding, "property holds", "properties hold"))
    walked = verdicts.count(Verdict.WALKED)
    if walked:
        parts.append(f"{counted(walked, 'property', 'properties')} not violated on any walk")
    reached = verdicts.count(Verdict.REACHED)
    if reached:
        parts.append(f"{counted(reached, 'witness', 'witnesses')} reached")
    broken = verdicts.count(Verdict.VIOLATED)
    if broken:
        parts.append(f"{counted(broken, 'violation')} found as expected")
    parts = parts or ["no property was asked for"]
    return f"{', '.join(parts)}, in {_seen(outcome)}"


def problems(outcomes: Iterable[Outcome]) -> list[Text]:
    """For a catalogue: each finding with its steps, after the table."""
    lines: list[Text] = []
    for outcome in outcomes:
        for finding in findings(outcome):
            lines += [Text(), Text(finding.headline, "bold red" if finding.is_error else "yellow")]
            lines += _wrapped(finding.message, "  ", "  ")
            place = place_of(finding)
            if place:
                lines.append(Text(f"  {place}", "dim"))
            if finding.trace is not None:
                lines += [Text(f"  {step}") for step in steps_text(finding.trace)]
            lines += _where_next(finding.trace_path or None)
    return lines


def _wrapped(text: str, first: str, rest: str, width: int = 100) -> list[Text]:
    found = textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Text(line) for line in found] or [Text(first.rstrip())]
