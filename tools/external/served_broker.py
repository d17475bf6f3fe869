"""Our broker as a process of its own, for a suite that knows only an address."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

from external.outcomes import SuiteError

START_SECONDS = 20
STOP_SECONDS = 10

ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):(\d+)")


@contextmanager
def served_broker(data: Path, settings: Sequence[str]) -> Iterator[str]:
    """Run `kproof serve` on a free port; the address, `host:port`, while it runs.

    `settings` are options of the command, as one would type them. What the broker says goes to
    `broker.log` in `data`.
    """
    data.mkdir(parents=True, exist_ok=True)
    kproof = Path(sys.executable).with_name("kproof")
    command = [str(kproof), "serve", "--port", "0", "--data-dir", str(data / "logs"), *settings]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as broker:
        addresses: Queue[str] = Queue()

        def listen() -> None:
            assert broker.stdout is not None
            with (data / "broker.log").open("w", encoding="utf-8") as log:
                for line in broker.stdout:
                    log.write(line)
                    log.flush()
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
            if not bootstrap:
                said = (data / "broker.log").read_text(encoding="utf-8")
                raise SuiteError(f"`{' '.join(command)}` printed no address, but said:\n{said}")
            yield bootstrap
        finally:
            broker.terminate()
            try:
                broker.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                broker.kill()
            listener.join(STOP_SECONDS)
