"""Checking a model: visit every state of a scope, breadth first, and say honestly what was seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from kproof_spec.lang import Machine, Property, PropertyKind

from .engines.base import Batch, Engine, Fault, Finding, Problem
from .engines.choice import ENGINES, SWITCH_STATES, Choice
from .options import CheckOptions, Progress, Reporter
from .reconstruct import Reconstruction
from .symmetry import PERMUTATIONS_MAX, Symmetry
from .verdicts import CheckResult, PropertyResult, SpecFault, Stop, Verdict

SEARCHED = (PropertyKind.INVARIANT, PropertyKind.SOMETIMES)


def check(
    machine: Machine[Any], options: CheckOptions, report: Reporter | None = None
) -> CheckResult:
    """Explores every reachable state of the machine's scope and settles its properties.

    Goes on after a violation until every property is settled or the scope is exhausted; each
    counterexample is a shortest one and has been replayed in CPython.

    Raises `ScopeError` for an impossible scope, `SpecError` if the specification cannot be run at
    all, `ValueError` for an unknown engine or property, and `Disagreement` if kproof itself is
    wrong.  Ctrl-C and budgets give a partial result, marked as such.
    """
    started, cpu_started = time.perf_counter(), time.process_time()
    claims = selected(machine, options.properties)
    warnings: list[str] = []
    symmetry = _symmetry(machine, options, warnings)
    problem = Problem(machine, tuple(c for c in claims if c.kind in SEARCHED), symmetry)
    choice = Choice(problem, options, warnings)
    engine = choice.first()
    search = _Search(problem, engine, options, report, started)
    stop = search.run(SWITCH_STATES if choice.may_switch else None)
    if stop is None:
        engine = choice.larger()
        search = _Search(problem, engine, options, report, started)
        stop = search.run(None)
    assert stop is not None
    found = Reconstruction(machine, engine, symmetry)
    fault = _fault(found, search.fault)
    if fault is not None:
        stop = Stop.SPEC_ERROR
    results = {c.name: _result(c, search, stop, found) for c in claims}
    deadlock = None
    if search.first_deadlock is not None:
        deadlock = found.deadlock_trace(search.first_deadlock)
    actions = _by_action(machine, search.enabled)
    if stop is Stop.EXHAUSTED:
        warnings += [
            f"action {name} is never possible in this scope"
            for name, count in actions.items()
            if count == 0
        ]
    return CheckResult(
        machine=machine,
        engine=engine.name,
        symmetry=symmetry is not None,
        stop=stop,
        distinct=engine.distinct,
        generated=search.generated,
        depth=engine.depth,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        actions=actions,
        deadlocks=search.deadlocks,
        deadlock=deadlock,
        properties=results,
        fault=fault,
        warnings=tuple(warnings),
    )


def selected(machine: Machine[Any], names: tuple[str, ...] | None) -> list[Property]:
    """The properties with these names, or all; a `ValueError` lists them if one is unknown."""
    known = machine.model.properties
    if names is None:
        return list(known.values())
    for name in names:
        if name not in known:
            raise ValueError(
                f"{machine.model!r} has no property {name}: it has {', '.join(known) or 'none'}"
            )
    return [known[name] for name in names]


def _symmetry(machine: Machine[Any], options: CheckOptions, warnings: list[str]) -> Symmetry | None:
    if not options.symmetry:
        return None
    symmetry = Symmetry(machine)
    if symmetry.order > PERMUTATIONS_MAX:
        warnings.append(
            f"symmetry is not used: {symmetry.order} permutations of the symmetric ids are more "
            f"than the {PERMUTATIONS_MAX} that are worth their cost"
        )
    return symmetry if symmetry.is_usable else None


@dataclass
class _Search:
    """The loop around an engine, and what it has seen so far."""

    problem: Problem
    engine: Engine
    options: CheckOptions
    report: Reporter | None
    started: float
    findings: dict[str, Finding] = field(default_factory=dict)
    fault: Fault | None = None
    enabled: dict[int, int] = field(default_factory=dict)
    generated: int = 0
    deadlocks: int = 0
    first_deadlock: int | None = None

    def run(self, switch_states: int | None) -> Stop | None:
        """Visits states until there is a reason to stop, or until there are `switch_states`."""
        self.generated = self.engine.distinct
        open_claims = {claim.name: None for claim in self.problem.properties}
        try:
            while self.engine.visited < self.engine.distinct:
                stop = self._over_budget()
                if stop is not None:
                    return stop
                if switch_states is not None and self.engine.distinct > switch_states:
                    return None
                self._take(self.engine.expand(self.engine.batch_max, list(open_claims)))
                if self.fault is not None:
                    return Stop.SPEC_ERROR
                for name in self.findings:
                    open_claims.pop(name, None)
                if self.problem.properties and not open_claims:
                    return self._settled()
                self._tell()
        except KeyboardInterrupt:
            return Stop.INTERRUPTED
        except MemoryError:
            return Stop.MEMORY
        return Stop.EXHAUSTED

    def _settled(self) -> Stop:
        done = self.engine.visited == self.engine.distinct
        return Stop.EXHAUSTED if done else Stop.SETTLED

    def _take(self, batch: Batch) -> None:
        for instance, count in batch.enabled.items():
            self.enabled[instance] = self.enabled.get(instance, 0) + count
            self.generated += count
        for finding in batch.findings:
            self.findings.setdefault(finding.name, finding)
        if batch.faults:
            self.fault = min(batch.faults, key=lambda fault: fault.state)
        self.deadlocks += batch.deadlocks
        if self.first_deadlock is None:
            self.first_deadlock = batch.first_deadlock

    def _over_budget(self) -> Stop | None:
        options = self.options
        elapsed = time.perf_counter() - self.started
        if options.max_seconds is not None and elapsed > options.max_seconds:
            return Stop.TIME
        if options.max_states is not None and self.engine.distinct >= options.max_states:
            return Stop.STATES
        limit = options.max_memory_bytes
        if limit is not None and self.engine.memory_bytes > limit:
            return Stop.MEMORY
        return None

    def _tell(self) -> None:
        if self.report is not None:
            engine = self.engine
            self.report(
                Progress(
                    distinct=engine.distinct,
                    generated=self.generated,
                    frontier=engine.distinct - engine.visited,
                    depth=engine.depth,
                    seconds=time.perf_counter() - self.started,
                    memory_bytes=engine.memory_bytes,
                )
            )


def _result(claim: Property, search: _Search, stop: Stop, found: Reconstruction) -> PropertyResult:
    if claim.kind not in SEARCHED:
        return PropertyResult(claim, Verdict.UNCHECKED, note="liveness is not checked yet")
    is_witness = claim.kind is PropertyKind.SOMETIMES
    finding = search.findings.get(claim.name)
    if finding is not None:
        verdict = Verdict.REACHED if is_witness else Verdict.VIOLATED
        return PropertyResult(claim, verdict, found.property_trace(claim, finding.state))
    if stop is Stop.EXHAUSTED:
        return PropertyResult(claim, Verdict.UNREACHABLE if is_witness else Verdict.EXHAUSTED)
    note = f"{stop.value}, after {search.engine.visited:,} visited states"
    return PropertyResult(claim, Verdict.UNKNOWN if is_witness else Verdict.BOUNDED, note=note)


def _fault(found: Reconstruction, fault: Fault | None) -> SpecFault | None:
    if fault is None:
        return None
    return SpecFault(fault.message, fault.where, found.fault_trace(fault), fault.step)


def _by_action(machine: Machine[Any], enabled: dict[int, int]) -> dict[str, int]:
    counts = dict.fromkeys(machine.model.actions, 0)
    for instance in machine.instances:
        counts[instance.definition.name] += enabled.get(instance.index, 0)
    return counts


__all__ = ["ENGINES", "SEARCHED", "check", "selected"]
