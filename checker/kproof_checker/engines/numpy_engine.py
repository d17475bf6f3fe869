"""The NumPy engine: the decision DAGs over thousands of states at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kproof_spec.lang import Instance, PropertyKind

from ..extraction.decisions import DISABLED, FAILS, HOLDS, Failure, Outcome, Update
from ..extraction.extract import Extracted
from ..layout import Layout, layout_of
from ..symmetry import Permutation, Symmetry
from .base import Batch, Edges, Fault, Finding, Problem, Rows
from .columns import Columns, Compiled, Mask, Program, program, unpacked
from .table import StateTable

BATCH_MAX = 1 << 14
"""States visited at once: their columns stay in the processor's cache."""

Words = npt.NDArray[np.uint64]


class Successors:
    """The states that steps of a batch lead to, gathered instance by instance."""

    def __init__(self, layout: Layout, words: Words) -> None:
        self.layout, self.words = layout, words
        self._rows: list[Words] = []
        self._origins: list[npt.NDArray[np.int64]] = []
        self._steps: list[tuple[int, int]] = []

    def add(self, step: int, outcome: Update, mask: Mask, columns: Columns) -> int:
        """Takes the step in the states of `mask`; how many these are."""
        origins = np.flatnonzero(mask)
        rows = self.words[:, origins]
        for leaf, term in outcome.changes:
            place = self.layout.places[leaf]
            if place.bits == 0:
                continue
            row = rows[place.word]
            row &= np.uint64(~place.mask & 0xFFFFFFFFFFFFFFFF)
            if term.op == "const":
                row |= np.uint64((term.value - place.low) << place.shift)
            else:
                values = columns.value(term)[origins].astype(np.int64) - place.low
                row |= values.astype(np.uint64) << np.uint64(place.shift)
        self._rows.append(rows)
        self._origins.append(origins)
        self._steps.append((step, len(origins)))
        return len(origins)

    def gathered(self) -> tuple[Words, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The rows, the position in the batch that each came from, and its step."""
        if not self._rows:
            nothing = np.zeros(0, dtype=np.int64)
            return self.words[:, :0], nothing, nothing
        counts = [count for _, count in self._steps]
        steps = np.repeat([step for step, _ in self._steps], counts)
        return np.concatenate(self._rows, axis=1), np.concatenate(self._origins), steps


class Canonical:
    """Representatives under symmetry, for many packed states at once."""

    def __init__(self, layout: Layout, symmetry: Symmetry) -> None:
        self.layout = layout
        self._moves = [self._move(p) for p in symmetry.permutations[1:]]

    def _move(self, permutation: Permutation) -> list[tuple[int, Any]]:
        """Where each leaf's bits come from: the source leaf, and a table of packed codes."""
        return [
            (source, self._packed_codes(leaf, permutation))
            for leaf, source in enumerate(permutation.sources)
        ]

    def _packed_codes(self, leaf: int, permutation: Permutation) -> Any:
        if leaf not in permutation.maps:
            return None
        low = self.layout.places[leaf].low
        return np.array([code - low for code in permutation.maps[leaf]], dtype=np.uint64)

    def __call__(self, rows: Words) -> Words:
        """The representative of each state."""
        places = self.layout.places
        offsets = [unpacked(rows, p.word, p.shift, p.bits, 0, np.int64) for p in places]
        unsigned = [column.astype(np.uint64) for column in offsets]
        best = rows.copy()
        for move in self._moves:
            twin = np.zeros_like(rows)
            for place, (source, table) in zip(places, move, strict=True):
                if place.bits:
                    bits = unsigned[source] if table is None else table[offsets[source]]
                    twin[place.word] |= bits << np.uint64(place.shift)
            is_less = np.zeros(rows.shape[1], dtype=np.bool_)
            is_equal = ~is_less
            for mine, theirs in zip(best, twin, strict=True):
                is_less |= is_equal & (theirs < mine)
                is_equal &= theirs == mine
            best[:, is_less] = twin[:, is_less]
        return best


class NumpyEngine:
    """Breadth-first search over packed states."""

    name = "numpy"
    batch_max = BATCH_MAX

    def __init__(self, problem: Problem, extracted: Extracted) -> None:
        self.problem = problem
        self.layout = layout_of(problem.machine.leaves)
        self.compiled = Compiled(self.layout, extracted.roots)
        self._actions = [(instance, program(dag)) for instance, dag in extracted.actions]
        self._predicates = {
            name: [(instance, program(dag)) for instance, dag in pairs]
            for name, pairs in extracted.properties.items()
        }
        self._sought: dict[str, Outcome] = {
            claim.name: HOLDS if claim.kind is PropertyKind.SOMETIMES else FAILS
            for claim in problem.properties
        }
        symmetry = problem.symmetry
        self._canonical = Canonical(self.layout, symmetry) if symmetry is not None else None
        self._table = StateTable(self.layout.words)
        self.visited, self.depth = 0, 1
        initial = [self.layout.pack(codes) for codes in problem.machine.initial_codes()]
        rows = np.array(initial, dtype=np.uint64).reshape(len(initial), self.layout.words).T
        nowhere = np.full(len(initial), -1)
        self._insert(rows, nowhere, nowhere)
        self._level_end = self.distinct

    @property
    def distinct(self) -> int:
        """How many states were found."""
        return self._table.count

    @property
    def memory_bytes(self) -> int:
        """What the table takes."""
        return self._table.memory_bytes

    @property
    def state_bytes(self) -> int:
        """Words, parent and step, all twice just after they have grown; four slots."""
        return 2 * (self.layout.words * 8 + 8) + 4 * 4

    def _insert(
        self, rows: Words, parents: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]
    ) -> None:
        if self._canonical is not None and rows.shape[1]:
            rows = self._canonical(rows)
        self._table.insert(rows, parents, steps)

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level."""
        start = self.visited
        end = min(start + min(count_max, BATCH_MAX), self._level_end)
        words = self._table.states[:, start:end]
        columns = self.compiled.batch(words)
        batch = Batch(visited=end - start)
        for name in wanted:
            self._look(name, columns, start, batch)
        successors = Successors(self.layout, words)
        is_stuck = columns.everything.copy()
        for number, (_, steps) in enumerate(self._actions):
            is_stuck &= ~self._take(number, steps, columns, successors, batch)
        stuck = np.flatnonzero(is_stuck)
        if len(stuck):
            batch.deadlocks, batch.first_deadlock = len(stuck), start + int(stuck[0])
        rows, origins, taken = successors.gathered()
        self._insert(rows, origins + start, taken)
        self.visited = end
        if self.visited == self._level_end and self.distinct > self._level_end:
            self.depth += 1
            self._level_end = self.distinct
        return batch

    def _take(
        self, number: int, steps: Program, columns: Columns, successors: Successors, batch: Batch
    ) -> Mask:
        """Takes an action instance's steps in a batch; the states in which it is not disabled."""
        instance = self._actions[number][0]
        is_taken = np.zeros(columns.count, dtype=np.bool_)
        for outcome, mask in steps.reached(columns, skip=DISABLED):
            is_taken |= mask
            if isinstance(outcome, Update):
                count = successors.add(number, outcome, mask, columns)
                batch.enabled[number] = batch.enabled.get(number, 0) + count
            elif isinstance(outcome, Failure):
                name = instance.definition.name
                batch.faults.append(_fault(instance, name, outcome, mask, self.visited))
        return is_taken

    def _look(self, name: str, columns: Columns, start: int, batch: Batch) -> None:
        found: list[Finding] = []
        for instance, steps in self._predicates[name]:
            sought = self._sought[name]
            for outcome, mask in steps.reached(columns, skip=None):
                if outcome is sought:
                    state = start + int(mask.argmax())
                    found.append(Finding(name, dict(instance.arguments), state))
                elif isinstance(outcome, Failure):
                    batch.faults.append(_fault(instance, name, outcome, mask, start))
        if found:
            batch.findings.append(min(found, key=lambda finding: finding.state))

    def edges(self, first: int, last: int) -> Iterator[Edges]:
        """Every step from states `first..last - 1`, in pieces, computed anew."""
        for start in range(first, last, BATCH_MAX):
            words = self._table.states[:, start : min(start + BATCH_MAX, last)]
            columns, successors = self.compiled.batch(words), Successors(self.layout, words)
            for number, (_, steps) in enumerate(self._actions):
                self._take(number, steps, columns, successors, Batch())
            rows, origins, instances = successors.gathered()
            if self._canonical is not None and rows.shape[1]:
                rows = self._canonical(rows)
            yield Edges(origins + start, instances, self._table.find(rows))

    @property
    def level_end(self) -> int:
        """Where the level ends that is being visited."""
        return self._level_end

    def rows_from(self, first: int, end: int | None = None) -> Rows:
        """The states from index `first` on, or up to but not including `end`."""
        table = self._table
        end = self.distinct if end is None else end
        states = np.ascontiguousarray(table.states[:, first:end].T)
        return Rows(states, table.parents[first:end], table.steps[first:end])

    def fill(self, parts: Iterable[Rows]) -> None:
        """Replaces the states by those of a checkpoint."""
        rows = list(parts)
        self._table = StateTable(self.layout.words)
        self._table.restore(
            np.concatenate([part.states for part in rows]).T,
            np.concatenate([part.parents for part in rows]),
            np.concatenate([part.steps for part in rows]),
        )

    def go_on(self, visited: int, depth: int, level_end: int) -> None:
        """Takes up the search where the checkpoint left it."""
        self.visited, self.depth, self._level_end = visited, depth, level_end

    def codes(self, state: int) -> tuple[int, ...]:
        """The codes of a state."""
        return self.layout.unpack([int(word) for word in self._table.states[:, state]])

    def parent(self, state: int) -> tuple[int, int]:
        """The state it was found from, and by which action instance."""
        return int(self._table.parents[state]), int(self._table.steps[state])


def _fault(instance: Instance, name: str, outcome: Failure, mask: Mask, start: int) -> Fault:
    state = start + int(mask.argmax())
    arguments = dict(instance.arguments)
    return Fault(instance.label, arguments, name, outcome.message, outcome.where, state)


__all__ = ["BATCH_MAX", "Canonical", "NumpyEngine", "Program", "Successors"]
