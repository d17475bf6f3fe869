"""Ordering: key hashing keeps it, everything else loses it, and the traces say how."""

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult, Verdict
from kproof_spec.ordering.checks import CHECKS, ENTRY

BEFORE = "no_order_is_paid_before_it_is_created"
TWO_PARTITIONS = "a_key_keeps_to_one_partition"

FIXED = {"max_partitions": 2, "hashes": 2}

MUTANT_TRACE_STATES = {
    "partition_by_each_clients_default": 5,
    "partition_by_whole_record": 4,
    "producer_send_pay_while_create_is_retried": 4,
    "consumer_process_by_threads": 5,
}


def run(variant: str, **constants: int) -> CheckResult:
    """A variant, explored until every property is settled."""
    machine = ENTRY.variants[variant].closed(**constants)
    return check(machine, CheckOptions(engine="numpy"))


@pytest.mark.parametrize(
    ("variant", "constants", "distinct", "generated"),
    [
        ("round_robin", FIXED, 114, 292),
        ("sticky", FIXED, 912, 3_865),
        ("partitions_added", {}, 3_856, 11_192),
    ],
)
def test_the_states_of_the_variants_that_lose_the_order_are_counted_to_the_end(
    variant: str, constants: dict[str, int], distinct: int, generated: int
) -> None:
    machine = ENTRY.variants[variant].closed(**constants)

    result = check(machine, CheckOptions(engine="numpy", properties=()))

    assert result.is_complete
    assert (result.distinct, result.generated) == (distinct, generated)


def trace_of(result: CheckResult, name: str) -> tuple[str, ...]:
    """The actions on the shortest way to a violation, or to a witness."""
    trace = result.properties[name].trace
    assert trace is not None
    return tuple(step.action for step in trace.steps)


@pytest.mark.parametrize(
    ("constants", "distinct", "generated"),
    [
        (FIXED, 105, 295),
        ({"partitions": 3, "hashes": 3}, 211, 622),
        ({"orders": 3, "max_partitions": 2, "hashes": 2}, 729, 2_709),
    ],
)
def test_by_key_keeps_the_order(constants: dict[str, int], distinct: int, generated: int) -> None:
    result = run("by_key", **constants)

    assert result.is_good
    assert result.is_complete
    assert (result.distinct, result.generated) == (distinct, generated)


def test_round_robin_shows_pay_before_create_in_three_steps() -> None:
    result = run("round_robin", **FIXED)

    assert result.properties[BEFORE].verdict is Verdict.VIOLATED
    assert result.properties[TWO_PARTITIONS].verdict is Verdict.VIOLATED
    assert trace_of(result, BEFORE) == (
        "producer_send_create",
        "producer_send_pay",
        "consumer_process",
    )


def test_sticky_shows_pay_before_create_when_a_batch_ends_between_them() -> None:
    result = run("sticky", **FIXED)

    assert result.properties[BEFORE].verdict is Verdict.VIOLATED
    assert sorted(trace_of(result, BEFORE)) == [
        "consumer_process",
        "producer_begin_batch",
        "producer_send_create",
        "producer_send_pay",
    ]


def test_adding_a_partition_moves_keys_and_loses_the_order() -> None:
    result = run("partitions_added")

    assert result.properties["a_key_moves"].verdict is Verdict.REACHED
    assert result.properties["a_key_stays"].verdict is Verdict.REACHED
    assert result.properties[BEFORE].verdict is Verdict.VIOLATED
    assert "operator_add_partition" in trace_of(result, BEFORE)
    assert len(trace_of(result, BEFORE)) == 5


@pytest.mark.parametrize("name", MUTANT_TRACE_STATES)
def test_a_mutant_breaks_what_it_is_there_to_break(name: str) -> None:
    by_key = ENTRY.variants["by_key"]
    mutant = by_key.mutants[name]

    result = check(by_key.mutated(name).closed(**mutant.scope), CheckOptions(engine="numpy"))

    found = result.properties[mutant.breaks]
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert found.trace.length == MUTANT_TRACE_STATES[name]


def test_every_variant_and_mutant_is_in_the_checks() -> None:
    small = [entry for entry in CHECKS if entry.size == "small"]

    assert {entry.variant or "by_key" for entry in small} == set(ENTRY.variants)
    assert {entry.mutant for entry in small} == {"", *MUTANT_TRACE_STATES}
    assert set(MUTANT_TRACE_STATES) == set(ENTRY.variants["by_key"].mutants)
