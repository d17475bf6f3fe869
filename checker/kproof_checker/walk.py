"""Random walks: for scopes that are too large to exhaust.  Nothing found is not a proof."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from kproof_spec.lang import Instance, Machine, Property, PropertyKind, ScopeError

from .check import selected
from .engines.columns import Columns, Compiled, program
from .engines.numpy_engine import Successors, Words
from .extraction.decisions import DISABLED, FAILS, HOLDS, Failure, Update
from .extraction.extract import extract
from .layout import layout_of
from .options import Progress, Reporter
from .reconstruct import claimed, trace_of
from .traces.trace import Claim, ClaimKind, Trace
from .verdicts import CheckResult, PropertyResult, SpecFault, Stop, Verdict

TOGETHER_MAX = 1024
"""Walks that are made side by side."""


def walk(
    machine: Machine[Any],
    *,
    walks: int,
    depth: int,
    seed: int,
    properties: tuple[str, ...] | None = None,
    max_seconds: float | None = None,
    report: Reporter | None = None,
) -> CheckResult:
    """Takes `walks` random walks of at most `depth` steps from the initial states.

    In the result `distinct` is 0, since walks do not remember where they were, and `generated`
    counts the states that were looked at.  The first walk that settles a property gives its trace,
    which need not be shortest.
    """
    started, cpu_started = time.perf_counter(), time.process_time()
    walker = _Walker(machine, selected(machine, properties), seed)
    stop = Stop.EXHAUSTED
    done = 0
    try:
        while done < walks and walker.fault is None:
            together = min(TOGETHER_MAX, walks - done)
            for age in range(depth + 1):
                if not walker.step(together, is_first=age == 0):
                    break
                elapsed = time.perf_counter() - started
                if report is not None:
                    report(Progress(0, walker.looked, walks - done, age, elapsed, 0))
                if max_seconds is not None and elapsed > max_seconds:
                    raise TimeoutError
            done += together
    except KeyboardInterrupt:
        stop = Stop.INTERRUPTED
    except TimeoutError:
        stop = Stop.TIME
    if walker.fault is not None:
        stop = Stop.SPEC_ERROR
    elif stop is Stop.EXHAUSTED:
        stop = Stop.SETTLED
    return CheckResult(
        machine=machine,
        engine="numpy",
        symmetry=False,
        stop=stop,
        distinct=0,
        generated=walker.looked,
        depth=walker.deepest,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        actions=walker.actions(),
        properties={claim.name: walker.result(claim, done) for claim in walker.claims},
        fault=walker.fault,
    )


class _Walker:
    """Many walks side by side, each with the steps that it took."""

    def __init__(self, machine: Machine[Any], claims: list[Property], seed: int) -> None:
        self.machine, self.claims = machine, claims
        self.random = np.random.default_rng(seed)
        self.layout = layout_of(machine.leaves)
        searched = [claim for claim in claims if not claim.kind.is_liveness]
        extracted = extract(machine, searched)
        self._actions = [(instance, program(dag)) for instance, dag in extracted.actions]
        self._predicates = {
            claim.name: [
                (instance, program(dag)) for instance, dag in extracted.properties[claim.name]
            ]
            for claim in searched
        }
        self.compiled = Compiled(self.layout, extracted.roots)
        self.initial = machine.initial_codes()
        if not self.initial:
            raise ScopeError(f"{machine!r} has no initial state: init refuses every choice")
        self.traces: dict[str, Trace] = {}
        self.fault: SpecFault | None = None
        self.looked = self.deepest = 0
        self._enabled: dict[str, int] = {}

    def step(self, together: int, *, is_first: bool) -> bool:
        """Looks at where the walks are and takes a step in each; False if all are stuck."""
        if is_first:
            self._begin(together)
        columns = self.compiled.batch(self.words)
        self.looked += columns.count
        self.deepest = max(self.deepest, len(self._history) + 1)
        self._look(columns)
        successors = Successors(self.layout, self.words)
        for instance, steps in self._actions:
            for outcome, mask in steps.reached(columns, skip=DISABLED):
                if isinstance(outcome, Update):
                    count = successors.add(instance.index, outcome, mask, columns)
                    name = instance.definition.name
                    self._enabled[name] = self._enabled.get(name, 0) + count
                elif isinstance(outcome, Failure) and self.fault is None:
                    self.fault = self._failed(instance, outcome, int(mask.argmax()))
        if self.fault is not None:
            return False
        return self._choose(*successors.gathered())

    def _begin(self, together: int) -> None:
        self._starts = self.random.integers(len(self.initial), size=together)
        packed = np.array([self.layout.pack(codes) for codes in self.initial], dtype=np.uint64)
        packed = packed.reshape(len(self.initial), self.layout.words)
        self.words: Words = np.ascontiguousarray(packed[self._starts].T)
        self._members: npt.NDArray[np.int64] = np.arange(together)
        """For each column, which walk it is: walks that are stuck drop out."""
        self._history: list[npt.NDArray[np.int64]] = []

    def _choose(
        self, rows: Words, origins: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]
    ) -> bool:
        """One successor for each walk that has any, each equally likely."""
        if not len(origins):
            return False
        order = np.lexsort((self.random.random(len(origins)), origins))
        is_chosen = np.ones(len(order), dtype=np.bool_)
        is_chosen[1:] = origins[order][1:] != origins[order][:-1]
        chosen = order[is_chosen]
        taken = np.full(len(self._starts), -1, dtype=np.int64)
        self._members = self._members[origins[chosen]]
        taken[self._members] = steps[chosen]
        self._history.append(taken)
        self.words = np.ascontiguousarray(rows[:, chosen])
        return True

    def _look(self, columns: Columns) -> None:
        for claim in self.claims:
            if claim.name in self.traces or claim.kind.is_liveness:
                continue
            is_witness = claim.kind is PropertyKind.SOMETIMES
            for instance, steps in self._predicates[claim.name]:
                for outcome, mask in steps.reached(columns, skip=None):
                    if outcome is (HOLDS if is_witness else FAILS):
                        kind = ClaimKind.REACHES if is_witness else ClaimKind.VIOLATES
                        trace = self._trace(int(mask.argmax()), Claim(kind, claim.name))
                        self.traces[claim.name] = claimed(self.machine, trace, claim)
                    elif isinstance(outcome, Failure) and self.fault is None:
                        self.fault = self._failed(instance, outcome, int(mask.argmax()))
                if claim.name in self.traces:
                    break

    def _trace(self, column: int, claim: Claim) -> Trace:
        """The walk in this column, taken again in CPython."""
        member = self._members[column]
        codes = self.initial[self._starts[member]]
        state = self.machine.load(codes)
        states, steps = [codes], []
        for taken in self._history:
            instance = self.machine.instances[taken[member]]
            assert self.machine.attempt(state, instance.definition, instance.arguments)
            self.machine.store_of(state).commit()
            states.append(self.machine.codes(state))
            steps.append(instance)
        assert states[-1] == self.layout.unpack([int(w) for w in self.words[:, column]])
        return trace_of(self.machine, states, steps, claim)

    def _failed(self, instance: Instance, outcome: Failure, column: int) -> SpecFault:
        claim = Claim(ClaimKind.FAILS, instance.definition.name, dict(instance.arguments))
        trace = self._trace(column, claim)
        return SpecFault(outcome.message, outcome.where, trace, instance.label)

    def actions(self) -> dict[str, int]:
        """For each action, how often it was possible."""
        return {name: self._enabled.get(name, 0) for name in self.machine.model.actions}

    def result(self, claim: Property, walks: int) -> PropertyResult:
        """What the walks say about a property."""
        if claim.kind.is_liveness:
            return PropertyResult(
                claim,
                Verdict.UNCHECKED,
                note="a walk says nothing about liveness: use kproof check",
            )
        is_witness = claim.kind is PropertyKind.SOMETIMES
        trace = self.traces.get(claim.name)
        if trace is not None:
            return PropertyResult(claim, Verdict.REACHED if is_witness else Verdict.VIOLATED, trace)
        if is_witness:
            return PropertyResult(claim, Verdict.UNKNOWN, note=f"not met on {walks:,} walks")
        return PropertyResult(claim, Verdict.WALKED, note=f"{walks:,} walks")
