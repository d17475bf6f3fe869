"""The catalogue as a table that grows as checks finish, and the sentences below it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ..verdicts import CheckResult, PropertyResult, Verdict
from .outcome import ExitCode, Outcome
from .text import CODE_STYLES
from .wording import counted, duration, number

COLUMNS = (
    ("model and variant", 49, False),
    ("states", 10, True),
    ("depth", 5, True),
    ("seconds", 7, True),
    ("verdicts", 14, False),
)
"""Title, width and whether it is right-aligned; with the gaps between, 93 columns."""


def header() -> Table:
    """The titles of the columns."""
    return _row([Text(title, "bold") for title, _, _ in COLUMNS])


def row(outcome: Outcome) -> list[Table | Text]:
    """One finished check: a line of the table, and below it the scope and the verdicts."""
    result = outcome.result
    scope = " ".join(
        f"{constant}={value}" for constant, value in result.machine.scope.constants.items()
    )
    told = "expected" if outcome.is_as_expected else "NOT expected"
    cells = [
        Text(_name(result), "bold"),
        Text(number(result.distinct) + ("*" if result.symmetry else " ")),
        Text(str(result.depth)),
        Text(f"{result.seconds:.1f}"),
        Text(told, "green" if outcome.is_as_expected else CODE_STYLES[outcome.code]),
    ]
    return [_row(cells), Text(f"    {scope}: {_counts(result)}"), *_violated(outcome)]


def _row(cells: Sequence[Text]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _, width, is_right in COLUMNS:
        table.add_column(width=width, justify="right" if is_right else "left", overflow="fold")
    table.add_row(*cells)
    return table


def _name(result: CheckResult) -> str:
    model = result.machine.model
    name = model.variant or model.name
    return f"{name} + {model.mutant_name}" if model.mutant_name else name


def _counts(result: CheckResult) -> str:
    """`3 exhausted, 6 reached`: what is violated stands on a line of its own."""
    counts = []
    for verdict in Verdict:
        count = sum(found.verdict is verdict for found in result.properties.values())
        if count:
            counts.append(f"{count} {verdict.value}")
    if result.fault is not None:
        counts.append("specification error")
    return ", ".join(counts)


def _violated(outcome: Outcome) -> list[Text]:
    """Which are violated: in another colour if that was expected."""
    line = Text()
    for found in outcome.result.properties.values():
        if found.verdict.is_bad:
            style = "magenta" if outcome.is_expected(found) else "bold red"
            line.append(", " if line else f"    {found.verdict.value}: ")
            line.append(f"{found.name}{_length(found)}", style)
    return [line] if line else []


def _length(found: PropertyResult) -> str:
    return f" in {found.trace.length} states" if found.trace is not None else ""


def conclusion(
    outcomes: Sequence[Outcome], planned: int, code: ExitCode, seconds: float
) -> list[Text]:
    """What was exhausted, what is violated and how shortly, and whether all that was expected.

    `seconds` is how long it took by the clock: checks may have run side by side.
    """
    results = [outcome.result for outcome in outcomes]
    states = sum(result.distinct for result in results)
    told = (
        f"{counted(len(results), 'check')}, {number(states)} states in "
        f"{duration(seconds)}: "
        f"{_count(results, Verdict.EXHAUSTED)} exhausted, "
        f"{_count(results, Verdict.REACHED)} reached, "
        f"{_count(results, Verdict.VIOLATED)} violated."
    )
    lines = [told]
    lines += _told_violations(results) + _told_mutants(results)
    if any(result.symmetry for result in results):
        lines.append("* counted up to renaming of symmetric ids.")
    if len(outcomes) < planned:
        lines.append(f"{planned - len(outcomes)} of {planned} checks were not run.")
    texts = [Text(line) for line in lines]
    return [*texts, Text(_overall(outcomes, planned, code), CODE_STYLES[code])]


def _told_violations(results: Sequence[CheckResult]) -> list[str]:
    """The wrong variants, mutants left out, with the lengths of their shortest counterexamples."""
    told = []
    for result in results:
        broken = [
            f"{found.name} {found.trace.length}"
            for found in result.properties.values()
            if found.verdict is Verdict.VIOLATED and found.trace is not None
        ]
        if broken and not result.machine.model.mutant_name:
            told.append(f"{_name(result)} ({', '.join(broken)})")
    if not told:
        return []
    text = f"Violated, with the states in the shortest counterexample: {'; '.join(told)}."
    return textwrap.wrap(text, 100, break_long_words=False, break_on_hyphens=False)


def _told_mutants(results: Sequence[CheckResult]) -> list[str]:
    mutated = [result for result in results if result.machine.model.mutant_name]
    if not mutated:
        return []
    found_out = 0
    for result in mutated:
        model = result.machine.model
        broken = result.properties.get(model.mutants[model.mutant_name].breaks)
        found_out += broken is not None and broken.verdict is Verdict.VIOLATED
    return [f"{found_out} of {counted(len(mutated), 'mutant')} found out."]


def _count(results: Sequence[CheckResult], verdict: Verdict) -> int:
    return sum(1 for r in results for p in r.properties.values() if p.verdict is verdict)


def _overall(outcomes: Sequence[Outcome], planned: int, code: ExitCode) -> str:
    wrong = sum(1 for outcome in outcomes if not outcome.is_as_expected)
    match code:
        case ExitCode.GOOD:
            return "Every verdict is the expected one."
        case ExitCode.SPEC_ERROR:
            return "A specification is in error: see above."
        case ExitCode.UNKNOWN:
            return f"Unknown: {wrong} of {planned} checks did not come to an end; none is wrong."
    return f"NOT as expected: {counted(wrong, 'check')} of {planned}, see above."
