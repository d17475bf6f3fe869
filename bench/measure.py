"""What the benchmarks share: a search that is timed, a machine that is described, a table.

Every ratio is between two things that were measured in the same run on the same machine, and the
best of several runs stands for each, because other programs can only make a run slower.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kproof_checker.engines.base import Engine, Problem
from kproof_checker.extraction.extract import Extracted, extract
from kproof_checker.models import find_model
from kproof_checker.symmetry import Symmetry
from kproof_spec.lang import Machine

ROOT = Path(__file__).resolve().parents[1]

LEADER_EPOCHS = {"replicas": 3, "log_size": 2, "max_records": 2, "max_leader_epoch": 2}
"""Replication with 3 replicas, 2 records and 3 epochs: 737,794 states without symmetry."""


@dataclass(frozen=True)
class Loop:
    """What a search took, once its engine was there."""

    states: int
    cpu_seconds: float
    wall_seconds: float
    rss_before_bytes: int = 0
    rss_peak_bytes: int = 0

    @property
    def rate(self) -> float:
        """States per CPU-second."""
        return self.states / self.cpu_seconds


def machine_of(model: str, variant: str, constants: Mapping[str, int]) -> Machine[Any]:
    """A model in a scope; an example is named by its path from the root of the checkout."""
    name = str(ROOT / model) if model.endswith(".py") else model
    return find_model(name, variant).closed(**constants)


def subject(
    machine: Machine[Any], *, symmetry: bool = False, properties: bool = False
) -> tuple[Problem, Extracted]:
    """What an engine is made from."""
    claims = tuple(machine.model.properties.values()) if properties else ()
    problem = Problem(machine, claims, Symmetry(machine) if symmetry else None)
    return problem, extract(machine, claims)


def engine_of(name: str, problem: Problem, extracted: Extracted, workers: int = 1) -> Engine:
    """An engine, ready to search; for `llvm`, compiled."""
    if name == "python":
        from kproof_checker.engines.python_engine import PythonEngine  # noqa: PLC0415 - as needed

        return PythonEngine(problem)
    if name == "numpy":
        from kproof_checker.engines.numpy_engine import NumpyEngine  # noqa: PLC0415 - as needed

        return NumpyEngine(problem, extracted)
    from kproof_checker.engines.native.llvm_engine import LlvmEngine  # noqa: PLC0415 - as needed

    return LlvmEngine(problem, extracted, workers=workers)


def searched(engine: Engine, states_max: int | None = None) -> Loop:
    """Visits every state, or the first `states_max` of them."""
    wanted = [claim.name for claim in getattr(engine, "problem").properties]  # noqa: B009
    before = resident_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    while engine.visited < engine.distinct:
        if states_max is not None and engine.visited >= states_max:
            break
        faults = engine.expand(engine.batch_max, wanted).faults
        if faults:
            raise RuntimeError(f"nothing is measured: {faults[0].step}: {faults[0].message}")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Loop(engine.visited, cpu, wall, before, peak_bytes())


def best(runs: int, measure: Callable[[], Loop]) -> Loop:
    """The run that took the least CPU time."""
    return min((measure() for _ in range(runs)), key=lambda loop: loop.cpu_seconds)


def cpu_seconds(action: Callable[[], object]) -> float:
    """The CPU time that a call takes."""
    started = time.process_time()
    action()
    return time.process_time() - started


# -- memory --------------------------------------------------------------------------------------


def resident_bytes() -> int:
    """What is resident now; where the system does not tell, the peak so far."""
    path = Path("/proc/self/statm")
    if path.exists():
        return int(path.read_text().split()[1]) * resource.getpagesize()
    return peak_bytes()


def peak_bytes() -> int:
    """The most that was ever resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# -- other processes -----------------------------------------------------------------------------


class Apart:
    """A search in a process of its own, which waits for `go` once its engine is there."""

    def __init__(
        self, constants: Mapping[str, int], *, workers: int = 1, symmetry: bool = False
    ) -> None:
        task = {"constants": dict(constants), "workers": workers, "symmetry": symmetry}
        script = str(Path(__file__).with_name("one_search.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("a search did not get ready: its error is above")

    def go(self) -> None:
        """Lets it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def loop(self) -> Loop:
        """What it took, once it is done."""
        out, _ = self.process.communicate()
        return Loop(**json.loads(out))


def apart(constants: Mapping[str, int], *, workers: int = 1, symmetry: bool = False) -> Loop:
    """One search in a process of its own."""
    search = Apart(constants, workers=workers, symmetry=symmetry)
    search.go()
    return search.loop()


def command_cpu_seconds(*arguments: str) -> tuple[float, str]:
    """The CPU time of a whole `kproof` process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = "from kproof_checker.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, done.stdout


# -- reports -------------------------------------------------------------------------------------


def options(about: str | None, **more: Any) -> argparse.Namespace:
    """The command line of a benchmark: `--json`, `--runs`, and switches of its own by name."""
    parser = argparse.ArgumentParser(description=(about or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=3, help="the best of so many runs counts")
    for name, text in more.items():
        parser.add_argument("--" + name.replace("_", "-"), action="store_true", help=text)
    return parser.parse_args()


def surroundings() -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "llvmlite": version("llvmlite"),
    }


class Report:
    """Rows of figures, each with what was aimed at."""

    def __init__(self, title: str, *, is_json: bool) -> None:
        self.title, self.is_json = title, is_json
        self.before = surroundings()
        self.rows: list[dict[str, Any]] = []

    def add(self, what: str, value: float, unit: str, target: str = "") -> None:
        """One figure."""
        self.rows.append({"what": what, "value": value, "unit": unit, "target": target})

    def add_loop(self, what: str, loop: Loop) -> None:
        """The rate of a search; in JSON, all of it."""
        self.add(what, loop.rate, "states per CPU-second")
        self.rows[-1]["loop"] = asdict(loop)

    def show(self) -> None:
        """Prints the rows, with the load of the machine before and after."""
        where = {**self.before, "load_after": surroundings()["load"]}
        if self.is_json:
            print(json.dumps({"title": self.title, "where": where, "rows": self.rows}, indent=2))
            return
        print(self.title)
        width = max(len(row["what"]) for row in self.rows)
        for row in self.rows:
            target = f"  (aim: {row['target']})" if row["target"] else ""
            print(f"  {row['what']:<{width}}  {_number(row['value']):>12} {row['unit']}{target}")
        print(
            f"  {where['cores']} cores, load {where['load'][0]} before and "
            f"{where['load_after'][0]} after; Python {where['python']}, NumPy {where['numpy']}, "
            f"llvmlite {where['llvmlite']}"
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
