"""Consumers in processes of their own, told what to do one step at a time.

with Nursery(folder) as nursery:
    member = nursery.new_member(config, ["orders"], commits_when_revoked=True)
    member.do("poll", records_max=10, seconds=1.0)  # What happened, in order.
    member.kill()                                   # As kill -9 does.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from impl_support import real_member_process

ANSWER_SECONDS = 60.0

Happened = list[tuple[Any, ...]]


class MemberProcess:
    """The end of a member that the test holds."""

    def __init__(self, link: Connection, pid: int) -> None:
        self._link = link
        self.pid = pid
        self.is_stopped = False
        """Whether its process is stopped: the broker hears nothing of it."""
        self.is_over = False

    def do(self, command: str, **arguments: Any) -> Happened:
        """Has it done: `poll(records_max, seconds)`, `commit(is_waiting)`, `close()`."""
        self._link.send((command, arguments))
        assert self._link.poll(ANSWER_SECONDS), f"a consumer hangs in {command}"
        happened: Happened = self._link.recv()
        return happened

    def stop(self) -> None:
        """It does nothing more, not even in the background, until it goes on."""
        os.kill(self.pid, signal.SIGSTOP)
        self.is_stopped = True

    def go_on(self) -> None:
        """It does not know that it was stopped."""
        os.kill(self.pid, signal.SIGCONT)
        self.is_stopped = False

    def kill(self) -> None:
        """Ends it without a word to anybody, if it runs; its sockets are closed by the system."""
        if self.is_over:
            return
        self.is_over = True
        os.kill(self.pid, signal.SIGKILL)
        self._link.close()

    def close(self) -> Happened:
        """Leaves the group and ends; what happened while it did."""
        happened = self.do("close")
        self.is_over = True
        self._link.close()
        return happened


class Nursery:
    """The process that members are forked from."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "members")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, real_member_process.__file__, self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=ANSWER_SECONDS)

    def new_member(
        self, config: Mapping[str, Any], topics: list[str], *, commits_when_revoked: bool
    ) -> MemberProcess:
        """A consumer that has subscribed; it joins the group as soon as it polls."""
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(self._address)
        link = Connection(connected.detach())
        assert link.poll(ANSWER_SECONDS)
        member = MemberProcess(link, link.recv())
        link.send((dict(config), topics, commits_when_revoked))
        return member
