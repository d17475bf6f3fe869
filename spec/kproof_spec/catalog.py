"""Every model there is, and what we expect of it: the list that `kproof check` works through.

`MODELS` is what a user can name.  `CHECKS` pairs a model with a scope and the verdict that each of
its properties must have there.  Wrong variants and mutants are in it too: a check whose violation
is expected, and is not found, fails as much as one whose violation comes as a surprise.

Scopes are the smallest that show what they are there for; all together take about half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .lang import Model, PropertyKind
from .replication import (
    async_isr,
    fence_by_leader_epoch,
    fence_by_record_epoch,
    truncate_by_leader_epoch,
    truncate_to_high_watermark,
    truncate_to_last_common_record,
)


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
    """For every property the verdict word: exhausted, violated or reached."""


def _family(title: str, *models: Model[Any], default: str) -> Entry:
    return Entry(title, {model.variant or model.name: model for model in models}, default)


MODELS: dict[str, Entry] = {
    "replication": _family(
        "Replication of one partition: leader epochs, truncation, the high watermark, the ISR",
        truncate_to_high_watermark.model,
        truncate_by_leader_epoch.model,
        truncate_to_last_common_record.model,
        fence_by_record_epoch.model,
        fence_by_leader_epoch.model,
        default="kip_320",
    ),
    "async_isr": _family(async_isr.model.title, async_isr.model, default="async_isr"),
}


def _check(
    name: str, constants: Mapping[str, int], *, variant: str = "", violated: tuple[str, ...] = ()
) -> Check:
    """A check of a model or variant in which all holds but `violated`."""
    entry = MODELS[name]
    model = entry.variants[variant or entry.default]
    return Check(
        title=model.title,
        model=name,
        variant=variant,
        constants=dict(constants),
        expected=_expected(model, violated),
    )


def _mutants(name: str, violated: Mapping[str, tuple[str, ...]]) -> list[Check]:
    """A check of every mutant of a model's default variant, in the mutant's own scope.

    `violated` names what a mutant breaks besides what it is there to break.
    """
    entry = MODELS[name]
    model = entry.variants[entry.default]
    checks = []
    for mutant in model.mutants.values():
        defaults = {constant.name: constant.default for constant in model.constants}
        broken = (mutant.breaks, *violated.get(mutant.name, ()))
        checks.append(
            Check(
                title=mutant.replacement.title,
                model=name,
                mutant=mutant.name,
                constants={**defaults, **mutant.scope},
                expected=_expected(model, broken),
            )
        )
    return checks


def _expected(model: Model[Any], violated: tuple[str, ...]) -> dict[str, str]:
    expected = {}
    for name, claim in model.properties.items():
        word = "reached" if claim.kind is PropertyKind.SOMETIMES else "exhausted"
        expected[name] = "violated" if name in violated else word
    return expected


def _replication(
    replicas: int, log_size: int, max_records: int, max_leader_epoch: int
) -> dict[str, int]:
    return {
        "replicas": replicas,
        "log_size": log_size,
        "max_records": max_records,
        "max_leader_epoch": max_leader_epoch,
    }


_BOTH = ("strong_isr", "weak_isr")

CHECKS: list[Check] = [
    _check(
        "replication",
        _replication(2, 1, 1, 1),
        variant="truncate_to_high_watermark",
        violated=_BOTH,
    ),
    _check("replication", _replication(2, 2, 2, 2), variant="kip_101", violated=_BOTH),
    _check("replication", _replication(3, 1, 1, 2), variant="kip_279", violated=_BOTH),
    _check("replication", _replication(3, 1, 1, 2), variant="kip_320_first_try", violated=_BOTH),
    _check("replication", _replication(3, 1, 1, 2), variant="kip_320"),
    _check("replication", _replication(2, 2, 2, 3), variant="kip_320"),
    *_mutants(
        "replication",
        {
            "is_leader_by_its_own_word": ("strong_isr",),
            "is_following_any_epoch": ("weak_isr",),
            "leader_raise_high_watermark_by_offset": ("strong_isr",),
            "become_follower_of_whoever_is_named": ("strong_isr",),
            "end_of_shorter_log": ("strong_isr",),
        },
    ),
    _check("async_isr", {"replicas": 3, "max_offset": 2, "max_version": 2}),
    *_mutants("async_isr", {}),
]
