"""Terms and decision DAGs over many states at once, with NumPy.

A batch of states is one column for each leaf.  A term is computed once per batch, over the whole
column; a DAG node is the mask of the states that reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..extraction.decisions import Dag, Decision, Outcome, nodes
from ..extraction.terms import TRUE, Term, ordered
from ..layout import Layout

Column = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.floor_divide,
    "mod": np.remainder,
    "min": np.minimum,
    "max": np.maximum,
    "eq": np.equal,
    "le": np.less_equal,
    "not": np.logical_not,
    "bite": np.where,
}


def narrowest_type(bounds: Iterable[tuple[int, int]]) -> Any:
    """The narrowest integer type that holds every number within the bounds."""
    low, high = 0, 0
    for least, greatest in bounds:
        low, high = min(low, least), max(high, greatest)
    for kind in (np.int8, np.int16, np.int32, np.int64):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return kind
    raise OverflowError(f"numbers from {low} to {high} do not fit 64 bits")


class Compiled:
    """DAGs made ready to run over columns."""

    def __init__(self, layout: Layout, roots: Iterable[Dag]) -> None:
        self.layout = layout
        found = list(roots)
        used: dict[Term, None] = {}
        for node in nodes(found):
            if isinstance(node, Decision):
                used[node.condition] = None
            for _, term in getattr(node, "changes", ()):
                used[term] = None
        inside = ordered(used)
        numbers = [(t.low, t.high) for t in inside if not t.is_truth]
        self.kind = narrowest_type(numbers + [(p.low, p.high) for p in layout.places])

    def batch(self, words: Words) -> Columns:
        """The columns of some states, given as words by state."""
        return Columns(self, words)


class Columns:
    """A batch of states.  `value` computes a term over all of them, once."""

    def __init__(self, compiled: Compiled, words: Words) -> None:
        self.count = words.shape[1]
        self.kind = compiled.kind
        self.everything: Mask = np.ones(self.count, dtype=np.bool_)
        self._values: dict[int, Any] = {}
        self._leaves: list[Column] = [
            unpacked(words, place.word, place.shift, place.bits, place.low, self.kind)
            for place in compiled.layout.places
        ]

    def leaf(self, index: int) -> Column:
        """The column of a leaf."""
        return self._leaves[index]

    def value(self, term: Term) -> Any:
        """A column of the term's values, or a plain number or truth value if it is constant."""
        known = self._values.get(term.id)
        if known is None:
            known = self._values[term.id] = self._compute(term)
        return known

    def _compute(self, term: Term) -> Any:
        op = term.op
        if op == "leaf":
            return self._leaves[term.value]
        if op == "const":
            return term.value
        if op in ("true", "false"):
            return term is TRUE
        arguments = [self.value(arg) for arg in term.args]
        if op in ("and", "or"):
            combine = np.logical_and if op == "and" else np.logical_or
            result = arguments[0]
            for argument in arguments[1:]:
                result = combine(result, argument)
            return result
        if op == "ite":
            return np.where(arguments[0], arguments[1], arguments[2]).astype(self.kind, copy=False)
        if op in ("div", "mod"):
            arguments[1] = np.maximum(arguments[1], 1)  # Rows where it is not are not looked at.
        return _OPERATIONS[op](*arguments)


def unpacked(words: Words, word: int, shift: int, bits: int, low: int, kind: Any) -> Column:
    """One leaf's column."""
    if bits == 0:
        return np.full(words.shape[1], low, dtype=kind)
    column = (words[word] >> np.uint64(shift)) & np.uint64((1 << bits) - 1)
    if low and bits >= np.iinfo(kind).bits - 1:
        wide: Column = (column.astype(np.int64) + low).astype(kind)
        return wide
    result: Column = column.astype(kind)
    if low:
        result += kind(low)
    return result


@dataclass(frozen=True)
class Program:
    """A DAG as a list: each node before its branches, so that masks only flow forward."""

    steps: tuple[tuple[Term, int, int], ...]
    """For each decision: the condition and the positions of its branches; negative: an outcome."""
    outcomes: tuple[Outcome, ...]
    """Outcome `k` is at position `-1 - k`."""

    def reached(self, columns: Columns, skip: Outcome | None) -> Iterator[tuple[Outcome, Mask]]:
        """For each outcome but `skip`, the states that end there, if there are any."""
        ends: list[Mask | None] = [None] * len(self.outcomes)
        if not self.steps:
            ends[0] = columns.everything
        masks: list[Mask | None] = [None] * len(self.steps)
        if masks:
            masks[0] = columns.everything
        for position, (condition, yes, no) in enumerate(self.steps):
            mask = masks[position]
            if mask is None:
                continue
            holding = mask & columns.value(condition)
            for target, part in ((yes, holding), (no, mask ^ holding)):
                if target < 0:
                    if self.outcomes[-1 - target] is skip:
                        continue
                    place, index = ends, -1 - target
                else:
                    place, index = masks, target
                former = place[index]
                if former is not None:
                    place[index] = former | part
                elif part.any():
                    place[index] = part
        for outcome, mask in zip(self.outcomes, ends, strict=True):
            if mask is not None and outcome is not skip:
                yield outcome, mask


def program(root: Dag) -> Program:
    """A DAG as a list."""
    order = list(nodes([root]))
    decisions = [node for node in order if isinstance(node, Decision)]
    outcomes = [node for node in order if isinstance(node, Outcome)]
    position = {id(node): i for i, node in enumerate(decisions)}
    position |= {id(node): -1 - i for i, node in enumerate(outcomes)}
    steps = tuple((n.condition, position[id(n.yes)], position[id(n.no)]) for n in decisions)
    return Program(steps, tuple(outcomes))
