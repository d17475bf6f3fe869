"""The sentences that every report is made of.  Each "holds" comes with its bounds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kproof_spec.lang import Machine
from kproof_spec.lang.keys import shown_arguments

from ..traces.trace import ClaimKind, Trace
from ..verdicts import CheckResult, PropertyResult, Stop, Verdict

STEPS_SHOWN = 15
"""Longer traces are cut in the middle: the file has them whole."""


def number(value: int) -> str:
    """A whole number as people read it: `97,531`."""
    return f"{value:,}"


def counted(value: int, thing: str, things: str = "") -> str:
    """`1 state`, `2 states`."""
    return f"{number(value)} {thing if value == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
    """Seconds for people: `0.42 s`, `12.3 s`, `3 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def memory(size: int) -> str:
    """Bytes for people: `1.5 GB`, in powers of 1024."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.1f} GB"
    return f"{size / (1 << 20):.0f} MB"


def scope_text(constants: Mapping[str, int]) -> str:
    """`replicas=3, log_size=2`."""
    return ", ".join(f"{name}={value}" for name, value in constants.items()) or "no constants"


def variant_name(machine: Machine[Any]) -> str:
    """The variant's id; a model without variants has one, named like the model."""
    return machine.model.variant or machine.model.name


def subject(machine: Machine[Any]) -> str:
    """`replication, variant kip_320, mutant x`."""
    return repr(machine.model)


def states_text(result: CheckResult) -> str:
    """How many states, and whether they were counted up to renaming."""
    up_to = " (up to renaming of ids)" if result.symmetry else ""
    return f"{counted(result.distinct, 'state')}{up_to}"


def verdict_text(result: CheckResult, found: PropertyResult) -> str:
    """What a verdict means, with its bounds: the part of the line after the verdict's word."""
    scope = scope_text(result.machine.scope.constants)
    match found.verdict:
        case Verdict.EXHAUSTED:
            text = f"holds in all {states_text(result)} of {scope}"
            if found.claim.kind.is_liveness:
                text = f"comes true on every fair run of {scope}"
        case Verdict.VIOLATED:
            text = _settled_by(found)
        case Verdict.REACHED:
            text = _settled_by(found)
        case Verdict.UNREACHABLE:
            text = f"in none of the {states_text(result)} of {scope}: is the scope too small?"
        case Verdict.BOUNDED:
            text = f"not violated in what was visited of {scope}: {found.note or result.stop.value}"
        case Verdict.WALKED:
            text = found.note or f"not violated on any walk, in {scope}"
        case Verdict.UNCHECKED:
            text = found.note or f"{found.claim.kind.value} properties are not checked here"
        case Verdict.UNKNOWN:
            text = found.note or f"not settled: {result.stop.value}"
    if found.note and found.note not in text:
        text = f"{text} ({found.note})"
    return text


def _settled_by(found: PropertyResult) -> str:
    if found.trace is None:
        return "settled, but there is no trace"
    arguments = shown_arguments(found.trace.claim.arguments)
    where = f", for {arguments}" if arguments else ""
    return f"by a trace of {counted(found.trace.length, 'state')}{where}"


def steps_text(trace: Trace, most: int | None = STEPS_SHOWN) -> list[str]:
    """The steps, numbered by the state that each leads to; the middle is left out if long.

    States are counted from 1, the initial one, as `kproof explain` does.
    """
    lines = ["   1  (the initial state)"]
    lines += [
        f"{i:>4}  {step.action}({shown_arguments(step.arguments)})"
        for i, step in enumerate(trace.steps, 2)
    ]
    if trace.claim.kind is ClaimKind.NEVER:
        again = trace.claim.state % trace.length + 1
        stands = again == trace.length
        lines.append("      and so it stays" if stands else f"      and again from state {again}")
    if most is None or len(lines) <= most:
        return lines
    first = most // 2
    last = most - first - 1
    left_out = len(lines) - first - last
    return [*lines[:first], f" ...  {left_out} more steps", *lines[-last:]]


def warnings_of(result: CheckResult) -> list[str]:
    """The warnings of a check, one for each action that never fires included."""
    found = list(result.warnings)
    if not result.is_settled:
        return found
    for name, times in result.actions.items():
        is_told = any(re.search(rf"\b{re.escape(name)}\b", warning) for warning in found)
        if times == 0 and not is_told and not (result.stop is Stop.SETTLED and result.distinct):
            found.append(f"action {name} was possible in no state that was looked at")
    return found


def split_place(where: str) -> tuple[str, int]:
    """`path:line` as path and line; the line is 1 if there is none."""
    path, colon, line = where.rpartition(":")
    return (path, int(line)) if colon and line.isdigit() else (where, 1)


def near(path: str) -> str:
    """A path as seen from here if it lies below, else as it is."""
    if not path:
        return path
    try:
        relative = os.path.relpath(path)
    except ValueError:  # Another drive.
        return path
    return path if relative.startswith("..") else Path(relative).as_posix()


def place_text(where: str) -> str:
    """`path:line` as seen from here."""
    path, colon, line = where.rpartition(":")
    return f"{near(path)}:{line}" if colon and line.isdigit() else near(where)


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names for a message, cut where they are many."""
    if not names:
        return "none"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
