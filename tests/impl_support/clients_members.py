"""Members of consumer groups, of each client: in a thread here, or in a process that can be killed.

A member reads what it is assigned, commits as it goes if it is told to, and publishes what it
holds and what it read. Run as a script, this file is such a process: it prints a line of JSON
for each change of its assignment and each record.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiokafka  # type: ignore[import-untyped]
import confluent_kafka
from aiokafka.coordinator.assignors.range import (  # type: ignore[import-untyped]
    RangePartitionAssignor as AiokafkaRange,
)
from aiokafka.coordinator.assignors.sticky.sticky_assignor import (  # type: ignore[import-untyped]
    StickyPartitionAssignor as AiokafkaSticky,
)

TESTS = Path(__file__).resolve().parents[1]
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))  # As a script, this file finds its neighbours by that.

from impl_support.clients_kafka_python import (  # noqa: E402
    CooperativeStickyAssignor,
    RangePartitionAssignor,
    StickyPartitionAssignor,
    kafka,
)

POLL_SECONDS = 0.05
KAFKA_PYTHON_POLL_MS = 500
"""A poll that ends in the middle of a rebalance may lose its assignment (kafka-python 3.0.12)."""
JOIN_SECONDS = 30
HEARTBEAT_MS = 100

KAFKA_PYTHON_ASSIGNORS = {
    "range": RangePartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}
AIOKAFKA_ASSIGNORS = {"range": AiokafkaRange, "sticky": AiokafkaSticky}

ASSIGNORS = {
    "confluent-kafka": ("range", "roundrobin", "cooperative-sticky"),
    "kafka-python": ("range", "sticky", "cooperative-sticky"),
    "aiokafka": ("range", "sticky"),
}
"""The assignors of each client that the tests use: eager ones, and the cooperative one."""

Seen = tuple[int, int, str]
"""Partition, offset and value of a record."""


@dataclass(frozen=True, slots=True)
class Membership:
    """How a member joins."""

    client: str
    bootstrap: str
    group: str
    topic: str
    assignor: str = "range"
    instance: str | None = None
    """The id of a static member (KIP-345)."""
    session_ms: int = 6_000
    commits: bool = True


@dataclass
class Member:
    """A member in a thread of this process. Start it, look at it, stop it."""

    membership: Membership
    assignment: frozenset[int] = frozenset()
    """The partitions it holds now."""
    assignments: list[frozenset[int]] = field(default_factory=list)
    """All that it ever held, one entry for each change."""
    seen: list[Seen] = field(default_factory=list)
    fault: BaseException | None = None
    on_change: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Member":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Commit, leave the group (a static member only goes silent), and end."""
        self._leave.set()
        self._thread.join(JOIN_SECONDS)
        assert not self._thread.is_alive(), f"{self.membership} did not end"
        if self.fault is not None:
            raise self.fault

    def _run(self) -> None:
        try:
            RUNNERS[self.membership.client](self, self._leave)
        except BaseException as fault:  # Raised again by stop().
            self.fault = fault

    def holds(self, partitions: Iterable[int]) -> None:
        held = frozenset(partitions)
        if held != self.assignment:
            self.assignment = held
            self.assignments.append(held)
            self.on_change()

    def reads(self, partition: int, offset: int, value: bytes | None) -> None:
        self.seen.append((partition, offset, (value or b"").decode()))
        self.on_change()


def _run_confluent(member: Member, leave: threading.Event) -> None:
    asked = member.membership
    settings: dict[str, Any] = {
        "bootstrap.servers": asked.bootstrap,
        "group.id": asked.group,
        "partition.assignment.strategy": asked.assignor,
        "session.timeout.ms": asked.session_ms,
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 50,
        "topic.metadata.refresh.interval.ms": 1000,
    }
    if asked.instance is not None:
        settings["group.instance.id"] = asked.instance
    consumer = confluent_kafka.Consumer(settings)
    consumer.subscribe([asked.topic])
    while not leave.is_set():
        message = consumer.poll(POLL_SECONDS)
        member.holds(there.partition for there in consumer.assignment())
        if message is None:
            continue
        if (error := message.error()) is not None:
            if error.fatal():
                raise confluent_kafka.KafkaException(error)
            continue
        member.reads(message.partition() or 0, message.offset() or 0, message.value())
        if asked.commits:
            consumer.commit(message=message, asynchronous=True)
    if asked.commits and member.seen:
        try:
            consumer.commit(asynchronous=False)
        except confluent_kafka.KafkaException as refusal:
            if refusal.args[0].code() != confluent_kafka.KafkaError._NO_OFFSET:
                raise
    consumer.close()


