"""Is a model as symmetric as it declares?  What holds for one id must hold for every other.

In random reachable states and for random renamings of ids: the successors of the renamed state are
the renamed successors, by the renamed steps, and every property is worth the same.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from typing import Any

from kproof_spec.lang import Machine, Misuse, SpecError
from kproof_spec.lang.keys import member_key

from .symmetry import Permutation, Symmetry

STATES_MIN = 25

Codes = tuple[int, ...]
Step = tuple[Any, ...]
Seen = dict[Step, Codes | bool | str]


def asymmetries(
    machine: Machine[Any], *, seed: int, states: int, depth: int = 25, max_seconds: float = math.inf
) -> list[str]:
    """What tells ids apart, found on random walks; empty if nothing was found to.

    After `max_seconds` the walks end, but never before `STATES_MIN` states.
    """
    started = time.perf_counter()
    choose = random.Random(seed)
    permutations = Symmetry(machine).permutations
    identity = permutations[0]
    initial = machine.initial_codes()
    codes, age = choose.choice(initial), 0
    for looked in range(states):
        if looked >= STATES_MIN and time.perf_counter() - started > max_seconds:
            break
        permutation = choose.choice(permutations)
        expected = seen_in(machine, codes, permutation)
        found = seen_in(machine, permutation.apply(codes), identity)
        if expected != found:
            steps = sorted(expected.keys() | found.keys(), key=repr)
            step = next(s for s in steps if expected.get(s) != found.get(s))
            return [f"{step[0]} in the state {machine.load(codes)!r}"]
        try:
            after = [codes for _, codes in machine.successors(codes)]
        except SpecError:
            after = []  # The search reports it, with the way there.
        age += 1
        if after and age < depth:
            codes = choose.choice([a for a in after if a != codes] or after)
        else:
            codes, age = choose.choice(initial), 0
    return []


def check_symmetry(machine: Machine[Any], *, seed: int, max_seconds: float) -> None:
    """Refuses, with a `Misuse`, a model that is seen to tell the ids of a symmetric sort apart."""
    found = asymmetries(machine, seed=seed, states=100_000, max_seconds=max_seconds)
    if found:
        sorts = ", ".join(sort.__name__ for sort in Symmetry(machine).sorts)
        raise Misuse(
            f"{sorts}: declared symmetric, but the model tells ids apart: with the ids renamed, it "
            f"is another matter for {found[0]}. Look for an id that is named (an element of a "
            "list, a loop that stops early), or declare symmetric=False; --no-symmetry checks it "
            "as it is"
        )


def seen_in(machine: Machine[Any], codes: Codes, permutation: Permutation) -> Seen:
    """Where each step leads from a state, and what properties are worth, all of it renamed."""
    seen: Seen = {}
    state = machine.load(codes)
    for instance in machine.instances:
        step = _named(instance.definition.name, instance.arguments, permutation)
        try:
            if machine.attempt(state, instance.definition, instance.arguments):
                seen[step] = permutation.apply(machine.codes(state))
                machine.store_of(state).rollback()
        except SpecError:
            seen[step] = "error"
    for claim in machine.model.properties.values():
        for arguments in machine.choices(claim.definition):
            step = _named(claim.name, arguments, permutation)
            try:
                seen[step] = machine.holds(state, claim.definition, arguments)
            except SpecError:
                seen[step] = "error"
    return seen


def _named(name: str, arguments: Mapping[str, Any], permutation: Permutation) -> Step:
    return (name, *[member_key(permutation.apply_to(value)) for value in arguments.values()])
