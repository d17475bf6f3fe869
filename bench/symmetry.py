"""What symmetry saves: the states that need not be visited, against the cost of canonical forms."""

from __future__ import annotations

from measure import LEADER_EPOCHS, Report, apart, best, options

SCOPES = {
    "3 replicas, 2 records, 3 epochs": LEADER_EPOCHS,
    "3 replicas, 2 records, 4 epochs": {**LEADER_EPOCHS, "max_leader_epoch": 3},
}


def main() -> None:
    """Measures and prints."""
    given = options(__doc__)
    report = Report("Symmetry: replication with KIP-320, llvm, one worker", is_json=given.json)
    for name, constants in SCOPES.items():
        without = best(given.runs, lambda scope=constants: apart(scope))  # type: ignore[misc]
        with_it = best(
            given.runs,
            lambda scope=constants: apart(scope, symmetry=True),  # type: ignore[misc]
        )
        report.add_loop(f"{name}: all {without.states:,}", without)
        report.add_loop(f"{name}: up to renaming {with_it.states:,}", with_it)
        report.add(f"{name}: fewer states", without.states / with_it.states, "times")
        gain = without.cpu_seconds / with_it.cpu_seconds
        report.add(f"{name}: less time", gain, "times", "at least 3")
    report.show()


if __name__ == "__main__":
    main()
