"""JUnit XML: a suite for each check, a test case for each property.

What is not known is an error, never a pass; an expected violation that was found is a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from ..verdicts import PropertyResult, Verdict
from .findings import Finding, findings
from .outcome import Outcome
from .wording import scope_text, states_text, steps_text, variant_name, verdict_text

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(outcomes: Iterable[Outcome]) -> str:
    """The XML text."""
    root = ElementTree.Element("testsuites", name="kproof")
    for outcome in outcomes:
        root.append(_suite(outcome))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(outcome: Outcome) -> ElementTree.Element:
    result = outcome.result
    model = result.machine.model
    parts = ["kproof", model.name, variant_name(result.machine), model.mutant_name]
    name = ".".join(part for part in parts if part)
    suite = ElementTree.Element("testsuite", name=_clean(name), time=f"{result.seconds:.3f}")
    scope = ElementTree.SubElement(suite, "properties")
    for constant, value in result.machine.scope.constants.items():
        ElementTree.SubElement(scope, "property", name=constant, value=str(value))
    wrong = {finding.rule: finding for finding in findings(outcome)}
    class_name = f"{name} ({scope_text(result.machine.scope.constants)})"

    search = _case(suite, class_name, "search")
    problem = wrong.pop("spec_error", None) or wrong.pop("search", None)
    if problem is not None:
        _add(search, "error", problem)
    _say(search, f"{states_text(result)} depth {result.depth}, {result.stop.value}")

    for found in result.properties.values():
        case = _case(suite, class_name, found.name)
        if found.name in wrong:
            finding = wrong.pop(found.name)
            _add(case, "failure" if finding.is_error else "error", finding)
        elif found.verdict is Verdict.UNCHECKED:
            ElementTree.SubElement(case, "skipped", message=_clean(verdict_text(result, found)))
        _say(case, _verdict_line(outcome, found))
    for finding in wrong.values():
        _add(_case(suite, class_name, finding.rule), "failure", finding)

    suite.set("tests", str(len(suite.findall("testcase"))))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    return suite


def _case(suite: ElementTree.Element, class_name: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=_clean(class_name), name=_clean(name)
    )


def _add(case: ElementTree.Element, tag: str, finding: Finding) -> None:
    element = ElementTree.SubElement(
        case, tag, message=_clean(finding.headline), type=finding.code.name.lower()
    )
    lines = [finding.message, f"{finding.path}:{finding.line}"]
    if finding.trace is not None:
        lines += steps_text(finding.trace, most=None)
    if finding.trace_path:
        lines.append(f"kproof explain {finding.trace_path}")
    element.text = _clean("\n".join(lines))


def _say(case: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(case, "system-out").text = _clean(text)


def _verdict_line(outcome: Outcome, found: PropertyResult) -> str:
    expected = ", as expected" if outcome.expected and outcome.is_expected(found) else ""
    return f"{found.verdict.value}{expected}: {verdict_text(outcome.result, found)}"


def _clean(text: str) -> str:
    return NOT_IN_XML.sub("?", text)
