"""From a state that an engine found back to a run that a person can follow.

Every step is taken again in CPython, so a trace that is shown has been replayed; an engine that was
wrong about it is found out here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kproof_spec.lang import Instance, Machine, Property, PropertyKind, SpecError

from .engines.base import Engine, Fault
from .spec_hash import spec_hash
from .symmetry import Symmetry
from .traces.trace import Claim, ClaimKind, Trace, TraceStep
from .trust import Disagreement

Codes = tuple[int, ...]


class Reconstruction:
    """Builds traces to states that an engine found."""

    def __init__(self, machine: Machine[Any], engine: Engine, symmetry: Symmetry | None) -> None:
        self.machine, self.engine, self.symmetry = machine, engine, symmetry

    def to(self, state: int, claim: Claim) -> Trace:
        """A shortest run to the state (with symmetry: to a twin of it) that makes the claim."""
        chain: list[tuple[Codes, int]] = []
        while state >= 0:
            parent, step = self.engine.parent(state)
            chain.append((self.engine.codes(state), step))
            state = parent
        chain.reverse()
        here = self._first(chain[0][0])
        states, steps = [here], []
        for target, index in chain[1:]:
            instance, here = self._next(here, target, self.machine.instances[index])
            states.append(here)
            steps.append(instance)
        return trace_of(self.machine, states, steps, claim)

    def _first(self, target: Codes) -> Codes:
        for codes in self.machine.initial_codes():
            if self._representative(codes) == self._representative(target):
                return codes
        raise self._lost("an initial state")

    def _next(self, here: Codes, target: Codes, likely: Instance) -> tuple[Instance, Codes]:
        """The step from `here` that leads to a twin of `target`."""
        state, twin = self.machine.load(here), self._representative(target)
        candidates = [likely] if self.symmetry is None else [likely, *self.machine.instances]
        for instance in candidates:
            if self.machine.attempt(state, instance.definition, instance.arguments):
                after = self.machine.codes(state)
                self.machine.store_of(state).rollback()
                if self._representative(after) == twin:
                    return instance, after
        raise self._lost(f"the result of {likely.label}")

    def _representative(self, codes: Codes) -> Codes:
        """The same for all twins; which one it is may differ from the engine's choice."""
        return codes if self.symmetry is None else self.symmetry.representative(codes)

    def _lost(self, what: str) -> Disagreement:
        return Disagreement(
            f"engine {self.engine.name} found {what} that CPython does not. This is a defect of "
            "kproof: please report it with the model and its scope"
        )

    # -- claims ------------------------------------------------------------------------------

    def property_trace(self, claim: Property, state: int) -> Trace:
        """The trace to a state that breaks an invariant or reaches a witness, verified."""
        kind = ClaimKind.VIOLATES
        if claim.kind is PropertyKind.SOMETIMES:
            kind = ClaimKind.REACHES
        trace = self.to(state, Claim(kind, claim.name))
        return claimed(self.machine, trace, claim)

    def fault_trace(self, fault: Fault) -> Trace:
        """The trace to a state in which the specification fails, verified.

        With symmetry the failing instance may be a renamed one.
        """
        trace = self.to(fault.state, Claim(ClaimKind.FAILS, fault.name))
        state = self.machine.load(trace.states[-1])
        instances = [i for i in self.machine.instances if i.definition.name == fault.name]
        for instance in instances:
            try:
                if self.machine.attempt(state, instance.definition, instance.arguments):
                    self.machine.store_of(state).rollback()
            except SpecError:
                claim = Claim(ClaimKind.FAILS, fault.name, dict(instance.arguments))
                return replace(trace, claim=claim)
        prop = self.machine.model.properties.get(fault.name)
        if prop is not None:
            for arguments in self.machine.choices(prop.definition):
                try:
                    for definition in prop.definitions:
                        self.machine.holds(state, definition, arguments)
                except SpecError:
                    return replace(trace, claim=Claim(ClaimKind.FAILS, fault.name, arguments))
        raise self._lost(f"an error in {fault.step}")

    def deadlock_trace(self, state: int) -> Trace:
        """The trace to a state in which nothing is possible, verified."""
        trace = self.to(state, Claim(ClaimKind.DEADLOCKS))
        if any(True for _ in self.machine.successors(trace.states[-1])):
            raise self._lost("a deadlock")
        return trace


def claimed(machine: Machine[Any], trace: Trace, claim: Property) -> Trace:
    """The trace with the parameters for which the property is settled at its end, verified."""
    arguments = _settling(machine, trace.states[-1], claim)
    earlier = [codes for codes in trace.states[:-1] if _settling(machine, codes, claim) is not None]
    if arguments is None or earlier:
        raise Disagreement(
            f"CPython does not find {claim.name} settled first where the engine did. This is a "
            "defect of kproof: please report it with the model and its scope"
        )
    return replace(trace, claim=Claim(trace.claim.kind, claim.name, arguments))


def _settling(machine: Machine[Any], codes: Codes, claim: Property) -> dict[str, Any] | None:
    """The parameters that settle a property in a state, if any; those that raise do not."""
    state = machine.load(codes)
    wanted = claim.kind is PropertyKind.SOMETIMES
    for arguments in machine.choices(claim.definition):
        try:
            if machine.holds(state, claim.definition, arguments) is wanted:
                return arguments
        except SpecError:
            continue
    return None


def trace_of(
    machine: Machine[Any], states: list[Codes], steps: list[Instance], claim: Claim
) -> Trace:
    """A trace of this machine; the steps are taken as given."""
    model = machine.model
    return Trace(
        model=model.name,
        variant=model.variant,
        mutant=model.mutant_name,
        constants=machine.scope.constants,
        spec_hash=spec_hash(model),
        states=tuple(states),
        steps=tuple(TraceStep(step.definition.name, dict(step.arguments)) for step in steps),
        claim=claim,
    )
