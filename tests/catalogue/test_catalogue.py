"""The catalogue earns what it claims: each verdict is run, each property has been broken."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_spec.catalog import CHECKS, MODELS
from kproof_spec.catalog_types import Check
from kproof_spec.lang import Model, Property, PropertyKind

MODELS_AND_VARIANTS = [
    pytest.param(name, model, id=f"{name}-{variant}")
    for name, entry in MODELS.items()
    for variant, model in entry.variants.items()
]


def label(planned: Check) -> str:
    """A name for the test of a check."""
    scope = "-".join(map(str, planned.constants.values()))
    return "-".join(filter(None, [planned.model, planned.variant, planned.mutant, scope]))


def case(planned: Check) -> Any:
    """A check as a test case: what is for the night is slow."""
    mark = pytest.mark.slow if planned.size == "medium" else pytest.mark.heavy
    return pytest.param(planned, id=label(planned), marks=[mark])


@pytest.mark.parametrize("planned", [case(planned) for planned in CHECKS])
def test_every_verdict_is_the_expected_one(planned: Check) -> None:
    machine = find_model(planned.model, planned.variant, planned.mutant).closed(**planned.constants)

    found = check(machine, CheckOptions(sample_seconds=0.02))

    assert {n: p.verdict.value for n, p in found.properties.items()} == planned.expected


def is_broken(name: str, claim: Property) -> bool:
    """Whether the catalogue has a variant or mutant of a model that breaks this very property.

    A variant may declare a property again, under its old name and with another meaning.  What
    breaks the one says nothing about the other, so it is the function that counts.
    """
    entry = MODELS[name]
    return any(
        entry.variants[c.variant or entry.default].properties[claim.name].definition.function
        is claim.definition.function
        for c in CHECKS
        if c.model == name and c.expected.get(claim.name) == "violated"
    )


@pytest.mark.parametrize(("name", "model"), MODELS_AND_VARIANTS)
def test_every_invariant_is_broken_by_something_that_is_wrong(name: str, model: Model[Any]) -> None:
    invariants = [c for c in model.properties.values() if c.kind is PropertyKind.INVARIANT]

    assert invariants
    assert [claim.name for claim in invariants if not is_broken(name, claim)] == []


def test_a_property_that_a_variant_declares_again_is_a_property_of_its_own() -> None:
    variants = MODELS["group"].variants

    ours, theirs = (variants[v].properties["assignment_is_balanced"] for v in ("eager", "sticky"))
    others = variants["cooperative"].properties["assignment_is_balanced"]

    assert ours.definition.function is theirs.definition.function
    assert ours.definition.function is not others.definition.function


@pytest.mark.parametrize(("name", "model"), MODELS_AND_VARIANTS)
def test_every_witness_is_reached_where_all_is_right(name: str, model: Model[Any]) -> None:
    witnesses = [n for n, c in model.properties.items() if c.kind is PropertyKind.SOMETIMES]
    sound = [c for c in CHECKS if c.model == name and not c.mutant]

    assert witnesses
    for witness in witnesses:
        assert any(c.expected.get(witness) == "reached" for c in sound), witness


@pytest.mark.parametrize(("name", "model"), MODELS_AND_VARIANTS)
def test_every_variant_and_every_mutant_of_the_default_is_checked(
    name: str, model: Model[Any]
) -> None:
    entry = MODELS[name]
    default = entry.variants[entry.default]
    variant = model.variant or model.name
    checked = {c.variant or entry.default for c in CHECKS if c.model == name and not c.mutant}
    mutants = {c.mutant for c in CHECKS if c.model == name and c.mutant}

    assert variant in checked
    assert set(default.mutants) <= mutants
