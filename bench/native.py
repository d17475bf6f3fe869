"""The native engine: its loop, the whole command around it, and what a state takes.

`--skip-large` leaves out the scope of 3 replicas, 3 records and 4 epochs, which takes most of the
time and some gigabytes.
"""

from __future__ import annotations

import json

from measure import LEADER_EPOCHS, Report, apart, best, command_cpu_seconds, options

LARGE = {"replicas": 3, "log_size": 3, "max_records": 3, "max_leader_epoch": 3}


def command(runs: int) -> float:
    """The CPU time of a whole `kproof check` of replication, states counted and no more."""
    settings = [part for name, n in LEADER_EPOCHS.items() for part in ("--set", f"{name}={n}")]
    arguments = ["check", "replication", "--variant", "kip_320", *settings]
    arguments += ["--no-symmetry", "--no-properties", "--json"]
    least = float("inf")
    for _ in range(runs):
        used, printed = command_cpu_seconds(*arguments)
        assert json.loads(printed)["distinct"] == 737_794
        least = min(least, used)
    return least


def main() -> None:
    """Measures and prints."""
    given = options(__doc__, skip_large="leave out the large scope")
    report = Report("The native engine: replication with KIP-320", is_json=given.json)

    loop = best(given.runs, lambda: apart(LEADER_EPOCHS))
    report.add_loop(f"in the loop, {loop.states:,} states", loop)
    report.rows[-1]["target"] = "at least 3,000,000"
    report.add("whole `kproof check`", command(given.runs), "CPU-seconds", "at most 2")

    if not given.skip_large:
        large = apart(LARGE, workers=2)
        grown = large.rss_peak_bytes - large.rss_before_bytes
        report.add_loop(f"two workers, {large.states:,} states", large)
        report.add("two workers, the same", large.wall_seconds, "seconds", "at most 180")
        report.add("memory for a state", grown / large.states, "bytes", "at most 56")
        report.add("memory at its peak", large.rss_peak_bytes / 2**30, "GiB", "at most 6")
    report.show()


if __name__ == "__main__":
    main()
