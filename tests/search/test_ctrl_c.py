"""Ctrl-C during a long check, in a process of its own: exit code 3 and counts that are true."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.engines import choice
from kproof_checker.engines.native.llvm_engine import LlvmEngine
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import Stop, Verdict
from strategies.tiny_scopes import EXAMPLES, tiny_machine, two_phase_commit

CHILD = """
from pathlib import Path
from kproof_checker.cli.main import run
from kproof_checker.search import Search

tell = Search._tell


def mark(search):
    Path("begun").touch()
    tell(search)


Search._tell = mark
run()
"""
"""The command line, which says when it has visited its first states."""

MANAGERS = 11
"""So many that it takes a minute and more: about 300 million states."""


def interrupted(folder: Path, *arguments: str, after: float) -> tuple[int, str, str]:
    """Runs a check and presses Ctrl-C some seconds after its first states were visited.

    Gives the exit code and what was said.
    """
    (folder / "begun").unlink(missing_ok=True)
    command = [sys.executable, "-c", CHILD, "check", str(EXAMPLES / "two_phase_commit.py")]
    command += ["--no-symmetry", "--set", f"resource_managers={MANAGERS}", *arguments]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )
    give_up = time.monotonic() + 60
    while not (folder / "begun").exists():
        assert child.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.01)
    time.sleep(after)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def is_true(said: dict[str, Any]) -> bool:
    """Whether the counts fit each other."""
    return bool(
        0 < said["depth"] <= said["distinct"] <= said["generated"]
        and said["generated"] == sum(said["actions"].values()) + 1
    )


RUNS = [
    *(("llvm", workers, again / 3) for workers in (1, 2) for again in range(3)),
    ("numpy", 1, 0.2),
    ("auto", 2, 0.5),
]
"""Engine, workers, and when to press Ctrl-C."""


@pytest.mark.heavy
@pytest.mark.parametrize(("engine", "workers", "after"), RUNS)
def test_ctrl_c_gives_honest_counts(
    engine: str, workers: int, after: float, tmp_path: Path
) -> None:
    code, out, err = interrupted(
        tmp_path,
        *("--engine", engine, "--workers", str(workers), "--max-memory", "1G", "--json"),
        after=after,
    )

    assert code == 3, err
    assert "Traceback" not in out + err
    said = json.loads(out)
    assert said["stopped"] == "interrupted"
    assert not said["complete"]
    assert is_true(said)
    assert said["properties"]["outcomes_agree"]["verdict"] == "bounded"


@pytest.mark.heavy
def test_a_check_that_was_interrupted_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c"
    options = ["--checkpoint", str(path), "--engine", "llvm", "--max-memory", "1G", "--json"]
    _, out, _ = interrupted(tmp_path, *options, after=0.3)
    first = json.loads(out)

    _, out, _ = interrupted(tmp_path, *options, after=1.0)

    second = json.loads(out)
    assert any(f"held {first['distinct']:,} states" in said for said in second["warnings"])
    assert second["distinct"] > first["distinct"]
    assert is_true(second)


def test_the_sum_over_actions_is_what_was_generated() -> None:
    found = check(two_phase_commit(3), CheckOptions(symmetry=False, sample_seconds=0))

    assert found.generated == sum(found.actions.values()) + 1


# In the same process


@pytest.mark.parametrize("moment", ["compiling", "first batch"])
def test_ctrl_c_on_the_way_to_the_native_engine_keeps_what_was_settled(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(choice, "SWITCH_STATES", 340)
    monkeypatch.setattr(choice, "SWITCH_STATES_A_QUESTION", 0)
    monkeypatch.setattr(NumpyEngine, "batch_max", 20)
    if moment == "compiling":
        monkeypatch.setattr(choice.Choice, "larger", interrupted)
    else:
        monkeypatch.setattr(LlvmEngine, "expand", interrupted)
    machine = tiny_machine("replication-truncate_to_high_watermark")

    found = check(machine, CheckOptions(symmetry=False, sample_seconds=0))

    assert found.stop is Stop.INTERRUPTED
    assert found.engine == "numpy"
    assert found.distinct > 340
    assert found.generated == sum(found.actions.values()) + 1
    assert Verdict.VIOLATED in {result.verdict for result in found.properties.values()}
