"""SARIF 2.1.0: a rule for each property, a result for each finding, the trace as its code flow."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..traces.trace import Trace
from .findings import Finding, findings
from .outcome import Outcome
from .wording import near

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

OTHER_RULES = {
    "spec_error": "The specification is free of errors: no range is left, nothing raises.",
    "search": "The search visits every reachable state of the scope, or settles every property.",
}


def document(outcomes: Iterable[Outcome]) -> str:
    """The JSON text."""
    outcomes = list(outcomes)
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for outcome in outcomes:
        for rule in _rules(outcome):
            rules.setdefault(rule["id"], rule)
        for finding in findings(outcome):
            identifier = _identifier(outcome, finding.rule)
            if identifier not in rules:
                text = f"{finding.rule} is checked."
                rules[identifier] = {"id": identifier, "shortDescription": {"text": text}}
            results.append(_result(outcome, finding, list(rules).index(identifier)))
    run = {
        "tool": {"driver": {"name": "kproof", "rules": list(rules.values())}},
        "invocations": [
            {"executionSuccessful": all(outcome.result.is_settled for outcome in outcomes)}
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _identifier(outcome: Outcome, rule: str) -> str:
    return rule if rule in OTHER_RULES else f"{outcome.result.machine.model.name}/{rule}"


def _rules(outcome: Outcome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"id": name, "shortDescription": {"text": text}} for name, text in OTHER_RULES.items()
    ]
    for claim in outcome.result.machine.model.properties.values():
        title = claim.definition.title or claim.name
        found.append(
            {
                "id": _identifier(outcome, claim.name),
                "name": claim.name,
                "shortDescription": {"text": title},
                "fullDescription": {"text": claim.definition.doc or title},
                "defaultConfiguration": {"level": "error"},
                "properties": {"kind": claim.kind.value},
            }
        )
    return found


def _result(outcome: Outcome, finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": _identifier(outcome, finding.rule),
        "ruleIndex": index,
        "level": "error" if finding.is_error else "warning",
        "message": {"text": finding.message},
    }
    if finding.path:
        result["locations"] = [_location(finding.path, finding.line)]
    if finding.trace is not None and finding.trace.steps:
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(outcome, finding.trace)}]}]
    if finding.trace_path:
        result["properties"] = {"trace": finding.trace_path}
    return result


def _flow(outcome: Outcome, trace: Trace) -> list[dict[str, Any]]:
    actions = outcome.result.machine.model.actions
    flow = []
    for order, step in enumerate(trace.steps, 1):
        location: dict[str, Any] = {"message": {"text": f"{order}. {step.label}"}}
        if step.action in actions:
            location = {**_location(*actions[step.action].position), **location}
        flow.append({"location": location, "executionOrder": order})
    return flow


def _location(path: str, line: int) -> dict[str, Any]:
    relative = near(path)
    if Path(relative).is_absolute():
        artifact = {"uri": Path(relative).as_uri()}
    else:
        artifact = {"uri": _quoted(relative), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
