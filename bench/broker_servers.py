"""The servers that the broker's benchmarks compare, each in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""An environment in which Python keeps what it has compiled, as where a broker is installed."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)
ADDRESS = re.compile(r"\b(?:127\.0\.0\.1|localhost):(\d+)|^ready (\d+)", re.MULTILINE)

MOCK = """
import sys
from confluent_kafka import Producer
cluster = Producer({"test.mock.num.brokers": 1})
broker, = cluster.list_topics(timeout=10).brokers.values()
print(f"ready {broker.port}", flush=True)
sys.stdin.read()
"""
"""librdkafka's mock cluster lives in a client; it keeps the last 5 MB of each partition."""


class Server:
    """A process that says where it listens, is asked for its versions, and is ended at the end."""

    def __init__(self, name: str, command: Sequence[str], data_dir: Path | None = None) -> None:
        self.name = name
        self.data_dir = data_dir
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - Closed by `stop`.
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=COMPILED,
        )
        self.address = f"127.0.0.1:{self._port()}"
        ask_versions(self.address)
        self.start_seconds = time.perf_counter() - started

    def _port(self) -> int:
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            found = ADDRESS.search(line)
            if found:
                return int(found[1] or found[2])
        self.log.seek(0)
        said = "".join(seen) + self.log.read()
        raise RuntimeError(f"{self.name} ended before it said where it listens:\n{said}")

    @property
    def cpu_seconds(self) -> float:
        """What the process has used since it began; 0 where the system does not tell."""
        path = Path(f"/proc/{self.process.pid}/stat")
        if not path.exists():
            return 0.0
        fields = path.read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    @property
    def resident_bytes(self) -> int:
        """What is resident now; 0 where the system does not tell."""
        path = Path(f"/proc/{self.process.pid}/statm")
        if not path.exists():
            return 0
        return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """Ends it, and deletes what it kept."""
        self.process.terminate()
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.log.close()
        if self.data_dir is not None:
            shutil.rmtree(self.data_dir, ignore_errors=True)


def ask_versions(address: str) -> None:
    """One ApiVersions request.  Raises `OSError` if there is no whole answer."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(API_VERSIONS_REQUEST)
        answer = connection.recv(1 << 16)
        while len(answer) < 4 or len(answer) < 4 + struct.unpack_from(">i", answer)[0]:
            more = connection.recv(1 << 16)
            if not more:
                raise OSError("the connection ended within the answer to ApiVersions")
            answer += more


def kproof(*more: str, folder: str | None = None) -> Server:
    """Our broker on files; `folder` is where its data directory is made, on a real disk or not."""
    data_dir = Path(tempfile.mkdtemp(prefix="kproof-bench-", dir=folder))
    code = "from kproof_checker.cli.main import run; run()"
    arguments = ["serve", "--port", "0", "--data-dir", str(data_dir), *more]
    return Server("kproof", [sys.executable, "-c", code, *arguments], data_dir)


def stub() -> Server:
    """The server that only answers."""
    return Server("stub", [sys.executable, str(HERE / "stub_server.py")])


def mock() -> Server:
    """librdkafka's mock cluster, in C."""
    return Server("mock", [sys.executable, "-c", MOCK])
