"""A client of a worker pool that does what a script says, and a handler that waits to be let."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, Queue
from typing import Any

from kproof_impl.client import CommitRefused, TopicPartition, WorkerPoolConsumer
from kproof_impl.client.clients import Listener, Polled

HERE = TopicPartition("orders", 0)
WAIT_S = 10.0

Step = list[Polled] | Callable[[Listener], object]


class ScriptedClient:
    """A client whose polls return what a test has put into its script, or do it."""

    group = "scripted"

    def __init__(self) -> None:
        self.script: Queue[Step] = Queue()
        self.commits: list[dict[TopicPartition, int]] = []
        self.refusals_left = 0
        self.is_closed = False
        self.paused: set[TopicPartition] = set()

    def subscribe(self, topics: list[str], listener: Listener) -> None:
        self.listener = listener

    def poll(self, timeout_s: float, records_max: int) -> list[Polled]:
        try:
            step = self.script.get(timeout=max(timeout_s, 0.005))
        except Empty:
            return []
        try:
            if isinstance(step, list):
                return step
            step(self.listener)
            return []
        finally:
            self.script.task_done()

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused.update(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused.difference_update(partitions)

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.refusals_left:
            self.refusals_left -= 1
            raise CommitRefused("not now")
        self.commits.append(dict(offsets))

    def close(self) -> None:
        self.is_closed = True


def records(*offsets: int, key: Any = b"k") -> list[Polled]:
    return [Polled(HERE, offset, key, offset) for offset in offsets]


def assign(listener: Listener) -> None:
    listener.assigned([HERE])


def revoke(listener: Listener) -> None:
    listener.revoked([HERE])


def lose(listener: Listener) -> None:
    listener.lost([HERE])


class Handler:
    """Processes records when a test lets it."""

    def __init__(self, *held: int) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.gates = {offset: threading.Event() for offset in held}

    def __call__(self, offset: int) -> None:
        self.begun.append(offset)
        if offset in self.gates:
            assert self.gates[offset].wait(WAIT_S)
        self.done.append(offset)

    def open(self) -> None:
        for gate in self.gates.values():
            gate.set()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def pool_of(client: ScriptedClient, handler: Callable[[Any], object], **settings: Any) -> Any:
    return WorkerPoolConsumer(
        client, ["orders"], handler, **{"workers": 2, "commit_interval_s": 0.01, **settings}
    )
