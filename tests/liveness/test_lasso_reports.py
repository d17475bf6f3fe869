"""A violation of liveness in every report, and its trace on the way through a file and back."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest

from kproof_checker.cli.main import run as run_command
from kproof_checker.traces.explain import explain
from kproof_checker.traces.itf import UnreadableTrace, read_trace, trace_text
from kproof_checker.traces.lasso import lasso_problem
from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import Claim, ClaimKind, Trace, TraceStep
from kproof_spec.lang import Fairness, Model, Struct, integer, require
from liveness.lively_models import limit

MODEL = """
from liveness.lively_models import WEAK, mutual_exclusion

model = mutual_exclusion(entering=WEAK)
"""
STILL = """
from liveness.lively_models import NO, pool

model = pool(working=NO)
"""

Kproof = Callable[..., CompletedProcess[str]]


@pytest.fixture
def kproof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Kproof:
    """The command line, in a folder with a model that starves and one that stands still."""
    (tmp_path / "starving.py").write_text(MODEL)
    (tmp_path / "still.py").write_text(STILL)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> CompletedProcess[str]:
        with pytest.raises(SystemExit) as end:
            run_command(arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert isinstance(end.value.code, int)
        return CompletedProcess(arguments, end.value.code, said.out, said.err)

    return call


@pytest.fixture
def checked(kproof: Kproof) -> dict[str, Any]:
    """The JSON of a check that finds a process starving."""
    done = kproof("check", "starving.py", "--json", "--junit", "j.xml", "--sarif", "s.json")
    assert done.returncode == 1
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def saved(checked: dict[str, Any]) -> Path:
    """The trace of the starving process."""
    return Path(checked["properties"]["gets_in"]["trace"])


# Reports


def test_json_has_the_kind_the_verdict_and_the_trace(checked: dict[str, Any]) -> None:
    said = checked["properties"]["gets_in"]

    assert said["kind"] == "leads_to"
    assert said["verdict"] == "violated"
    assert said["states_in_trace"] == 5
    assert said["arguments"].keys() == {"process"}
    assert Path(said["trace"]).is_file()
    assert checked["exit_code"] == 1


def test_junit_and_sarif_have_the_steps(checked: dict[str, Any]) -> None:
    (case,) = [c for c in ElementTree.parse("j.xml").iter("testcase") if c.get("name") == "gets_in"]
    failure = case.find("failure")
    (result,) = json.loads(Path("s.json").read_text())["runs"][0]["results"]

    assert failure is not None
    assert failure.text is not None
    assert "again from state 2" in failure.text
    assert result["ruleId"] == "mutual_exclusion/gets_in"
    (flow,) = result["codeFlows"][0]["threadFlows"]
    assert len(flow["locations"]) == 4


def test_the_text_says_from_where_it_goes_round(kproof: Kproof) -> None:
    done = kproof("check", "starving.py")

    assert "gets_in is violated" in done.stdout
    assert "and again from state 2" in done.stdout
    assert done.returncode == 1


def test_the_text_says_where_it_stands_still(kproof: Kproof) -> None:
    done = kproof("check", "still.py")

    assert "and so it stays" in done.stdout
    assert done.returncode == 1


def test_a_liveness_property_that_holds_says_for_which_runs(kproof: Kproof) -> None:
    Path("fine.py").write_text(MODEL.replace("WEAK", "STRONG"))

    done = kproof("check", "fine.py")

    assert "gets_in: comes true on every fair run of processes=2" in " ".join(done.stdout.split())
    assert done.returncode == 0


def test_what_is_not_known_exits_3(kproof: Kproof) -> None:
    Path("bounded.py").write_text("from liveness.test_lasso_reports import bounded as model\n")

    done = kproof("check", "bounded.py", "--json")

    said = json.loads(done.stdout)["properties"]["at_five"]
    assert said["verdict"] == "unknown"
    assert "bound" in said["note"]
    assert done.returncode == 3


# Files


def test_a_lasso_comes_back_from_a_file_as_it_was(saved: Path) -> None:
    machine, trace = read_trace(saved)
    document = json.loads(saved.read_text())

    assert document["loop"] == trace.claim.state == 1
    assert trace_text(trace, machine) == saved.read_text()
    assert lasso_problem(machine, trace) is None


def test_replay_and_explain_take_a_lasso(kproof: Kproof, saved: Path) -> None:
    replayed, told = kproof("replay", str(saved)), kproof("explain", str(saved))

    assert replayed.returncode == 0
    assert "goes round for ever from state 2 of 5" in " ".join(replayed.stdout.split())
    assert told.returncode == 0
    assert "State 2 comes again and again: the 3 steps that follow lead back to it." in told.stdout
    assert "never comes true" in told.stdout


def test_explain_tells_of_a_run_that_stands_still(kproof: Kproof) -> None:
    done = kproof("check", "still.py", "--json")
    path = json.loads(done.stdout)["properties"]["all_are_done"]["trace"]

    assert "the run stands still" in kproof("explain", path).stdout
    assert kproof("replay", path).returncode == 0


def changed(saved: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The file with something else in it."""
    document = json.loads(saved.read_text())
    change(document)
    saved.write_text(json.dumps(document))
    return saved


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(loop=2), "loop"),
        (lambda d: d.update(loop="1"), "loop"),
        (lambda d: d.update(loop=-4), "loop"),
        (lambda d: d.update(loop=True), "loop"),
        (lambda d: d.pop("loop"), "loop"),
        (lambda d: d["#meta"]["claim"].update(kind="run"), "loop only in a trace"),
        (lambda d: d["#meta"]["claim"].update(kind="violates"), "claim.name"),
        (lambda d: d["#meta"]["claim"].update(name="one_at_a_time"), "claim.name"),
        (lambda d: d["#meta"]["claim"].update(state=9), "claim.state"),
        (lambda d: d["#meta"]["claim"].update(arguments={}), "arguments"),
    ],
)
def test_a_damaged_loop_cannot_be_read(
    kproof: Kproof, saved: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    path = changed(saved, change)

    with pytest.raises(UnreadableTrace, match=said):
        read_trace(path)
    assert kproof("replay", str(path)).returncode == 2


def cut(document: dict[str, Any]) -> None:
    """Leaves the last step out."""
    document["states"].pop()


def aim(document: dict[str, Any], state: int) -> None:
    """Lets the circle begin elsewhere."""
    document["loop"] = document["#meta"]["claim"]["state"] = state


def accuse_another(document: dict[str, Any]) -> None:
    """Claims that the process starves that goes in again and again."""
    arguments = document["#meta"]["claim"]["arguments"]
    arguments["process"] = {"p0": "p1", "p1": "p0"}[arguments["process"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (cut, "does not come back"),
        (lambda d: aim(d, 2), "does not come back"),
        (lambda d: aim(d, 4), "not fair"),
        (accuse_another, "comes true"),
    ],
)
def test_a_run_that_is_no_violation_is_refused(
    kproof: Kproof, saved: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    done = kproof("replay", str(changed(saved, change)))

    assert done.returncode == 1
    assert said in " ".join((done.stdout + done.stderr).split())


# In CPython


class Number(Struct):
    """A number."""

    n: int = integer(0, 5)


def back_and_forth() -> Model[Number]:
    """Up and down, and from 2 also on to 5."""
    model = Model("back_and_forth", Number)

    @model.action(fairness=Fairness.STRONG)
    def on(s: Number) -> None:
        require(s.n == 2)
        s.n = 5

    @model.action
    def up(s: Number) -> None:
        require(s.n < 2)
        s.n += 1

    @model.action
    def down(s: Number) -> None:
        require(0 < s.n <= 2)
        s.n -= 1

    @model.eventually
    def at_five(s: Number) -> bool:
        return s.n == 5

    return model


def lasso(values: list[int], loop: int) -> Trace:
    """A run through these numbers."""
    names = [
        "on" if after == 5 else "up" if after > before else "down"
        for before, after in itertools.pairwise(values)
    ]
    return Trace(
        model="back_and_forth",
        variant="",
        mutant="",
        constants={},
        spec_hash="",
        states=tuple((value,) for value in values),
        steps=tuple(TraceStep(name, {}) for name in names),
        claim=Claim(ClaimKind.NEVER, "at_five", {}, loop),
    )


@pytest.mark.parametrize(
    ("values", "loop", "problem"),
    [
        ([0, 1, 0], 0, None),
        ([0], 0, None),
        ([0, 1], 1, None),
        ([0, 1, 2, 1], 1, "again and again"),
        ([0, 1, 2], 2, "again and again"),
        ([0, 1, 2, 5], 3, "comes true"),
        ([0, 1, 2], 1, "does not come back"),
        ([0, 1, 0], 7, "which the trace does not have"),
        ([1, 0, 1], 0, "initial state"),
        ([0, 2, 1, 0], 0, "leads to another state"),
        ([0, 1, 5, 2, 1, 0], 0, "is not possible"),
    ],
)
def test_a_lasso_is_judged_by_its_steps_its_circle_and_its_fairness(
    values: list[int], loop: int, problem: str | None
) -> None:
    machine = back_and_forth().closed()

    found = lasso_problem(machine, lasso(values, loop))

    assert (found is None) if problem is None else (found is not None and problem in found)


def test_a_lasso_that_is_only_told_need_not_be_right() -> None:
    machine = back_and_forth().closed()

    told = explain(machine, lasso([0, 1, 2], 2))

    assert "the run stands still" in told
    assert not replay(machine, lasso([0, 1, 2], 2)).ok


def _bounded() -> Model[Number]:
    model = Model("bounded", Number, constants=[limit])

    @model.action(fairness=Fairness.WEAK)
    def up(s: Number) -> None:
        require(s.n < limit)
        s.n += 1

    @model.eventually
    def at_five(s: Number) -> bool:
        return s.n == 5

    return model


bounded = _bounded()
