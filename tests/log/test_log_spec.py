"""The log: counts and verdicts pinned, every mutant caught, and every step looked at on its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import Verdict
from kproof_spec.lang import Machine
from kproof_spec.log.checks import CHECKS
from kproof_spec.log.mutants import model

TRACE_STATES = {
    "leader_append_fails_and_goes_on": 3,
    "leader_append_fails_and_is_undone_too_far": 4,
    "leader_flush_without_directory": 7,
    "leader_checkpoint_without_flush": 5,
    "recovered_end_offset_by_length": 3,
    "recovered_end_offset_by_last_record": 5,
    "broker_recover_without_log_start": 6,
    "cleaner_delete_active_segment": 4,
    "cleaner_delete_beyond_high_watermark": 4,
    "first_timestamp_is_expired": 7,
    "last_timestamp_is_expired": 7,
    "size_with_first_segment_exceeds_retention": 5,
    "leader_delete_records_to_any_offset": 5,
    "leader_delete_records_and_checkpoint_later": 5,
    "leader_delete_uncommitted_records": 3,
    "reader_fetch_from_segment": 5,
    "reader_fetch_to_log_end": 3,
    "reader_fetch_with_a_shared_position": 4,
    "reader_fetch_and_delete": 4,
    "reader_fetch_behind_the_roll": 7,
    "controller_recreate_topic_over_old_files": 3,
    "reader_fetch_by_name": 5,
}
"""The shortest trace of each mutant to what it is there to break, its first state included."""


# Counts and verdicts


@pytest.mark.parametrize(
    ("constants", "distinct", "generated", "depth"),
    [
        ({"log_size": 2, "readers": 1}, 6_237, 34_628, 18),
        ({"log_size": 2, "readers": 2}, 18_711, 127_994, 21),
        ({"log_size": 3, "readers": 1}, 78_744, 580_113, 23),
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
    ours = [entry for entry in CHECKS if entry.model == "log"]
    assert {entry.mutant for entry in ours} == {"", *model.mutants}


@pytest.mark.parametrize("name", TRACE_STATES)
def test_a_mutant_breaks_what_it_is_there_to_break(name: str) -> None:
    mutant = model.mutants[name]
    machine = model.mutated(name).closed(**mutant.scope)

    result = check(machine, CheckOptions(engine="numpy", properties=(mutant.breaks,)))

    found = result.properties[mutant.breaks]
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert found.trace.length == TRACE_STATES[name]


# Step by step.  What follows reads codes and fields, and uses no definition of the model.


def steps(machine: Machine[Any]) -> Iterator[tuple[Any, str, dict[str, Any], Any]]:
    """Every step from every reachable state: before, the action, its arguments, after."""
    frontier = machine.initial_codes()
    seen = set(frontier)
    while frontier:
        codes = frontier.pop()
        before = machine.load(codes)
        for instance, after in machine.successors(codes):
            yield (
                before,
                instance.definition.name,
                dict(instance.arguments),
                machine.load(after),
            )
            if after not in seen:
                seen.add(after)
                frontier.append(after)


def what_is_wrong(before: Any, action: str, arguments: dict[str, Any], after: Any) -> set[str]:
    """The rules that speak of a step and that this one breaks."""
    wrong = set()
    kept = range(after.log_start_offset, min(before.high_watermark, after.high_watermark))
    same_log = before.is_online and after.is_online and action != "controller_recreate_topic"
    if same_log:
        for offset in kept:
            old, new = before.files[offset], after.files[offset]
            if (old.batches, old.is_torn, old.topic_id) != (new.batches, new.is_torn, new.topic_id):
                wrong.add("L2: a committed record changes")
        if after.log_end_offset < before.log_end_offset:
            wrong.add("L6: an offset is given again")
        if after.high_watermark < before.high_watermark:
            wrong.add("R10: the high watermark goes back")
        bases, bases_after = sorted(before.segments), sorted(after.segments)
        gone = [base for base in bases if base not in bases_after]
        if gone and (len(gone) > 1 or gone[0] != bases[0] or len(bases) == 1):
            wrong.add("RT2: more than the first, inactive segment is deleted")
    if action != "controller_recreate_topic" and after.log_start_offset < before.log_start_offset:
        wrong.add("RT1: the log start goes back")
    if action == "broker_recover" and after.log_end_offset < before.flushed_offset:
        wrong.add("L9: what was flushed is lost")
    for reader in before.reader:
        has_moved = before.reader[reader].position != after.reader[reader].position
        if has_moved and arguments.get("reader") != reader:
            wrong.add("a reader moves that did nothing")
    if "reader" in arguments and any(
        before.files[offset] != after.files[offset] for offset in before.files
    ):
        wrong.add("a reader changes the log")
    return wrong


def test_every_step_keeps_the_rules_that_speak_of_steps() -> None:
    machine = model.closed(log_size=2, readers=1, max_topic_id=0)

    taken = 0
    for step in steps(machine):
        assert what_is_wrong(*step) == set()
        taken += 1

    assert taken > 5_000


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("reader_fetch_and_delete", "L2: a committed record changes"),
        ("leader_append_fails_and_is_undone_too_far", "L6: an offset is given again"),
        ("cleaner_delete_active_segment", "RT2: more than the first, inactive segment is deleted"),
        ("leader_delete_records_to_any_offset", "RT1: the log start goes back"),
        ("reader_fetch_and_delete", "a reader changes the log"),
    ],
)
def test_the_rules_that_speak_of_steps_are_broken_by_mutants(name: str, rule: str) -> None:
    machine = model.mutated(name).closed(log_size=2, readers=1, max_topic_id=0)

    assert any(rule in what_is_wrong(*step) for step in steps(machine))


# An open scope


def test_the_log_follows_a_long_run_without_bounds() -> None:
    machine = model.open(retention_ms=2, retention_bytes=10)
    s = machine.initial_state()

    for offset in range(200):
        assert machine.step(s, "leader_append", age=0)
        assert machine.step(s, "leader_raise_high_watermark")
        assert machine.step(s, "reader_fetch", reader="somebody")
        if offset % 5 == 4:
            assert machine.step(s, "leader_roll")
            assert machine.step(s, "leader_flush")
        while machine.step(s, "cleaner_delete_by_size"):
            pass

    assert s.log_end_offset == 200
    assert s.log_start_offset == 190
    assert sorted(s.segments) == [190, 195, 200]
    assert machine.step(s, "broker_crash", end=200, torn=200)
    assert machine.step(s, "broker_recover")
    assert not machine.step(s, "reader_seek", reader="somebody", offset=201)
    assert machine.step(s, "reader_seek", reader="somebody", offset=3)
    assert not machine.step(s, "reader_fetch", reader="somebody")
    assert machine.step(s, "reader_reset", reader="somebody")
    position = s.reader[machine.scope.id(type(next(iter(s.reader))), "somebody")].position
    assert position == 190
