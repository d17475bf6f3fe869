"""A profile charges every action, changes no verdict, and fits a terminal."""

import json
import re
from typing import Any

import pytest

from kproof_checker import profile as profiles
from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.profile import Profile
from kproof_checker.reports.as_json import as_object
from kproof_checker.reports.outcome import Outcome
from kproof_checker.reports.profile_table import table
from kproof_checker.verdicts import CheckResult
from kproof_spec.lang import Machine
from strategies.tiny_scopes import tiny_machine, two_phase_commit


def run(machine: Machine[Any], **options: Any) -> CheckResult:
    """A check with a profile."""
    return check(machine, CheckOptions(**{"profile": True, "sample_seconds": 0, **options}))


def made(found: CheckResult) -> Profile:
    """The profile of a check that has one."""
    assert found.profile is not None
    return found.profile


@pytest.mark.parametrize("engine", ["auto", "numpy", "llvm"])
@pytest.mark.parametrize("symmetry", [True, False])
def test_a_profile_counts_what_the_search_counts(engine: str, symmetry: bool) -> None:
    machine = tiny_machine("replication-kip_320")

    found = run(machine, engine=engine, symmetry=symmetry)

    profile = made(found)
    assert profile.sample_states == found.distinct
    assert {cost.name: cost.possible for cost in profile.actions} == found.actions
    assert sum(cost.instances for cost in profile.actions) == len(machine.instances)
    assert all(cost.seconds > 0 and cost.paths >= cost.instances for cost in profile.actions)
    assert profile.questions >= max(cost.questions for cost in profile.actions)
    assert profile.state_bits > 0


def test_a_profile_looks_at_no_more_than_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "SAMPLE_STATES", 20)

    found = run(two_phase_commit(3), symmetry=False)

    assert found.distinct == 288
    assert 20 <= made(found).sample_states < 288


def test_a_profile_changes_nothing_else() -> None:
    machine = tiny_machine("replication-truncate_to_high_watermark")

    with_it, without = run(machine), run(machine, profile=False)

    assert without.profile is None
    assert (with_it.distinct, with_it.generated, with_it.actions) == (
        without.distinct,
        without.generated,
        without.actions,
    )
    assert with_it.properties == without.properties


def test_the_phases_are_named_and_add_up_to_the_time_of_the_check() -> None:
    found = run(two_phase_commit(2), engine="llvm", sample_seconds=0.02)

    phases = made(found).phases

    assert list(phases) == [
        "extraction",
        "comparison with CPython",
        "test of symmetry",
        "compilation",
        "search",
    ]
    assert all(seconds >= 0 for seconds in phases.values())
    assert sum(phases.values()) <= found.seconds


def test_cpython_has_no_profile_and_says_so() -> None:
    found = run(two_phase_commit(1), engine="python")

    assert found.profile is None
    assert any("no profile" in warning for warning in found.warnings)


def test_the_table_fits_a_terminal_and_has_the_dearest_action_first() -> None:
    found = run(two_phase_commit(2), engine="llvm", sample_seconds=0.02)

    lines = table(made(found))

    assert max(map(len, lines)) <= 100
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    (begin,) = [i for i, row in enumerate(rows) if row[0] == "action"]
    shares = [float(row[1].removesuffix("%")) for row in rows[begin + 1 :]]
    assert {row[0] for row in rows[begin + 1 :]} == set(found.actions)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=1)


def test_json_has_the_profile() -> None:
    said = json.loads(json.dumps(as_object(Outcome(run(two_phase_commit(1))))["profile"]))

    assert {action["name"] for action in said["actions"]} == set(two_phase_commit(1).model.actions)
    assert said["phases"].keys() == {"extraction", "search"}
