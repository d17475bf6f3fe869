"""Actions that only a bound of the scope keeps from happening.

A bound makes exploration finite; it is no part of the protocol.  Where a fair action is impossible
only because a bound is used up, a run may be "stuck" that in truth goes on, and "at last" may be
true only because everything stops.  So liveness is claimed only where there is no such state.

Each action is extracted once more with its bounds unlimited.  Where that can happen (or would leave
its range) and the bounded one cannot, the bound is what is in the way.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from kproof_spec.lang import Machine
from kproof_spec.lang.quantities import UNLIMITED

from ..engines.base import HasRows
from ..extraction.decisions import DISABLED
from ..extraction.extract import Extracted, Extractor
from .state_graph import StateMasks


@dataclass(frozen=True)
class Blocked:
    """An action, in how many states some instance of it is blocked, and one of those states."""

    action: str
    states: int
    example: int


def blocked_by_bounds(
    machine: Machine[Any], extracted: Extracted, engine: HasRows, names: Collection[str]
) -> list[Blocked]:
    """The actions among `names` that a bound alone makes impossible in some state."""
    unlimited = {c: UNLIMITED if c.is_bound else v for c, v in machine.scope.values.items()}
    extractor = Extractor(machine, values=unlimited)
    found: dict[str, Any] = {}
    for instance, dag in extracted.actions:
        name = instance.definition.name
        if name not in names:
            continue
        free = extractor.action(instance)
        if free is DISABLED:
            continue
        everywhere = StateMasks(engine, [dag, free])
        possible = everywhere.where(free, lambda outcome: outcome is not DISABLED)
        blocked = possible & everywhere.where(dag, lambda outcome: outcome is DISABLED)
        if blocked.any():
            found[name] = found.get(name, False) | blocked
    return [Blocked(name, int(m.sum()), int(m.argmax())) for name, m in found.items()]
