"""The state graph of a scope, as arrays: which step leads from which state to which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..engines.base import HasEdges, HasRows
from ..engines.columns import Compiled, program
from ..extraction.decisions import HOLDS, Dag, Outcome

Mask = npt.NDArray[np.bool_]
Indexes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StateGraph:
    """Steps that change the state, by where they begin.  Standing still is always possible."""

    states: int
    first: Indexes
    """`first[s]..first[s + 1] - 1` are the edges from state `s`."""
    instances: Indexes
    targets: Indexes

    @property
    def sources(self) -> Indexes:
        """Where each edge begins."""
        return np.repeat(np.arange(self.states), np.diff(self.first))

    def edges_from(self, state: int) -> range:
        """The edges that begin in a state."""
        return range(int(self.first[state]), int(self.first[state + 1]))

    def reached(self, begins: Mask, inside: Mask) -> Mask:
        """The states that runs from `begins` come to without leaving `inside`."""
        found: Mask = begins & inside
        layer = np.flatnonzero(found)
        while len(layer):
            following = self.targets[ranges(self.first[layer], self.first[layer + 1])]
            layer = np.unique(following[inside[following] & ~found[following]])
            found[layer] = True
        return found

    def enabled(self, instance: int) -> Mask:
        """The states in which a step of this action instance changes something."""
        mask = np.zeros(self.states, dtype=np.bool_)
        mask[self.sources[self.instances == instance]] = True
        return mask


def ranges(starts: Indexes, ends: Indexes) -> Indexes:
    """The numbers from each start up to its end, one range after the other."""
    sizes = ends - starts
    offsets = np.repeat(ends - np.cumsum(sizes), sizes)
    found: Indexes = np.arange(int(sizes.sum())) + offsets
    return found


def state_graph(engine: HasEdges) -> StateGraph:
    """The graph of what an engine has explored, without symmetry and to the end."""
    parts = list(engine.edges(0, engine.distinct))
    sources = np.concatenate([part.sources for part in parts])
    instances = np.concatenate([part.instances for part in parts])
    targets = np.concatenate([part.targets for part in parts])
    assert (targets >= 0).all(), "a step leads to a state that was not explored"
    moves = sources != targets
    sources, instances, targets = sources[moves], instances[moves], targets[moves]
    order = np.argsort(sources, kind="stable")
    counts = np.bincount(sources, minlength=engine.distinct)
    first = np.concatenate([[0], np.cumsum(counts)])
    return StateGraph(engine.distinct, first, instances[order], targets[order])


class StateMasks:
    """For a predicate or an action, the states in which its DAG ends as asked."""

    def __init__(self, engine: HasRows, roots: Iterable[Dag]) -> None:
        self.engine = engine
        self.compiled = Compiled(engine.layout, roots)

    def outcomes(self, dag: Dag) -> list[tuple[Outcome, Mask]]:
        """In which outcomes the DAG ends, and in which states in each."""
        steps = program(dag)
        found: dict[int, tuple[Outcome, Mask]] = {}
        size = 1 << 14
        for start in range(0, self.engine.distinct, size):
            rows = self.engine.rows_from(start, min(start + size, self.engine.distinct))
            columns = self.compiled.batch(np.ascontiguousarray(rows.states.T))
            for outcome, mask in steps.reached(columns, skip=None):
                if id(outcome) not in found:
                    found[id(outcome)] = outcome, np.zeros(self.engine.distinct, dtype=np.bool_)
                found[id(outcome)][1][start : start + columns.count] |= mask
        return list(found.values())

    def where(self, dag: Dag, wanted: Callable[[Outcome], bool]) -> Mask:
        """The states in which the DAG ends in an outcome that is wanted."""
        found = np.zeros(self.engine.distinct, dtype=np.bool_)
        for outcome, mask in self.outcomes(dag):
            if wanted(outcome):
                found |= mask
        return found

    def holds(self, dag: Dag) -> Mask:
        """The states in which a predicate holds."""
        return self.where(dag, lambda outcome: outcome is HOLDS)
