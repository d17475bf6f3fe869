"""`kproof check` without a model: every verdict is held against the one that is written down."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import kproof_checker.check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult
from kproof_spec import catalog
from kproof_spec.catalog import Check, Entry
from kproof_spec.lang import Machine

Kproof = Callable[..., CompletedProcess[str]]
SetChecks = Callable[..., None]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_phase_commit.py"
GOOD = {"outcomes_agree": "exhausted", "everyone_commits": "reached"}
BROKEN = {"outcomes_agree": "violated", "everyone_commits": "reached"}


def toy(expected: dict[str, str], mutant: str = "", size: int = 3) -> Check:
    """A check of the tutorial model."""
    return Check(
        title="a toy",
        model="toy",
        mutant=mutant,
        constants={"resource_managers": size},
        expected=expected,
    )


@pytest.fixture
def set_checks(monkeypatch: pytest.MonkeyPatch) -> SetChecks:
    """Makes a catalogue of the tutorial model."""
    spec = importlib.util.spec_from_file_location("catalogued_toy", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "catalogued_toy", module)
    spec.loader.exec_module(module)
    model: Any = module.model

    def put(*checks: Check) -> None:
        monkeypatch.setattr(catalog, "MODELS", {"toy": Entry("a toy", {"toy": model}, "toy")})
        monkeypatch.setattr(catalog, "CHECKS", list(checks))

    return put


def test_all_as_expected_exits_0_and_tells_the_shortest_counterexamples(
    kproof: Kproof, set_checks: SetChecks
) -> None:
    set_checks(toy(GOOD), toy(BROKEN, "receive_abort_unasked"))

    done = kproof("check", "--jobs", "1")

    assert done.returncode == 0
    assert "violated: outcomes_agree in 10 states" in done.stdout
    assert "1 of 1 mutant found out." in done.stdout
    assert done.stdout.splitlines()[-1] == "Every verdict is the expected one."
    assert "NOT" not in done.stdout


def test_a_violation_that_nobody_expected_exits_1(kproof: Kproof, set_checks: SetChecks) -> None:
    set_checks(toy(GOOD), toy(GOOD, "receive_abort_unasked"))

    done = kproof("check", "--jobs", "1")

    assert done.returncode == 1
    assert "outcomes_agree is violated, expected exhausted" in done.stdout
    assert done.stdout.splitlines()[-1] == "NOT as expected: 1 check of 2, see above."


def test_an_expected_violation_that_is_not_found_exits_1(
    kproof: Kproof, set_checks: SetChecks
) -> None:
    set_checks(toy(BROKEN))

    done = kproof("check", "--jobs", "1")

    assert done.returncode == 1
    assert "outcomes_agree is exhausted, expected violated" in done.stdout


def test_a_property_that_is_expected_but_not_there_exits_1(
    kproof: Kproof, set_checks: SetChecks
) -> None:
    set_checks(toy({**GOOD, "no_longer_there": "exhausted"}))

    assert kproof("check", "--jobs", "1").returncode == 1


def test_a_property_that_the_catalogue_forgets_must_still_hold(
    kproof: Kproof, set_checks: SetChecks
) -> None:
    set_checks(toy({}, "receive_abort_unasked"))

    assert kproof("check", "--jobs", "1").returncode == 1


def test_a_budget_used_up_leaves_the_catalogue_unknown(
    kproof: Kproof, set_checks: SetChecks
) -> None:
    set_checks(toy(GOOD), toy(BROKEN, "receive_abort_unasked"))

    done = kproof("check", "--jobs", "1", "--max-states", "3", "--engine", "python")

    assert done.returncode == 3
    assert "Unknown: 2 of 2 checks" in done.stdout


def test_json_has_a_line_for_each_check(kproof: Kproof, set_checks: SetChecks) -> None:
    set_checks(toy(GOOD), toy(BROKEN, "receive_abort_unasked"))

    told = [
        json.loads(line) for line in kproof("check", "--json", "--jobs", "1").stdout.splitlines()
    ]

    assert [entry["mutant"] for entry in told] == [None, "receive_abort_unasked"]
    assert [entry["as_expected"] for entry in told] == [True, True]


def test_two_checks_never_share_a_trace_file(kproof: Kproof, set_checks: SetChecks) -> None:
    mutant = "receive_abort_unasked"
    set_checks(toy(BROKEN, mutant), toy(BROKEN, mutant, size=2))

    told = [
        json.loads(line) for line in kproof("check", "--json", "--jobs", "1").stdout.splitlines()
    ]

    traces = {entry["properties"]["outcomes_agree"]["trace"] for entry in told}
    assert len(traces) == 2


def test_ctrl_c_keeps_what_is_done_and_says_what_is_not(
    kproof: Kproof, set_checks: SetChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = kproof_checker.check.check
    calls: list[int] = []

    def second_is_interrupted(machine: Machine[Any], options: CheckOptions, r: Any) -> CheckResult:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(machine, options, r)

    monkeypatch.setattr(kproof_checker.check, "check", second_is_interrupted)
    set_checks(toy(GOOD), toy(GOOD), toy(GOOD))

    done = kproof("check", "--jobs", "1")

    assert done.returncode == 3
    assert "2 of 3 checks were not run." in done.stdout
