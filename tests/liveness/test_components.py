"""Strongly connected components, against networkx; and what comes to be reached, one by one."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kproof_checker.liveness.components import components, peeled
from kproof_checker.liveness.state_graph import Indexes, Mask, StateGraph
from strategies.effort import effort

STATES_MAX = 12


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Mask, Indexes, Indexes]:
    """How many states, some of them, and steps among those: several between two states at times."""
    states = draw(st.integers(1, STATES_MAX))
    inside = np.array(draw(st.lists(st.booleans(), min_size=states, max_size=states)))
    those = np.flatnonzero(inside).tolist()
    edge = st.tuples(st.sampled_from(those or [0]), st.sampled_from(those or [0]))
    edges = draw(st.lists(edge, max_size=30)) if those else []
    edges = [(source, target) for source, target in edges if source != target]
    return (
        states,
        inside,
        np.array([source for source, _ in edges], dtype=np.int64),
        np.array([target for _, target in edges], dtype=np.int64),
    )


def by_networkx(inside: Mask, sources: Indexes, targets: Indexes) -> set[frozenset[int]]:
    """The components of two states or more."""
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(np.flatnonzero(inside).tolist())
    network.add_edges_from(zip(sources.tolist(), targets.tolist(), strict=True))
    return {frozenset(c) for c in nx.strongly_connected_components(network) if len(c) > 1}


def found(states: int, inside: Mask, sources: Indexes, targets: Indexes) -> set[frozenset[int]]:
    """The same by our own search."""
    return {frozenset(c.tolist()) for c in components(states, inside, sources, targets)}


@effort(400)
@given(graphs())
def test_components_are_those_that_networkx_finds(
    graph: tuple[int, Mask, Indexes, Indexes],
) -> None:
    _, inside, sources, targets = graph

    assert found(*graph) == by_networkx(inside, sources, targets)


def test_components_of_a_large_graph_are_those_that_networkx_finds() -> None:
    """As large as a recursion could not be, with long chains, circles in a row, and stray steps."""
    states = 60_000
    random = np.random.default_rng(7)
    chain = np.arange(states - 1)
    back = random.integers(1, states, 300)
    sources = np.concatenate([chain, back, random.integers(0, states, 50)])
    targets = np.concatenate([chain + 1, back - random.integers(1, 40, 300).clip(max=back)])
    targets = np.concatenate([targets, np.full(50, states - 1)])
    moves = sources != targets
    inside = np.ones(states, dtype=np.bool_)
    inside[random.integers(0, states, 100)] = False
    kept = moves & inside[sources] & inside[targets]

    whole = states, inside, sources[kept], targets[kept]

    assert found(*whole) == by_networkx(*whole[1:])
    assert len(found(*whole)) > 100


@effort(300)
@given(graphs())
def test_what_is_peeled_off_is_on_no_circle_and_on_no_way_between_two(
    graph: tuple[int, Mask, Indexes, Indexes],
) -> None:
    states, inside, sources, targets = graph
    circles = {state for c in by_networkx(inside, sources, targets) for state in c}

    left = peeled(*graph)

    assert circles <= set(np.flatnonzero(left).tolist())
    assert all(
        (targets[sources == state].size and sources[targets == state].size)
        for state in np.flatnonzero(left)
    )
    assert (left <= inside).all()
    assert left.size == states


@effort(300)
@given(graphs(), st.sets(st.integers(0, STATES_MAX - 1)))
def test_what_is_reached_is_what_networkx_reaches(
    graph: tuple[int, Mask, Indexes, Indexes], beginnings: set[int]
) -> None:
    states, inside, sources, targets = graph
    order = np.argsort(sources, kind="stable")
    counts = np.bincount(sources, minlength=states)
    first = np.concatenate([[0], np.cumsum(counts)])
    whole = StateGraph(states, first, np.zeros(len(order), dtype=np.int64), targets[order])
    begins = np.array([state in beginnings for state in range(states)])
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(range(states))
    network.add_edges_from(zip(sources.tolist(), targets.tolist(), strict=True))

    reached = set(np.flatnonzero(whole.reached(begins, inside)).tolist())

    beginnings = {state for state in beginnings if state < states and inside[state]}
    assert reached == beginnings.union(*(nx.descendants(network, s) for s in beginnings))
