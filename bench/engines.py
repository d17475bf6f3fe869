"""The three engines on the same rows: machine code against NumPy against CPython.

CPython would take a minute for the 97,531 states of the smaller row, so only its beginning is
timed: each state costs it about the same.  `--whole` times all of it.
"""

from __future__ import annotations

from measure import LEADER_EPOCHS, Report, best, engine_of, machine_of, options, searched, subject

SMALL = {"replicas": 3, "log_size": 1, "max_records": 1, "max_leader_epoch": 2}
SAMPLE_STATES = 8_000


def main() -> None:
    """Measures and prints."""
    given = options(__doc__, whole="let CPython visit the whole row")
    report = Report("Engines: replication with KIP-320, no symmetry, one core", is_json=given.json)

    problem, extracted = subject(machine_of("replication", "kip_320", SMALL))
    sample = None if given.whole else SAMPLE_STATES
    python = best(
        1 if given.whole else given.runs,
        lambda: searched(engine_of("python", problem, extracted), sample),
    )
    numpy = best(given.runs, lambda: searched(engine_of("numpy", problem, extracted)))
    native = best(given.runs, lambda: searched(engine_of("llvm", problem, extracted)))
    report.add_loop(f"CPython, the first {python.states:,} of {numpy.states:,} states", python)
    report.add_loop(f"NumPy, {numpy.states:,} states", numpy)
    report.add_loop(f"llvm, {native.states:,} states", native)
    report.add("NumPy against CPython", numpy.rate / python.rate, "times", "at least 100")
    report.add("llvm against NumPy", native.rate / numpy.rate, "times", "at least 5")

    problem, extracted = subject(machine_of("replication", "kip_320", LEADER_EPOCHS))
    numpy = best(given.runs, lambda: searched(engine_of("numpy", problem, extracted)))
    native = best(given.runs, lambda: searched(engine_of("llvm", problem, extracted)))
    report.add_loop(f"NumPy, {numpy.states:,} states", numpy)
    report.add_loop(f"llvm, {native.states:,} states", native)
    report.add("llvm against NumPy", native.rate / numpy.rate, "times", "at least 5")
    report.show()


if __name__ == "__main__":
    main()
