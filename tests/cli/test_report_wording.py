"""Reports of results made by hand: what the search on a toy never shows."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from kproof_checker.models import find_model
from kproof_checker.options import Progress
from kproof_checker.reports import as_json, github, junit, text
from kproof_checker.reports.outcome import ExitCode, Outcome, worst
from kproof_checker.reports.progress import ProgressLine, line
from kproof_checker.reports.screen import Screen
from kproof_checker.reports.wording import duration, memory, number, steps_text
from kproof_checker.traces.trace import Trace, TraceStep
from kproof_checker.verdicts import CheckResult, PropertyResult, SpecFault, Stop, Verdict


def result(verdicts: Mapping[str, Verdict], stop: Stop = Stop.EXHAUSTED) -> CheckResult:
    """A result of the replication model with these verdicts."""
    machine = find_model("replication").closed()
    properties = {
        name: PropertyResult(machine.model.properties[name], verdict)
        for name, verdict in verdicts.items()
    }
    return CheckResult(machine, "numpy", False, stop, 10, 20, 3, 0.5, 0.5, properties=properties)


def trace(steps: int) -> Trace:
    """A trace of that many steps."""
    step = TraceStep("leader_write", {"leader": 1})
    return Trace("replication", "", "", {}, "", ((),) * (steps + 1), (step,) * steps)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.EXHAUSTED, ExitCode.GOOD),
        (Verdict.VIOLATED, ExitCode.BAD),
        (Verdict.UNREACHABLE, ExitCode.BAD),
        (Verdict.BOUNDED, ExitCode.UNKNOWN),
        (Verdict.UNKNOWN, ExitCode.UNKNOWN),
        (Verdict.UNCHECKED, ExitCode.GOOD),
        (Verdict.WALKED, ExitCode.GOOD),
    ],
)
def test_each_verdict_has_its_exit_code(verdict: Verdict, code: ExitCode) -> None:
    assert Outcome(result({"strong_isr": verdict})).code is code


def test_a_property_that_was_named_and_not_checked_is_unknown() -> None:
    unchecked = result({"strong_isr": Verdict.UNCHECKED})

    assert Outcome(unchecked, asked=("strong_isr",)).code is ExitCode.UNKNOWN


def test_a_specification_error_outweighs_a_violation_and_that_the_unknown() -> None:
    broken = result({"strong_isr": Verdict.VIOLATED}, Stop.SPEC_ERROR)

    assert Outcome(replace(broken, fault=SpecFault("wrong", "a.py:1"))).code is ExitCode.SPEC_ERROR
    assert Outcome(result({"strong_isr": Verdict.VIOLATED}, Stop.TIME)).code is ExitCode.BAD
    assert worst([ExitCode.UNKNOWN, ExitCode.BAD, ExitCode.GOOD]) is ExitCode.BAD
    assert worst([]) is ExitCode.GOOD


def test_no_expectation_makes_an_unfinished_search_good() -> None:
    unfinished = result({"strong_isr": Verdict.VIOLATED}, Stop.TIME)

    assert Outcome(unfinished, expected={"strong_isr": "violated"}).code is ExitCode.UNKNOWN


def test_long_traces_are_cut_in_the_middle() -> None:
    lines = steps_text(trace(40))

    assert len(lines) == 15
    assert any("27 more" in line for line in lines)
    assert len(steps_text(trace(40), most=None)) == 41
    assert lines[-1].split()[0] == "41"


def test_the_same_steps_are_not_printed_twice() -> None:
    found = result({"strong_isr": Verdict.VIOLATED, "weak_isr": Verdict.VIOLATED})
    same = {name: replace(p, trace=trace(3)) for name, p in found.properties.items()}

    lines = [line.plain for line in text.report(Outcome(replace(found, properties=same)))]

    assert sum("leader_write" in line for line in lines) == 3
    assert "  by the steps that violate strong_isr, above" in lines


def test_annotations_escape_what_github_would_read() -> None:
    fault = SpecFault("100% wrong\nhere", "a,b:c.py:7")
    found = replace(result({}, Stop.SPEC_ERROR), fault=fault)

    (command,) = github.commands([Outcome(found)])

    assert command.startswith("::error file=a%2Cb%3Ac.py,line=7,title=kproof%3A the spec")
    assert "100%25 wrong%0Ahere" in command
    assert "\n" not in command


def test_junit_survives_characters_that_xml_does_not_have() -> None:
    found = replace(result({}, Stop.SPEC_ERROR), fault=SpecFault("bell \x07 & <tag>", "a.py:1"))

    root = ElementTree.fromstring(junit.document([Outcome(found)]))

    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert "bell ? & <tag>" in (error.text or "")


def test_junit_passes_a_violation_that_was_expected() -> None:
    broken = Outcome(result({"strong_isr": Verdict.VIOLATED}), expected={"strong_isr": "violated"})

    root = ElementTree.fromstring(junit.document([broken]))

    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "0", "0")


def test_json_keeps_numbers_and_names_the_rest() -> None:
    machine = result({}).machine
    sort = machine.model.actions["leader_write"].parameters["leader"]
    values = {"leader": machine.scope.ids(sort)[0], "offset": 2, "fast": True}

    told: dict[str, Any] = json.loads(json.dumps(as_json.plain_arguments(values)))

    assert told == {"leader": "b0", "offset": 2, "fast": True}


def test_an_action_that_never_happens_is_a_warning() -> None:
    lazy = replace(result({}), actions={"leader_write": 0, "follower_fetch": 4})

    lines = [line.plain for line in text.report(Outcome(lazy))]

    assert any(line.startswith("  warning: action leader_write") for line in lines)
    assert "  actions    1 of 2 happen" in lines


def test_numbers_are_written_for_people() -> None:
    assert number(97531) == "97,531"
    assert duration(0.424) == "0.42 s"
    assert duration(200) == "3 min 20 s"
    assert memory(3 << 29) == "1.5 GB"
    assert memory(5 << 20) == "5 MB"


def test_progress_says_how_far_and_how_fast() -> None:
    told = line("kip_320", Progress(1234567, 9, 12345, 14, 2.1, 300 << 20), 600000.0)

    assert told == (
        "kip_320: 1,234,567 states, 600,000/s, frontier 12,345, depth 14, 300 MB, 2.10 s"
    )


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def ticking(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    """Lets the clock show these times, one after the other."""
    clock = iter(times)
    monkeypatch.setattr("kproof_checker.reports.progress.time.monotonic", lambda: next(clock))
    monkeypatch.setenv("TERM", "xterm")


def test_progress_appears_after_a_second_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch, 0.0, 0.5, 1.5, 1.55)
    stream = Terminal()
    progress = ProgressLine("m", stream)

    for _ in range(3):
        progress(Progress(5, 9, 2, 3, 1.0, 0))
    progress.close()

    assert stream.getvalue().count("5 states") == 1
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_in_a_log_is_a_line_each_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch, 0.0, 5.0, 11.0, 15.0, 22.0)
    stream = io.StringIO()
    progress = ProgressLine("m", stream)

    for _ in range(4):
        progress(Progress(5, 9, 2, 3, 1.0, 0))
    progress.close()

    assert stream.getvalue().count("\n") == 2
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("no_colour", "has_colour"), [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(
    no_colour: str, has_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_colour)

    Screen().show(text.summary(Outcome(result({"strong_isr": Verdict.EXHAUSTED}))))

    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert plain.startswith("Good: 1 property holds")
    assert (plain != stream.getvalue()) is has_colour
