"""What a soak remembers: what was asked of the broker, and what the broker has acknowledged.

Times are seconds on one monotonic clock.  A record of the history is known by its producer's number
and its own number there; both are in its value, so a log that is read can be compared.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

Place = tuple[str, int]
"""A topic and the number of a partition."""


@dataclass(slots=True)
class Sent:
    """A record that a producer was given."""

    sent_at: float
    acked_at: float = 0.0
    """0 until it is acknowledged."""
    place: Place = ("", -1)
    """Where it was acknowledged."""
    offset: int = -1
    """At which offset; -1 where the client was not told."""
    error: str = ""
    """Why the client gave it up."""


@dataclass(slots=True)
class ProducerHistory:
    """One producer's life."""

    number: int
    is_idempotent: bool
    in_flight_max: int
    """Requests it may have under way: with one, its records stay in order without idempotence."""
    compression: str
    sent: list[Sent] = field(default_factory=list)
    """By the records' numbers."""


@dataclass(slots=True)
class Commit:
    """An offset that a group asked to be kept."""

    place: Place
    offset: int
    is_acked: bool


class TopicState(StrEnum):
    """What must be true of a topic after a restart."""

    CREATED = "created"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """Asked for and not answered: either may be true, but from then on it stays so."""


@dataclass(slots=True)
class TopicHistory:
    """A topic that was made to see whether it is kept."""

    partitions: int
    retention_ms: int
    state: TopicState


@dataclass(slots=True)
class Read:
    """A record as a log holds it."""

    producer: int
    number: int


@dataclass
class History:
    """Everything; `lock` guards what several threads write."""

    producers: dict[int, ProducerHistory] = field(default_factory=dict)
    commits: dict[str, list[Commit]] = field(default_factory=dict)
    """By group, in the order they were asked for, which is the order they were answered in."""
    topics: dict[str, TopicHistory] = field(default_factory=dict)
    interruptions: list[tuple[float, float]] = field(default_factory=list)
    """From each end of the broker until it answered again."""
    logs: dict[Place, list[Read]] = field(default_factory=dict)
    """What was read, by offset from 0 on."""
    faults: list[str] = field(default_factory=list)
    """What a thread could not make sense of."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_producer(
        self, is_idempotent: bool, in_flight_max: int, compression: str
    ) -> ProducerHistory:
        """A producer with the next number."""
        with self.lock:
            number = len(self.producers)
            made = ProducerHistory(number, is_idempotent, in_flight_max, compression)
            self.producers[number] = made
        return made

    @property
    def acked_count(self) -> int:
        """How many records are acknowledged."""
        return sum(bool(s.acked_at) for p in self.producers.values() for s in p.sent)

    def save(self, path: Path) -> None:
        """Writes a line of JSON for each thing remembered."""
        with path.open("w") as file:
            for at in self.interruptions:
                print(json.dumps({"interruption": at}), file=file)
            for producer in self.producers.values():
                about = asdict(producer)
                sent = about.pop("sent")
                print(json.dumps({"producer": about}), file=file)
                for number, one in enumerate(sent):
                    key = [producer.number, number]
                    print(json.dumps({"sent": key, **one}), file=file)
            for group, commits in self.commits.items():
                for commit in commits:
                    print(json.dumps({"group": group, **asdict(commit)}), file=file)
            for name, topic in self.topics.items():
                print(json.dumps({"topic": name, **asdict(topic)}), file=file)
            for place, log in self.logs.items():
                for offset, read in enumerate(log):
                    line = {"read": [*place, offset], "record": [read.producer, read.number]}
                    print(json.dumps(line), file=file)
