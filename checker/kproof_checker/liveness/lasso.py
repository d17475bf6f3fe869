"""A run that shows a violation of liveness: a way in, and a circle that a fair run can go for ever.

The way in is shortest.  The circle meets every demand of fairness with as few detours as a greedy
choice finds; then every detour that is not needed is taken out again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .fair import Demand, Part
from .state_graph import Mask, StateGraph


@dataclass(frozen=True)
class Lasso:
    """Edges: first `stem`, then `circle` again and again.  No circle: standing still."""

    start: int
    stem: tuple[int, ...]
    circle: tuple[int, ...]


def shortest_lasso(
    graph: StateGraph,
    initial: Iterable[int],
    begins: Mask,
    stays: Mask,
    parts: list[Part],
    demands: list[Demand],
) -> Lasso | None:
    """A run to a state of `begins`, from there on within `stays`, into one of the fair parts."""
    number = np.full(graph.states, -1, dtype=np.int64)
    for i, part in enumerate(parts):
        number[part.states] = i
    if not (number[graph.reached(begins, stays)] >= 0).any():
        return None
    is_restful = np.ones(graph.states, dtype=np.bool_)
    for demand in demands:
        is_restful &= ~demand.enabled
    way = _way(graph, initial, begins, stays, lambda state: bool(number[state] >= 0))
    if way is None:
        return None
    start, stem, end = way
    part = parts[int(number[end])]
    inside = np.zeros(graph.states, dtype=np.bool_)
    inside[part.states] = True
    rest = _path(graph, end, inside, lambda state: bool(is_restful[state]))
    if rest is not None:
        return Lasso(start, (*stem, *rest), ())
    return Lasso(start, stem, _circle(graph, end, inside, demands, part))


def _way(
    graph: StateGraph,
    initial: Iterable[int],
    begins: Mask,
    stays: Mask,
    is_goal: Callable[[int], bool],
) -> tuple[int, tuple[int, ...], int] | None:
    """The shortest run into a goal that has passed a state of `begins` and stayed since."""
    # A place is (state, whether it has begun).
    came: dict[tuple[int, bool], tuple[tuple[int, bool], int] | None] = {}
    queue: deque[tuple[int, bool]] = deque()

    def arrive(place: tuple[int, bool], origin: tuple[tuple[int, bool], int] | None) -> None:
        if place not in came:
            came[place] = origin
            queue.append(place)

    for state in initial:
        arrive((state, bool(begins[state])), None)
        arrive((state, False), None)
    while queue:
        place = queue.popleft()
        state, has_begun = place
        if has_begun and is_goal(state):
            stem: list[int] = []
            origin = came[place]
            while origin is not None:
                place, edge = origin
                stem.append(edge)
                origin = came[place]
            return place[0], tuple(reversed(stem)), state
        for edge in graph.edges_from(state):
            target = int(graph.targets[edge])
            if has_begun:
                if stays[target]:
                    arrive((target, True), (place, edge))
                continue
            if begins[target]:
                arrive((target, True), (place, edge))
            arrive((target, False), (place, edge))
    return None


def _path(
    graph: StateGraph, start: int, inside: Mask, is_goal: Callable[[int], bool]
) -> tuple[int, ...] | None:
    """The edges of a shortest path within `inside` to a goal."""
    came: dict[int, int] = {start: -1}
    origin: dict[int, int] = {}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if is_goal(state):
            path: list[int] = []
            while came[state] >= 0:
                path.append(came[state])
                state = origin[state]
            return tuple(reversed(path))
        for edge in graph.edges_from(state):
            target = int(graph.targets[edge])
            if inside[target] and target not in came:
                came[target], origin[target] = edge, state
                queue.append(target)
    return None


def _circle(
    graph: StateGraph, start: int, inside: Mask, demands: list[Demand], part: Part
) -> tuple[int, ...]:
    taken = set(graph.instances[part.edges].tolist())
    stops: list[Demand] = [d for d in demands if d.enabled[part.states].any()]
    needed = list(stops)
    best = _round(graph, start, inside, needed, taken)
    for demand in stops:
        fewer = [d for d in needed if d is not demand]
        shorter = _round(graph, start, inside, fewer, taken)
        if shorter and len(shorter) <= len(best) and is_fair(graph, start, shorter, demands):
            needed, best = fewer, shorter
    return best


def _round(
    graph: StateGraph, start: int, inside: Mask, needed: list[Demand], taken: set[int]
) -> tuple[int, ...]:
    """A way round from `start` that meets the needed demands one after the other."""
    here = start
    circle: list[int] = []
    for demand in needed:
        if _is_met(graph, here, circle, demand):
            continue
        leg = _leg(graph, here, inside, demand, demand.instance in taken)
        circle += leg
        here = int(graph.targets[circle[-1]]) if circle else here
    if not circle:
        # Nothing is demanded: any step away and back.
        for edge in graph.edges_from(start):
            if inside[graph.targets[edge]]:
                circle, here = [edge], int(graph.targets[edge])
                break
    home = _path(graph, here, inside, lambda state: state == start)
    return (*circle, *(home or ()))


def _leg(
    graph: StateGraph, here: int, inside: Mask, demand: Demand, is_taken: bool
) -> tuple[int, ...]:
    """The shortest way to the demanded step or, for weak fairness, to where it is impossible."""

    def step_from(state: int) -> int | None:
        for edge in graph.edges_from(state):
            if graph.instances[edge] == demand.instance and inside[graph.targets[edge]]:
                return edge
        return None

    def is_goal(state: int) -> bool:
        if not demand.is_strong and not demand.enabled[state]:
            return True
        return is_taken and step_from(state) is not None

    way = _path(graph, here, inside, is_goal) or ()
    end = int(graph.targets[way[-1]]) if way else here
    if not demand.is_strong and not demand.enabled[end]:
        return way
    edge = step_from(end)
    return way if edge is None else (*way, edge)


def _is_met(graph: StateGraph, here: int, circle: list[int], demand: Demand) -> bool:
    if any(graph.instances[edge] == demand.instance for edge in circle):
        return True
    visited = [here, *(int(graph.targets[edge]) for edge in circle)]
    return not demand.is_strong and any(not demand.enabled[state] for state in visited)


def is_fair(graph: StateGraph, start: int, circle: Iterable[int], demands: list[Demand]) -> bool:
    """Whether going round for ever meets every demand."""
    edges = list(circle)
    states = [start, *(int(graph.targets[edge]) for edge in edges)]
    if edges and states[-1] != start:
        return False
    taken = {int(graph.instances[edge]) for edge in edges}
    for demand in demands:
        enabled = [bool(demand.enabled[state]) for state in states]
        missing = any(enabled) if demand.is_strong else all(enabled)
        if missing and demand.instance not in taken:
            return False
    return True
