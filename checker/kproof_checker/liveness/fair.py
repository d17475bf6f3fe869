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

import networkx as nx
import numpy as np

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
    pending = [allowed]
    while pending:
        inside = pending.pop()
        for part in _components(graph, inside):
            verdict = _judge(graph, part, demands)
            if verdict is None:
                yield part
            elif len(verdict):
                rest = np.zeros(graph.states, dtype=np.bool_)
                rest[verdict] = True
                pending.append(rest)


def _components(graph: StateGraph, inside: Mask) -> Iterator[Part]:
    sources, targets = graph.sources, graph.targets
    kept = np.flatnonzero(inside[sources] & inside[targets])
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(np.flatnonzero(inside).tolist())
    network.add_edges_from(zip(sources[kept].tolist(), targets[kept].tolist(), strict=True))
    number = np.full(graph.states, -1, dtype=np.int64)
    members: list[Indexes] = []
    for component in nx.strongly_connected_components(network):
        states = np.array(sorted(component), dtype=np.int64)
        number[states] = len(members)
        members.append(states)
    within = kept[number[sources[kept]] == number[targets[kept]]]
    order = np.argsort(number[sources[within]], kind="stable")
    within = within[order]
    starts = np.searchsorted(number[sources[within]], np.arange(len(members) + 1))
    for i, states in enumerate(members):
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
