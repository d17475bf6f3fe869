"""The group models: every verdict is as expected, and counts and trace lengths are pinned."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_spec.catalog_types import Check
from kproof_spec.group.checks import CHECKS, ENTRIES
from kproof_spec.lang import PropertyKind
from replication.oracle import explore

COUNTS = {
    "group-2-2-3-1": 53_025,
    "group-2-1-3-1": 61_399,
    "group-3-2-2-0": 208_280,
    "group-sticky-2-2-4-0": 115_187,
    "group-sticky-2-3-3-0": 92_103,
    "group-cooperative-2-2-5-0": 99_127,
    "group-cooperative-2-3-4-0": 75_830,
    "group_offsets-1-2-2-3-1": 4_966,
    "group_offsets-2-1-1-2-1": 2_550,
    "group_settling-2-2-2": 2_502,
    "group_settling-2-1-2": 1_505,
    "group_member_ids-2-4": 259,
    "group_member_ids-static-2-4": 79,
}
"""Distinct states, up to renaming, of each check of a model that is not mutated."""

LENGTHS = {
    "member_rejoin_and_read_on": 17,
    "someone_has_joined": 18,
    "is_assigned_to_the_leader": 7,
    "something_is_assigned": 6,
    "has_anything": 8,
    "member_receive_assignment_early": 5,
    "coordinator_complete_join_without_leader": 6,
    "member_receive_heartbeat_of_any_generation": 19,
    "member_receive_heartbeat_and_read_on": 12,
    "leader_sync_before_storing": 16,
    "coordinator_fail_over_to_an_empty_group": 9,
    "member_receive_join_and_object": 10,
    "may_keep_what_it_remembers": 24,
    "leader_sync_at_once": 17,
    "member_receive_assignment_and_rest": 18,
    "member_is_unknown_and_reads_on": 21,
    "has_older_claim": 25,
    "may_keep_without_user_data": 17,
    "has_room_to_get_back_an_even_share": 17,
    "has_no_room_to_keep": 27,
    "has_room_to_keep_an_even_share": 30,
    "has_room_to_keep_everything": 18,
    "is_accepted_from_anyone": 7,
    "is_accepted_by_member": 13,
    "has_sent_a_commit": 8,
    "may_expire_while_quiet": 7,
    "keeps_offset_of_everyone": 6,
    "coordinator_commit_before_storing": 7,
    "coordinator_commit_and_refuse_the_sender": 9,
    "consumer_join_without_id": 3,
    "consumer_come_back_without_leaving": 8,
    "is_replaced_when_stable": 3,
    "has_session_after_the_first_heartbeat": 5,
    "may_keep_nothing": 29,
    "leader_sync_before_all_is_dealt": 7,
}
"""States of the shortest trace to what each mutant is there to break."""

MEDIUM_COUNTS = {
    "group-3-2-3-0": 1_243_528,
    "group-3-2-2-1": 617_519,
    "group-sticky-3-2-3-0": 4_109_960,
    "group-cooperative-3-2-5-0": 2_825_187,
    "group_offsets-2-2-2-2-1": 360_600,
    "group_settling-3-2-1": 6_731,
    "group_settling-3-3-1": 14_830,
}
"""The same for the checks of every night."""

SMALL = [c for c in CHECKS if c.size == "small"]


def label(case: Check) -> str:
    """A name for the test of a check: `group-sticky-2-2-4-0`, or the mutant's name."""
    parts = [case.model, case.variant, *map(str, case.constants.values())]
    return case.mutant or "-".join(filter(None, parts))


def run(case: Check, engine: str = "numpy") -> Any:
    """What the checker finds in the scope of a check."""
    entry = ENTRIES[case.model]
    model = entry.variants[case.variant or entry.default]
    if case.mutant:
        model = model.mutated(case.mutant)
    return check(model.closed(**case.constants), CheckOptions(engine=engine, sample_seconds=0))


def marked(case: Check) -> Any:
    """The check as a test case, heavy if it takes seconds."""
    scope = case.constants
    is_large = scope.get("members") == 3 or scope.get("max_generation", 0) > 3
    return pytest.param(case, id=label(case), marks=[pytest.mark.heavy] if is_large else [])


@pytest.mark.parametrize("case", [marked(case) for case in SMALL])
def test_every_verdict_is_as_expected(case: Check) -> None:
    result = run(case)

    found = {name: claim.verdict.value for name, claim in result.properties.items()}
    assert result.fault is None
    assert found == case.expected
    if case.mutant:
        entry = ENTRIES[case.model]
        mutant = entry.variants[case.variant or entry.default].mutants[case.mutant]
        trace = result.properties[mutant.breaks].trace
        assert trace is not None
        assert trace.length == LENGTHS[case.mutant]
    else:
        assert result.is_complete
        assert result.distinct == COUNTS[label(case)]


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in CHECKS if c.size == "medium"], ids=label)
def test_every_verdict_of_the_night_is_as_expected(case: Check) -> None:
    result = run(case, engine="auto")

    found = {name: claim.verdict.value for name, claim in result.properties.items()}
    assert found == case.expected
    assert result.is_complete
    assert result.distinct == MEDIUM_COUNTS[label(case)]


@pytest.mark.parametrize("name", ENTRIES)
def test_every_invariant_has_a_mutant_that_breaks_it(name: str) -> None:
    entry = ENTRIES[name]
    broken = {
        entry.variants[c.variant or entry.default].properties[claim].definition.function
        for c in CHECKS
        if c.model == name and c.mutant
        for claim, verdict in c.expected.items()
        if verdict == "violated"
    }
    invariants = {
        (variant.variant, claim.name): claim.definition.function
        for variant in entry.variants.values()
        for claim in variant.properties.values()
        if claim.kind is PropertyKind.INVARIANT
    }

    assert [where for where, function in invariants.items() if function not in broken] == []


@pytest.mark.parametrize("name", ENTRIES)
def test_every_witness_is_reached_in_some_small_check(name: str) -> None:
    cases = [c for c in SMALL if c.model == name and not c.mutant]
    for variant in ENTRIES[name].variants:
        mine = [c for c in cases if (c.variant or ENTRIES[name].default) == variant]
        reached = {p for c in mine for p, v in c.expected.items() if v == "reached"}
        wanted = {
            claim.name
            for claim in ENTRIES[name].variants[variant].properties.values()
            if claim.kind is PropertyKind.SOMETIMES
        }
        if variant == ENTRIES[name].default:
            assert reached == wanted


@pytest.mark.parametrize(
    ("model", "variant", "scope"),
    [
        ("group", "eager", {"partitions": 1, "max_generation": 1, "max_failovers": 1}),
        ("group", "cooperative", {"partitions": 1, "max_generation": 1, "max_failovers": 0}),
        ("group", "sticky", {"partitions": 1, "max_generation": 1, "max_failovers": 0}),
        ("group_offsets", "group_offsets", {"records": 1, "max_generation": 1}),
        ("group_member_ids", "dynamic", {}),
        ("group_member_ids", "static", {}),
    ],
)
def test_a_plain_search_sees_the_same_states(
    model: str, variant: str, scope: dict[str, int]
) -> None:
    machine = ENTRIES[model].variants[variant].closed(**scope)
    options = CheckOptions(engine="numpy", symmetry=False, sample_seconds=0)

    seen = explore(machine)
    result = check(machine, options)

    assert (seen.distinct, seen.generated, seen.actions) == (
        result.distinct,
        result.generated,
        result.actions,
    )
