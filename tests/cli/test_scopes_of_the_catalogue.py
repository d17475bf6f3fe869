"""`kproof check --scope` chooses checks of the catalogue by their size, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from kproof_checker.cli.plans import SCOPES, catalogue
from kproof_checker.models import find_model
from kproof_spec import catalog
from kproof_spec.catalog import Check, Entry

Kproof = Callable[..., CompletedProcess[str]]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_phase_commit.py"


@pytest.fixture(autouse=True)
def catalogue_of_a_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One check of each size."""
    entry = Entry("a toy", {"toy": find_model(str(EXAMPLE))}, "toy")
    checks = [
        Check(
            title=f"a {size} toy",
            model="toy",
            constants={"resource_managers": managers},
            expected={"outcomes_agree": "exhausted", "everyone_commits": "reached"},
            size=size,
        )
        for size, managers in (("small", 1), ("medium", 2))
    ]
    monkeypatch.setattr(catalog, "MODELS", {"toy": entry})
    monkeypatch.setattr(catalog, "CHECKS", checks)


@pytest.mark.parametrize(
    ("arguments", "managers"),
    [
        ((), [1]),
        (("--scope", "small"), [1]),
        (("--scope", "medium"), [2]),
        (("--scope", "all"), [1, 2]),
    ],
)
def test_a_scope_chooses_checks_by_their_size(
    kproof: Kproof, arguments: tuple[str, ...], managers: list[int]
) -> None:
    done = kproof("check", "--json", "--jobs", "1", *arguments)

    told = [json.loads(line)["constants"] for line in done.stdout.splitlines()]
    assert told == [{"resource_managers": count} for count in managers]
    assert done.returncode == 0


def test_every_size_has_its_checks_and_all_has_each_once() -> None:
    small, medium, everything = (
        [plan.machine.scope.constants for plan in catalogue(scope)] for scope in SCOPES
    )

    assert [*small, *medium] == everything


def test_an_unknown_scope_is_refused_with_those_there_are(kproof: Kproof) -> None:
    done = kproof("check", "--scope", "huge")

    assert done.returncode == 2
    assert "expected one of small, medium, all" in done.stderr


def test_the_scope_of_one_model_is_given_by_its_constants(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--scope", "medium")

    assert done.returncode == 2
    assert "--set NAME=VALUE" in done.stderr


@pytest.mark.parametrize("option", [("--checkpoint", "c"), ("--profile",)])
def test_checkpoint_and_profile_are_for_one_model(kproof: Kproof, option: tuple[str, ...]) -> None:
    done = kproof("check", *option)

    assert done.returncode == 2
    assert "Name it" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--checkpoint", "."), "cannot be read as a checkpoint"),
        (("--checkpoint", "toy.py"), "not a checkpoint of kproof"),
        (("--checkpoint", "c", "--engine", "python"), "keeps no checkpoints"),
    ],
)
def test_a_checkpoint_that_cannot_be_is_a_matter_of_usage(
    kproof: Kproof, arguments: tuple[str, ...], said: str
) -> None:
    done = kproof("check", "toy.py", *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not Path("c").exists()


def test_a_profile_is_printed_and_changes_no_exit_code(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--profile")

    assert done.returncode == 0
    assert "Profile: extraction" in done.stdout
