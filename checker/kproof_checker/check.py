"""Checking a model: visit every state of a scope, breadth first, and say honestly what was seen."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, cast

from kproof_spec.lang import Machine, Property, PropertyKind

from .checkpoint import CheckpointFile, identity
from .engines.base import Engine, Fault, HasEdges, Problem
from .engines.choice import ENGINES, Choice
from .extraction.extract import Extracted
from .options import CheckOptions, Reporter
from .reconstruct import Reconstruction
from .search import Search
from .symmetry import PERMUTATIONS_MAX, Symmetry
from .traces.trace import TraceStep
from .verdicts import CheckResult, PropertyResult, SpecFault, Stop, Verdict


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
    problem = Problem(machine, tuple(c for c in claims if not c.kind.is_liveness), symmetry)
    choice = Choice(problem, options, warnings)
    engine = choice.first()
    search = Search(problem, engine, options, report, started)
    if options.checkpoint is not None:
        search.checkpoint = CheckpointFile(options.checkpoint, identity(problem, engine.name))
        if search.resume():
            warnings.append(
                f"went on from {options.checkpoint}, which held {engine.distinct:,} states"
            )
    stop = search.run(choice.switch_states)
    if stop is None:
        search, stop = _on_larger(choice, search)
        engine = search.engine
    searched = time.perf_counter() - started
    search.save()
    warnings += search.warnings
    found = Reconstruction(machine, engine, symmetry)
    fault = _fault(found, search.fault)
    if fault is not None:
        stop = Stop.SPEC_ERROR
    results = {c.name: _result(c, search, stop, found) for c in claims}
    lively = [c for c in claims if c.kind.is_liveness]
    if lively and stop in (Stop.EXHAUSTED, Stop.SETTLED):
        judged = _Judged(lively, choice, engine, started)
        results |= judged.results
        stop, fault = judged.stop or stop, judged.fault
    deadlock = None
    if search.first_deadlock is not None:
        deadlock = found.deadlock_trace(search.first_deadlock)
    made = None
    if options.profile and choice.extracted is None:
        warnings.append("engine python has no profile: it runs the functions as they are")
    elif options.profile and choice.extracted is not None:
        from .profile import profile

        phases = {**choice.phases, "search": searched - sum(choice.phases.values())}
        made = profile(problem, choice.extracted, phases)
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
        state_bytes=engine.state_bytes,
        profile=made,
        warnings=tuple(warnings),
    )


def _on_larger(choice: Choice, first: Search) -> tuple[Search, Stop]:
    """Searches again on the native engine; whichever search got further, if that is cut short.

    Compiling takes a moment, and what was settled before must not be lost by a Ctrl-C in it.
    """
    try:
        engine = choice.larger()
    except KeyboardInterrupt:
        return first, Stop.INTERRUPTED
    search = Search(first.problem, engine, first.options, first.report, first.started)
    stop = search.run(None)
    assert stop is not None
    is_whole = stop in (Stop.EXHAUSTED, Stop.SETTLED, Stop.SPEC_ERROR)
    return (search if is_whole or engine.visited >= first.engine.visited else first), stop


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


def _result(claim: Property, search: Search, stop: Stop, found: Reconstruction) -> PropertyResult:
    if claim.kind.is_liveness:
        note = f"liveness is judged on the whole state graph, but {stop.value}"
        return PropertyResult(claim, Verdict.UNCHECKED, note=note)
    is_witness = claim.kind is PropertyKind.SOMETIMES
    finding = search.findings.get(claim.name)
    if finding is not None:
        verdict = Verdict.REACHED if is_witness else Verdict.VIOLATED
        return PropertyResult(claim, verdict, found.property_trace(claim, finding.state))
    if stop is Stop.EXHAUSTED:
        return PropertyResult(claim, Verdict.UNREACHABLE if is_witness else Verdict.EXHAUSTED)
    visited, levels = search.engine.visited, search.engine.depth - 1
    note = f"{stop.value}, after {visited:,} visited states, everything up to depth {levels}"
    return PropertyResult(claim, Verdict.UNKNOWN if is_witness else Verdict.BOUNDED, note=note)


class _Judged:
    """Verdicts for liveness, on the graph without symmetry: a renamed run is another run."""

    def __init__(
        self, claims: list[Property], choice: Choice, engine: Engine, started: float
    ) -> None:
        self.claims, self.choice, self.started = claims, choice, started
        self.stop: Stop | None = None
        """What ended it early, if anything."""
        self.fault: SpecFault | None = None
        if choice.extracted is None:
            note = "engine python does not judge liveness: use another engine"
            self.results = self._all(Verdict.UNCHECKED, note)
            return
        try:
            self.results = self._judged(engine, choice.extracted)
        except KeyboardInterrupt:
            self.results = self._ended(Stop.INTERRUPTED)
        except MemoryError:
            self.results = self._ended(Stop.MEMORY)

    def _judged(self, engine: Engine, extracted: Extracted) -> dict[str, PropertyResult]:
        from .liveness.judge import STATES_MAX, Failed, Judge

        problem = self.choice.bare
        if self.choice.problem.symmetry is not None or engine.visited < engine.distinct:
            most = STATES_MAX + 1
            options = self.choice.options
            options = replace(options, max_states=min(options.max_states or most, most))
            search = Search(problem, self.choice.without_symmetry(), options, None, self.started)
            stop = search.run(self.choice.switch_states)
            if stop is None:
                larger = self.choice.larger_without_symmetry()
                search = Search(problem, larger, options, None, self.started)
                stop = search.run(None)
            engine = search.engine
            if stop is not Stop.EXHAUSTED and engine.distinct <= STATES_MAX:
                assert stop is not None
                return self._ended(stop)
        judge = Judge(problem.machine, extracted, cast(HasEdges, engine))
        try:
            return {result.name: result for result in judge.results(self.claims)}
        except Failed as failed:
            found = Reconstruction(problem.machine, engine, None)
            self.fault = _fault(found, failed.fault)
            return self._ended(Stop.SPEC_ERROR)

    def _ended(self, stop: Stop) -> dict[str, PropertyResult]:
        self.stop = stop
        return self._all(Verdict.UNKNOWN, f"{stop.value} while liveness was judged")

    def _all(self, verdict: Verdict, note: str) -> dict[str, PropertyResult]:
        return {c.name: PropertyResult(c, verdict, note=note) for c in self.claims}


def _fault(found: Reconstruction, fault: Fault | None) -> SpecFault | None:
    if fault is None:
        return None
    trace = found.fault_trace(fault)
    step = TraceStep(trace.claim.name, trace.claim.arguments)  # With symmetry, perhaps a twin.
    return SpecFault(fault.message, fault.where, trace, step.label)


def _by_action(machine: Machine[Any], enabled: dict[int, int]) -> dict[str, int]:
    counts = dict.fromkeys(machine.model.actions, 0)
    for instance in machine.instances:
        counts[instance.definition.name] += enabled.get(instance.index, 0)
    return counts


__all__ = ["ENGINES", "check", "selected"]
