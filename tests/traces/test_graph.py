"""State graphs: every state of a small machine, as nodes, as DOT and as a picture."""

from xml.etree import ElementTree

import pytest

from kproof_checker.graph import TooLarge, state_graph, to_dot, to_svg
from traces.trace_tools import EVERY_FIELD, TWO_PHASE_COMMIT, machine_of

SVG = "{http://www.w3.org/2000/svg}"


def test_the_graph_has_every_state_once_and_every_step() -> None:
    machine = machine_of(TWO_PHASE_COMMIT, resource_managers=2)

    graph = state_graph(machine, limit=100)

    assert graph.number_of_nodes() == 56
    codes = [data["codes"] for _, data in graph.nodes(data=True)]
    assert len(set(codes)) == 56
    for node, data in graph.nodes(data=True):
        steps = {(i.label, after) for i, after in machine.successors(data["codes"])}
        out = graph.out_edges(node, data=True)
        assert {(step["label"], codes[target]) for _, target, step in out} == steps


def test_depth_counts_the_states_on_a_shortest_path() -> None:
    graph = state_graph(machine_of(TWO_PHASE_COMMIT, resource_managers=2), limit=100)

    for node, data in graph.nodes(data=True):
        before = [graph.nodes[p]["depth"] for p in graph.predecessors(node) if p != node]
        assert data["depth"] == (1 if data["is_initial"] else min(before) + 1)
    assert [n for n, is_initial in graph.nodes(data="is_initial") if is_initial] == [0]


def test_broken_states_and_deadlocks_are_marked() -> None:
    machine = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked", resource_managers=2)

    graph = state_graph(machine, limit=100)

    broken = [data["label"] for _, data in graph.nodes(data=True) if data["broken"]]
    assert len(broken) == 2
    assert all("COMMITTED" in label and "ABORTED" in label for label in broken)
    for node, data in graph.nodes(data=True):
        assert data["is_deadlock"] is (graph.out_degree(node) == 0)
    assert any(is_deadlock for _, is_deadlock in graph.nodes(data="is_deadlock"))


def test_too_many_states_are_refused_before_they_are_all_visited() -> None:
    machine = machine_of(TWO_PHASE_COMMIT)

    with pytest.raises(TooLarge, match="more than 287 states"):
        state_graph(machine, limit=287)
    assert state_graph(machine, limit=288).number_of_nodes() == 288


def test_several_initial_states_are_all_there() -> None:
    machine = machine_of(EVERY_FIELD, clerks=1, pages=1, fee=0)
    machine.model.actions.clear()

    graph = state_graph(machine, limit=10)

    assert [data["depth"] for _, data in graph.nodes(data=True)] == [1, 1]
    assert graph.nodes[0]["label"] == "initial state"
    assert graph.nodes[1]["label"] == "desk[c0].inks = {RED}"
    assert to_svg(graph).count('class="state initial deadlock"') == 2


def test_dot_is_quoted() -> None:
    graph = state_graph(machine_of(TWO_PHASE_COMMIT, resource_managers=1), limit=20)
    graph.nodes[0]["label"] = 'say "hi" \\ \nnext'

    text = to_dot(graph)

    assert 'label="0\\nsay \\"hi\\" \\\\ \\nnext"' in text
    assert text.startswith('digraph "two_phase_commit in scope (resource_managers=1)" {\n')
    assert text.count(" -> ") == graph.number_of_edges()
    assert '[label="prepare(rm=rm0)"];' in text


def test_the_picture_is_xml_with_a_box_and_a_tooltip_for_each_state() -> None:
    machine = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked", resource_managers=2)
    graph = state_graph(machine, limit=100)
    graph.nodes[3]["label"] = "<&>"

    root = ElementTree.fromstring(to_svg(graph))

    groups = root.findall(f"{SVG}g")
    kinds = [(group.get("class") or "").split() for group in groups]
    assert sum("state" in kind for kind in kinds) == 81
    assert sum("broken" in kind for kind in kinds) == 2
    assert sum("initial" in kind for kind in kinds) == 1
    titles = [group.findtext(f"{SVG}title") or "" for group in groups]
    assert "state 3\n<&>" in titles
    assert any(title.startswith("state 77 (breaks outcomes_agree)") for title in titles)
    steps = {(source, target) for source, target, _ in graph.edges}
    assert sum("step" in kind for kind in kinds) == len(steps)


def test_the_boxes_of_a_picture_do_not_overlap_and_stay_on_it() -> None:
    graph = state_graph(machine_of(TWO_PHASE_COMMIT, resource_managers=2), limit=100)

    root = ElementTree.fromstring(to_svg(graph))

    boxes = []
    for rect in root.iterfind(f"{SVG}g/{SVG}rect"):
        x, y, width, height = (float(rect.get(k) or 0) for k in ("x", "y", "width", "height"))
        boxes.append((x, y, x + width, y + height))
    assert len(boxes) == 56
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert top >= 0
        assert right <= float(root.get("width") or 0)
        assert bottom <= float(root.get("height") or 0)
        for left2, top2, right2, bottom2 in boxes[:i]:
            assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top


def test_the_same_graph_is_drawn_the_same() -> None:
    machine = machine_of(TWO_PHASE_COMMIT, resource_managers=1)

    pictures = {to_svg(state_graph(machine, limit=20)) for _ in range(2)}

    assert len(pictures) == 1
