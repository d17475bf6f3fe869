"""Threads that work with the broker while it is killed, and write down what it acknowledged.

Each does one step after another while the gate is open.  When it shuts, a thread finishes what it
has begun, the broker being up again, and is idle.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from soak_history import (
    Commit,
    History,
    Place,
    ProducerHistory,
    Sent,
    TopicHistory,
    TopicState,
)

SETTLE_SECONDS_MAX = 60
KEYS = 40
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
PATIENT: dict[str, Any] = {
    "broker.address.family": "v4",
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 100,
    "log_level": 0,
    "logger": logging.getLogger("soak.librdkafka"),
}
"""A client that comes back at once.  librdkafka reports each lost connection, which is no news."""


class Worker(threading.Thread):
    """A thread that steps while the gate is open."""

    def __init__(self, name: str, gate: threading.Event, history: History) -> None:
        super().__init__(name=name, daemon=True)
        self.gate = gate
        self.history = history
        self.is_idle = threading.Event()
        self.is_over = False

    def run(self) -> None:
        try:
            while not self.is_over:
                if self.gate.is_set():
                    self.step()
                    continue
                self.settle()
                self.is_idle.set()
                self.gate.wait(0.5)
                if self.gate.is_set():
                    self.is_idle.clear()
            self.close()
        except Exception as error:
            with self.history.lock:
                self.history.faults.append(f"{self.name}: {type(error).__name__}: {error}")
            self.is_idle.set()

    def step(self) -> None:
        """Something that takes a moment."""
        raise NotImplementedError

    def settle(self) -> None:
        """Finishes what was begun."""

    def close(self) -> None:
        """Lets the client go."""


class ProducerWorker(Worker):
    """Sends keyed records; now and then it gives way to a new producer."""

    def __init__(
        self, gate: threading.Event, history: History, address: str, topics: list[str], seed: str
    ) -> None:
        super().__init__(f"producer {seed}", gate, history)
        self.random = random.Random(seed)
        self.address = address
        self.topics = topics
        self.is_to_renew = False
        self.begin()

    def begin(self) -> None:
        """A new producer: idempotent or not, in order or not."""
        is_idempotent = self.random.random() < 0.6
        in_flight_max = 5 if is_idempotent else self.random.choice((1, 5))
        codec = self.random.choice(CODECS)
        self.life: ProducerHistory = self.history.new_producer(is_idempotent, in_flight_max, codec)
        config = {
            **PATIENT,
            "bootstrap.servers": self.address,
            "acks": "all",
            "enable.idempotence": is_idempotent,
            "max.in.flight": in_flight_max,
            "compression.type": codec,
            "linger.ms": self.random.choice((0, 1, 5)),
            "batch.num.messages": self.random.choice((10, 100, 1000)),
            "retry.backoff.ms": 10,
            "message.timeout.ms": 120_000,
            "queue.buffering.max.messages": 20_000,
        }
        self.producer = Producer(config)

    def step(self) -> None:
        if self.is_to_renew:
            self.is_to_renew = False
            self.settle()
            self.begin()
        for _ in range(self.random.randint(1, 40)):
            self.send()
        self.producer.poll(0)
        time.sleep(0.01)

    def send(self) -> None:
        """One record; its value begins with who sent it as which."""
        number = len(self.life.sent)
        key = f"key-{self.random.randrange(KEYS)}"
        value = f"{self.life.number}:{number}:".encode() + bytes(self.random.randint(0, 200))
        sent = Sent(time.monotonic())
        self.life.sent.append(sent)

        def on_delivery(error: object, message: Message) -> None:
            if error is not None:
                sent.error = str(error)
                return
            offset = message.offset()
            sent.place = (str(message.topic()), int(message.partition() or 0))
            sent.offset = offset if offset is not None else -1
            sent.acked_at = time.monotonic()

        while True:
            try:
                topic = self.random.choice(self.topics)
                self.producer.produce(topic, value, key, on_delivery=on_delivery)
                return
            except BufferError:
                self.producer.poll(0.05)

    def settle(self) -> None:
        left = self.producer.flush(SETTLE_SECONDS_MAX)
        if left:
            raise RuntimeError(f"{left} records have no answer {SETTLE_SECONDS_MAX} s later")


class OffsetsWorker(Worker):
    """Commits one offset after another for a group that has no members."""

    def __init__(
        self, gate: threading.Event, history: History, address: str, group: str, places: list[Place]
    ) -> None:
        super().__init__(f"offsets of {group}", gate, history)
        self.places = places
        self.commits = history.commits.setdefault(group, [])
        self.next_offset = 0
        config = {"bootstrap.servers": address, "group.id": group, "enable.auto.commit": False}
        self.consumer = Consumer({**PATIENT, **config})

    def step(self) -> None:
        self.next_offset += 1
        place = self.places[self.next_offset % len(self.places)]
        commit = Commit(place, self.next_offset, is_acked=False)
        self.commits.append(commit)
        commit.is_acked = committed(self.consumer, [commit])

    def close(self) -> None:
        self.consumer.close()


class ReadingWorker(Worker):
    """A member of a group: reads what it is assigned, and commits how far it came."""

    def __init__(
        self, gate: threading.Event, history: History, address: str, group: str, topics: list[str]
    ) -> None:
        super().__init__(f"member of {group}", gate, history)
        self.commits = history.commits.setdefault(group, [])
        self.read_count = 0
        config = {
            "bootstrap.servers": address,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000,
            "heartbeat.interval.ms": 500,
        }
        self.consumer = Consumer({**PATIENT, **config})
        self.consumer.subscribe(topics)

    def step(self) -> None:
        read: dict[Place, int] = {}
        for message in self.consumer.consume(500, 0.05):
            if message.error() is None:
                place = (str(message.topic()), int(message.partition() or 0))
                read[place] = int(message.offset() or 0) + 1
                self.read_count += 1
        if read:
            commits = [Commit(place, offset, is_acked=False) for place, offset in read.items()]
            self.commits += commits
            is_acked = committed(self.consumer, commits)
            for commit in commits:
                commit.is_acked = is_acked

    def close(self) -> None:
        self.consumer.close()


def committed(consumer: Consumer, commits: list[Commit]) -> bool:
    """Whether the broker says that it has these offsets."""
    offsets = [TopicPartition(*commit.place, commit.offset) for commit in commits]
    try:
        answers = consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException:
        return False
    return bool(answers) and all(answer.error is None for answer in answers or [])


class TopicsWorker(Worker):
    """Makes topics and deletes them; a name may be used again."""

    def __init__(self, gate: threading.Event, history: History, address: str, seed: str) -> None:
        super().__init__("topics", gate, history)
        self.random = random.Random(seed)
        self.admin = AdminClient({**PATIENT, "bootstrap.servers": address})

    def step(self) -> None:
        topics = self.history.topics
        created = [n for n, t in topics.items() if t.state is TopicState.CREATED]
        deleted = [n for n, t in topics.items() if t.state is TopicState.DELETED]
        choice = self.random.random()
        if len(created) > 30 or (created and choice < 0.35):
            self.delete(self.random.choice(created))
        elif deleted and choice < 0.5:
            self.create(self.random.choice(deleted))
        else:
            self.create(f"made-{len(topics)}")
        time.sleep(0.01)

    def create(self, name: str) -> None:
        """Asks for a topic with settings of its own."""
        partitions = self.random.randint(1, 4)
        retention_ms = self.random.randint(10**7, 10**8)
        topic = TopicHistory(partitions, retention_ms, TopicState.UNKNOWN)
        self.history.topics[name] = topic
        new = NewTopic(name, partitions, 1, config={"retention.ms": str(retention_ms)})
        future = self.admin.create_topics([new], operation_timeout=10, request_timeout=10)[name]
        if _succeeds(future):
            topic.state = TopicState.CREATED

    def delete(self, name: str) -> None:
        """Asks for a topic to be gone."""
        topic = self.history.topics[name]
        topic.state = TopicState.UNKNOWN
        future = self.admin.delete_topics([name], operation_timeout=10, request_timeout=10)[name]
        if _succeeds(future):
            topic.state = TopicState.DELETED


def _succeeds(future: Any) -> bool:
    try:
        future.result(timeout=30)
    except Exception:
        return False  # Not answered, or answered to a second try: nobody knows.
    return True
