"""What the tests of traces share: models to walk through, and runs of them."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kproof_checker.models import find_model
from kproof_checker.spec_hash import spec_hash
from kproof_checker.traces.trace import Claim, ClaimKind, Trace, TraceStep
from kproof_spec.lang import Machine, PropertyKind, SpecError

ROOT = Path(__file__).resolve().parents[2]
TWO_PHASE_COMMIT = str(ROOT / "examples" / "two_phase_commit.py")
EVERY_FIELD = str(Path(__file__).with_name("every_field.py"))


def machine_of(path: str, mutant: str = "", **constants: int) -> Machine[Any]:
    """The machine of the model in a file."""
    return find_model(path, "", mutant).closed(**constants)


def as_trace(
    machine: Machine[Any],
    path: str,
    states: list[tuple[int, ...]],
    steps: list[TraceStep],
    claim: Claim | None = None,
) -> Trace:
    """A trace of the model in the file at `path`."""
    return Trace(
        model=path,
        variant="",
        mutant=machine.model.mutant_name,
        constants=machine.scope.constants,
        spec_hash=spec_hash(machine.model),
        states=tuple(states),
        steps=tuple(steps),
        claim=claim or Claim(state=len(states) - 1),
    )


def random_run(machine: Machine[Any], path: str, choices: random.Random, length: int) -> Trace:
    """A run of up to `length` states; steps that are specification errors are not taken."""
    states = [choices.choice(machine.initial_codes())]
    steps: list[TraceStep] = []
    instances = list(machine.instances)
    while len(states) < length:
        state = machine.load(states[-1])
        choices.shuffle(instances)
        for instance in instances:
            try:
                if machine.attempt(state, instance.definition, instance.arguments):
                    states.append(machine.codes(state))
                    steps.append(TraceStep(instance.definition.name, instance.arguments))
                    break
            except SpecError:
                continue
        else:
            break
    return as_trace(machine, path, states, steps)


def shortest_run(
    machine: Machine[Any], path: str, wanted: Callable[[tuple[int, ...]], Claim | None]
) -> Trace:
    """The shortest run to a state for which `wanted` gives a claim."""
    came: dict[tuple[int, ...], tuple[tuple[int, ...], TraceStep] | None]
    came = dict.fromkeys(machine.initial_codes())
    queue = list(came)
    for codes in queue:
        claim = wanted(codes)
        if claim is not None:
            states = [codes]
            steps: list[TraceStep] = []
            while (back := came[states[0]]) is not None:
                states.insert(0, back[0])
                steps.insert(0, back[1])
            return as_trace(machine, path, states, steps, claim)
        state = machine.load(codes)
        for instance in machine.instances:
            try:
                if not machine.attempt(state, instance.definition, instance.arguments):
                    continue
            except SpecError:
                continue
            after = machine.codes(state)
            machine.store_of(state).rollback()
            if after not in came:
                came[after] = codes, TraceStep(instance.definition.name, instance.arguments)
                queue.append(after)
    raise AssertionError("no such state is reachable")


def run_to_property(machine: Machine[Any], path: str, name: str) -> Trace:
    """The shortest run that breaks an invariant, or reaches a `sometimes`."""
    claimed = machine.model.properties[name]
    is_invariant = claimed.kind is PropertyKind.INVARIANT
    kind = ClaimKind.VIOLATES if is_invariant else ClaimKind.REACHES

    def wanted(codes: tuple[int, ...]) -> Claim | None:
        found = machine.breaking(machine.load(codes), claimed)
        return None if found is None else Claim(kind, name, found)

    return shortest_run(machine, path, wanted)
