"""CPython, running the functions as they are: slow, and the ground truth for every other engine."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from kproof_spec.lang import PropertyKind, SpecError

from ..extraction.extract import property_instances
from .base import Batch, Fault, Finding, Problem


class PythonEngine:
    """Breadth-first search over tuples of codes."""

    name = "python"
    batch_max = 256

    def __init__(self, problem: Problem) -> None:
        self.problem, self.machine = problem, problem.machine
        self.visited, self.depth = 0, 1
        self._index: dict[tuple[int, ...], int] = {}
        self._states: list[tuple[int, ...]] = []
        self._parents: list[tuple[int, int]] = []
        self._claims = {
            claim.name: (claim, property_instances(self.machine, claim))
            for claim in problem.properties
        }
        for codes in self.machine.initial_codes():
            self._insert(codes, (-1, -1))
        self._level_end = len(self._states)

    @property
    def distinct(self) -> int:
        """How many states were found."""
        return len(self._states)

    @property
    def memory_bytes(self) -> int:
        """An estimate: the tuples share their small numbers."""
        return len(self._states) * self._tuple_bytes + sys.getsizeof(self._index)

    @property
    def _tuple_bytes(self) -> int:
        return sys.getsizeof(self._states[0]) + sys.getsizeof((0, 0)) + 3 * 8

    @property
    def state_bytes(self) -> int:
        """An estimate: tuples, and a dictionary that is a third full after it has grown."""
        return self._tuple_bytes + 3 * 36

    def _insert(self, codes: tuple[int, ...], parent: tuple[int, int]) -> None:
        if self.problem.symmetry is not None:
            codes = self.problem.symmetry.representative(codes)
        if codes not in self._index:
            self._index[codes] = len(self._states)
            self._states.append(codes)
            self._parents.append(parent)

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level."""
        batch = Batch()
        end = min(self.visited + count_max, self._level_end)
        for state in range(self.visited, end):
            self._look(state, wanted, batch)
            self._step(state, batch)
            self.visited += 1
            batch.visited += 1
        if self.visited == self._level_end and self.distinct > self._level_end:
            self.depth += 1
            self._level_end = self.distinct
        return batch

    def _look(self, index: int, wanted: Collection[str], batch: Batch) -> None:
        found = {finding.name for finding in batch.findings}
        state = self.machine.load(self._states[index])
        for name in wanted:
            if name in found:
                continue
            claim, instances = self._claims[name]
            sought = claim.kind is PropertyKind.SOMETIMES
            for instance in instances:
                arguments: dict[str, Any] = dict(instance.arguments)
                try:
                    holds = self.machine.holds(state, instance.definition, arguments)
                except SpecError as error:
                    batch.faults.append(
                        Fault(instance.label, arguments, name, error.message, error.where, index)
                    )
                    continue
                if holds is sought and name not in found:
                    found.add(name)
                    batch.findings.append(Finding(name, arguments, index))

    def _step(self, index: int, batch: Batch) -> None:
        state = self.machine.load(self._states[index])
        store = self.machine.store_of(state)
        is_deadlock = True
        for instance in self.machine.instances:
            try:
                if not self.machine.attempt(state, instance.definition, instance.arguments):
                    continue
            except SpecError as error:
                arguments = dict(instance.arguments)
                name = instance.definition.name
                batch.faults.append(
                    Fault(instance.label, arguments, name, error.message, error.where, index)
                )
                is_deadlock = False
                continue
            is_deadlock = False
            after = self.machine.codes(state)
            store.rollback()
            batch.enabled[instance.index] = batch.enabled.get(instance.index, 0) + 1
            self._insert(after, (index, instance.index))
        if is_deadlock:
            batch.deadlocks += 1
            if batch.first_deadlock is None:
                batch.first_deadlock = index

    def codes(self, state: int) -> tuple[int, ...]:
        """The codes of a state."""
        return self._states[state]

    def parent(self, state: int) -> tuple[int, int]:
        """The state it was found from, and by which action instance."""
        return self._parents[state]
