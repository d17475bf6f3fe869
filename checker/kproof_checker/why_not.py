"""Why an action is not possible: the first `require` that fails, and the values it saw.

This is the question that everybody asks of a model sooner or later.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from kproof_spec.lang import Definition, Disabled, Machine
from kproof_spec.lang.keys import shown_arguments

from .clauses import ASSIGNED, Clause, Reader
from .sources import assigned_once, call_at, is_spec_code, line_of, short_position, source_of


@dataclass(frozen=True)
class Refusal:
    """The guard that makes an action impossible in a state."""

    step: str
    """The action instance: `leader_write(leader=b0)`."""
    clause: Clause
    """The `require` that failed."""
    chain: tuple[str, ...] = ()
    """If it is in a helper: who called whom, from the action on, each as `name (path:line)`."""

    @property
    def message(self) -> str:
        """The answer for people, of a few lines."""
        lines = [f"{self.step} is not possible:"]
        source = self.clause.source.splitlines() or [""]
        lines.append(f"  {self.clause.position}: {source[0]}")
        # The rest of a long call stands below its first line, as it does in the file.
        margin = " " * (len(self.clause.position) + 4)
        lines += [margin + line for line in source[1:]]
        if self.chain:
            lines.append(f"  called by {' > '.join(self.chain)}")
        lines += [f"    {reading}" for reading in self.clause.readings]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message


def why_not(
    machine: Machine[Any],
    codes: tuple[int, ...],
    definition: Definition,
    arguments: Mapping[str, Any],
) -> Refusal | None:
    """The `require` that fails first, or None if the action is possible.

    A `SpecError` if the action is a specification error in this state.
    """
    # A state of its own: whatever happens to it here, nobody else sees it.
    state = machine.load(codes)
    values = [arguments[name] for name in definition.parameters]
    try:
        machine._call(definition.function, state, *values)
    except Disabled as refused:
        step = f"{definition.name}({shown_arguments(arguments)})"
        return refusal(machine, state, step, refused.__traceback__)
    return None


def refusal(
    machine: Machine[Any], state: Any, step: str, traceback: TracebackType | None
) -> Refusal:
    frames = []
    while traceback is not None:
        if is_spec_code(traceback.tb_frame.f_code):
            frames.append(traceback)
        traceback = traceback.tb_next
    assert frames, "an action is a function of a specification"
    innermost = frames[-1]
    path = innermost.tb_frame.f_code.co_filename
    chain = [
        f"{at.tb_frame.f_code.co_name} "
        f"({short_position(at.tb_frame.f_code.co_filename, at.tb_lineno)})"
        for at in frames[:-1]
    ]
    call = call_at(innermost.tb_frame, innermost.tb_lineno, innermost.tb_lasti)
    if call is None:
        line = innermost.tb_lineno
        return Refusal(step, Clause(path, line, line_of(path, line), ()), tuple(chain))
    names = {
        **innermost.tb_frame.f_globals,
        **innermost.tb_frame.f_locals,
        ASSIGNED: assigned_once(path, innermost.tb_lineno),
    }
    condition = call.args[0] if call.args else _keyword(call)
    readings = []
    if condition is not None:
        with machine.in_scope():
            readings = list(Reader(machine, state).readings(condition, names))
    clause = Clause(path, call.lineno, source_of(path, call), tuple(readings))
    return Refusal(step, clause, tuple(chain))


def _keyword(call: ast.Call) -> ast.expr | None:
    return call.keywords[0].value if call.keywords else None
