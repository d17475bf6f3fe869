"""Traces as files: ITF JSON, the format that Apalache, Quint and trace viewers read.

Apalache's ADR-015 says what a state looks like; `itf_values` does that part.  What the format has
no place for is in `#meta`: at the top the model, its variant and constants, the version of the
specification and what the trace claims to show; with each state the action that led to it, its
arguments, and what changed.  `changed` is there for readers and is not read back.

Writing is here, reading in `itf_reader`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kproof_spec.lang import Definition, Machine
from kproof_spec.lang.domains import domain_of
from kproof_spec.lang.keys import shown_arguments

from .files import CannotWrite, write_text
from .itf_reader import UnreadableTrace, claimed_definition, field_names, read_trace
from .itf_values import Json, encode
from .trace import ClaimKind, Trace

FORMAT_DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"

LINE_LENGTH = 100


def write_trace(trace: Trace, machine: Machine[Any], path: Path) -> None:
    """Stores a trace of `machine`, whole or not at all; a `CannotWrite` error if it cannot be."""
    write_text(path, trace_text(trace, machine))


def trace_text(trace: Trace, machine: Machine[Any]) -> str:
    """The text of a trace's file."""
    fields = field_names(machine)
    states = []
    for index, codes in enumerate(trace.states):
        meta: dict[str, Json] = {"index": index}
        if index > 0:
            step = trace.steps[index - 1]
            definition = machine.model.actions[step.action]
            meta["action"] = step.action
            meta["arguments"] = _encoded(machine, definition, step.arguments)
            meta["changed"] = _changed(machine, trace.states[index - 1], codes)
        states.append({"#meta": meta, **encode(machine.domain, machine.load(codes))})
    document: dict[str, Json] = {
        "#meta": _meta(trace, machine),
        "vars": list(fields),
        "states": states,
    }
    if trace.claim.kind is ClaimKind.NEVER:
        document["loop"] = trace.claim.state % trace.length
    return "\n".join(_lines(document)) + "\n"


def _meta(trace: Trace, machine: Machine[Any]) -> dict[str, Json]:
    claim = trace.claim
    definition = claimed_definition(machine, claim)
    return {
        "format": "ITF",
        "format-description": FORMAT_DESCRIPTION,
        "description": _description(trace),
        "kproof_version": _kproof_version(),
        "model": trace.model,
        "variant": trace.variant,
        "mutant": trace.mutant,
        "constants": dict(trace.constants),
        "spec_hash": trace.spec_hash,
        "claim": {
            "kind": claim.kind.value,
            "name": claim.name,
            "arguments": _encoded(machine, definition, claim.arguments) if definition else {},
            "state": claim.state % trace.length,
        },
        # A list of lines, so that a change of the story is a change of few lines.
        "story": trace.story.split("\n") if "\n" in trace.story else trace.story,
    }


def _description(trace: Trace) -> str:
    claim = trace.claim
    where = f"state {claim.state % trace.length + 1} of {trace.length}"
    what = f"{claim.name}({shown_arguments(claim.arguments)})"
    match claim.kind:
        case ClaimKind.VIOLATES:
            return f"{where} breaks {what}"
        case ClaimKind.REACHES:
            return f"{where} reaches {what}"
        case ClaimKind.DEADLOCKS:
            return f"nothing is possible in {where}"
        case ClaimKind.FAILS:
            return f"{what} is a specification error in {where}"
        case ClaimKind.NEVER:
            return f"from {where} round for ever, and {what} never comes true"
        case ClaimKind.RUN:
            return f"a run of {trace.length} states"


def _kproof_version() -> str:
    try:
        return version("kproof")
    except PackageNotFoundError:
        return "not installed"


def _encoded(
    machine: Machine[Any], definition: Definition, arguments: Mapping[str, Any]
) -> dict[str, Json]:
    return {
        name: encode(domain_of(sort, machine.scope), arguments[name])
        for name, sort in definition.parameters.items()
    }


def _changed(
    machine: Machine[Any], before: tuple[int, ...], after: tuple[int, ...]
) -> dict[str, Json]:
    return {
        leaf.label: {
            "before": encode(leaf.domain, leaf.domain.decode(old)),
            "after": encode(leaf.domain, leaf.domain.decode(new)),
        }
        for leaf, old, new in zip(machine.leaves, before, after, strict=True)
        if old != new
    }


def _lines(value: Json, indent: str = "", prefix: str = "", suffix: str = "") -> Iterator[str]:
    """JSON with everything on one line that fits on one, so that a difference is easy to read."""
    flat = json.dumps(value, ensure_ascii=False)
    line = f"{indent}{prefix}{flat}{suffix}"
    is_scalar = not isinstance(value, dict | list) or not value
    if is_scalar or (indent and len(line) <= LINE_LENGTH):
        yield line
        return
    deeper, last = indent + "  ", len(value) - 1
    if isinstance(value, dict):
        yield f"{indent}{prefix}{{"
        for i, (key, item) in enumerate(value.items()):
            name = f"{json.dumps(key, ensure_ascii=False)}: "
            yield from _lines(item, deeper, name, "," if i < last else "")
        yield f"{indent}}}{suffix}"
    else:
        yield f"{indent}{prefix}["
        for i, item in enumerate(value):
            yield from _lines(item, deeper, "", "," if i < last else "")
        yield f"{indent}]{suffix}"


__all__ = ["CannotWrite", "UnreadableTrace", "read_trace", "trace_text", "write_trace"]
