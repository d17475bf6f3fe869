"""Where a fair run can stay for ever: strongly connected parts, and what fairness asks of them.

A run that stays in a part for ever visits some of its states and takes some of its steps again and
again.  Weak fairness of an action instance asks: it is taken again and again, or it is impossible
again and again.  Strong fairness: it is taken again and again, or from some point on impossible.
A part whose steps do not meet a strong demand is searched again without the states where the
demanded step is possible (Emerson and Lei, 1987; Streett's condition).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .components import components
from .state_graph import Indexes, Mask, StateGraph


@dataclass(frozen=True)
class Demand:
    """What is assumed of an action instance."""

    instance: int
    is_strong: bool
    enabled: Mask
    """The states in which a step of it changes something."""


@dataclass(frozen=True)
class Part:
    """States among which a fair run can go round for ever; one alone where it can stand still."""

    states: Indexes
    edges: Indexes
    """The edges within."""


def fair_parts(graph: StateGraph, allowed: Mask, demands: list[Demand]) -> Iterator[Part]:
    """The largest parts of the allowed states in which some fair run stays for ever."""
    inside, sources = allowed.copy(), graph.sources
    while inside.any():
        kept = np.flatnonzero(inside[sources] & inside[graph.targets])
        larger = components(graph.states, inside, sources[kept], graph.targets[kept])
        rest = np.zeros(graph.states, dtype=np.bool_)
        for part in _with_edges(graph, larger, kept, sources):
            remaining = _judge(graph, part, demands)
            if remaining is None:
                yield part
            else:
                rest[remaining] = True
            inside[part.states] = False
        for state in np.flatnonzero(inside & ~_demanded(graph, demands)):
            yield Part(np.array([state]), kept[:0])
        # No circle leads from one component to another, so what is left of all is searched at once.
        inside = rest


def _demanded(graph: StateGraph, demands: list[Demand]) -> Mask:
    """The states in which nobody may stand still."""
    found = np.zeros(graph.states, dtype=np.bool_)
    for demand in demands:
        found |= demand.enabled
    return found


def _with_edges(
    graph: StateGraph, larger: list[Indexes], kept: Indexes, sources: Indexes
) -> Iterator[Part]:
    number = np.full(graph.states, -1, dtype=np.int64)
    for i, states in enumerate(larger):
        number[states] = i
    begins = number[sources[kept]]
    is_within = (begins >= 0) & (begins == number[graph.targets[kept]])
    within, begins = kept[is_within], begins[is_within]
    order = np.argsort(begins, kind="stable")
    within = within[order]
    starts = np.searchsorted(begins[order], np.arange(len(larger) + 1))
    for i, states in enumerate(larger):
        yield Part(states, within[starts[i] : starts[i + 1]])


def _judge(graph: StateGraph, part: Part, demands: list[Demand]) -> Indexes | None:
    """None if the part is fair; else the states in which to look again, perhaps none."""
    taken = np.unique(graph.instances[part.edges])
    remaining = part.states
    for demand in demands:
        if demand.instance in taken:
            continue
        enabled = demand.enabled[part.states]
        if demand.is_strong:
            if enabled.any():
                remaining = remaining[~demand.enabled[remaining]]
        elif enabled.all():
            return part.states[:0]
    return None if len(remaining) == len(part.states) else remaining
