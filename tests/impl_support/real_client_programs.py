"""Programs of the machine of real clients: kept when they fail, read again, and run again.

A failure is a folder of `traces/regressions`: `program.txt`, the steps of the shortest program that
failed, a call a line; `recording-N.kproof`, what the broker did in its N-th life; `failure.txt`,
what was said.  `traces/README.md` tells how to use them.
"""

from __future__ import annotations

import ast
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from impl_support.real_client_machine import RealClientMachine
from impl_support.real_cluster import RealCluster
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.recording import read_recording
from kproof_checker.conformance.trial import Trial

REGRESSIONS = Path(__file__).resolve().parents[2] / "traces" / "regressions"
REAL_TIME = hypothesis.settings(
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    report_multiple_bugs=False,
    print_blob=True,
)
"""Each step waits for sockets, processes and disks, and Hypothesis is not to mind."""
PROGRAM, FAILURE = "program.txt", "failure.txt"


@dataclass(frozen=True)
class Step:
    """A step of a program: a rule of the machine, and what it is called with."""

    name: str
    arguments: dict[str, Any]


def read_program(text: str) -> list[Step]:
    """The steps of a program.  What follows a `#` in a line is for the reader."""
    steps = []
    for node in ast.parse(text).body:
        call = node.value if isinstance(node, ast.Expr) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError(f"{ast.unparse(node)}: expected a step such as member_poll(number=0)")
        arguments = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        steps.append(Step(call.func.id, arguments))
    return steps


def run_program(text: str, new_machine: Callable[[], RealClientMachine]) -> None:
    """Takes the steps of a program with a fresh broker, and checks what is checked at the end."""
    machine = new_machine()
    try:
        for step in read_program(text):
            getattr(machine, step.name)(**step.arguments)
    finally:
        machine.teardown()


def run_machine(
    machine: type[RealClientMachine],
    settings: hypothesis.settings,
    seed: int,
    into: Path = REGRESSIONS,
) -> None:
    """Has Hypothesis write programs; the shortest that fails is kept, and the failure raised."""
    RealCluster.kept = None
    seeded = hypothesis.seed(seed)(type(machine.__name__, (machine,), {}))
    try:
        run_state_machine_as_test(seeded, settings=settings)
    except FlakyStrategyDefinition as error:
        # A program that Hypothesis began a second time went another way: real clients take their
        # own time, so other steps were possible.  No check has failed.
        warnings.warn(f"seed {seed} ended early: {error}", stacklevel=1)
    except Exception as error:
        if RealCluster.kept is not None:
            saved = save_failure(RealCluster.kept, into, f"{date.today().isoformat()}_seed_{seed}")
            error.add_note(f"The program and what the broker recorded: {saved}")
        raise


def save_failure(kept: Path, into: Path, name: str) -> Path:
    """Takes what is to be read again from a folder that was kept; where it is now."""
    saved = into / name
    saved.mkdir(parents=True)
    for file in (PROGRAM, FAILURE):
        (saved / file).write_text((kept / file).read_text("utf-8").rstrip() + "\n", "utf-8")
    for recording in recordings_of(kept):
        shutil.copy(recording, saved / recording.name)
    return saved


def recordings_of(folder: Path) -> list[Path]:
    """What the broker recorded in each of its lives, in their order."""
    found = folder.glob("recording-*.kproof")
    return sorted(found, key=lambda one: int(one.stem.partition("-")[2]))


def judge(folder: Path) -> tuple[int, str]:
    """How many steps of all recordings are allowed, and what is said to the first that is not."""
    trial = Trial()
    try:
        for recording in recordings_of(folder):
            for event in read_recording(recording):
                trial(event)
    except Divergence as divergence:
        return trial.steps_count, divergence.reason
    return trial.steps_count, ""
