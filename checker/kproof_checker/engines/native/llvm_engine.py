"""The native engine: one or more workers in machine code over a shared table, level by level."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from kproof_spec.lang import PropertyKind

from ...extraction.decisions import FAILS, HOLDS
from ...extraction.extract import Extracted
from ...layout import layout_of
from ..base import Batch, Fault, Finding, Problem
from . import frame as at
from .memory import StateMemory
from .module import Module

PROPERTIES_MAX = 62
"""The properties that are looked for are bits of one number."""
ALONE_BELOW = 4 * at.CHUNK
"""Levels with fewer states are left to one worker: the others would come too late."""


class LlvmEngine:
    """Breadth-first search in machine code."""

    name = "llvm"
    batch_max = 1 << 19

    def __init__(
        self,
        problem: Problem,
        extracted: Extracted,
        *,
        workers: int = 1,
        max_memory_bytes: int | None = None,
    ) -> None:
        if len(problem.properties) > PROPERTIES_MAX:
            raise ValueError(
                f"the llvm engine looks for {PROPERTIES_MAX} properties at most, not "
                f"{len(problem.properties)}: name some with --property, or use --engine numpy"
            )
        self.problem, self.workers = problem, workers
        self.layout = layout_of(problem.machine.leaves)
        self._names = [claim.name for claim in problem.properties]
        predicates = [
            (
                HOLDS if claim.kind is PropertyKind.SOMETIMES else FAILS,
                extracted.properties[claim.name],
            )
            for claim in problem.properties
        ]
        self.module = Module(
            self.layout,
            extracted.actions,
            predicates,
            problem.symmetry,
            is_shared=workers > 1,
        )
        self.memory = StateMemory(self.layout.words, max_memory_bytes)
        self._shared: npt.NDArray[np.int64] = np.zeros(at.SHARED_SIZE, dtype=np.int64)
        self._own = [np.zeros(self.module.frame.size, dtype=np.int64) for _ in range(workers)]
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self.visited, self.depth = 0, 1
        self._shared[at.STATES] = self.memory.states.address
        self._shared[at.PARENTS] = self.memory.parents.address
        self._shared[at.STEPS] = self.memory.steps.address
        self._begin()

    def _begin(self) -> None:
        self._use_slots()
        representative: Any = dict.fromkeys(self.problem.machine.initial_codes())
        if self.problem.symmetry is not None:
            representative = dict.fromkeys(map(self._canonical, representative))
        for codes in representative:
            index = int(self._shared[at.COUNT])
            words = np.array(self.layout.pack(codes), dtype=np.uint64)
            self._states(index + 1)[index] = words
            self.memory.parents.view(np.int32, index + 1)[index] = -1
            self._shared[at.COUNT] = index + 1
        self.module.rehash(self._shared.ctypes.data, 0, int(self._shared[at.COUNT]))
        self._level_end = self.distinct

    def _canonical(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        """The representative that the compiled code picks."""
        row = np.array(self.layout.pack(codes), dtype=np.uint64)
        self.module.canonical(row.ctypes.data)
        return self.layout.unpack([int(word) for word in row])

    @property
    def distinct(self) -> int:
        """How many states were found."""
        return int(self._shared[at.COUNT])

    @property
    def memory_bytes(self) -> int:
        """What the states and the slots take."""
        return self.memory.used_bytes(self.distinct)

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level."""
        start = self.visited
        until = min(start + count_max, self._level_end)
        shared = self._shared
        shared[at.CURSOR], shared[at.UNTIL] = start, until
        shared[at.OPEN] = sum(1 << i for i, name in enumerate(self._names) if name in wanted)
        for own in self._own:
            own[: self.module.frame.rows] = 0
            own[at.FIRST_DEADLOCK] = at.NEVER
            own[at.FOUND : self.module.frame.enabled] = at.NEVER
        while True:
            self._run(until - int(shared[at.CURSOR]))
            if int(shared[at.CURSOR]) >= until:
                break
            self._grow()
        self.visited = until
        if self.visited == self._level_end and self.distinct > self._level_end:
            self.depth += 1
            self._level_end = self.distinct
        return self._batch(until - start)

    def _run(self, states: int) -> None:
        shared = self._shared.ctypes.data
        if self._pool is None or states < ALONE_BELOW:
            self.module.run(shared, self._own[0].ctypes.data)
            return
        running = [self._pool.submit(self.module.run, shared, own.ctypes.data) for own in self._own]
        for worker in running:
            worker.result()

    def _use_slots(self) -> None:
        assert self.memory.slots is not None
        self._shared[at.TABLE] = self.memory.slots.address
        self._shared[at.MASK] = self.memory.slot_count - 1
        # Each worker may still finish its chunk once the limit is passed.
        slack = self.workers * (at.CHUNK + 1) * self.module.frame.instances
        limit = self.memory.fill_limit - slack
        self._shared[at.LIMIT] = limit
        if limit <= 0:
            self._grow()

    def _grow(self) -> None:
        self.memory.grow(self.distinct)
        self._use_slots()
        self.module.rehash(self._shared.ctypes.data, 0, self.distinct)

    def _batch(self, visited: int) -> Batch:
        frame = self.module.frame
        total = np.sum([own[frame.enabled : frame.rows] for own in self._own], axis=0)
        batch = Batch(visited=visited)
        batch.enabled = {int(i): int(total[i]) for i in np.flatnonzero(total)}
        batch.deadlocks = sum(int(own[at.DEADLOCKS]) for own in self._own)
        batch.first_deadlock = self._least(at.FIRST_DEADLOCK)
        for i, name in enumerate(self._names):
            state = self._least(at.FOUND + i)
            if state is not None:
                batch.findings.append(Finding(name, {}, state))
        for own in self._own:
            if own[at.FAULT]:
                instance, failure = self.module.faults[int(own[at.FAULT]) - 1]
                batch.faults.append(
                    Fault(
                        instance.label,
                        dict(instance.arguments),
                        instance.definition.name,
                        failure.message,
                        failure.where,
                        int(own[at.FAULT_STATE]),
                    )
                )
        return batch

    def _least(self, index: int) -> int | None:
        found = [int(own[index]) for own in self._own if own[index] != at.NEVER]
        return min(found, default=None)

    def _states(self, count: int) -> npt.NDArray[Any]:
        flat = self.memory.states.view(np.uint64, count * self.layout.words)
        return flat.reshape(count, self.layout.words)

    def codes(self, state: int) -> tuple[int, ...]:
        """The codes of a state."""
        return self.layout.unpack([int(word) for word in self._states(state + 1)[state]])

    def parent(self, state: int) -> tuple[int, int]:
        """The state it was found from, and by which action instance."""
        parent = int(self.memory.parents.view(np.int32, state + 1)[state])
        return parent, int(self.memory.steps.view(np.uint16, state + 1)[state])
