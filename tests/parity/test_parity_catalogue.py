"""Every model of the catalogue and every example: CPython, NumPy and machine code give one answer.

A model that is added is looked at here without a word: it is found by its place, and has a scope in
`SCOPES` or its defaults.
"""

from typing import Any

import pytest

from kproof_checker.verdicts import Stop
from kproof_spec.catalog import MODELS
from kproof_spec.lang import Model
from parity.agreement import EXAMPLES, WAYS, agreed, example, states_by_level
from strategies.tiny_scopes import TINY

SCOPES: dict[str, dict[str, int]] = {
    **TINY,
    "two_phase_commit": {"resource_managers": 2},
    "paxos": {"acceptors": 3, "values": 2, "max_ballot": 0},
    "alternating_bit": {"items": 2, "capacity": 2},
}
"""A scope of at most about a thousand states, so that CPython is quick too."""
QUICK = ("replication", "async_isr", "two_phase_commit", "paxos", "alternating_bit")
"""Families whose mutants are tried in every run; compiling those of the others takes minutes."""


def models() -> dict[str, Model[Any]]:
    """Every variant of the catalogue and every example, by name."""
    found = {
        f"{name}-{variant}": model
        for name, entry in MODELS.items()
        for variant, model in entry.variants.items()
    }
    return found | {path.stem: example(path.stem) for path in sorted(EXAMPLES.glob("*.py"))}


def mutants() -> dict[str, Model[Any]]:
    """Every mutant of those."""
    return {
        f"{name}-{mutant}": model.mutated(mutant)
        for name, model in models().items()
        for mutant in model.mutants
        # A variant inherits mutants; one of the family is enough.
        if model.variant in ("", MODELS[model.name].default if model.name in MODELS else "")
    }


def scope(model: Model[Any]) -> dict[str, int]:
    """The small scope of a model."""
    return SCOPES.get(model.name, {})


@pytest.mark.heavy
@pytest.mark.parametrize("symmetry", [False, True], ids=["all", "symmetry"])
@pytest.mark.parametrize("name", models())
def test_all_engines_give_one_answer_about_every_model(name: str, symmetry: bool) -> None:
    model = models()[name]

    said = agreed(model.closed(**scope(model)), symmetry=symmetry)

    assert said["stop"] in (Stop.EXHAUSTED, Stop.SETTLED)


def mutant_cases() -> list[Any]:
    """The mutants, those of the larger families for the night."""
    return [
        pytest.param(name, marks=[] if model.name in QUICK else [pytest.mark.slow])
        for name, model in mutants().items()
    ]


@pytest.mark.heavy
@pytest.mark.parametrize("name", mutant_cases())
def test_all_engines_give_one_answer_about_every_mutant(name: str) -> None:
    model = mutants()[name]

    # Two workers are tried on the models themselves: here every mutant is compiled once.
    said = agreed(model.closed(**scope(model)), ways=WAYS[:3])

    assert said["stop"] in (Stop.EXHAUSTED, Stop.SETTLED)


@pytest.mark.parametrize("symmetry", [False, True], ids=["all", "symmetry"])
@pytest.mark.parametrize("name", ["replication-kip_320", "async_isr-async_isr", "paxos"])
def test_all_engines_find_the_same_states_at_the_same_depth(name: str, symmetry: bool) -> None:
    model = models()[name]

    first, *others = states_by_level(model.closed(**scope(model)), symmetry=symmetry, ways=WAYS)

    assert len(first[0]) > 3
    assert all(other == first for other in others)


LARGER: dict[str, dict[str, int]] = {
    "replication-kip_101": {"replicas": 2, "log_size": 2, "max_records": 2, "max_leader_epoch": 2},
    "replication-kip_279": {"replicas": 3, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
    "replication-kip_320": {"replicas": 3, "log_size": 1, "max_records": 1, "max_leader_epoch": 2},
    "async_isr-async_isr": {"replicas": 3, "max_offset": 2, "max_version": 2},
    "two_phase_commit": {"resource_managers": 5},
    "paxos": {},
    "alternating_bit": {"items": 12, "capacity": 8},
}
"""Scopes of up to 185,000 states, where CPython has to be left out."""

HEAVY = [("replication-kip_320", False), ("paxos", True), ("alternating_bit", False)]
SLOW = [(name, flag) for name in LARGER for flag in (False, True) if (name, flag) not in HEAVY]


def check_where_there_are_many_states(name: str, symmetry: bool) -> None:
    """NumPy and machine code, one worker and two, must agree."""
    machine = models()[name].closed(**LARGER[name])

    said = agreed(machine, symmetry=symmetry, ways=[("numpy", 1), ("llvm", 1), ("llvm", 2)])

    assert said["properties"]


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "symmetry"), HEAVY)
def test_machine_code_and_numpy_agree_where_there_are_many_states(
    name: str, symmetry: bool
) -> None:
    check_where_there_are_many_states(name, symmetry)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "symmetry"), SLOW)
def test_machine_code_and_numpy_agree_on_every_model_where_there_are_many_states(
    name: str, symmetry: bool
) -> None:
    check_where_there_are_many_states(name, symmetry)
