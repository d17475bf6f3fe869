"""A broker that clients talk to over a socket: `kproof serve` as a process of its own.

With KPROOF_TEST_BOOTSTRAP=host:port in the environment the tests speak to that broker instead,
so that they can be judged by Apache Kafka itself.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from kproof_checker.cli.serve_observing import DIVERGED

ELSEWHERE = "KPROOF_TEST_BOOTSTRAP"
ELSEWHERE_DATA = "KPROOF_TEST_DATA_DIR"

START_SECONDS = 30
STOP_SECONDS = 15

SETTINGS = (
    *("--config", "num.partitions=4"),
    *("--config", "group.min.session.timeout.ms=100"),
    *("--config", "group.initial.rebalance.delay.ms=0"),
)
"""Options of `kproof serve` that make group tests quick: short sessions are allowed."""

ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):(\d+)")


@dataclass(frozen=True, slots=True)
class ServedBroker:
    """Where a broker listens and keeps its data."""

    bootstrap: str
    """`host:port`."""
    data_dir: Path | None
    """None if the broker is somebody else's and the folder was not named."""
    process: subprocess.Popen[str] | None = None


@contextmanager
def served(data_dir: Path, port: int = 0, options: Sequence[str] = ()) -> Iterator[ServedBroker]:
    """Run `kproof serve` until the block ends; then it must stop cleanly on SIGTERM.

    The specification follows each of its steps: a broker that does what it does not allow stops,
    and fails the test.
    """
    kproof = Path(sys.executable).with_name("kproof")
    where = ("--port", str(port), "--data-dir", str(data_dir))
    command = [str(kproof), "serve", "--verify", *where, *SETTINGS, *options]
    said: list[str] = []
    addresses: Queue[str] = Queue()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if seen := ADDRESS.search(line):
                    addresses.put(f"127.0.0.1:{seen[1]}")
            addresses.put("")  # It ended: nobody need wait any longer.

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            try:
                bootstrap = addresses.get(timeout=START_SECONDS)
            except Empty:
                bootstrap = ""
            assert bootstrap, f"no address from {command}:\n{''.join(said)}"
            yield ServedBroker(bootstrap, data_dir, process)
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                listener.join(STOP_SECONDS)
    assert "Traceback" not in "".join(said), "".join(said)
    assert process.returncode != DIVERGED, "".join(said)


def elsewhere() -> ServedBroker | None:
    """The broker that the environment names, if it names one."""
    bootstrap = os.environ.get(ELSEWHERE)
    if not bootstrap:
        return None
    data = os.environ.get(ELSEWHERE_DATA)
    return ServedBroker(bootstrap, Path(data) if data else None)


def eventually(
    condition: Callable[[], object], what: str | Callable[[], str], seconds: float = 30.0
) -> None:
    """Wait until `condition` holds; a test that waits longer fails, and says for what."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds} seconds: {text}")
        time.sleep(0.02)
