"""The catalogue on several cores: what is told, and how it ends, does not depend on how many."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.cli.jobs import packed, unpacked, usable_cores
from kproof_checker.cli.plans import plan_of
from kproof_checker.options import CheckOptions
from kproof_spec import catalog
from kproof_spec.catalog import Check

Kproof = Callable[..., CompletedProcess[str]]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_phase_commit.py"


CHILD = "from kproof_checker.cli.main import run; run()"


def ordering() -> list[Check]:
    """Checks of the catalogue that take no time: some hold, some are violated."""
    return [c for c in catalog.CHECKS if c.model == "ordering" and c.size == "small"]


def of_file(path: Path, **constants: int) -> Check:
    """A check of a model in a file of its own."""
    expected = {"outcomes_agree": "exhausted", "everyone_commits": "reached"}
    return Check(title="a toy", model=str(path), constants=constants, expected=expected)


def in_children(folder: Path, what: str) -> Path:
    """The tutorial model, in a file that does `what` wherever several checks run side by side."""
    path = folder / "toy_in_children.py"
    path.write_text(
        EXAMPLE.read_text()
        + "\nimport multiprocessing, os, signal, sys\n"
        + f"if multiprocessing.parent_process() is not None:\n    {what}\n"
    )
    return path


def without_times(text: str) -> str:
    """What was told, but for seconds."""
    return re.sub(r" +\d+\.\d+(?= +(expected|NOT))|in \d+(\.\d+)? m?s\b", "", text)


def untimed(text: str) -> list[dict[str, Any]]:
    """The lines of JSON, but for seconds."""
    times = ("seconds", "cpu_seconds")
    return [
        {key: value for key, value in json.loads(line).items() if key not in times}
        for line in text.splitlines()
    ]


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the catalogue these checks only."""

    def put(*checks: Check) -> None:
        monkeypatch.setattr(catalog, "CHECKS", list(checks))

    return put


def test_what_is_told_does_not_depend_on_the_number_of_jobs(
    kproof: Kproof, few_checks: Callable[..., None]
) -> None:
    few_checks(*ordering())

    one, two = (kproof("check", "--jobs", str(jobs)) for jobs in (1, 2))

    assert without_times(one.stdout) == without_times(two.stdout)
    assert "violated" in one.stdout
    assert (one.returncode, two.returncode) == (0, 0)


def test_what_programs_are_told_does_not_either(
    kproof: Kproof, few_checks: Callable[..., None]
) -> None:
    wrong = replace(ordering()[0], expected=dict.fromkeys(ordering()[0].expected, "violated"))
    few_checks(*ordering(), wrong)

    one, two = (kproof("check", "--json", "--jobs", str(jobs)) for jobs in (1, 3))

    assert untimed(one.stdout) == untimed(two.stdout)
    assert (one.returncode, two.returncode) == (1, 1)


def test_a_result_on_its_way_between_processes_stays_as_it_was() -> None:
    for asked in ordering():
        plan = plan_of(asked)
        result = check(plan.machine, CheckOptions(sample_seconds=0))

        assert unpacked(packed(result), plan) == result


@pytest.mark.heavy
def test_a_share_of_the_memory_that_is_too_little_changes_no_verdict(
    kproof: Kproof, few_checks: Callable[..., None]
) -> None:
    large = next(c for c in catalog.CHECKS if c.variant == "kip_320_first_try" and not c.mutant)
    few_checks(large, *ordering())
    options = ("check", "--json", "--max-memory", "1000K", "--jobs")

    one, two, scarce = (
        kproof(*options, "1"),
        kproof(*options, "2"),
        kproof("check", "--json", "--max-memory", "500K", "--jobs", "2"),
    )

    assert untimed(one.stdout) == untimed(two.stdout)
    assert (one.returncode, two.returncode) == (0, 0)
    # Half of 1000K would not have been enough.
    assert untimed(scarce.stdout)[0]["stopped"] == "the memory budget was used up"
    assert scarce.returncode == 3


def test_a_fault_of_kproof_itself_is_told_as_with_one_job(
    kproof: Kproof, few_checks: Callable[..., None], tmp_path: Path
) -> None:
    path = in_children(tmp_path, "import kproof_checker.check as c; c.check = None")
    few_checks(*ordering()[:1], of_file(path, resource_managers=2))

    done = kproof("check", "--jobs", "2")

    assert "a fault of kproof itself" in done.stderr
    assert "TypeError: 'NoneType' object is not callable" in done.stderr
    assert done.returncode == 3


def test_whatever_a_job_raises_is_told(
    kproof: Kproof, few_checks: Callable[..., None], tmp_path: Path
) -> None:
    path = in_children(tmp_path, "raise RuntimeError('no such thing')")
    few_checks(*ordering()[:1], of_file(path, resource_managers=2))

    done = kproof("check", "--jobs", "2")

    assert "RuntimeError: no such thing" in done.stderr
    assert done.returncode == 2


def test_a_job_that_was_killed_is_told_with_its_check(
    kproof: Kproof, few_checks: Callable[..., None], tmp_path: Path
) -> None:
    path = in_children(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    few_checks(of_file(path, resource_managers=2), *ordering()[:1])

    done = kproof("check", "--jobs", "2")

    assert "ran the check of two_phase_commit was ended by signal 9" in done.stderr
    assert done.returncode == 3


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for children")
def test_ctrl_c_ends_all_jobs_and_keeps_what_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, "check", "--jobs", "2"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        first = [child.stdout.readline() for _ in range(3)]
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        at_work = children.read_text().split()
        os.killpg(child.pid, signal.SIGINT)  # As a terminal does.
        rest, said = child.communicate(timeout=60)

    assert "truncate_to_high_watermark" in first[1]
    assert re.search(r"\d+ of \d+ checks were not run\.", rest)
    assert child.returncode == 3
    assert "Traceback" not in said
    assert len(at_work) >= 2
    give_up = time.monotonic() + 10
    while any(Path(f"/proc/{process}").exists() for process in at_work):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_jobs_are_for_the_catalogue(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--jobs", "2")

    assert done.returncode == 2
    assert "--workers" in done.stderr


def test_no_more_cores_are_used_than_this_process_may() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
