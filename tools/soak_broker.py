"""The broker that a soak kills: a process, a port and a data directory that stay the same."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)
READY_SECONDS_MAX = 30


class BrokerFailed(Exception):
    """The broker ended by itself, or did not get ready."""


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SoakBroker:
    """`kproof serve` on a directory, started again and again."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = ()) -> None:
        self.data_dir = folder / "data"
        self.log_path = folder / "broker.log"
        self.settings = settings
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Starts the process, and does not wait for it."""
        code = "from kproof_checker.cli.main import run; run()"
        command = [sys.executable, "-c", code, "serve", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir), "--quiet", *self.settings]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until_ready(self) -> float:
        """Waits for an answer to ApiVersions; how many seconds that took.  May raise
        `BrokerFailed`."""
        assert self.process is not None
        started = time.monotonic()
        while time.monotonic() - started < READY_SECONDS_MAX:
            if self.process.poll() is not None:
                raise BrokerFailed(
                    f"the broker ended with {self.process.returncode} while it started; it said:\n"
                    + self.last_words()
                )
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    connection.sendall(API_VERSIONS_REQUEST)
                    if connection.recv(4):
                        return time.monotonic() - started
            except OSError:
                time.sleep(0.01)
        raise BrokerFailed(f"the broker did not answer in {READY_SECONDS_MAX} s")

    def kill(self) -> None:
        """kill -9.  Raises `BrokerFailed` if it had ended before."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise BrokerFailed(
                f"the broker ended by itself with {self.process.returncode}; it said:\n"
                + self.last_words()
            )
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """A clean end.  Raises `BrokerFailed` if it is not one."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BrokerFailed("the broker did not end within 20 s of SIGTERM") from None
        if code != 0:
            raise BrokerFailed(f"SIGTERM: the broker ended with {code}:\n{self.last_words()}")

    def end(self) -> None:
        """Whatever it does: afterwards it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.log_path.read_text(errors="replace")[-2000:]
