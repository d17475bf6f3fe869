"""The native engine: one or more workers in machine code over a shared table, level by level."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kproof_spec.lang import PropertyKind

from ...extraction.decisions import FAILS, HOLDS
from ...extraction.extract import Extracted
from ...interrupts import Uninterrupted
from ...layout import layout_of
from ..base import Batch, Edges, EngineRefused, Fault, Finding, Problem, Rows
from . import frame as at
from .memory import FULLNESS_MAX, SLOT_BYTES, STATE_OVERHEAD_BYTES, StateMemory
from .module import Module

PROPERTIES_MAX = 62
"""The properties that are looked for are bits of one number."""
ALONE_BELOW = 4 * at.CHUNK
"""Levels with fewer states are left to one worker: the others would come too late."""


BATCH_MIN, BATCH_MAX = 1 << 13, 1 << 21
CALL_SECONDS = 0.2
"""How long one call should take: progress, budgets and Ctrl-C wait for its end."""
JOIN_SECONDS = 0.05
INSTANCES_MAX = 1 << 16
"""The step that found a state is kept in 16 bits."""


def objection(problem: Problem) -> str:
    """Why the native engine cannot take a problem; empty if it can."""
    properties, instances = len(problem.properties), len(problem.machine.instances)
    if properties > PROPERTIES_MAX:
        return (
            f"engine llvm looks for {PROPERTIES_MAX} properties at most, not {properties} (name "
            "some with --property)"
        )
    if instances > INSTANCES_MAX:
        return f"engine llvm takes {INSTANCES_MAX:,} action instances at most, not {instances:,}"
    return ""


class LlvmEngine:
    """Breadth-first search in machine code."""

    name = "llvm"

    def __init__(
        self,
        problem: Problem,
        extracted: Extracted,
        *,
        workers: int = 1,
        max_memory_bytes: int | None = None,
    ) -> None:
        reason = objection(problem)
        if reason:
            raise EngineRefused(f"{reason}: use --engine numpy")
        self.problem, self.workers = problem, workers
        self.batch_max = BATCH_MIN
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
        while self.workers > 1 and not self.memory.can_spare(self._slack):
            self.workers //= 2  # More would fill a small memory with what they have begun.
        size = at.SHARED_SIZE + self.workers
        self._shared: npt.NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._own = [np.zeros(self.module.frame.size, dtype=np.int64) for _ in range(self.workers)]
        for number, own in enumerate(self._own):
            self._shared[at.OWNERS + number] = own.ctypes.data
        self.visited, self.depth = 0, 1
        self._stopped_by: BaseException | None = None
        self._shared[at.STATES] = self.memory.states.address
        self._shared[at.PARENTS] = self.memory.parents.address
        self._shared[at.STEPS] = self.memory.steps.address
        self._begin()

    def _begin(self) -> None:
        initial: list[tuple[int, ...]] = self.problem.machine.initial_codes()
        if self.problem.symmetry is not None:
            initial = list(dict.fromkeys(map(self._canonical, initial)))
        count = len(initial)
        if count > self.memory.capacity:
            raise MemoryError
        states = self._states(count)
        for index, codes in enumerate(initial):
            states[index] = np.array(self.layout.pack(codes), dtype=np.uint64)
        self.memory.parents.view(np.int32, count)[:] = -1
        self._shared[at.COUNT] = count
        self.memory.clear(count, self._slack)
        self._use_slots()
        self._rehash()
        self._level_end = count

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

    @property
    def state_bytes(self) -> int:
        """Words, parent and step, and the slots just after their number has doubled."""
        return (
            self.layout.words * 8 + STATE_OVERHEAD_BYTES + math.ceil(2 * SLOT_BYTES / FULLNESS_MAX)
        )

    def expand(self, count_max: int, wanted: Collection[str]) -> Batch:
        """Visits up to `count_max` states of one level."""
        if self._stopped_by is not None:
            raise self._stopped_by
        start, started = self.visited, time.perf_counter()
        until = min(start + count_max, self._level_end)
        shared = self._shared
        shared[at.CURSOR], shared[at.UNTIL] = start, until
        shared[at.OPEN] = sum(1 << i for i, name in enumerate(self._names) if name in wanted)
        for number, own in enumerate(self._own):
            own[: self.module.frame.rows] = 0
            own[at.WORKER] = number
            own[at.FIRST_DEADLOCK] = at.NEVER
            own[at.FOUND : self.module.frame.enabled] = at.NEVER
        self._visit(until)
        self.visited = min(int(shared[at.CURSOR]), until)
        if self.visited == self._level_end and self.distinct > self._level_end:
            self.depth += 1
            self._level_end = self.distinct
        self._pace(self.visited - start, time.perf_counter() - started)
        return self._batch(self.visited - start)

    def _visit(self, until: int) -> None:
        """Lets the workers visit states, and grows the table when it is full.

        What stops it early, Ctrl-C or the end of the memory, is raised by the next call: first what
        was visited has to be counted.
        """
        shared = self._shared
        try:
            while self._stopped_by is None:
                self._run(until - int(shared[at.CURSOR]))
                if int(shared[at.CURSOR]) >= until:
                    return
                if self._stopped_by is None:
                    self._grow()
        except (KeyboardInterrupt, MemoryError) as reason:
            self._stopped_by = reason

    def _pace(self, states: int, seconds: float) -> None:
        """Chooses how many states to visit in one call: `CALL_SECONDS`' worth."""
        if states >= BATCH_MIN:
            wanted = int(states / max(seconds, 1e-6) * CALL_SECONDS)
            self.batch_max = max(BATCH_MIN, min(wanted, BATCH_MAX))

    def _run(self, states: int) -> None:
        shared = self._shared.ctypes.data
        if self.workers == 1 or states < ALONE_BELOW:
            self.module.run(shared, self._own[0].ctypes.data)
        else:
            self._together([(self.module.run, shared, own.ctypes.data) for own in self._own])

    def _together(self, calls: Sequence[tuple[Any, ...]]) -> None:
        """Makes each call in a thread of its own, and waits for all of them.

        Ctrl-C makes the workers stop at their next chunk.  Whatever happens, no thread is still at
        work in our memory when this returns.
        """
        with Uninterrupted() as interrupted:
            threads = [threading.Thread(target=call, args=arguments) for call, *arguments in calls]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(JOIN_SECONDS)
                    if interrupted.was:
                        self._shared[at.LIMIT] = at.NEVER
        if interrupted.was:
            raise KeyboardInterrupt

    @property
    def _slack(self) -> int:
        """How many states may still come once the limit is passed: each worker ends its chunk."""
        per_worker = (at.CHUNK + 1) * self.module.frame.instances + at.FLUSH_AT
        return self.workers * per_worker

    def _use_slots(self) -> None:
        assert self.memory.slots is not None
        self._shared[at.TABLE] = self.memory.slots.address
        self._shared[at.MASK] = self.memory.slot_count - 1
        self._shared[at.LIMIT] = self.memory.fill_limit - self._slack

    def _grow(self) -> None:
        self.memory.grow(self.distinct, self._slack)
        self._use_slots()
        self._rehash()

    def _rehash(self) -> None:
        """Puts every state into the slots, which are empty; each worker takes a part."""
        shared, count = self._shared.ctypes.data, self.distinct
        if self.workers == 1 or count < ALONE_BELOW:
            self.module.rehash(shared, 0, count)
            return
        ends = [count * i // self.workers for i in range(self.workers + 1)]
        parts = itertools.pairwise(ends)
        self._together([(self.module.rehash, shared, first, last) for first, last in parts])

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

    def edges(self, first: int, last: int) -> Iterator[Edges]:
        """Every step from states `first..last - 1`, in pieces, computed anew."""
        frame, own = self.module.frame, self._own[0]
        own[at.BUFFERED] = 0
        while first < last:
            arrays = self._shared.ctypes.data, own.ctypes.data
            first = int(self.module.edges(*arrays, first, last))
            count = int(own[at.BUFFERED])
            own[at.BUFFERED] = 0
            origins = own[frame.origins : frame.origins + count].copy()
            targets = own[frame.hashes : frame.hashes + count].copy()
            yield Edges(origins & 0xFFFFFFFF, origins >> 32, targets)

    @property
    def level_end(self) -> int:
        """Where the level ends that is being visited."""
        return self._level_end

    def rows_from(self, first: int, end: int | None = None) -> Rows:
        """The states from index `first` on, or up to but not including `end`."""
        end = self.distinct if end is None else end
        return Rows(
            self._states(end)[first:],
            self.memory.parents.view(np.int32, end)[first:],
            self.memory.steps.view(np.uint16, end)[first:].astype(np.int32),
        )

    def fill(self, parts: Iterable[Rows]) -> None:
        """Replaces the states by those of a checkpoint."""
        count = 0
        for rows in parts:
            first, count = count, count + len(rows.parents)
            if count > self.memory.capacity:
                raise MemoryError
            self._states(count)[first:] = rows.states
            self.memory.parents.view(np.int32, count)[first:] = rows.parents
            self.memory.steps.view(np.uint16, count)[first:] = rows.steps
        self._shared[at.COUNT] = count
        self.memory.clear(count, self._slack)
        self._use_slots()
        self._rehash()

    def go_on(self, visited: int, depth: int, level_end: int) -> None:
        """Takes up the search where the checkpoint left it."""
        self.visited, self.depth, self._level_end = visited, depth, level_end

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
