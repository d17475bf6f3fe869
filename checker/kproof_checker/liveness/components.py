"""Strongly connected components of large graphs: most states fall away before the real search.

A state without a step in, or without a step out, is on no circle, and neither are those of which
all steps in, or all steps out, come from such states.  Protocols make progress: their graphs are
trees with a few circles in them, and little is left once these are peeled off, layer by layer with
NumPy.  What is left goes to Tarjan's search (1972), without recursion.
"""

from __future__ import annotations

import numpy as np

from .state_graph import Indexes, Mask, ranges


def components(states: int, inside: Mask, sources: Indexes, targets: Indexes) -> list[Indexes]:
    """The components of two states or more, within a mask; the edges lead within the mask."""
    left = peeled(states, inside, sources, targets)
    kept = left[sources] & left[targets]
    return _tarjan(np.flatnonzero(left), states, sources[kept], targets[kept])


def peeled(states: int, inside: Mask, sources: Indexes, targets: Indexes) -> Mask:
    """The states that may be on a circle: those that no peeling reaches."""
    left = inside.copy()
    for begins, ends in ((sources, targets), (targets, sources)):
        order = np.argsort(begins, kind="stable")
        ends_in_order = ends[order]
        first = np.searchsorted(begins[order], np.arange(states + 1))
        degree = np.bincount(ends, minlength=states)
        # An edge that was peeled from the other side must not count.
        gone = ~(left[begins] & left[ends])
        degree -= np.bincount(ends[gone], minlength=states)
        layer = np.flatnonzero(left & (degree == 0))
        while len(layer):
            left[layer] = False
            edges = ranges(first[layer], first[layer + 1])
            reached = ends_in_order[edges]
            np.subtract.at(degree, reached, 1)
            reached = np.unique(reached)
            layer = reached[(degree[reached] <= 0) & left[reached]]
    return left


def _tarjan(nodes: Indexes, states: int, sources: Indexes, targets: Indexes) -> list[Indexes]:
    """The components of two nodes or more; each sorted."""
    number = np.full(states, -1, dtype=np.int64)
    number[nodes] = np.arange(len(nodes))
    order = np.argsort(sources, kind="stable")
    next_nodes = number[targets[order]].tolist()
    first = np.searchsorted(number[sources[order]], np.arange(len(nodes) + 1)).tolist()
    index = [-1] * len(nodes)
    low = [0] * len(nodes)
    is_open = [False] * len(nodes)
    position = first[:-1].copy()
    found: list[Indexes] = []
    pending: list[int] = []
    count = 0
    for root in range(len(nodes)):
        if index[root] >= 0:
            continue
        path = [root]
        while path:
            node = path[-1]
            if index[node] < 0:
                index[node] = low[node] = count
                count += 1
                pending.append(node)
                is_open[node] = True
            at = position[node]
            if at < first[node + 1]:
                position[node] = at + 1
                other = next_nodes[at]
                if index[other] < 0:
                    path.append(other)
                elif is_open[other] and index[other] < low[node]:
                    low[node] = index[other]
                continue
            path.pop()
            if path and low[node] < low[path[-1]]:
                low[path[-1]] = low[node]
            if low[node] == index[node]:
                members = []
                while True:
                    member = pending.pop()
                    is_open[member] = False
                    members.append(member)
                    if member == node:
                        break
                if len(members) > 1:
                    found.append(np.sort(nodes[np.array(members)]))
    return found
