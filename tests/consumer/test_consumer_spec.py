"""The consumer models: verdicts and state counts of their small scopes, pinned."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult
from kproof_spec.catalog_types import Check
from kproof_spec.consumer.checks import CHECKS, ENTRIES
from kproof_spec.consumer.pool_mutants import model as worker_pool
from kproof_spec.consumer.pool_state import PartitionId, end_of_finished_prefix
from kproof_spec.lang import Machine, each

SMALL = [one for one in CHECKS if one.size == "small"]

COUNTS = {
    ("auto_commit", 1): 90_723,
    ("commit_after_processing", 1): 69_259,
    ("commit_before_processing", 1): 74_101,
    ("auto_commit", 2): 143_464,
    ("commit_after_processing", 2): 75_813,
    ("commit_before_processing", 2): 165_947,
    ("worker_pool", 1): 4_959,
    ("worker_pool", 2): 3326,
}
"""States of each correct variant, by how many partitions there are."""

MUTANTS = {
    "may_poll_while_others_process": (8, 8_208),
    "is_fetchable_while_revoking": (10, 4_465),
    "consumer_poll_what_is_in_memory": (6, 1_448),
    "is_fetchable_while_paused": (6, 350),
    "is_fetch_current_always": (7, 362),
    "consumer_fetch_and_move_position": (4, 595),
    "consumer_assign_and_reset": (5, 1_219),
    "consumer_close_with_records_in_hand": (6, 264),
    "reset_offset_by_the_wrong_timestamp": (3, 1_424),
    "consumer_notice_loss_and_commit": (6, 1_066),
    "retention_delete_past_the_end": (2, 1_043),
    "application_commit_position": (6, 1_312),
    "consumer_begin_revocation_without_commit": (9, 486),
    "is_committed_in_hand_when_sent": (8, 2_362),
    "application_drop_committed": (7, 340),
    "poll_thread_commit_highest_finished": (9, 1_282),
    "poll_thread_commit_position": (5, 2_280),
    "poll_thread_notice_loss_and_commit": (6, 2_043),
    "may_dispatch_in_turn": (8, 117),
    "poll_thread_dispatch_without_pausing": (6, 84),
    "consumer_assign_unpaused": (7, 230),
    "worker_finish_and_commit": (7, 27),
    "worker_finish_and_report_nothing": (10, 339),
    "poll_thread_finish_revocation_at_once": (8, 2_638),
    "poll_thread_begin_revocation_and_drop": (13, 264),
    "poll_thread_finish_revocation_with_position": (7, 37),
}
"""For each mutant: states on the shortest trace to its break, and states in its scope."""


def machine_of(one: Check) -> Machine[Any]:
    """The machine that a check of the catalogue speaks of."""
    entry = ENTRIES[one.model]
    model = entry.variants[one.variant or entry.default]
    return (model.mutated(one.mutant) if one.mutant else model).closed(**one.constants)


def run(one: Check, *names: str) -> CheckResult:
    """The result for the properties that a search settles, and for the liveness ones in `names`."""
    machine = machine_of(one)
    claims = machine.model.properties.values()
    wanted = [claim.name for claim in claims if not claim.kind.is_liveness]
    return check(
        machine, CheckOptions(engine="numpy", properties=(*wanted, *names), sample_seconds=0)
    )


@pytest.mark.parametrize(
    "one",
    [one for one in SMALL if not one.mutant],
    ids=lambda one: f"{one.variant or one.model}-{one.constants['partitions']}",
)
def test_the_correct_consumers_keep_their_promises(one: Check) -> None:
    result = run(one)

    assert result.is_complete
    for name, found in result.properties.items():
        assert found.verdict.value == one.expected[name], name
    assert result.distinct == COUNTS[one.variant or one.model, one.constants["partitions"]]


@pytest.mark.parametrize("one", [one for one in SMALL if one.mutant], ids=lambda one: one.mutant)
def test_each_mutant_is_found_by_a_shortest_trace(one: Check) -> None:
    machine = machine_of(one)
    breaks = machine.model.mutants[one.mutant].breaks
    is_safety = not machine.model.properties[breaks].kind.is_liveness

    result = run(one, *([] if is_safety else [breaks]))

    for name, found in result.properties.items():
        assert found.verdict.value == one.expected[name], name
    trace = result.properties[breaks].trace
    assert trace is not None
    assert (trace.length, result.distinct) == MUTANTS[one.mutant]


def test_every_mutant_is_pinned() -> None:
    declared = [name for e in ENTRIES.values() for m in e.variants.values() for name in m.mutants]

    assert sorted(declared) == sorted(MUTANTS)


def test_g38_a_partition_that_awaits_its_revocation_is_not_polled() -> None:
    """KAFKA-14196: the repetition needs no failure, so the failure budget of the scope is zero."""
    (one,) = [one for one in SMALL if one.mutant == "is_fetchable_while_revoking"]

    result = run(one)

    trace = result.properties["records_repeat_only_after_a_failure"].trace
    assert one.constants["max_failures"] == 0
    assert trace is not None
    assert any(step.label.startswith("consumer_begin_revocation") for step in trace.steps)


@pytest.mark.heavy
def test_a_worker_pool_drains_and_every_record_is_processed() -> None:
    liveness = ("every_record_is_processed", "nothing_stays_in_flight")

    for constants in (
        {"log_size": 2},
        {"partitions": 2, "log_size": 1, "max_in_flight": 1, "max_failures": 0},
    ):
        result = check(worker_pool.closed(**constants), CheckOptions(properties=liveness))
        for name in liveness:
            assert result.properties[name].verdict.value == "exhausted", (name, constants)


def test_the_finished_prefix_is_what_cc4_says_in_every_reachable_state() -> None:
    """c = 1 + max{o : every o' <= o with o' >= base is done}, c = base if there is none."""
    machine = worker_pool.closed(log_size=3, max_failures=0)

    seen = reachable(machine)

    for codes in seen:
        state = machine.load(codes)
        with machine.in_scope():
            for partition in each(PartitionId):
                it = state.partition[partition]
                done, base = list(it.done), it.base
                prefix = [o for o in done if all(x in done for x in range(base, o + 1))]
                claimed = 1 + max(prefix) if prefix else base
                assert end_of_finished_prefix(state, partition) == claimed
    assert len(seen) == 500


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
