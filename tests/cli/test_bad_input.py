"""What is wrong in a command is told: what was seen, what was expected, what to do."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Kproof = Callable[..., CompletedProcess[str]]

TOY = ("check", "toy.py")
WHY = ("why-not", "toy.py")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "raft"), ["no model is called raft", "replication", "named by its file"]),
        (("check", "replication", "--variant", "kip_32"), ["no variant kip_32", "mean kip_320?"]),
        ((*TOY, "--mutant", "nothing"), ["no mutant nothing", "receive_abort_unasked"]),
        ((*TOY, "--property", "outcome_agree"), ["no property", "Did you mean outcomes_agree?"]),
        ((*TOY, "--engine", "abacus"), ["no engine abacus", "one of auto", "numpy", "python"]),
        ((*TOY, "--set", "x"), ["--set x", "NAME=VALUE", "--set resource_managers=3"]),
        ((*TOY, "--set", "=3"), ["NAME=VALUE"]),
        ((*TOY, "--set", "resource_manager=3"), ["no constant", "mean resource_managers?"]),
        ((*TOY, "--set", "resource_managers=0"), ["resource_managers=0 is impossible", "1 to"]),
        ((*TOY, "--set", "resource_managers=abc"), ["abc is not a whole number"]),
        ((*TOY, "--set", "resource_managers="), ["nothing is not a whole number"]),
        (
            (*TOY, "--set", "resource_managers=3", "--set", "resource_managers=4"),
            ["given twice"],
        ),
        ((*TOY, "--set", "resource_managers=1000000"), ["too large", "smaller values"]),
        ((*TOY, "--set", "resource_managers=" + "9" * 30), ["too large", "smaller values"]),
        ((*TOY, "--set", "resource_managers=" + "9" * 5000), ["is not a whole number"]),
        ((*TOY, "--max-memory", "3X"), ["--max-memory 3X", "500M or 2G"]),
        ((*TOY, "--property", "outcomes_agree", "--no-properties"), ["exclude each other"]),
        ((*TOY, "--workers", "0"), ["--workers", "kproof check --help"]),
        ((*TOY, "--bogus"), ["no such option", "kproof check --help"]),
        (("check", "--set", "replicas=3"), ["none was named", "kproof check replication"]),
        (("check", "missing.py"), ["there is no file missing.py", "expected a Python file"]),
        (("check", "./"), ["is a folder", "expected a Python file"]),
        (("replay", "."), ["is a folder", "kproof replay ./*.itf.json"]),
        (("replay", "missing.itf.json"), ["missing.itf.json cannot be read"]),
        (("explain", "toy.py"), ["toy.py", "expected a trace"]),
        ((*WHY, "comit"), ["no action comit", "expected one of", "manager_commit"]),
        ((*WHY, "prepare"), ["rm was not given", "--param rm=rm0"]),
        ((*WHY, "prepare", "--param", "rm=b7"), ["--param rm=b7", "one of rm0, rm1, rm2"]),
        ((*WHY, "prepare", "--param", "who=rm0"), ["no parameter who", "one of rm"]),
        ((*WHY, "prepare", "--param", "rm"), ["expected NAME=VALUE"]),
        ((*WHY, "manager_commit", "--state", "2"), ["--trace FILE"]),
        (("graph", "toy.py", "--limit", "10"), ["more than 10 states", "raise the limit"]),
        (("explain",), ["missing argument", "kproof explain --help"]),
        (("chek",), ["no such command", "kproof --help"]),
    ],
    ids=lambda value: "-".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_it_is_refused_with_advice(
    kproof: Kproof, arguments: tuple[str, ...], told: list[str]
) -> None:
    done = kproof(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert [part for part in told if part.lower() not in done.stderr.lower()] == []
    assert done.stderr.startswith("kproof: ")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("def f(:\n", 2, ["SyntaxError", "line 1"]),
        ("x = 1\n", 2, ["has no model", "a variable `model`"]),
        ("import os\nraise RuntimeError('boom')\n", 2, ["RuntimeError: boom", "mine.py:2"]),
        ("import sys\nsys.exit(0)\n", 2, ["ended the program", "__main__"]),
        ("def a():\n    a()\na()\n", 2, ["RecursionError"]),
        (
            "from kproof_spec.lang import Struct\nclass State(Struct):\n    x: int\n",
            4,
            ["State.x has a type but no field", "mine.py:2"],
        ),
    ],
    ids=["syntax", "no model", "raises", "exits", "recursion", "specification error"],
)
def test_a_file_of_the_users_own_is_refused(
    kproof: Kproof, text: str, code: int, told: list[str]
) -> None:
    Path("mine.py").write_text(text)

    done = kproof("check", "mine.py")

    assert done.returncode == code
    assert [part for part in told if part not in done.stderr] == []


def test_a_damaged_trace_is_refused_and_the_next_one_is_still_replayed(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--witness-traces", "--trace-dir", ".")
    whole = Path("two_phase_commit-everyone_commits.itf.json")
    Path("cut.itf.json").write_text(whole.read_text()[:300])

    done = kproof("replay", "cut.itf.json", str(whole))

    assert done.returncode == 2
    assert "cut.itf.json is not JSON" in done.stderr
    assert done.stdout.startswith("ok  two_phase_commit")


def test_a_trace_of_another_version_is_tried_with_a_warning(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--witness-traces", "--trace-dir", ".")
    text = Path("toy.py").read_text().replace("require(s.abort_sent)", "require(s.is_decided)")
    Path("toy.py").write_text(text)

    done = kproof("replay", "two_phase_commit-everyone_commits.itf.json")

    assert done.returncode == 0
    assert "another version" in done.stderr


def test_a_trace_that_does_not_fit_any_more_exits_1(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--witness-traces", "--trace-dir", ".")
    text = Path("toy.py").read_text().replace("require(s.commit_sent)", "require(s.abort_sent)")
    Path("toy.py").write_text(text)

    done = kproof("replay", "two_phase_commit-everyone_commits.itf.json")

    assert done.returncode == 1
    assert done.stdout.startswith("FAILED  ")


def test_a_fault_of_kproof_itself_is_unknown(
    kproof: Kproof, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("kproof_checker.check.check", broken)
    done = kproof("check", "toy.py")

    assert done.returncode == 3
    assert "a fault of kproof itself" in done.stderr
    assert "ZeroDivisionError: inside" in done.stderr
