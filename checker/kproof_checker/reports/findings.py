"""What a person has to look at, each with its place in the source: the common part of reports."""

from __future__ import annotations

from dataclasses import dataclass

from ..traces.trace import Trace
from ..verdicts import PropertyResult
from .outcome import ExitCode, Outcome
from .wording import place_text, scope_text, split_place, subject, verdict_text


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or not answered."""

    rule: str
    """The property's name, or `spec_error`, or `search`."""
    headline: str
    """What it is, in a few words."""
    message: str
    """The same in a sentence, with its bounds."""
    path: str
    line: int
    code: ExitCode
    trace: Trace | None = None
    trace_path: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it is a wrong thing, not an unanswered one."""
        return self.code is not ExitCode.UNKNOWN


def findings(outcome: Outcome) -> list[Finding]:
    """Everything about a check that is not as it should be."""
    result = outcome.result
    model_path, model_line = _place_of_model(outcome)
    what = f"{subject(result.machine)} in {scope_text(result.machine.scope.constants)}"
    found: list[Finding] = []
    fault = result.fault
    if fault is not None:
        path, line = split_place(fault.where) if fault.where else (model_path, model_line)
        step = f"{fault.step}: " if fault.step else ""
        found.append(
            Finding(
                "spec_error",
                "the specification is in error",
                f"{what}: {step}{fault.message}",
                path,
                line,
                ExitCode.SPEC_ERROR,
                fault.trace,
                outcome.traces.get("spec_error", ""),
            )
        )
    elif not result.is_settled:
        found.append(
            Finding(
                "search",
                "the search was not finished",
                f"{what}: {result.stop.value}",
                model_path,
                model_line,
                ExitCode.UNKNOWN,
            )
        )
    found.extend(
        _about(outcome, claim) for claim in result.properties.values() if _counts(outcome, claim)
    )
    found.extend(
        Finding(
            name,
            f"{name} was not checked",
            f"{what}: {name} was expected to be {(outcome.expected or {})[name]}",
            model_path,
            model_line,
            ExitCode.BAD,
        )
        for name in outcome.missing
    )
    return found


def _counts(outcome: Outcome, claim: PropertyResult) -> bool:
    return outcome.code_of(claim) is not ExitCode.GOOD


def _about(outcome: Outcome, claim: PropertyResult) -> Finding:
    path, line = claim.claim.definition.position
    wanted = (outcome.expected or {}).get(claim.name)
    but = f", expected {wanted}" if wanted else ""
    text = verdict_text(outcome.result, claim)
    return Finding(
        claim.name,
        f"{claim.name} is {claim.verdict.value}{but}",
        f"{subject(outcome.result.machine)}: {claim.name} is {claim.verdict.value}{but}: {text}",
        path,
        line,
        outcome.code_of(claim),
        claim.trace,
        outcome.traces.get(claim.name, ""),
    )


def _place_of_model(outcome: Outcome) -> tuple[str, int]:
    model = outcome.result.machine.model
    definitions = [model.initial, *model.actions.values()]
    for definition in definitions:
        if definition is not None:
            return definition.position[0], 1
    return "", 1


def place_of(finding: Finding) -> str:
    """`path:line` of a finding, as seen from here."""
    return place_text(f"{finding.path}:{finding.line}") if finding.path else ""
