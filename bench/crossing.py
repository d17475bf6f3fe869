"""From how many states on it is worth compiling: NumPy against llvm, compilation included.

Both times are those from the decision DAGs to the end of the search.  Where the lines cross is read
off between the two scopes around it, by rate: NumPy takes longer by so much for each state.
"""

from __future__ import annotations

from kproof_checker.engines.base import Problem
from kproof_checker.extraction.extract import Extracted
from measure import Report, cpu_seconds, engine_of, machine_of, options, searched, subject

Scope = dict[str, int]


def replication(log_size: int, records: int, epoch: int) -> Scope:
    """Three replicas."""
    return {
        "replicas": 3,
        "log_size": log_size,
        "max_records": records,
        "max_leader_epoch": epoch,
    }


ROWS: dict[str, tuple[str, str, list[Scope]]] = {
    "replication": (
        "replication",
        "kip_320",
        [replication(1, 1, 1), replication(1, 1, 2), replication(2, 2, 1), replication(2, 2, 2)],
    ),
    "async_isr": (
        "async_isr",
        "",
        [{"replicas": 3, "max_offset": n, "max_version": n} for n in (1, 2, 3)],
    ),
    "paxos": ("examples/paxos.py", "", [{"max_ballot": n} for n in (0, 1, 2)]),
    "alternating bit": (
        "examples/alternating_bit.py",
        "",
        [{"items": n, "capacity": n} for n in (8, 12, 16)],
    ),
}


def measured(name: str, problem: Problem, extracted: Extracted, runs: int) -> tuple[float, int]:
    """The CPU time from the DAGs to the end, of the best run; and the states."""
    states = 0

    def whole() -> None:
        nonlocal states
        engine = engine_of(name, problem, extracted)
        states = searched(engine).states

    return min(cpu_seconds(whole) for _ in range(runs)), states


def main() -> None:
    """Measures and prints."""
    given = options(__doc__)
    report = Report("Crossing: NumPy against llvm with its compilation", is_json=given.json)
    for name, (model, variant, scopes) in ROWS.items():
        points: list[tuple[float, float, float]] = []
        for constants in scopes:
            problem, extracted = subject(machine_of(model, variant, constants), properties=True)
            numpy, states = measured("numpy", problem, extracted, given.runs)
            native, _ = measured("llvm", problem, extracted, given.runs)
            points.append((states, numpy, native))
            report.add(f"{name}, {states:,} states: NumPy", numpy, "CPU-seconds")
            report.add(f"{name}, {states:,} states: llvm", native, "CPU-seconds")
        report.add(f"{name}: they cross at", crossing(points), "states")
    report.show()


def crossing(points: list[tuple[float, float, float]]) -> float:
    """Where NumPy's time becomes llvm's, on the straight line between two scopes."""
    before, *others = sorted(points)
    if before[1] >= before[2]:
        return before[0]
    for point in others:
        if point[1] >= point[2]:
            one, other = before[2] - before[1], point[1] - point[2]
            return before[0] + (point[0] - before[0]) * one / (one + other)
        before = point
    return float("inf")  # Not in these scopes.


if __name__ == "__main__":
    main()
