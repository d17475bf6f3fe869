"""The reachable states of a small machine as a graph, for networkx, Graphviz or a browser.

Made for models that fit on a page: every state is visited in CPython, the functions as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kproof_spec.lang import Machine, PropertyKind
from kproof_spec.lang.keys import shown_arguments

from .traces.changes import Change, changes

if TYPE_CHECKING:
    import networkx

INITIAL_TEXT = "initial state"


class TooLarge(ValueError):
    """There are more states than the limit; the message says what to do."""


def state_graph(machine: Machine[Any], *, limit: int) -> networkx.MultiDiGraph[int]:
    """The states as nodes 0, 1, ... in breadth-first order, the possible steps as edges.

    A node has `codes`, `depth`, `label` (what differs from the initial state), `is_initial`,
    `is_deadlock` and `broken`, the invariants that are false in it; an edge has `action` and
    `label`.  `TooLarge` if there are more than `limit` states.
    """
    import networkx

    graph: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=repr(machine))
    initial = machine.initial_codes()
    index = {codes: i for i, codes in enumerate(initial)}
    frontier = list(initial)
    for codes in initial:
        _add_node(graph, machine, codes, initial[0], depth=1)
    for codes in frontier:
        here = index[codes]
        for instance, after in machine.successors(codes):
            if after not in index:
                if len(index) >= limit:
                    raise TooLarge(
                        f"{machine!r} has more than {limit} states, too many to draw: "
                        "use smaller constants, or raise the limit"
                    )
                index[after] = len(index)
                frontier.append(after)
                _add_node(graph, machine, after, initial[0], graph.nodes[here]["depth"] + 1)
            label = f"{instance.definition.name}({shown_arguments(instance.arguments)})"
            graph.add_edge(here, index[after], action=instance.definition.name, label=label)
        graph.nodes[here]["is_deadlock"] = graph.out_degree(here) == 0
    return graph


def _add_node(
    graph: networkx.MultiDiGraph[int],
    machine: Machine[Any],
    codes: tuple[int, ...],
    first: tuple[int, ...],
    depth: int,
) -> None:
    state = machine.load(codes)
    differing = changes(machine, first, codes)
    graph.add_node(
        graph.number_of_nodes(),
        codes=codes,
        depth=depth,
        label="\n".join(map(_now, differing)) or INITIAL_TEXT,
        is_initial=depth == 1,
        is_deadlock=False,
        broken=tuple(
            name
            for name, claim in machine.model.properties.items()
            if claim.kind is PropertyKind.INVARIANT and machine.breaking(state, claim) is not None
        ),
    )


def _now(change: Change) -> str:
    return f"{change.label} = {change.after}" if change.before else f"{change.label} {change.after}"


# -- DOT -----------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    """A string of the DOT language: only quotes and backslashes need care, and line ends."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def to_dot(graph: networkx.MultiDiGraph[int]) -> str:
    """The graph in the DOT language of Graphviz."""
    lines = [
        f"digraph {_quoted(str(graph.graph.get('name', 'states')))} {{",
        "  node [shape=box, style=rounded, fontname=monospace, fontsize=10];",
        "  edge [fontname=monospace, fontsize=9];",
    ]
    for node, data in graph.nodes(data=True):
        attributes = {"label": f"{node}\n{data['label']}"}
        if data["is_initial"]:
            attributes["penwidth"] = "3"
        if data["is_deadlock"]:
            attributes["peripheries"] = "2"
        if data["broken"]:
            attributes["color"] = "red"
            attributes["tooltip"] = f"breaks {', '.join(data['broken'])}"
        inner = ", ".join(f"{key}={_quoted(value)}" for key, value in attributes.items())
        lines.append(f"  {node} [{inner}];")
    for source, target, data in graph.edges(data=True):
        lines.append(f"  {source} -> {target} [label={_quoted(data['label'])}];")
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(graph: networkx.MultiDiGraph[int]) -> str:
    """The graph as a picture of its own: one row for each depth, steps coloured by action."""
    from .graph_picture import Picture

    return Picture(graph).text()