def _run_kafka_python(member: Member, leave: threading.Event) -> None:
    asked = member.membership
    consumer = kafka.KafkaConsumer(
        asked.topic,
        bootstrap_servers=asked.bootstrap,
        group_id=asked.group,
        group_instance_id=asked.instance,
        partition_assignment_strategy=[KAFKA_PYTHON_ASSIGNORS[asked.assignor]],
        session_timeout_ms=asked.session_ms,
        heartbeat_interval_ms=HEARTBEAT_MS,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        metadata_max_age_ms=1000,
    )
    try:
        while not leave.is_set():
            found = consumer.poll(timeout_ms=KAFKA_PYTHON_POLL_MS)
            member.holds(there.partition for there in consumer.assignment())
            for records in found.values():
                for record in records:
                    member.reads(record.partition, record.offset, record.value)
            if found and asked.commits:
                consumer.commit_async()
    finally:
        if asked.commits:
            consumer.commit()
        consumer.close(autocommit=False)


def _run_aiokafka(member: Member, leave: threading.Event) -> None:
    asked = member.membership

    async def run() -> None:
        consumer = aiokafka.AIOKafkaConsumer(
            asked.topic,
            bootstrap_servers=asked.bootstrap,
            group_id=asked.group,
            group_instance_id=asked.instance,
            partition_assignment_strategy=[AIOKAFKA_ASSIGNORS[asked.assignor]],
            session_timeout_ms=asked.session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=50,
            metadata_max_age_ms=1000,
        )
        await consumer.start()
        try:
            while not leave.is_set():
                found = await consumer.getmany(timeout_ms=int(POLL_SECONDS * 1000))
                member.holds(there.partition for there in consumer.assignment())
                for records in found.values():
                    for record in records:
                        member.reads(record.partition, record.offset, record.value)
            if asked.commits and consumer.assignment():
                await consumer.commit()
        finally:
            await consumer.stop()

    asyncio.run(run())


RUNNERS = {
    "confluent-kafka": _run_confluent,
    "kafka-python": _run_kafka_python,
    "aiokafka": _run_aiokafka,
}


class MemberProcess:
    """A member in a process of its own; `kill` is SIGKILL, of which the broker is not told."""

    def __init__(self, membership: Membership) -> None:
        self.assignment: frozenset[int] = frozenset()
        self.seen: list[Seen] = []
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), json.dumps(asdict(membership))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # The last line of a process that was killed may be torn.
            self.assignment = frozenset(said["holds"])
            self.seen = self.seen + [(p, offset, value) for p, offset, value in said["reads"]]

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Tell it to leave, by the end of its input, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._end()

    def _end(self) -> None:
        try:
            self._process.wait(JOIN_SECONDS)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._listener.join(JOIN_SECONDS)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None and not stream.closed:
                    stream.close()


def main(argument: str) -> None:
    """Be a member until the input ends."""
    warnings.simplefilter("ignore")
    member = Member(Membership(**json.loads(argument)))
    told = 0
    lock = threading.Lock()

    def tell() -> None:
        nonlocal told
        with lock:
            fresh, told = member.seen[told:], len(member.seen)
            line = json.dumps({"holds": sorted(member.assignment), "reads": fresh})
            os.write(1, line.encode() + b"\n")

    member.on_change = tell
    member.start()
    sys.stdin.read()
    member.stop()


if __name__ == "__main__":
    main(sys.argv[1])
