"""Tours: runs of a model, from its initial state, that together take every step of a small scope.

A driver may not be able to bring a broker to each step, as the broker has decided what the model
leaves open.  Its *situation* says so, and changes with the steps; so the tours are made on the
graph of states and situations together, and a step is toured if it can be driven in any of them.

Steps that differ only in the names of interchangeable ids are one.  The cover is greedy: a tour
goes the shortest way to the deepest step that is missing, then on to the nearest missing one, as
long as there is one near.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from kproof_spec.lang import Instance, Machine

from ..symmetry import Symmetry

LENGTH_MAX = 100
"""No tour has more steps, unless the way to one step is longer."""
NEAR = 60
"""So many states are looked at for the next missing step before a tour ends."""
OUT_OF_REACH = "it comes only after steps that cannot be driven"
Codes = tuple[int, ...]


class CanRefuse(Protocol):
    """What a driver's broker has decided so far; hashable."""

    def refusal(self, s: Any, action: str, arguments: Mapping[str, Any]) -> str | None: ...
    def after(self, s: Any, action: str, arguments: Mapping[str, Any]) -> Any: ...


class Anything:
    """A situation in which every step can be driven."""

    def refusal(self, s: Any, action: str, arguments: Mapping[str, Any]) -> str | None:
        return None

    def after(self, s: Any, action: str, arguments: Mapping[str, Any]) -> Anything:
        return self


class TourStep(NamedTuple):
    """One step of a tour, with the model's state before and after it."""

    source: Codes
    instance: Instance
    target: Codes
    edge: int
    """Which of the edges it is, interchangeable ones counted once."""


@dataclass(frozen=True)
class Tours:
    """All tours of a scope."""

    tours: Sequence[Sequence[TourStep]]
    states: int
    edges: int
    """The steps of the scope, interchangeable ones counted once."""
    toured: int
    """How many of them are in a tour."""
    refused: Mapping[tuple[str, str], int]
    """How many are in none, by action and reason."""

    @property
    def steps(self) -> int:
        return sum(map(len, self.tours))


class _Edge(NamedTuple):
    label: int
    instance: Instance
    target: int


class CutShort(Exception):
    """The search for all states and steps was ended before it was through."""


