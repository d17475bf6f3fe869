"""Four ways to find a fault of the broker, each with a budget, and how soon it finds one.

docs/faults.md tells what each does, and has the table of what they found
(`python tools/make_fault_table.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from impl.core.test_partition_machine import PartitionMachine
from impl_support.group_faults import GroupFault
from impl_support.group_members import grouped
from impl_support.log_faults import LogFault
from impl_support.stepping import Stepper
from kproof_checker.conformance.driven_broker import Undrivable
from kproof_checker.conformance.driver_group import GroupDriver
from kproof_checker.conformance.driver_log import LogDriver
from kproof_checker.conformance.group_situation import Situation
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.replay_on_broker import Ending, NoDriver, replay_on_broker
from kproof_checker.conformance.tours import Tours, tours
from kproof_checker.conformance.trial import Trial
from kproof_checker.models import find_model
from kproof_checker.traces.itf import read_trace

Fault = LogFault | GroupFault
EXAMPLES = 100
RUNS, STEPS_A_RUN = 40, 30
TOURS_EVERY = 10
GALLERY = Path(__file__).resolve().parents[2] / "traces" / "gallery"


@dataclass(frozen=True)
class Found:
    """How much of a hunt it took, in its own unit, and how long."""

    after: int
    unit: str
    seconds: float


def hunts(fault: Fault) -> dict[str, Found | None]:
    """What each hunt found of a broker with the fault; None is nothing."""
    found: dict[str, Found | None] = {}
    for name, hunt in HUNTS.items():
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            found[name] = hunt(fault)
    return found


def lock_step(fault: Fault) -> Found | None:
    """The steps that were allowed, and the one that is not."""
    trial = Trial()
    begin = time.perf_counter()
    try:
        if isinstance(fault, GroupFault):
            fault.program(grouped(observe=trial))
        else:
            fault.program(Stepper(observe=trial))
    except Divergence:
        return Found(trial.steps_count + 1, "steps", time.perf_counter() - begin)
    return None


def driven(fault: Fault) -> Found | None:
    """The steps that were driven until broker and model had parted."""
    if isinstance(fault, GroupFault):
        _group_tours()  # To make them is not a part of the hunt.
    begin = time.perf_counter()
    taken = _tours_driven() if isinstance(fault, GroupFault) else _runs_driven()
    for steps, is_same in enumerate(taken, start=1):
        if not is_same:
            return Found(steps, "steps", time.perf_counter() - begin)
    return None


@cache
def _group_tours() -> tuple[Any, Tours]:
    scope = {"members": 2, "partitions": 1, "max_generation": 2, "max_failovers": 0}
    machine = find_model("group").closed(**scope)
    return machine, tours(machine, Situation())


def _tours_driven() -> Iterator[bool]:
    """Of each step, whether the broker has taken it as the model does."""
    machine, found = _group_tours()
    for tour in found.tours[::TOURS_EVERY]:
        driver = GroupDriver()
        for step in tour:
            action, arguments = step.instance.definition.name, step.instance.arguments
            yield _is_same(driver, machine, (step.source, step.target), action, arguments)


def _runs_driven() -> Iterator[bool]:
    """The same of random runs of a log."""
    scope = {"log_size": 3, "readers": 1, "max_topic_id": 1}
    machine = find_model("log").closed(**scope, retention_ms=1, retention_bytes=1)
    for seed in range(RUNS):
        random, driver = Random(seed), LogDriver(machine)
        codes = machine.initial_codes()[0]
        for _ in range(STEPS_A_RUN):
            possible: dict[str, list[Any]] = {}
            for instance, after in machine.successors(codes):
                possible.setdefault(instance.definition.name, []).append((instance, after))
            action = random.choice(sorted(possible))
            instance, after = random.choice(possible[action])
            with suppress(Undrivable):
                yield _is_same(driver, machine, (codes, after), action, instance.arguments)
                codes = after


def _is_same(
    driver: Any, machine: Any, codes: tuple[Any, Any], action: str, arguments: Any
) -> bool:
    try:
        driver.drive(machine.load(codes[0]), action, arguments)
        return not driver.differences(machine.load(codes[1]))
    except Undrivable:
        raise
    except Exception:  # Whatever the fault has led to: a sound broker raises nothing.
        return False


def by_hypothesis(fault: Fault) -> Found | None:
    """The examples until one failed.  There is no such machine for groups."""
    if isinstance(fault, GroupFault):
        return None
    examples = 0

    class Counted(PartitionMachine):
        def __init__(self) -> None:
            nonlocal examples
            super().__init__()
            examples += 1

    begin = time.perf_counter()
    try:
        run_state_machine_as_test(
            Counted,
            settings=settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    except Exception:  # As above; Hypothesis raises what the example did.
        return Found(examples, "examples", time.perf_counter() - begin)
    return None


def replayed(fault: Fault) -> Found | None:
    """How many traces show that broker and specification differ."""
    model = "group" if isinstance(fault, GroupFault) else "log"
    begin = time.perf_counter()
    showing = 0
    for path in sorted(GALLERY.glob("*.itf.json")):
        if json.loads(path.read_text("utf-8"))["#meta"]["model"] != model:
            continue
        try:
            ending = replay_on_broker(read_trace(path)[1]).ending
        except NoDriver:
            continue
        except Exception:  # As above.
            ending = Ending.PARTED
        showing += ending in (Ending.PARTED, Ending.ERRED)
    return Found(showing, "traces", time.perf_counter() - begin) if showing else None


HUNTS: dict[str, Callable[[Fault], Found | None]] = {
    "lock step": lock_step,
    "driven": driven,
    "Hypothesis": by_hypothesis,
    "replay": replayed,
}
