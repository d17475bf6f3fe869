"""The composed model: verdicts and state counts of its small scopes, and that groups are apart."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_spec.catalog_types import Check
from kproof_spec.lang import Instance, Machine
from kproof_spec.picture.checks import CHECKS, ENTRY
from kproof_spec.picture.mutants import model

SMALL = [one for one in CHECKS if one.size == "small"]

COUNTS = {(3, 1): 644, (2, 1): 1_286, (2, 2): 37_476}
"""States of the correct model, by brokers and partitions."""

MUTANTS = {
    "producer_send_without_waiting": (9, 1_573),
    "producer_retry_without_sequence": (4, 494),
    "leader_acknowledge_alone": (4, 42),
    "leader_acknowledge_with_the_isr_it_has": (5, 222),
    "leader_expand_isr_at_once": (8, 243),
    "controller_promote_anyone": (9, 879),
    "controller_promote_of_enough": (7, 793),
    "broker_die_last_in_sync": (2, 72),
    "member_commit_for_everyone": (7, 29),
    "member_read_and_remove": (7, 30),
    "member_read_uncommitted": (7, 331),
    "member_take_at_the_end": (9, 51),
}
"""For each mutant: states on the shortest trace to its break, and states in its scope."""


@pytest.mark.parametrize(
    "one",
    [one for one in SMALL if not one.mutant],
    ids=lambda one: f"{one.constants['brokers']}-{one.constants['partitions']}",
)
def test_the_picture_keeps_its_promises(one: Check) -> None:
    result = check(model.closed(**one.constants), CheckOptions(engine="numpy"))

    assert result.is_complete
    for name, found in result.properties.items():
        assert found.verdict.value == one.expected[name], name
    assert result.distinct == COUNTS[one.constants["brokers"], one.constants["partitions"]]


@pytest.mark.parametrize("one", [one for one in SMALL if one.mutant], ids=lambda one: one.mutant)
def test_each_mutant_is_found_by_a_shortest_trace(one: Check) -> None:
    machine = model.mutated(one.mutant).closed(**one.constants)
    claims = machine.model.properties.values()
    breaks = machine.model.mutants[one.mutant].breaks
    wanted = {claim.name for claim in claims if not claim.kind.is_liveness} | {breaks}

    result = check(
        machine, CheckOptions(engine="numpy", properties=tuple(sorted(wanted)), sample_seconds=0)
    )

    for name, found in result.properties.items():
        assert found.verdict.value == one.expected[name], name
    trace = result.properties[breaks].trace
    assert trace is not None
    assert (trace.length, result.distinct) == MUTANTS[one.mutant]


def test_every_mutant_is_pinned() -> None:
    declared = [name for variant in ENTRY.variants.values() for name in variant.mutants]

    assert sorted(declared) == sorted(MUTANTS)


@pytest.mark.heavy
def test_what_one_group_does_never_changes_what_another_reads() -> None:
    """On every step from every reachable state, in CPython and without symmetry.

    A group's action changes nothing but its own part and the count of failures; and whether it is
    possible, and what it does, is the same whatever the other groups' parts are.
    """
    machine = model.closed(brokers=2, max_broker_failures=1, max_member_failures=1)
    done: dict[Any, Any] = {}

    seen = reachable(machine)

    for codes in seen:
        steps = {instance.index: after for instance, after in machine.successors(codes)}
        for instance in machine.instances:
            if "group" not in instance.arguments:
                continue
            after = steps.get(instance.index)
            mine, theirs = split(machine, codes, instance)
            result = None
            if after is not None:
                result, theirs_after = split(machine, after, instance)
                assert theirs_after == theirs, instance.label
            assert done.setdefault((instance.index, mine), result) == result, instance.label
    assert len(seen) > 500


def test_the_check_for_interference_finds_shared_offsets() -> None:
    """The test above is not vacuous: a commit for everyone changes another group's part."""
    machine = model.mutated("member_commit_for_everyone").closed(
        brokers=2, max_broker_failures=0, max_member_failures=0
    )

    interfering = 0
    for codes in reachable(machine):
        for instance, after in machine.successors(codes):
            if "group" in instance.arguments:
                before, later = split(machine, codes, instance), split(machine, after, instance)
                interfering += before[1] != later[1]

    assert interfering > 0


def split(machine: Machine[Any], codes: tuple[int, ...], instance: Instance) -> tuple[Any, Any]:
    """The part of a state that a group's action may touch or see, and the other groups' parts."""
    state = machine.load(codes)
    group = instance.arguments["group"]
    others = [
        repr(state.group[other]) for other in machine.scope.ids(type(group)) if other != group
    ]
    cluster = repr((state.partition, state.dead, state.broker_failures, state.member_failures))
    return (repr(state.group[group]), cluster), others


def reachable(machine: Machine[Any]) -> set[tuple[int, ...]]:
    """Every reachable state, found by CPython alone and without symmetry."""
    seen = set(machine.initial_codes())
    frontier = deque(seen)
    while frontier:
        for _, after in machine.successors(frontier.popleft()):
            if after not in seen:
                seen.add(after)
                frontier.append(after)
    return seen
