"""A state graph as SVG: one row for each depth, arrows coloured by action, details as tooltips.

The order within a row puts each state near its neighbours in the rows above and below (the
barycentre method of Sugiyama), which is good enough for a hundred states.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx

CHARACTER = 6.2
"""The width of a character of the labels, in pixels."""
LINE = 13
LABEL_LINES_MAX = 5
LABEL_CHARACTERS_MAX = 34
GAP_X = 26
GAP_Y = 74
MARGIN = 30
SWEEPS = 12
EDGE_LABELS_MAX = 24
"""Up to how many arrows their labels are written out; beyond, colours and tooltips tell."""

# Told apart with most kinds of colour blindness (after Okabe and Ito), then darker ones.
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9"),
    *("#5b3a8c", "#7a3b1d", "#3f5f2a", "#555555", "#8c1c4a", "#1c6c8c"),
)

STYLE = """
    text { font: 10px ui-monospace, Menlo, Consolas, monospace; fill: #1b1b1b; }
    .title { font-size: 12px; font-weight: bold; }
    .number { font-weight: bold; }
    .faint { fill: #6b6b6b; }
    .state rect { fill: #ffffff; stroke: #6b6b6b; stroke-width: 1; }
    .initial rect { stroke: #1b1b1b; stroke-width: 2.5; }
    .deadlock rect { fill: #ececec; stroke-dasharray: 4 2; }
    .broken rect { fill: #fde0dd; stroke: #c00000; stroke-width: 2; }
    .step path { fill: none; stroke-width: 1.3; opacity: 0.75; }
    .step:hover path { stroke-width: 3; opacity: 1; }
    .step text { font-size: 9px; }
    .step .halo { stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; }
"""


@dataclass
class Box:
    """A state's place on the page: the middle of its top side, and its size."""

    x: float
    y: float
    width: float
    height: float
    lines: list[str]

    @property
    def bottom(self) -> float:
        """Where arrows leave."""
        return self.y + self.height

    @property
    def right(self) -> float:
        """The right side."""
        return self.x + self.width / 2


class Picture:
    """One drawing of a state graph."""

    def __init__(self, graph: networkx.MultiDiGraph[int]) -> None:
        self.graph = graph
        self.steps: dict[tuple[int, int], list[tuple[str, str]]] = {}
        for source, target, data in graph.edges(data=True):
            self.steps.setdefault((source, target), []).append((data["action"], data["label"]))
        actions = list(dict.fromkeys(data["action"] for _, _, data in graph.edges(data=True)))
        self.colour = {action: COLOURS[i % len(COLOURS)] for i, action in enumerate(actions)}
        self.rows = self._ordered_rows()
        self.legend = self._legend()
        self.boxes = self._boxes()

    # -- placing -----------------------------------------------------------------------------

    def _ordered_rows(self) -> list[list[int]]:
        rows: dict[int, list[int]] = {}
        for node, data in self.graph.nodes(data=True):
            rows.setdefault(data["depth"], []).append(node)
        ordered = [rows[depth] for depth in sorted(rows)]
        for sweep in range(SWEEPS):
            is_down = sweep % 2 == 0
            place = {node: i / len(row) for row in ordered for i, node in enumerate(row)}
            for row in ordered if is_down else ordered[::-1]:
                depth = self.graph.nodes[row[0]]["depth"]
                wanted = depth - 1 if is_down else depth + 1
                middle = {node: self._barycentre(node, wanted, place) for node in row}
                row.sort(key=lambda node: (middle[node], place[node]))
                place.update({node: i / len(row) for i, node in enumerate(row)})
        return ordered

    def _barycentre(self, node: int, depth: int, place: dict[int, float]) -> float:
        around = [*self.graph.predecessors(node), *self.graph.successors(node)]
        near = [place[other] for other in around if self.graph.nodes[other]["depth"] == depth]
        return sum(near) / len(near) if near else place[node]

    def _boxes(self) -> dict[int, Box]:
        boxes: dict[int, Box] = {}
        y = MARGIN + 2 * LINE + LINE * len(self.legend) + 16.0
        widths = []
        for row in self.rows:
            for node in row:
                lines = _label_lines(self.graph.nodes[node]["label"])
                longest = max(len(line) for line in [str(node), *lines])
                width = longest * CHARACTER + 16
                boxes[node] = Box(0, y, width, LINE * (len(lines) + 1) + 10, lines)
            widths.append(sum(boxes[n].width for n in row) + GAP_X * (len(row) - 1))
            y += max(boxes[n].height for n in row) + GAP_Y
        # Below the last row there is room for its arrows from state to state.
        self.height = y - GAP_Y / 2 + MARGIN
        least = max(len(line) for line in [self._title(), *map(_joined, self.legend)])
        self.width = max(*widths, least * CHARACTER * 1.2) + 2 * MARGIN + 60
        for row, width in zip(self.rows, widths, strict=True):
            # Rows that have room spread out: arrows are told apart more easily.
            spare = (self.width - 2 * MARGIN - 60 - width) / (len(row) + 1)
            extra = min(spare, 90.0)
            x = (self.width - width - extra * (len(row) - 1)) / 2
            for node in row:
                boxes[node].x = x + boxes[node].width / 2
                x += boxes[node].width + GAP_X + extra
        return boxes

    def _legend(self) -> list[list[str]]:
        """The actions, in lines of a bearable length."""
        lines: list[list[str]] = [[]]
        for action in self.colour:
            if sum(len(name) + 5 for name in [*lines[-1], action]) > 110:
                lines.append([])
            lines[-1].append(action)
        return lines

    def _title(self) -> str:
        states, steps = self.graph.number_of_nodes(), self.graph.number_of_edges()
        return f"{self.graph.graph.get('name', 'states')}: {states} states, {steps} steps"

    # -- drawing -----------------------------------------------------------------------------

    def text(self) -> str:
        """The SVG document."""
        width, height = round(self.width), round(self.height)
        size = f'width="{width}" height="{height}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">',
            f"  <style>{STYLE}  </style>",
            *self._markers(),
            f'  <rect {size} fill="#ffffff"/>',
            f'  <text class="title" x="{MARGIN}" y="{MARGIN}">{_xml(self._title())}</text>',
            *self._legend_text(),
        ]
        for (source, target), labels in self.steps.items():
            parts += self._step(source, target, labels)
        for node, data in self.graph.nodes(data=True):
            parts += self._state(node, data)
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _markers(self) -> list[str]:
        """Arrow heads: a marker has a colour of its own, so there is one for each."""
        colours = [*dict.fromkeys(self.colour.values()), "#1b1b1b"]
        return [
            f'  <marker id="head{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
            for colour in colours
        ]

    def _legend_text(self) -> list[str]:
        parts = []
        for i, actions in enumerate(self.legend):
            x, y = float(MARGIN), MARGIN + LINE * (i + 1) + 6
            for action in actions:
                colour = self.colour[action]
                parts.append(
                    f'  <path d="M{x:.0f},{y - 3} h14" stroke="{colour}" stroke-width="3"/>'
                    f'<text x="{x + 18:.0f}" y="{y}">{_xml(action)}</text>'
                )
                x += (len(action) + 5) * CHARACTER
        return parts

    def _state(self, node: int, data: dict[str, Any]) -> list[str]:
        box = self.boxes[node]
        kinds = ["state"]
        marks = []
        if data["is_initial"]:
            kinds.append("initial")
            marks.append("initial")
        if data["is_deadlock"]:
            kinds.append("deadlock")
            marks.append("deadlock")
        if data["broken"]:
            kinds.append("broken")
            marks.append(f"breaks {', '.join(data['broken'])}")
        left, said = box.x - box.width / 2, f" ({'; '.join(marks)})" if marks else ""
        size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
        parts = [
            f'  <g class="{" ".join(kinds)}">',
            f"    <title>{_xml(f'state {node}{said}')}\n{_xml(data['label'])}</title>",
            f'    <rect x="{left:.1f}" y="{box.y:.1f}" {size} rx="5"/>',
        ]
        if data["is_initial"]:
            # An arrow from nowhere, as automata are drawn.
            parts.append(
                f'    <path d="M{box.x:.1f},{box.y - 18:.1f} V{box.y - 1:.1f}" stroke="#1b1b1b" '
                'stroke-width="2" marker-end="url(#head1b1b1b)"/>'
            )
        for i, line in enumerate([str(node), *box.lines]):
            kind = ' class="number"' if i == 0 else ""
            y = box.y + 5 + LINE * (i + 1) - 3
            parts.append(
                f'    <text{kind} x="{box.x:.1f}" y="{y:.1f}" text-anchor="middle">'
                f"{_xml(line)}</text>"
            )
        return [*parts, "  </g>"]

    def _step(self, source: int, target: int, labels: list[tuple[str, str]]) -> list[str]:
        colour = self.colour[labels[0][0]]
        path, x, y = self._path(source, target)
        tip = "\n".join(label for _, label in labels)
        parts = [
            '  <g class="step">',
            f"    <title>{source} to {target}\n{_xml(tip)}</title>",
            f'    <path d="{path}" stroke="{colour}" marker-end="url(#head{colour[1:]})"/>',
        ]
        # The label of a loop would lie on its box: its colour and its tooltip have to do.
        if len(self.steps) <= EDGE_LABELS_MAX and source != target:
            for i, (action, label) in enumerate(labels):
                at = f'x="{x:.1f}" y="{y + 11 * i:.1f}" text-anchor="middle"'
                # Twice, the first time broad and white: not all viewers know `paint-order`.
                parts.append(f'    <text class="halo" {at}>{_xml(label)}</text>')
                fill = f'style="fill: {self.colour[action]}"'
                parts.append(f"    <text {at} {fill}>{_xml(label)}</text>")
        return [*parts, "  </g>"]

    def _path(self, source: int, target: int) -> tuple[str, float, float]:
        """The curve of an arrow, and where its label goes."""
        a, b = self.boxes[source], self.boxes[target]
        if source == target:
            x, y = a.right, a.y + a.height / 2
            return f"M{x:.1f},{y - 5:.1f} c22,-12 22,22 1,10", x + 14, y - 12
        if a.bottom < b.y:
            # Where the line would leave the box in the direction of the other one.
            start = a.x + _clamped((b.x - a.x) * 0.15, a.width / 2 - 8)
            end = b.x + _clamped((a.x - b.x) * 0.15, b.width / 2 - 8)
            bend = (b.y - a.bottom) / 2
            path = (
                f"M{start:.1f},{a.bottom:.1f} C{start:.1f},{a.bottom + bend:.1f} "
                f"{end:.1f},{b.y - bend:.1f} {end:.1f},{b.y:.1f}"
            )
            # Labels of the arrows out of one state stand at different heights.
            share = 0.35 + 0.4 * (target % 3) / 2
            along = share * share * (3 - 2 * share)
            return path, start + (end - start) * along, a.bottom + (b.y - a.bottom) * share
        if a.y == b.y:
            # Along the row: below it, so that it crosses no box.
            depth = 26 + min(abs(a.x - b.x) * 0.05, 24)
            shift = 6 if a.x < b.x else -6
            path = (
                f"M{a.x + shift:.1f},{a.bottom:.1f} C{a.x:.1f},{a.bottom + depth:.1f} "
                f"{b.x:.1f},{b.bottom + depth:.1f} {b.x - shift:.1f},{b.bottom:.1f}"
            )
            return path, (a.x + b.x) / 2, max(a.bottom, b.bottom) + depth * 0.75
        # Back up: out and in at the right side.
        side = max(a.right, b.right) + 30
        start_y, end_y = a.y + a.height / 2, b.y + b.height / 2
        path = (
            f"M{a.right:.1f},{start_y:.1f} C{side:.1f},{start_y:.1f} "
            f"{side:.1f},{end_y:.1f} {b.right:.1f},{end_y:.1f}"
        )
        return path, side - 6, (start_y + end_y) / 2


def _joined(actions: list[str]) -> str:
    return "     ".join(actions)


def _label_lines(label: str) -> list[str]:
    lines = [
        textwrap.shorten(line, LABEL_CHARACTERS_MAX, placeholder="...")
        if " " in line[:LABEL_CHARACTERS_MAX]
        else line[:LABEL_CHARACTERS_MAX]
        for line in label.split("\n")
    ]
    if len(lines) > LABEL_LINES_MAX:
        rest = len(lines) - LABEL_LINES_MAX + 1
        lines = [*lines[: LABEL_LINES_MAX - 1], f"and {rest} more"]
    return lines


def _clamped(value: float, most: float) -> float:
    return max(-most, min(most, value))


def _xml(text: str) -> str:
    return html.escape(text, quote=True)
