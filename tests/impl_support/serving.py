"""`kproof serve --json` as a process of its own, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 60
STOP_SECONDS = 30


class Serving:
    """A broker's process.  `said` are its lines so far, each an object with its `event`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        """Lines that are no JSON object, and what came on standard error."""
        self._is_listening = threading.Event()
        self._threads = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                self.wrong.append(line)
                continue
            self.said.append(said)
            if said["event"] == "listening":
                self._is_listening.set()
        self._is_listening.set()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.wrong += self.process.stderr

    def wait_until_listening(self) -> None:
        """Waits for the line that tells the port."""
        assert self._is_listening.wait(START_SECONDS), "it does not listen"
        assert self.events("listening"), f"it ended: {self.wrong}"

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What it has said of a kind."""
        return [said for said in self.said if said["event"] == kind]

    @property
    def port(self) -> int:
        port = self.events("listening")[0]["port"]
        assert isinstance(port, int)
        return port

    @property
    def rss_bytes(self) -> int:
        """Its resident memory now."""
        return self._status("VmRSS")

    @property
    def rss_bytes_max(self) -> int:
        """The most it ever had."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name}")

    def wait_for_event(self, kind: str, text: str, seconds: float = 10.0) -> dict[str, Any]:
        """The first event of a kind whose text has something in it."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.events(kind):
                if text in event["text"]:
                    return event
            assert time.monotonic() < deadline, f"no {kind} with {text!r} in {self.said[-5:]}"
            time.sleep(0.01)

    def end(self) -> int:
        """Ends it with SIGTERM, if it runs; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Waits for the end of one that was asked to end; its exit code."""
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            for thread in self._threads:
                thread.join(STOP_SECONDS)

    def kill(self) -> None:
        """Ends it as kill -9 does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(*options: str) -> Iterator[Serving]:
    """A broker until the block ends.  It is not asked there whether all went well."""
    kproof = Path(sys.executable).with_name("kproof")
    with subprocess.Popen(
        [str(kproof), "serve", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        broker = Serving(process)
        try:
            broker.wait_until_listening()
            yield broker
        finally:
            broker.end()
