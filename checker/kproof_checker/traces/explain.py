"""A trace told in words: who did what, what changed, and which clause of the property broke."""

from __future__ import annotations

import textwrap
from typing import Any

from kproof_spec.lang import Definition, Machine, SpecError, Table
from kproof_spec.lang.keys import shown, shown_arguments

from ..clauses import deciding_clause
from ..sources import short_position
from .changes import Change, changes
from .trace import ClaimKind, Trace

WIDTH = 100


def explain(machine: Machine[Any], trace: Trace) -> str:
    """The story of a trace, for people.  It takes the trace at its word: see `replay`."""
    lines = [*_heading(machine, trace), ""]
    lines += ["State 1: the beginning", *_initial(machine, trace)]
    claimed = trace.claim.state % trace.length
    for index in range(trace.length):
        if index > 0:
            lines += ["", *_step(machine, trace, index)]
        if index == claimed and trace.claim.kind is not ClaimKind.RUN:
            lines += ["", *_claim(machine, trace, index)]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _heading(machine: Machine[Any], trace: Trace) -> list[str]:
    named = [
        trace.model,
        trace.variant and f"variant {trace.variant}",
        trace.mutant and f"mutant {trace.mutant}",
    ]
    scope = ", ".join(f"{name}={value}" for name, value in trace.constants.items())
    lines = [f"{', '.join(filter(None, named))} ({scope}): {trace.length} states"]
    story = trace.story or (
        machine.model.mutants[trace.mutant].story if trace.mutant in machine.model.mutants else ""
    )
    for paragraph in story.split("\n\n") if story else []:
        lines += ["", *_wrapped(" ".join(paragraph.split()), "")]
    return lines


def _initial(machine: Machine[Any], trace: Trace) -> list[str]:
    state = machine.load(trace.states[0])
    lines = []
    for name in type(state)._fields:
        value = getattr(state, name)
        # A table of structs is long: one line for each key.
        is_wide = isinstance(value, Table) and len(shown(value)) > WIDTH // 2
        parts = [(f"{name}[{shown(key)}]", value[key]) for key in value] if is_wide else []
        for label, part in parts or [(name, value)]:
            text = f"{label} = {shown(part)}"
            lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent=" " * 8)
    return lines


def _step(machine: Machine[Any], trace: Trace, index: int) -> list[str]:
    step = trace.steps[index - 1]
    definition = machine.model.actions.get(step.action)
    label = f"{step.action}({shown_arguments(step.arguments)})"
    lines = [f"State {index + 1}: {label}"]
    if definition is not None and definition.title:
        lines += _wrapped(definition.title)
    found = changes(machine, trace.states[index - 1], trace.states[index])
    return lines + (_aligned(found) or ["    nothing changes"])


def _aligned(found: list[Change]) -> list[str]:
    """One line for each change; what was and what is stand in columns where they are short."""
    label_width = max((len(change.label) for change in found), default=0) + 1
    befores = [len(change.before) for change in found if change.before]
    before_width = max((n for n in befores if n <= 20), default=0)
    lines = []
    for change in found:
        said = change.after
        if change.before:
            said = f"{change.before:<{before_width}} -> {change.after}"
        lines.append(f"    {change.label + ':':<{label_width}} {said}")
    return lines


def _claim(machine: Machine[Any], trace: Trace, index: int) -> list[str]:
    claim, where = trace.claim, f"State {index + 1}"
    label = f"{claim.name}({shown_arguments(claim.arguments)})"
    match claim.kind:
        case ClaimKind.DEADLOCKS:
            return [f"{where}: nothing is possible any more."]
        case ClaimKind.FAILS:
            return [f"{where}: {label} is an error of the specification.", *_error(machine, trace)]
        case ClaimKind.NEVER:
            return _lasso(machine, trace, index)
        case ClaimKind.VIOLATES:
            heading = f"{where} breaks {label}"
        case _:
            heading = f"{where} reaches {label}"
    lines = [heading]
    claimed = machine.model.properties.get(claim.name)
    if claimed is None:
        return lines
    if claimed.definition.title:
        lines += _wrapped(claimed.definition.title)
    return lines + _clause(machine, trace, index, claimed.definition)


def _lasso(machine: Machine[Any], trace: Trace, index: int) -> list[str]:
    claim = trace.claim
    rest = trace.length - 1 - index
    then = f"the {rest} steps that follow lead back to it" if rest else "the run stands still"
    never = (
        f"{claim.name}({shown_arguments(claim.arguments)}) never comes true, although every action "
        "that has to happen in a fair run does."
    )
    lines = [f"State {index + 1} comes again and again: {then}.", never]
    claimed = machine.model.properties.get(claim.name)
    return lines + (_wrapped(claimed.definition.title) if claimed is not None else [])


def _clause(machine: Machine[Any], trace: Trace, index: int, definition: Definition) -> list[str]:
    arguments = [trace.claim.arguments.get(name) for name in definition.parameters]
    state = machine.load(trace.states[index])
    clause = deciding_clause(machine, state, definition, *arguments)
    lines = [f"  {clause.position}"]
    lines += [f"    {line}" for line in clause.source.splitlines()]
    if clause.readings:
        lines.append("  where")
        lines += [f"    {reading}" for reading in clause.readings]
    return lines


def _error(machine: Machine[Any], trace: Trace) -> list[str]:
    model, claim = machine.model, trace.claim
    action, claimed = model.actions.get(claim.name), model.properties.get(claim.name)
    looks = claimed.definitions if claimed is not None else []
    parameters = [d.parameters for d in ([action] if action is not None else looks)]
    if not parameters or claim.arguments.keys() != parameters[-1].keys():
        return []
    state = machine.load(trace.states[claim.state])
    ordered = {name: claim.arguments[name] for name in parameters[-1]}
    try:
        if action is not None:
            machine.attempt(state, action, ordered)
        else:
            for definition in looks:
                machine.holds(state, definition, ordered)
    except SpecError as error:
        path, _, line = error.where.rpartition(":")
        where = f" ({short_position(path, int(line))})" if line.isdigit() else ""
        return _wrapped(f"{error.message}{where}")
    return []
