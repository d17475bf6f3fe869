"""GitHub annotations: workflow commands that mark the source line of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from .findings import Finding, findings
from .outcome import Outcome
from .wording import near, steps_text


def commands(outcomes: Iterable[Outcome]) -> list[str]:
    """One command for each finding, `::error` or, where nothing is known, `::warning`."""
    return [_command(finding) for outcome in outcomes for finding in findings(outcome)]


def _command(finding: Finding) -> str:
    level = "error" if finding.is_error else "warning"
    lines = [finding.message]
    if finding.trace is not None:
        lines += steps_text(finding.trace)
    if finding.trace_path:
        lines.append(f"kproof explain {finding.trace_path}")
    place = f"file={_property(near(finding.path))},line={finding.line}," if finding.path else ""
    title = _property(f"kproof: {finding.headline}")
    return f"::{level} {place}title={title}::{_message(chr(10).join(lines))}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
