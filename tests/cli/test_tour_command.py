"""`kproof tour`: what it says of a broker that it drove, and when it is cut short."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from impl_support.group_faults import FAULTS

Kproof = Callable[..., CompletedProcess[str]]

ALONE = ("--set", "members=1")
"""A scope of a moment."""


def test_tour_drives_every_step_over_sockets_and_counts_them(kproof: Kproof) -> None:
    done = kproof("tour", "--json", *ALONE)

    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["verdict"] == "driven"
    assert said["over"] == "sockets"
    assert said["edges_driven"] == said["edges"] == 25
    assert said["parted"] is None


def test_tour_says_the_same_to_people(kproof: Kproof) -> None:
    done = kproof("tour", "group", "--over", "core", *ALONE)

    assert done.returncode == 0
    assert done.stdout.startswith("25 of 25 steps driven into the core, 100 %: ")
    assert "the state that the model has" in done.stdout


def test_tour_lists_what_cannot_be_driven_by_reason(kproof: Kproof) -> None:
    scope = ("--set", "max_failovers=1")
    done = kproof("tour", "--over", "core", "--max-seconds", "0", *scope)

    assert done.returncode == 3
    assert "not driven: 24 of member_receive_join: " in done.stdout
    assert "of member_receive_join: the leader's JoinGroup, sent again" in done.stdout


def test_tour_that_is_cut_short_is_no_success(kproof: Kproof) -> None:
    done = kproof("tour", "--over", "core", "--max-seconds", "0")

    assert done.returncode == 3
    assert "cut short" in done.stdout


def test_tour_tells_where_a_broker_with_a_fault_went_its_own_way(
    kproof: Kproof, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fault,) = (one for one in FAULTS if one.name == "a generation is told and not stored")
    fault.install(monkeypatch)

    done = kproof("tour", *ALONE)

    assert done.returncode == 1
    assert "the broker did something else" in done.stdout
    assert "    1. member_join(member=m0)" in done.stdout


@pytest.mark.parametrize("model", ["log", "nonsense"])
def test_tour_has_one_model(kproof: Kproof, model: str) -> None:
    done = kproof("tour", model)

    assert done.returncode == 2
    assert "kproof tour group" in done.stderr


def test_tour_of_a_scope_without_steps_has_nothing_to_drive(kproof: Kproof) -> None:
    done = kproof("tour", "--set", "max_generation=0")

    assert done.returncode == 2
    assert "nothing to drive" in done.stderr


def test_tour_of_a_scope_that_is_too_large_says_so_when_its_time_is_over(kproof: Kproof) -> None:
    done = kproof("tour", "--set", "members=99", "--max-seconds", "1")

    assert done.returncode == 3
    assert "the time was over before the steps were known" in done.stderr
    assert "smaller scope" in done.stderr