class _Graph:
    """States with situations, and the steps between them."""

    def __init__(
        self, machine: Machine[Any], situation: Any, goes_on: Callable[[int], bool] | None
    ) -> None:
        self.machine = machine
        self._goes_on = goes_on
        self.nodes: list[tuple[Codes, Any]] = []
        self.edges: list[list[_Edge]] = []
        self.parents: list[tuple[int, _Edge] | None] = []
        self.actions: list[str] = []
        """By label."""
        self.refusals: dict[int, str] = {}
        self.states_count = 0
        self._labels: dict[object, int] = {}
        self._successors: dict[Codes, list[tuple[Instance, Codes, int]]] = {}
        self._indexes: dict[tuple[Codes, Any], int] = {}
        symmetry = Symmetry(machine)
        self._permutations = symmetry.permutations if symmetry.is_usable else []
        for codes in machine.initial_codes():
            self._index((codes, situation), None)
        self._explore()

    def _index(self, node: tuple[Codes, Any], parent: tuple[int, _Edge] | None) -> int:
        index = self._indexes.get(node)
        if index is None:
            index = self._indexes[node] = len(self.nodes)
            self.nodes.append(node)
            self.edges.append([])
            self.parents.append(parent)
        return index

    def _explore(self) -> None:
        index = 0
        while index < len(self.nodes):
            if self._goes_on is not None and not self._goes_on(index):
                raise CutShort(f"{index:,} states were searched, and {len(self.nodes):,} found")
            codes, situation = self.nodes[index]
            state = self.machine.load(codes)
            for instance, target, label in self._steps(codes):
                name, arguments = instance.definition.name, instance.arguments
                reason = situation.refusal(state, name, arguments)
                if reason is not None:
                    self.refusals.setdefault(label, reason)
                    continue
                node = (target, situation.after(state, name, arguments))
                known = self._indexes.get(node)
                edge = _Edge(label, instance, len(self.nodes) if known is None else known)
                self._index(node, (index, edge))
                self.edges[index].append(edge)
            index += 1
        self._explore_the_rest()
        self.states_count = len(self._successors)

    def _explore_the_rest(self) -> None:
        """States of the scope that no driven run comes to, so that all steps are counted."""
        toured = len(self.actions)
        known = list(self._successors)
        rest = [target for codes in known for _, target, _ in self._successors[codes]]
        while rest:
            codes = rest.pop()
            if codes not in self._successors:
                rest += (target for _, target, _ in self._steps(codes))
        for label in range(toured, len(self.actions)):
            self.refusals[label] = OUT_OF_REACH

    def _steps(self, codes: Codes) -> list[tuple[Instance, Codes, int]]:
        known = self._successors.get(codes)
        if known is None:
            twins = [(one.apply(codes), one) for one in self._permutations]
            least = min((twin for twin, _ in twins), default=codes)
            renamings = [one for twin, one in twins if twin == least]
            known = [
                (instance, target, self._label(least, instance, renamings))
                for instance, target in self.machine.successors(codes)
            ]
            self._successors[codes] = known
        return known

    def _label(self, least: Codes, instance: Instance, renamings: Sequence[Any]) -> int:
        values = instance.arguments.values()
        given = min(
            (tuple(repr(one.apply_to(value)) for value in values) for one in renamings),
            default=tuple(map(repr, values)),
        )
        name = instance.definition.name
        key = (least, name, given)
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = len(self.actions)
            self.actions.append(name)
        return label

    def way_to(self, index: int) -> list[tuple[int, _Edge]]:
        """The shortest way to a node, as the nodes on it and the edges out of them."""
        way = []
        parent = self.parents[index]
        while parent is not None:
            way.append(parent)
            parent = self.parents[parent[0]]
        return way[::-1]

    def way_to_missing(self, start: int, missing: set[int]) -> list[tuple[int, _Edge]] | None:
        """The shortest way on that ends with an edge that is missing; None if none is near."""
        came_by: dict[int, tuple[int, _Edge] | None] = {start: None}
        queue = deque([start])
        looked_at = 0
        while queue and looked_at < NEAR:
            node = queue.popleft()
            looked_at += 1
            for edge in self.edges[node]:
                if edge.label in missing:
                    way = [(node, edge)]
                    step = came_by[node]
                    while step is not None:
                        way.append(step)
                        step = came_by[step[0]]
                    return way[::-1]
                if edge.target not in came_by:
                    came_by[edge.target] = (node, edge)
                    queue.append(edge.target)
        return None


def tours(
    machine: Machine[Any],
    situation: CanRefuse | None = None,
    goes_on: Callable[[int], bool] | None = None,
) -> Tours:
    """Runs that cover all steps of a machine in a closed scope that can be driven.

    `goes_on` is asked before each state, with the number of those before it.  Raises `CutShort` if
    it says no.
    """
    graph = _Graph(machine, Anything() if situation is None else situation, goes_on)
    missing = {edge.label for edges in graph.edges for edge in edges}
    found: list[list[TourStep]] = []
    for index in reversed(range(len(graph.nodes))):
        while any(edge.label in missing for edge in graph.edges[index]):
            way = _tour(graph, index, missing)
            found.append([_step(graph, node, edge) for node, edge in way])
    covered = {step.edge for tour in found for step in tour}
    refused = Counter(
        (graph.actions[label], reason)
        for label, reason in graph.refusals.items()
        if label not in covered
    )
    return Tours(found, graph.states_count, len(graph.actions), len(covered), dict(refused))


def _tour(graph: _Graph, through: int, missing: set[int]) -> list[tuple[int, _Edge]]:
    way = graph.way_to(through)
    missing.difference_update(edge.label for _, edge in way)
    node = through
    while not way or len(way) < LENGTH_MAX:
        more = graph.way_to_missing(node, missing)
        if more is None:
            break
        way += more
        missing.difference_update(edge.label for _, edge in more)
        node = more[-1][1].target
    return way


def _step(graph: _Graph, node: int, edge: _Edge) -> TourStep:
    return TourStep(graph.nodes[node][0], edge.instance, graph.nodes[edge.target][0], edge.label)
