"""What the catalogue is made of: models that a user can name, and checks with what they must find.

Each family of models has a module `checks` that builds its part with the functions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .lang import Model, PropertyKind


@dataclass(frozen=True)
class Entry:
    """A model that a user can name, with its variants."""

    title: str
    variants: dict[str, Model[Any]]
    """In reading order.  A model without variants has one, named like the model."""
    default: str
    """The variant that is meant when none is named: the correct protocol."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One exhaustive check, and what it must find."""

    title: str
    model: str
    variant: str = ""
    """Empty is the default."""
    mutant: str = ""
    """Empty is the model as it is."""
    constants: dict[str, int]
    expected: dict[str, str]
    """For every property the verdict word: exhausted, violated, reached or unreachable."""
    size: str = "small"
    """`small`: seconds, in every run; `medium`: minutes, every night."""


def family(title: str, *models: Model[Any], default: str = "") -> Entry:
    """A model with its variants; without `default`, the first one is meant when none is named."""
    variants = {model.variant or model.name: model for model in models}
    return Entry(title, variants, default or next(iter(variants)))


def check(
    name: str,
    entry: Entry,
    constants: Mapping[str, int],
    *,
    variant: str = "",
    violated: tuple[str, ...] = (),
    unreachable: tuple[str, ...] = (),
    size: str = "small",
) -> Check:
    """A check of a model or variant in which all holds but `violated`.

    Every witness is reached but `unreachable`.  Constants left out have their defaults.
    """
    model = entry.variants[variant or entry.default]
    defaults = {constant.name: constant.default for constant in model.constants}
    return Check(
        title=model.title,
        model=name,
        variant=variant,
        constants={**defaults, **constants},
        expected=_expected(model, violated, unreachable),
        size=size,
    )


def mutant_checks(
    name: str,
    entry: Entry,
    violated: Mapping[str, tuple[str, ...]] | None = None,
    *,
    variant: str = "",
    unreachable: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Check]:
    """A check of every mutant of a variant, each in the mutant's own scope.

    `violated` names what a mutant breaks besides what it is there to break, `unreachable` the
    witnesses that it keeps from happening.
    """
    model = entry.variants[variant or entry.default]
    checks = []
    for mutant in model.mutants.values():
        defaults = {constant.name: constant.default for constant in model.constants}
        broken = (mutant.breaks, *(violated or {}).get(mutant.name, ()))
        checks.append(
            Check(
                title=mutant.replacement.title,
                model=name,
                variant=variant,
                mutant=mutant.name,
                constants={**defaults, **mutant.scope},
                expected=_expected(model, broken, (unreachable or {}).get(mutant.name, ())),
            )
        )
    return checks


def _expected(
    model: Model[Any], violated: tuple[str, ...], unreachable: tuple[str, ...]
) -> dict[str, str]:
    expected = {}
    for name, claim in model.properties.items():
        if claim.kind is PropertyKind.SOMETIMES:
            expected[name] = "unreachable" if name in unreachable else "reached"
        else:
            expected[name] = "violated" if name in violated else "exhausted"
    return expected
