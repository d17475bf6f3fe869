"""What a check came to: its result, what was expected of it, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from kproof_spec.lang import Machine, PropertyKind, SpecError

from ..verdicts import CheckResult, PropertyResult, SpecFault, Stop, Verdict


class ExitCode(IntEnum):
    """What the shell is told."""

    GOOD = 0
    BAD = 1
    """A property is violated, a witness is unreachable, or a verdict is not the expected one."""
    USAGE = 2
    """The command, a file to read or a file to write is at fault."""
    UNKNOWN = 3
    """The search ended before the question was answered."""
    SPEC_ERROR = 4
    """The specification itself is wrong."""


GRAVITY = (
    ExitCode.SPEC_ERROR,
    ExitCode.BAD,
    ExitCode.USAGE,
    ExitCode.UNKNOWN,
    ExitCode.GOOD,
)
"""Of several codes the first in this order is returned."""


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The gravest of some codes; good if there is none."""
    return min(codes, key=GRAVITY.index, default=ExitCode.GOOD)


@dataclass(frozen=True)
class Outcome:
    """One check with all that a report says of it."""

    result: CheckResult
    expected: Mapping[str, str] | None = None
    """The verdict word for each property; None if a person asked, who expects all to be good."""
    title: str = ""
    traces: Mapping[str, str] = field(default_factory=dict)
    """Where traces were saved: by property name, `deadlock` or `spec_error`."""
    asked: tuple[str, ...] = ()
    """Properties that were named on the command line: leaving them open is no answer."""
    walks: int = 0
    """How many random walks were asked for; 0 if the search was exhaustive."""

    @property
    def code(self) -> ExitCode:
        """What this check alone would exit with."""
        result = self.result
        if result.fault is not None:
            return ExitCode.SPEC_ERROR
        codes = [self.code_of(found) for found in result.properties.values()]
        if set(self.expected or ()) - set(result.properties):
            codes.append(ExitCode.BAD)
        if not result.is_settled:
            codes.append(ExitCode.UNKNOWN)
        return worst(codes)

    def code_of(self, found: PropertyResult) -> ExitCode:
        """What one verdict contributes to the exit code."""
        if self.is_expected(found):
            return ExitCode.GOOD
        if self.expected is not None and found.verdict.is_settled:
            return ExitCode.BAD
        if found.verdict.is_bad:
            return ExitCode.BAD
        open_by_nature = [Verdict.UNCHECKED]
        if self.walks and self.result.is_settled:
            # A walk that misses a witness says nothing about the witness.
            open_by_nature.append(Verdict.UNKNOWN)
        is_asked = found.name in self.asked or found.name in (self.expected or ())
        if found.verdict is Verdict.WALKED or (found.verdict in open_by_nature and not is_asked):
            return ExitCode.GOOD
        return ExitCode.UNKNOWN

    def is_expected(self, found: PropertyResult) -> bool:
        """Whether a verdict is the one that was written down, or a good one if none was."""
        wanted = (self.expected or {}).get(found.name)
        if wanted is not None:
            return found.verdict.value == wanted
        good = Verdict.REACHED if found.claim.kind is PropertyKind.SOMETIMES else Verdict.EXHAUSTED
        return found.verdict is good

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing has to be looked at."""
        return self.code is ExitCode.GOOD

    @property
    def stopped(self) -> str:
        """Why the search ended."""
        if self.walks and self.result.is_settled:
            return "every walk was taken"
        return self.result.stop.value

    @property
    def missing(self) -> list[str]:
        """Properties of which a verdict was expected and none was given."""
        return [name for name in self.expected or () if name not in self.result.properties]


def failed_before_search(machine: Machine[Any], error: SpecError, engine: str) -> CheckResult:
    """The result of a check whose specification is wrong before any state was looked at."""
    return CheckResult(
        machine=machine,
        engine=engine,
        symmetry=False,
        stop=Stop.SPEC_ERROR,
        distinct=0,
        generated=0,
        depth=0,
        seconds=0.0,
        cpu_seconds=0.0,
        fault=SpecFault(error.message, error.where),
    )
