"""A search that was stopped, killed or short of disk goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.options import Progress
from kproof_checker.verdicts import Stop, Verdict
from liveness.lively_models import WEAK, mutual_exclusion
from search.checkpoint_tools import faulty, run, summary, to_the_end
from strategies.tiny_scopes import EXAMPLES, tiny_machine, two_phase_commit

MACHINES = {
    "commit": lambda: two_phase_commit(3),
    "violated": lambda: tiny_machine("replication-truncate_to_high_watermark"),
    "exhausted": lambda: tiny_machine("async_isr-async_isr"),
}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize("name", MACHINES)
def test_a_search_that_is_stopped_again_and_again_gives_the_same_answer(
    name: str, symmetry: bool, tmp_path: Path
) -> None:
    machine = MACHINES[name]()
    straight = run(machine, symmetry=symmetry)

    step = 3 if name == "violated" else 1
    stopped = to_the_end(machine, tmp_path / "c", step, symmetry=symmetry)

    assert straight.distinct > 40
    assert summary(stopped) == summary(straight)
    assert any("went on from" in warning for warning in stopped.warnings)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("symmetry", [True, False])
def test_the_native_engine_goes_on_too(symmetry: bool, tmp_path: Path) -> None:
    machine = two_phase_commit(3)
    straight = run(machine, symmetry=symmetry, engine="llvm")

    stopped = to_the_end(machine, tmp_path / "c", step=5, symmetry=symmetry, engine="llvm")

    assert summary(stopped) == summary(straight)
    assert any("went on from" in warning for warning in stopped.warnings)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_a_finished_search_gives_its_answer_again_at_once(engine: str, tmp_path: Path) -> None:
    machine = tiny_machine("replication-truncate_to_high_watermark")
    named: tuple[str, ...] = ("strong_isr",)  # Settled before everything was visited.
    first = run(machine, engine=engine, properties=named, checkpoint=tmp_path / "c")
    told: list[Progress] = []

    again = run(machine, told.append, engine=engine, properties=named, checkpoint=tmp_path / "c")

    assert first.stop is Stop.SETTLED
    assert first.properties["strong_isr"].verdict is Verdict.VIOLATED
    assert summary(again) == summary(first)
    assert not told


def test_a_budget_stops_a_search_that_goes_on_with_more(tmp_path: Path) -> None:
    machine = two_phase_commit(3)
    straight = run(machine)

    short = run(machine, checkpoint=tmp_path / "c", max_states=20)
    longer = run(machine, checkpoint=tmp_path / "c")

    assert short.stop is Stop.STATES
    assert summary(longer) == summary(straight)


@pytest.mark.usefixtures("small_batches")
def test_liveness_is_judged_after_a_search_that_went_on(tmp_path: Path) -> None:
    machine = mutual_exclusion(entering=WEAK).closed(processes=4)

    stopped = to_the_end(machine, tmp_path / "c")

    assert any("went on from" in warning for warning in stopped.warnings)
    assert stopped.properties["gets_in"].verdict is Verdict.VIOLATED
    assert summary(stopped) == summary(run(machine))


def test_a_specification_error_is_met_again_by_a_search_that_goes_on(tmp_path: Path) -> None:
    machine = faulty().closed()
    first = run(machine, checkpoint=tmp_path / "c")

    again = run(machine, checkpoint=tmp_path / "c")

    assert first.stop is again.stop is Stop.SPEC_ERROR
    assert summary(again) == summary(first)


# Ctrl-C at any moment


def test_ctrl_c_in_the_middle_of_a_batch_waits_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_phase_commit(3)
    straight = run(machine, symmetry=False)
    expand = NumpyEngine._insert
    calls = [0]

    def interrupted(self: NumpyEngine, *given: Any) -> None:
        calls[0] += 1
        if calls[0] % 3 == 0:
            os.kill(os.getpid(), signal.SIGINT)
        expand(self, *given)

    monkeypatch.setattr(NumpyEngine, "_insert", interrupted)
    before = signal.getsignal(signal.SIGINT)
    for _ in range(20):
        found = run(machine, symmetry=False, checkpoint=tmp_path / "c")
        if found.stop is not Stop.INTERRUPTED:
            break

    assert summary(found) == summary(straight)
    assert signal.getsignal(signal.SIGINT) is before


# Killed


CHILD = """
import sys
from kproof_checker.engines.numpy_engine import NumpyEngine
from kproof_checker.search import Search
from kproof_checker.cli.main import run

NumpyEngine.batch_max = 200
Search._save_if_due = Search.save
run(sys.argv[1:])
"""


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_a_search_that_was_killed_goes_on_from_its_last_checkpoint(
    engine: str, tmp_path: Path
) -> None:
    path, model = tmp_path / "c", str(EXAMPLES / "two_phase_commit.py")
    command = ["check", model, "--set", "resource_managers=5", "--no-symmetry", "--engine", engine]
    command += ["--checkpoint", str(path), "--quiet", "--trace-dir", str(tmp_path)]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *command], stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    give_up = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > 20_000) and child.poll() is None:
        assert time.monotonic() < give_up
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL

    machine = two_phase_commit(5)
    straight = run(machine, symmetry=False, engine=engine)
    found = run(machine, symmetry=False, engine=engine, checkpoint=path)

    assert summary(found) == summary(straight)
    assert found.distinct == 8_832
    assert any("went on from" in warning for warning in found.warnings)
