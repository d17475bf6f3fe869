"""Compaction: counts and verdicts pinned, every mutant caught, and every step looked at."""

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import Verdict
from kproof_spec.compaction.checks import CHECKS
from kproof_spec.compaction.mutants import model

TRACE_STATES = {
    "cleaner_step_and_close_gaps": 9,
    "cleaner_step_keeps_the_first": 9,
    "cleaner_begin_past_the_high_watermark": 7,
    "cleaner_begin_in_the_active_segment": 7,
    "cleaner_step_without_delete_retention": 6,
    "cleaner_step_in_the_second_round": 14,
    "cleaner_step_from_the_newest": 12,
    "cleaner_step_forgets_producers": 8,
    "cleaner_step_forgets_the_end": 10,
}
"""The shortest trace of each mutant to what it is there to break, its first state included."""


@pytest.mark.parametrize(
    ("constants", "distinct", "generated", "depth"),
    [
        ({"log_size": 3, "keys": 2}, 68_543, 331_304, 30),
        ({"log_size": 3, "keys": 1, "producers": 2}, 137_281, 702_793, 31),
    ],
)
def test_everything_holds_and_every_witness_is_reached(
    constants: dict[str, int], distinct: int, generated: int, depth: int
) -> None:
    result = check(model.closed(**constants), CheckOptions(engine="numpy"))

    assert result.is_good
    assert result.is_complete
    assert (result.distinct, result.generated, result.depth) == (distinct, generated, depth)
    assert not result.warnings
    assert result.deadlocks == 0


def test_the_trace_length_of_every_mutant_is_pinned() -> None:
    assert set(TRACE_STATES) == set(model.mutants)
    assert {entry.mutant for entry in CHECKS} == {"", *model.mutants}


@pytest.mark.parametrize("name", TRACE_STATES)
def test_a_mutant_breaks_what_it_is_there_to_break(name: str) -> None:
    mutant = model.mutants[name]
    machine = model.mutated(name).closed(**mutant.scope)

    result = check(machine, CheckOptions(engine="numpy", properties=(mutant.breaks,)))

    found = result.properties[mutant.breaks]
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert found.trace.length == TRACE_STATES[name]


def test_each_property_has_a_mutant_that_is_there_to_break_it() -> None:
    claims = {name for name, claim in model.properties.items() if claim.kind.name != "SOMETIMES"}

    assert {mutant.breaks for mutant in model.mutants.values()} == claims


def test_the_model_follows_a_long_run_without_bounds() -> None:
    machine = model.open(delete_retention_ms=1)
    s = machine.initial_state()
    for number in range(60):
        key = f"key {number % 3}"
        assert machine.step(
            s, "leader_append", key=key, producer="me", is_tombstone=number % 6 == 0
        )
        assert machine.step(s, "leader_raise_high_watermark")
    assert machine.step(s, "leader_roll")
    assert not machine.step(s, "cleaner_begin", end=61)
    for _ in range(2):
        assert machine.step(s, "cleaner_begin", end=60)
        assert not machine.step(s, "cleaner_begin", end=60)
        while machine.step(s, "cleaner_step"):
            pass
    while machine.step(s, "reader_fetch"):
        pass

    left = [offset for offset in range(60) if s.files[offset].is_record]
    assert left == [57, 58, 59]
    assert s.reader_position == 60
