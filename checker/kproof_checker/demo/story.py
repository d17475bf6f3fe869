"""A broker on a socket, a real client working in a group, a member killed; every step verified.

The broker runs in this process, and each step that it takes is put to the specification before its
answer leaves.  The clients are kafka-python, each in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from itertools import chain
from typing import Any

from kproof_impl import Broker
from kproof_impl.events import Event

from ..conformance.lockstep import Divergence
from ..conformance.trial import Report, Trial

TOPIC, GROUP = "orders", "billing"
PARTITIONS = 3
ORDERS = 20
SESSION_MS = 1_500
"""How long the broker waits for a member that is silent."""
SECONDS_MAX = 30
"""How long anything may take before the story is given up."""
STOPPING_SECONDS = 0.2
"""How long the broker's thread may take to end after it has met a step that is not allowed."""

Tell = Callable[[str], None]
Place = tuple[int, int]
"""A partition and an offset in it."""


class Failed(Exception):
    """The story did not go as it has to; the text says where."""


class Judge:
    """Hands each step to the specification, and counts them."""

    def __init__(self) -> None:
        self.trial = Trial()
        self.steps: Counter[str] = Counter()
        self.divergence: Divergence | None = None

    def __call__(self, event: Event) -> None:
        try:
            self.trial(event)
        except Divergence as divergence:
            self.divergence = divergence
            raise
        self.steps[event.model] += 1

    def report(self) -> Report | None:
        """Of the step that is not allowed, if there was one."""
        return None if self.divergence is None else self.trial.report(self.divergence)


class Client:
    """A process with a client, and what it has told so far."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "kproof_checker.demo.client", *arguments]
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError):  # A line that kill -9 cut off.
                self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        raise NotImplementedError

    def check(self) -> None:
        """Raises `Failed` if the process has ended in an error."""
        code = self.process.poll()
        if code:
            self._errors.seek(0)
            last = (self._errors.read().strip().splitlines() or ["it said nothing"])[-1]
            raise Failed(f"a client ended with code {code}: {last}")

    def kill(self) -> None:
        """kill -9: no good-bye."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()


class Sender(Client):
    """Sends all steps of some orders."""

    def __init__(self, address: str, orders: Iterable[int]) -> None:
        self.sent: set[Place] = set()
        super().__init__("send", address, TOPIC, *(f"order-{number}" for number in orders))

    def _take(self, told: dict[str, Any]) -> None:
        partition, offset = told["sent"]
        self.sent.add((partition, offset))


class Member(Client):
    """A process of the group."""

    def __init__(self, address: str) -> None:
        self.assigned: list[int] | None = None
        """None until its group has told it."""
        self.handled: list[Place] = []
        self.committed: dict[int, int] = {}
        self.disorders = 0
        """How often a record did not follow the one before it, with no new assignment between."""
        self._last: dict[int, int] = {}
        super().__init__("work", address, TOPIC, GROUP, str(SESSION_MS))

    def _take(self, told: dict[str, Any]) -> None:
        if "assigned" in told:
            self.assigned = told["assigned"]
            self._last.clear()
        elif "handled" in told:
            partition, offset = told["handled"]
            self.handled.append((partition, offset))
            self.disorders += self._last.get(partition, offset - 1) != offset - 1
            self._last[partition] = offset
        else:
            for partition, offset in told["committed"].items():
                self.committed[int(partition)] = offset


class Story:
    """One run of it.  `tell` is given what happens, a line each."""

    def __init__(self, tell: Tell) -> None:
        self.judge = Judge()
        self.seconds = 0.0
        self._tell = tell
        self._clients: list[Client] = []

    def run(self) -> None:
        """Raises `Failed`; or `Divergence`, when the broker does what the specification forbids."""
        begin = time.monotonic()
        configs = {"group.min.session.timeout.ms": "500", "group.initial.rebalance.delay.ms": "300"}
        broker = Broker(topics={TOPIC: PARTITIONS}, configs=configs, observe=self.judge)
        with ExitStack() as at_end:
            at_end.enter_context(broker)
            at_end.callback(self._kill_all)
            try:
                self._happen(broker)
            except Failed:
                self._wait(lambda: self.judge.divergence is not None, STOPPING_SECONDS)
                if self.judge.divergence is None:
                    raise  # Otherwise the end of the `with` raises what the broker met.
        self.seconds = time.monotonic() - begin

    def _happen(self, broker: Broker) -> None:
        address, tell = broker.bootstrap_servers, self._tell
        tell(f"a broker at {address}: each step is held against the specification")
        sent = self._send(address, range(ORDERS // 2))
        tell(f"{len(sent)} records sent, keyed, to {PARTITIONS} partitions, and acknowledged")
        first, second = Member(address), Member(address)
        self._clients += [first, second]
        self._until("two members share the partitions", lambda: _are_shared(first, second))
        tell(
            f"two processes in group {GROUP}: one has {_listed(first)}, the other {_listed(second)}"
        )
        self._until("each has committed", lambda: bool(first.committed and second.committed))
        self._end(first)
        killed = time.monotonic()
        tell(f"one is killed (kill -9) after {len(first.handled)} records")
        sent |= self._send(address, range(ORDERS // 2, ORDERS))
        everything = list(range(PARTITIONS))
        self._until("the other has all", lambda: second.assigned == everything)
        took = time.monotonic() - killed
        tell(f"the other has {_listed(second)} after {took:.1f} s, and reads on from the commits")
        self._until("every record is handled", lambda: sent <= {*first.handled, *second.handled})
        ends = {partition: 1 + max(o for p, o in sent if p == partition) for partition, _ in sent}
        self._until("all is committed", lambda: first.committed | second.committed == ends)
        again = len(first.handled) + len(second.handled) - len(sent)
        if first.disorders or second.disorders:
            raise Failed("a member was given records of a partition out of order")
        tell(f"all {len(sent)} are handled in order, {again} of them twice, and committed")

    def _send(self, address: str, orders: Iterable[int]) -> set[Place]:
        """Sends the steps of some orders; where each record is."""
        sender = Sender(address, orders)
        self._clients.append(sender)
        self._until("all is acknowledged", lambda: sender.process.poll() == 0)
        self._end(sender)
        return sender.sent

    def _end(self, client: Client) -> None:
        client.kill()
        self._clients.remove(client)

    def _until(self, what: str, is_so: Callable[[], bool]) -> None:
        if not self._wait(is_so, SECONDS_MAX):
            raise Failed(f"waited {SECONDS_MAX} s in vain until {what}")

    def _wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        begin = time.monotonic()
        while not is_so():
            if self.judge.divergence is not None:
                raise Failed("the broker did what the specification does not allow")
            for client in self._clients:
                client.check()
            if time.monotonic() - begin > seconds:
                return False
            time.sleep(0.02)
        return True

    def _kill_all(self) -> None:
        for client in self._clients:
            client.kill()


def _are_shared(*members: Member) -> bool:
    shares = [member.assigned or [] for member in members]
    return all(shares) and sorted(chain(*shares)) == list(range(PARTITIONS))


def _listed(member: Member) -> str:
    share = member.assigned or []
    return f"partition{'s' * (len(share) != 1)} {' '.join(map(str, share))}"


def has_client() -> bool:
    """Whether kafka-python is installed."""
    return find_spec("kafka") is not None
