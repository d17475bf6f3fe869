"""A check as one JSON object on one line.  Other programs read it: names are added, not changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kproof_spec.lang.keys import shown

from ..verdicts import PropertyResult
from .outcome import Outcome
from .wording import variant_name, warnings_of


def line(outcome: Outcome) -> str:
    """The object's text, without a line end."""
    return json.dumps(as_object(outcome), ensure_ascii=False)


def as_object(outcome: Outcome) -> dict[str, Any]:
    """The object itself."""
    result = outcome.result
    model = result.machine.model
    deadlock = result.deadlock
    return {
        "model": model.name,
        "variant": variant_name(result.machine),
        "mutant": model.mutant_name or None,
        "title": outcome.title or model.title,
        "constants": result.machine.scope.constants,
        "engine": result.engine,
        "symmetry": result.symmetry,
        "distinct": int(result.distinct),
        "generated": int(result.generated),
        "depth": int(result.depth),
        "complete": result.is_complete,
        "stopped": outcome.stopped,
        "seconds": round(result.seconds, 6),
        "cpu_seconds": round(result.cpu_seconds, 6),
        "actions": {name: int(times) for name, times in result.actions.items()},
        "deadlocks": int(result.deadlocks),
        "deadlock": None
        if deadlock is None
        else {"states_in_trace": deadlock.length, "trace": outcome.traces.get("deadlock")},
        "properties": {
            name: _property(outcome, found) for name, found in result.properties.items()
        },
        "state_bytes": result.state_bytes,
        "profile": None if result.profile is None else asdict(result.profile),
        "spec_error": _fault(outcome),
        "warnings": warnings_of(result),
        "expected": None if outcome.expected is None else dict(outcome.expected),
        "as_expected": outcome.is_as_expected,
        "exit_code": int(outcome.code),
    }


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with values that JSON has: numbers and truth values stay, the rest by name."""
    return {
        name: value if isinstance(value, bool | int) else shown(value)
        for name, value in arguments.items()
    }


def _property(outcome: Outcome, found: PropertyResult) -> dict[str, Any]:
    trace = found.trace
    return {
        "kind": found.claim.kind.value,
        "verdict": found.verdict.value,
        "states_in_trace": None if trace is None else trace.length,
        "trace": outcome.traces.get(found.name),
        "arguments": {} if trace is None else plain_arguments(trace.claim.arguments),
        "note": found.note,
    }


def _fault(outcome: Outcome) -> dict[str, Any] | None:
    fault = outcome.result.fault
    if fault is None:
        return None
    return {
        "message": fault.message,
        "where": fault.where,
        "step": fault.step,
        "states_in_trace": None if fault.trace is None else fault.trace.length,
        "trace": outcome.traces.get("spec_error"),
    }
