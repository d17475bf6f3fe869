"""Many programs of the machine of real clients: a broker is used, killed and read back, for hours.

    python tools/real_clients.py --programs 500 --workers 4 --minutes 40

Hypothesis writes the programs, `RUN` of them with one seed and in one process; several such runs go
on side by side, for they wait more than they compute.  A line tells how far they are.  When the
time is over, no more are begun.  A failure is shrunk and kept in `traces/regressions`, and
`--seed N --programs 10` writes the programs of one run again; the moments at which background work
is done are not fixed by it.

Exit code: 0 all programs went well, 1 one failed, 3 the time was over before all were done.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = 10
"""Programs of one seed."""


@dataclass(frozen=True)
class Run:
    """What became of the programs of a seed."""

    seed: int
    programs: int
    seconds: float
    output: str
    """Empty if all went well."""


def runs(programs: int, workers: int, seed: int, seconds: float) -> Iterator[Run | None]:
    """Runs side by side, each when it is done; None for one that there was no time for."""
    end = time.monotonic() + seconds

    def start(number: int) -> Run | None:
        begin = time.monotonic()
        if begin >= end:
            return None
        count = min(RUN, programs - number * RUN)
        command = [sys.executable, "-m", "impl_support.real_client_run"]
        done = subprocess.run(
            [*command, str(seed + number), str(count)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        )
        output = done.stdout if done.returncode else ""
        return Run(seed + number, count, time.monotonic() - begin, output)

    with ThreadPoolExecutor(workers) as pool:
        futures: list[Future[Run | None]] = [
            pool.submit(start, number) for number in range(-(-programs // RUN))
        ]
        for future in as_completed(futures):
            yield future.result()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Programs of real clients against a real broker.")
    parser.add_argument("--programs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=4, help="runs side by side")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no run after this")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first run; the next has one more"
    )
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    programs, failed, is_cut_short = 0, 0, False
    for run in runs(options.programs, options.workers, options.seed, options.minutes * 60):
        if run is None:
            is_cut_short = True
            continue
        programs += run.programs
        print(
            f"seed {run.seed}: {'FAILED' if run.output else 'well'}, {run.seconds:.0f} s; "
            f"{programs} of {options.programs} programs, {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        if run.output:
            failed += 1
            print(run.output, flush=True)
    print(f"{programs} programs, {failed} seeds failed, {time.monotonic() - begin:.0f} s")
    return 1 if failed else 3 if is_cut_short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
