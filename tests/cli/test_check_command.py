"""`kproof check` on the tutorial model: verdicts, exit codes and every form of report."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest

import kproof_checker.check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult
from kproof_spec.lang import Machine

Kproof = Callable[..., CompletedProcess[str]]

MUTANT = "receive_abort_unasked"


def test_a_model_that_holds_exits_0_and_says_in_how_many_states(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--no-symmetry")

    assert done.returncode == 0
    assert "outcomes_agree: holds in all 288 states of resource_managers=3" in done.stdout
    assert "reached      everyone_commits: by a trace of 11 states" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Good: ")
    assert not Path(".kproof").exists()


def test_a_violation_exits_1_and_names_the_next_command(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT)

    assert done.returncode == 1
    assert "violated     outcomes_agree: by a trace of 10 states" in done.stdout
    assert "  10  receive_commit(rm=" in done.stdout
    assert f"{MUTANT} is meant to break outcomes_agree, and it does" in done.stdout
    found = re.search(r"next:  kproof (explain \S+)", done.stdout)
    assert found is not None
    assert kproof(*found[1].split()).returncode == 0
    assert kproof("replay", found[1].split()[1]).returncode == 0


def test_no_line_is_longer_than_a_terminal_unless_it_holds_a_path(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT)

    long = [line for line in done.stdout.splitlines() if len(line) > 100 and ".kproof" not in line]
    assert long == []


def test_json_is_one_object_on_one_line(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT, "--no-symmetry", "--json")

    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    told = json.loads(done.stdout)
    assert (told["model"], told["variant"]) == ("two_phase_commit", "two_phase_commit")
    assert told["mutant"] == MUTANT
    assert told["constants"] == {"resource_managers": 3}
    assert told["complete"] is True
    assert told["symmetry"] is False
    assert told["spec_error"] is None
    assert told["exit_code"] == 1
    broken = told["properties"]["outcomes_agree"]
    assert (broken["kind"], broken["verdict"]) == ("invariant", "violated")
    assert broken["states_in_trace"] == 10
    assert set(broken["arguments"]) == {"a", "b"}
    assert Path(broken["trace"]).is_file()
    assert told["properties"]["everyone_commits"]["trace"] is None


def test_no_properties_only_counts(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--no-properties", "--no-symmetry", "--json")

    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["distinct"], told["generated"], told["depth"]) == (288, 1146, 11)
    assert told["properties"] == {}


def test_a_model_without_a_mutant_has_null_for_it(kproof: Kproof) -> None:
    told = json.loads(kproof("check", "toy.py", "--json").stdout)

    assert told["mutant"] is None
    assert told["expected"] is None


def test_one_property_can_be_checked_alone(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--property", "everyone_commits", "--json")

    assert list(json.loads(done.stdout)["properties"]) == ["everyone_commits"]
    assert done.returncode == 0


def test_a_budget_used_up_is_unknown_and_never_good(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--max-states", "3", "--engine", "python")

    assert done.returncode == 3
    assert "bounded" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Unknown: the budget of states was used up")


def test_an_unreachable_witness_is_bad_and_its_action_is_named(kproof: Kproof) -> None:
    text = Path("toy.py").read_text().replace("require(s.commit_sent)", "require(False)")
    Path("vacuous.py").write_text(text)

    done = kproof("check", "vacuous.py")

    assert done.returncode == 1
    assert "unreachable  everyone_commits" in done.stdout
    assert "warning: action receive_commit is never possible" in done.stdout


def test_a_value_out_of_range_is_a_specification_error(kproof: Kproof) -> None:
    text = Path("toy.py").read_text().replace("s.vote[rm] = Vote.PREPARED", "s.vote[rm] = 7")
    Path("wrong.py").write_text(text)

    done = kproof("check", "wrong.py")
    told = json.loads(kproof("check", "wrong.py", "--json").stdout)

    assert done.returncode == 4
    assert re.search(r"Specification error at wrong\.py:\d+", done.stdout)
    assert told["spec_error"]["where"].split(":")[0].endswith("wrong.py")
    assert told["exit_code"] == 4


def test_ctrl_c_gives_a_partial_verdict(kproof: Kproof, monkeypatch: pytest.MonkeyPatch) -> None:
    original = kproof_checker.check.check

    def interrupted(machine: Machine[Any], options: CheckOptions, report: Any) -> CheckResult:
        def press(_: object) -> None:
            raise KeyboardInterrupt

        return original(machine, options, press)

    monkeypatch.setattr(kproof_checker.check, "check", interrupted)
    done = kproof("check", "toy.py", "--engine", "python")

    assert done.returncode == 3
    assert "Unknown: interrupted after" in done.stdout


def test_witness_traces_are_written_on_request(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--witness-traces", "--trace-dir", "here")

    name = "here/two_phase_commit-everyone_commits.itf.json"
    assert kproof("replay", name).returncode == 0


def test_quiet_prints_the_last_line_alone(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT, "--quiet")

    assert done.stdout == "Bad: outcomes_agree is violated.\n"


def test_junit_has_a_case_for_each_property(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--mutant", MUTANT, "--junit", "new/junit.xml")

    root = ElementTree.parse("new/junit.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == ["search", "outcomes_agree", "everyone_commits"]
    failure = cases["outcomes_agree"].find("failure")
    assert failure is not None
    assert "prepare(rm=" in (failure.text or "")
    assert cases["everyone_commits"].find("failure") is None
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "0")


def test_junit_calls_the_unknown_an_error(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--max-states", "3", "--engine", "python", "--junit", "j.xml")

    root = ElementTree.parse("j.xml").getroot()
    assert root.get("errors") == "3"


def test_sarif_points_at_the_property_and_follows_the_trace(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--mutant", MUTANT, "--sarif", "s.json")

    document = json.loads(Path("s.json").read_text())
    run = document["runs"][0]
    (result,) = run["results"]
    assert document["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "toy.py"
    lines = Path("toy.py").read_text().splitlines()
    assert lines[place["region"]["startLine"] - 1] == "@model.invariant"
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(flow) == 9
    assert flow[0]["location"]["message"]["text"].startswith("1. prepare(rm=")


def test_github_annotates_the_line_of_the_property(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT, "--github")

    line = Path("toy.py").read_text().splitlines().index("@model.invariant") + 1
    assert f"::error file=toy.py,line={line},title=kproof%3A outcomes_agree is" in done.stdout


def test_with_json_annotations_leave_standard_output_alone(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", MUTANT, "--github", "--json")

    assert done.stdout.count("\n") == 1
    assert "::error" in done.stderr


@pytest.mark.parametrize("option", ["--junit", "--sarif", "--trace-dir"])
def test_a_file_that_cannot_be_written_costs_no_verdict(kproof: Kproof, option: str) -> None:
    Path("file").write_text("in the way")

    done = kproof("check", "toy.py", "--mutant", MUTANT, option, "file/below")

    assert done.returncode == 2
    assert "outcomes_agree is violated" in done.stdout
    assert "cannot write file/below" in done.stderr
    assert "The verdict stands" in done.stderr
