"""How soon a broker is ready, in processes of their own.

    python bench/start_up.py [RUNS]

Each line is the median and the least of the runs, in milliseconds.  `python alone` is what an empty
program takes, and is in the others as well.  A broker is ready when a client's ApiVersions has been
answered; the first Metadata, Produce and Fetch import their messages on top of that.  The modules
are compiled by then, as they are where the broker is installed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

RUNS = 11
COMPILED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""The environment in which Python keeps what it has compiled."""

ANSWERED = """
import socket, struct
def answered(port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
        assert client.recv(8)
"""

EMBEDDED = (
    ANSWERED
    + """
from kproof_impl import Broker
with Broker({options}) as broker:
    answered(broker.port)
    print("ready", flush=True)
"""
)

IMPORTED_ALREADY = (
    ANSWERED
    + """
import time
from kproof_impl import Broker
with Broker() as broker:
    answered(broker.port)
began = time.perf_counter()
with Broker() as broker:
    answered(broker.port)
    print((time.perf_counter() - began) * 1000, flush=True)
"""
)


def until_first_line(command: list[str]) -> float:
    """Milliseconds from the start of a process to the first line it prints."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=COMPILED) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        elapsed = time.perf_counter() - began
        process.terminate()
    return elapsed * 1000


def second_in_a_process() -> float:
    """Milliseconds of a broker's start where all is imported already."""
    command = [sys.executable, "-c", IMPORTED_ALREADY]
    done = subprocess.run(command, capture_output=True, check=True, env=COMPILED)
    return float(done.stdout)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    python = [sys.executable, "-c"]
    kproof = str(Path(sys.executable).with_name("kproof"))
    measured: dict[str, Callable[[], float]] = {
        "python alone": lambda: until_first_line([*python, "print('ready', flush=True)"]),
        "with Broker(in_memory=True)": lambda: until_first_line(
            [*python, EMBEDDED.format(options="in_memory=True")]
        ),
        "with Broker()": lambda: until_first_line([*python, EMBEDDED.format(options="")]),
        "with Broker() again": second_in_a_process,
        "kproof serve": lambda: until_first_line([kproof, "serve", "--port", "0", "--quiet"]),
    }
    for name, measure in measured.items():
        measure()
        times = sorted(measure() for _ in range(runs))
        print(f"{name:30} {statistics.median(times):7.0f} ms, least {times[0]:.0f} ms")


if __name__ == "__main__":
    main()
