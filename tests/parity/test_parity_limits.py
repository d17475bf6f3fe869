"""Where the native engine meets a limit, it says so or stays right; it never crashes or hangs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import Stop, Verdict
from kproof_spec.lang import (
    Bounded,
    Id,
    Model,
    Seq,
    SpecError,
    Struct,
    bound,
    integer,
    maybe,
    require,
    seq,
)
from parity.agreement import agreed

ROOT = Path(__file__).resolve().parents[2]


def in_another_process(code: str, seconds: float = 60) -> str:
    """What a program prints; it may crash without taking the tests with it."""
    folders = [str(ROOT / room) for room in ("spec", "checker", "impl")]
    prelude = f"import sys; sys.path[:0] = {folders!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + code],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_while_workers_run_ends_the_search_and_nothing_else(workers: int) -> None:
    printed = in_another_process(
        f"""
import os, signal, threading
from kproof_checker.check import check
from kproof_checker.engines.native import llvm_engine
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions

scope = dict(replicas=3, log_size=3, max_records=3, max_leader_epoch=3)
machine = find_model("replication", "kip_320").closed(**scope)
options = CheckOptions(
    engine="llvm", workers={workers}, symmetry=False, properties=(), sample_seconds=0
)
timers = []
def interrupt(progress):
    # While a large batch is visited, not between two.
    if progress.frontier > 600_000 and not timers:
        timers.append(threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGINT)))
        timers[0].start()
found = check(machine, options, interrupt)
del machine
print(found.stop.name, found.distinct > 100)
"""
    )

    assert printed.split() == ["INTERRUPTED", "True"]


def test_more_initial_states_than_the_first_table_holds_are_all_found() -> None:
    printed = in_another_process(
        """
from kproof_checker.check import check
from kproof_checker.engines.native import memory
from kproof_checker.options import CheckOptions
from kproof_spec.lang import *

memory.SLOTS_MIN = 1 << 8
class Number(Bounded, low=0, high=999): pass
class State(Struct):
    number: int = integer(0, 999)
model = Model("start", State)
@model.init
def begin(s: State, number: Number) -> None:
    s.number = number
print(check(model.closed(), CheckOptions(engine="llvm", sample_seconds=0)).distinct)
""",
        seconds=5,
    )

    assert printed.split() == ["1000"]


@pytest.mark.parametrize(
    ("limit", "workers"),
    [
        (100_000, 1),
        (3_000_000, 1),
        (40_000_000, 2),
        (100_000, 512),
        (3_000_000, 512),
    ],
)
def test_a_small_memory_budget_is_a_bounded_verdict_however_many_workers(
    limit: int, workers: int
) -> None:
    model = Model("grid", Pair)

    @model.action
    def raise_x(s: Pair) -> None:
        s.x = (s.x + 1) % 2_000

    @model.action
    def raise_y(s: Pair) -> None:
        s.y = (s.y + 1) % 2_000

    @model.invariant
    def is_small(s: Pair) -> bool:
        return s.x < 2_000

    options = CheckOptions(engine="llvm", workers=workers, max_memory_bytes=limit, sample_seconds=0)
    found = check(model.closed(), options)

    assert found.stop is Stop.MEMORY
    assert found.properties["is_small"].verdict is Verdict.BOUNDED


class Pair(Struct):
    """Four million states."""

    x: int = integer(0, 1_999)
    y: int = integer(0, 1_999)


def wanting(low: int, high: int, step: int) -> Model[Any]:
    """A number that goes from 0 to an end of its range, and can be looked at there."""

    class Holder(Struct):
        number: int = integer(low, high, default=0)
        looks: int = integer(0, 3)

    model = Model("holder", Holder)

    @model.action
    def go(s: Holder) -> None:
        require(s.number == 0)
        s.number = step

    @model.action
    def look(s: Holder) -> None:
        require(s.number * s.number > 5)
        require(s.looks < 3)
        s.looks += 1

    return model


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0, 2**31, 2**31), (-(2**31), 0, -(2**31))],
)
def test_numbers_whose_products_fit_64_bits_are_exact(low: int, high: int, step: int) -> None:
    assert agreed(wanting(low, high, step).closed())["distinct"] == 5


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0, 2**63, 2**63), (0, 2**40, 2**40)],
    ids=["too great", "product"],
)
@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_numbers_that_do_not_fit_64_bits_are_refused_not_wrong(
    engine: str, low: int, high: int, step: int
) -> None:
    machine = wanting(low, high, step).closed()

    with pytest.raises(SpecError, match="64"):
        check(machine, CheckOptions(engine=engine, sample_seconds=0))


things = bound("things", default=3, low=1, doc="Interchangeable things.")


class Thing(Id, size=things, symmetric=True):
    """Something."""


class Queue(Struct):
    """A queue of ids: its unused slots name nobody."""

    waiting: Seq[Thing] = seq(maybe(Thing), 3)


def test_a_queue_of_symmetric_ids_has_as_many_orbits_as_set_partitions() -> None:
    model = Model("queue", Queue, constants=[things])

    @model.action
    def join(s: Queue, thing: Thing) -> None:
        require(s.waiting.has_room)
        s.waiting.append(thing)

    said = agreed(model.closed())

    # Bell numbers: words of 0, 1, 2 and 3 letters up to renaming of the letters.
    assert said["distinct"] == 1 + 1 + 2 + 5


def both_broken_and_failing() -> Model[Any]:
    """One state breaks the invariant for one parameter, and raises for the other."""

    class One(Struct):
        number: int = integer(0, 2)

    model = Model("one", One)

    @model.action
    def rise(s: One) -> None:
        require(s.number < 2)
        s.number += 1

    @model.invariant
    def claim(s: One, is_first: bool) -> bool:
        if s.number == 2 and not is_first:
            raise ValueError("no answer")
        return s.number < 2

    return model


def test_a_state_that_breaks_a_property_and_makes_it_raise_is_reported_alike() -> None:
    said = agreed(both_broken_and_failing().closed())

    assert said["stop"] is Stop.SPEC_ERROR


class Far(Bounded, low=0, high=66_000):
    """More than 16 bits hold."""


@pytest.mark.slow
def test_more_instances_than_16_bits_number_are_refused_or_right() -> None:
    class Spot(Struct):
        x: int = integer(0, 66_000)

    model = Model("spot", Spot)

    @model.action
    def jump(s: Spot, target: Far) -> None:
        require(s.x == 0)
        s.x = target

    @model.invariant
    def is_near(s: Spot) -> bool:
        return s.x < 66_000

    said = agreed(model.closed(), ways=[("numpy", 1), ("llvm", 1)])

    assert said["properties"]["is_near"] == ("violated", 2)
