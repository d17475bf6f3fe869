"""Checks that are to be run: one that a user named, or those of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kproof_spec.catalog_types import Check
from kproof_spec.lang import Machine, ScopeError, SpecError

from ..options import CheckOptions, Reporter
from ..reports.outcome import failed_before_search
from ..verdicts import CheckResult
from .refusals import Refused
from .subjects import load_model, machine_of


@dataclass(frozen=True)
class Plan:
    """One check to run."""

    machine: Machine[Any]
    check: Check | None = None
    """What the catalogue has of it; None if a user named the model."""
    source: str = ""
    """The path of the file that has the model, if it was named by one."""

    @property
    def expected(self) -> Mapping[str, str] | None:
        """The verdict that is expected of each property, if somebody has written it down."""
        return None if self.check is None else self.check.expected

    @property
    def title(self) -> str:
        """What the catalogue calls it."""
        return "" if self.check is None else self.check.title


SCOPES = ("small", "medium", "all")


def catalogue(scope: str) -> list[Plan]:
    """The checks of the catalogue whose scopes are of this size."""
    from kproof_spec.catalog import CHECKS

    if scope not in SCOPES:
        raise Refused(f"there is no scope {scope}: expected one of {', '.join(SCOPES)}")
    return [plan_of(check) for check in CHECKS if scope in (check.size, "all")]


def plan_of(check: Check) -> Plan:
    """A check of the catalogue, with its machine."""
    model = load_model(check.model, check.variant, check.mutant)
    return Plan(machine_of(model, check.constants), check)


def run_check(machine: Machine[Any], options: CheckOptions, reporter: Reporter) -> CheckResult:
    """Checks; a specification that fails before the search gives a result too."""
    from ..check import check
    from ..checkpoint import BadCheckpoint
    from ..engines.base import EngineRefused

    try:
        return check(machine, options, reporter)
    except SpecError as error:
        return failed_before_search(machine, error, options.engine)
    except (BadCheckpoint, EngineRefused) as error:
        raise Refused(str(error)) from error
    except ScopeError as error:
        raise Refused(f"{machine.model!r}: {error}") from error
