"""A broker follows legal behaviours to their ends, and mutants only to where they err."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.cli.main import run
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.driven_broker import Undrivable
from kproof_checker.conformance.driver_group import GroupDriver
from kproof_checker.conformance.driver_log import LogDriver
from kproof_checker.conformance.group_situation import Situation
from kproof_checker.conformance.replay_on_broker import (
    BrokerReplay,
    Ending,
    NoDriver,
    replay_on_broker,
)
from kproof_checker.conformance.tours import Tours, tours
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.spec_hash import spec_hash
from kproof_checker.traces.itf import read_trace, write_trace
from kproof_checker.traces.trace import Trace, TraceStep
from kproof_impl.core.groups.group import Group
from kproof_impl.core.groups.group_coordinator import GroupCoordinator
from kproof_spec.lang import Machine
from make_gallery import GALLERY

ERRS_AT = {
    "generation_was_used_twice": 6,
    "group_rebalanced_without_end": 7,
    "late_refusal_ended_a_good_generation": 18,
    "new_coordinator_knew_no_group": 8,
    "deleted_records_came_back": 3,
    "directory_was_not_flushed": 4,
    "failed_append_was_left_in_the_file": 1,
    "log_ended_below_its_start": 5,
    "new_topic_began_with_old_records": 2,
    "reader_went_on_in_another_topic": 4,
    "recovery_point_was_ahead_of_the_disk": 2,
    "torn_record_was_kept": 2,
    "young_record_was_deleted_with_an_old_one": 6,
}
"""What the gallery has of groups and logs, and the step at which each errs."""
SHOWS_LATER = {"directory_was_not_flushed", "recovery_point_was_ahead_of_the_disk"}
"""That something was not forced to the disk shows when the power fails, one step later."""
UNCOMMITTED = {"retention_deleted_what_was_not_committed", "uncommitted_record_was_read"}
"""What a node alone has none of."""
GROUP_MUTANTS = sorted(find_model("group").mutants)
LOG_MUTANTS = sorted(find_model("log").mutants)
OF_UNCOMMITTED = {
    "cleaner_delete_beyond_high_watermark",
    "leader_delete_uncommitted_records",
    "reader_fetch_to_log_end",
}


def replayed(*arguments: str) -> Any:
    """What `kproof replay` ends with."""
    with pytest.raises(SystemExit) as end:
        run(("replay", *arguments))
    return end.value.code


def counterexample(model: str, mutant: str) -> Trace:
    """A shortest run of a mutant to what it breaks."""
    one = find_model(model).mutants[mutant]
    machine = find_model(model, mutant=mutant).closed(**one.scope)
    result = check(machine, CheckOptions(properties=(one.breaks,), sample_seconds=0))
    trace = result.properties[one.breaks].trace
    assert trace is not None
    return trace


def as_trace(machine: Machine[Any], found: Tours, tour: int) -> Trace:
    """A tour, as a trace that says no more than that it is a run."""
    taken = found.tours[tour]
    return a_run(
        machine,
        [taken[0].source, *(step.target for step in taken)],
        [TraceStep(one.instance.definition.name, one.instance.arguments) for one in taken],
    )


def a_run(machine: Machine[Any], states: list[tuple[int, ...]], steps: list[TraceStep]) -> Trace:
    return Trace(
        machine.model.name,
        "",
        "",
        {constant.name: int(value) for constant, value in machine.scope.values.items()},
        spec_hash(machine.model),
        tuple(states),
        tuple(steps),
    )


@pytest.fixture(scope="module")
def legal() -> list[Trace]:
    """Ten of the longest tours of a group that has a failover."""
    scope = {"members": 2, "partitions": 1, "max_generation": 1, "max_failovers": 1}
    machine = find_model("group").closed(**scope)
    found = tours(machine, Situation())
    longest = sorted(range(len(found.tours)), key=lambda one: -len(found.tours[one]))
    return [as_trace(machine, found, one) for one in longest[:10]]


# -- groups --------------------------------------------------------------------------------------


def test_a_legal_behaviour_is_followed_to_its_end(legal: list[Trace], tmp_path: Path) -> None:
    for trace in legal:
        assert replay_on_broker(trace) == BrokerReplay(
            Ending.FOLLOWED, len(trace.steps), len(trace.steps)
        )
    path = tmp_path / "tour.itf.json"
    write_trace(legal[0], find_model("group").closed(**legal[0].constants), path)
    assert replayed(str(path), "--against", "broker") == 0


@pytest.mark.parametrize("name", ERRS_AT)
def test_a_counterexample_of_the_gallery_is_refused_where_it_errs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(GALLERY / f"{name}.itf.json")
    assert replayed(path, "--against", "broker", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ending"] == "refused"
    assert told["errs_at"] == ERRS_AT[name]
    assert told["driven"] + 1 == told["errs_at"] + (name in SHOWS_LATER)
    assert told["mutant"]
    assert told["reason"]


@pytest.mark.parametrize("mutant", GROUP_MUTANTS)
def test_every_mutant_of_the_group_is_refused_at_the_step_where_it_errs(mutant: str) -> None:
    found = replay_on_broker(counterexample("group", mutant))
    assert found.ending is Ending.REFUSED, found.message()
    assert found.errs_at == found.driven + 1, found.message()


def test_a_broker_with_the_fault_of_a_mutant_goes_on_where_the_mutant_errs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, trace = read_trace(GALLERY / "generation_was_used_twice.itf.json")
    store = GroupCoordinator.store_group

    def stores_empty_groups_only(coordinator: GroupCoordinator, group: Group) -> None:
        if not group.members:
            store(coordinator, group)

    monkeypatch.setattr(GroupCoordinator, "store_group", stores_empty_groups_only)
    found = replay_on_broker(trace)
    # It answers before it stores, as the mutant does, and uses the generation again.
    assert found == BrokerReplay(Ending.ERRED, 15, 15, errs_at=6, mutant=trace.mutant)
    assert "follows leader_sync_before_storing through all 15 steps" in found.message()


def test_a_broker_that_leaves_a_legal_behaviour_is_told(
    legal: list[Trace], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(GroupDriver, "_coordinator_complete_join", lambda *_, **__: None)
    trace = next(one for one in legal if "coordinator_complete_join" in str(one.steps))
    at = [step.action for step in trace.steps].index("coordinator_complete_join")
    found = replay_on_broker(trace)
    assert (found.ending, found.driven) == (Ending.PARTED, at)
    assert "state is PreparingRebalance, and was to be CompletingRebalance" in found.reason
    path = tmp_path / "tour.itf.json"
    write_trace(trace, find_model("group").closed(**trace.constants), path)
    assert replayed(str(path), "--against", "broker") == 1


def test_a_step_that_the_broker_cannot_be_brought_to_leaves_the_rest_open(tmp_path: Path) -> None:
    machine = find_model("group").closed(members=2, partitions=1, max_generation=1, max_failovers=0)
    codes = machine.initial_codes()[0]
    states, steps = [codes], []
    for label in (
        "member_join(member=m0)",
        "member_join(member=m1)",
        "coordinator_complete_join(leader=m1)",
    ):
        taken = {one.label: (one, after) for one, after in machine.successors(codes)}
        instance, codes = taken[label]
        states.append(codes)
        steps.append(TraceStep(instance.definition.name, instance.arguments))
    trace = a_run(machine, states, steps)
    found = replay_on_broker(trace)
    assert (found.ending, found.driven) == (Ending.UNDRIVABLE, 2)
    assert "the member lead that has been there longest" in found.reason
    path = tmp_path / "second_leads.itf.json"
    write_trace(trace, machine, path)
    assert replayed(str(path), "--against", "broker") == 3


def test_a_model_without_a_driver_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    path = GALLERY / "two_members_claimed_one_partition.itf.json"
    with pytest.raises(NoDriver, match="group/sticky"):
        replay_on_broker(read_trace(path)[1])
    assert replayed(str(path), "--against", "broker") == 2
    assert "no broker can be driven along group/sticky" in capsys.readouterr().err


# -- logs ----------------------------------------------------------------------------------------


def test_the_gallery_has_no_other_group_or_log_than_these() -> None:
    named = {
        path.name.removesuffix(".itf.json")
        for path in GALLERY.glob("*.itf.json")
        if json.loads(path.read_text())["#meta"]["model"] in ("group", "log")
    }
    of_variants = {
        "every_rebalance_moved_partitions",
        "expelled_member_kept_its_partitions",
        "members_chased_each_others_revocations",
        "partition_was_handed_over_in_one_round",
        "partition_was_given_back_half_done",
        "two_members_claimed_one_partition",
    }
    assert named - of_variants == ERRS_AT.keys() | UNCOMMITTED


@pytest.mark.parametrize("name", sorted(UNCOMMITTED))
def test_what_is_about_uncommitted_records_cannot_be_driven_on_one_node(name: str) -> None:
    path = GALLERY / f"{name}.itf.json"
    found = replay_on_broker(read_trace(path)[1])
    assert found.ending is Ending.UNDRIVABLE
    assert "a node alone commits at once" in found.reason
    assert replayed(str(path), "--against", "broker") == 3


@pytest.mark.parametrize("mutant", LOG_MUTANTS)
def test_every_mutant_of_the_log_is_refused_unless_it_is_about_uncommitted_records(
    mutant: str,
) -> None:
    found = replay_on_broker(counterexample("log", mutant))
    expected = Ending.UNDRIVABLE if mutant in OF_UNCOMMITTED else Ending.REFUSED
    assert found.ending is expected, found.message()


def test_a_log_follows_random_runs_of_the_model_through_all_its_actions() -> None:
    machine = find_model("log").closed(
        log_size=3, readers=1, max_topic_id=1, retention_ms=1, retention_bytes=1
    )
    driven: set[str] = set()
    undrivable: set[str] = set()
    for seed in range(40):
        random, driver = Random(seed), LogDriver(machine, Court())
        codes = machine.initial_codes()[0]
        for _ in range(30):
            possible: dict[str, list[Any]] = {}
            for instance, after in machine.successors(codes):
                possible.setdefault(instance.definition.name, []).append((instance, after))
            action = random.choice(sorted(possible))
            instance, after = random.choice(possible[action])
            try:
                driver.drive(machine.load(codes), action, instance.arguments)
            except Undrivable:
                undrivable.add(action)
                continue
            differences = driver.differences(machine.load(after))
            assert not differences, (seed, instance.label, differences)
            driven.add(action)
            codes = after
    assert driven == set(machine.model.actions)
    assert undrivable <= {"broker_crash", "cleaner_delete_by_age"}
