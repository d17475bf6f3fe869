"""Actions that only a bound of the scope keeps from happening.

A bound makes exploration finite; it is no part of the protocol.  Where a fair action is impossible
only because a bound is used up, a run may be "stuck" that in truth goes on, and "at last" may be
true only because everything stops.  So liveness is claimed only where there is no such state.

Each action is extracted once more with its bounds unlimited.  Where that can happen (or would leave
its range) and the bounded one cannot, the bound is what is in the way.

A violation is claimed all the same where the run does not lean on a bound: there the blocked action
counts as possible, so a run that never takes it is not fair.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from kproof_spec.lang import Instance, Machine, Misuse
from kproof_spec.lang.quantities import UNLIMITED

from ..engines.base import HasRows
from ..extraction.decisions import DISABLED
from ..extraction.extract import Extracted, Extractor
from .state_graph import Mask, StateMasks


@dataclass(frozen=True)
class Blocked:
    """An action instance, and the states in which a bound alone keeps it from happening."""

    instance: Instance
    states: Mask


def blocked_by_bounds(
    machine: Machine[Any], extracted: Extracted, engine: HasRows, names: Collection[str]
) -> list[Blocked]:
    """The instances of the actions `names` that a bound alone makes impossible in some state."""
    unlimited = {c: UNLIMITED if c.is_bound else v for c, v in machine.scope.values.items()}
    extractor = Extractor(machine, values=unlimited)
    found = []
    for instance, dag in extracted.actions:
        if instance.definition.name not in names:
            continue
        blocked = StateMasks(engine, [dag]).where(dag, lambda outcome: outcome is DISABLED)
        try:
            free = extractor.action(instance)
        except Misuse:
            pass  # It counts up to the bound: then nobody can tell, and the bound is to blame.
        else:
            if free is DISABLED:
                continue
            masks = StateMasks(engine, [free])
            blocked &= masks.where(free, lambda outcome: outcome is not DISABLED)
        if blocked.any():
            found.append(Blocked(instance, blocked))
    return found
