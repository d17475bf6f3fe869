"""kill -9 at random moments under load, again and again, and nothing acknowledged is lost.

Producers, groups and an administrator work with `kproof serve`; it is killed, started again on the
same directory, and killed while it starts, too.  After each round what it holds is compared with
what it had acknowledged:

* every acknowledged record is at the offset it was acknowledged at; an idempotent producer's are
  there once and in order; another's are twice only if the broker was interrupted in between;
* a group's committed offset is the last acknowledged one, or one that was asked for after it;
* topics acknowledged as created are there with their partitions and settings; deleted ones are not.

    python tools/soak.py --rounds 100

A failure prints the seed, and keeps the data directory, the broker's output and the history.  The
seed fixes who does what and when the broker is killed; the threads' interleaving it cannot fix.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from soak_broker import BrokerFailed, SoakBroker
from soak_check import (
    check_commits,
    check_records,
    check_same,
    check_topics,
    duplicates_count,
)
from soak_history import History, Place, Read
from soak_load import (
    PATIENT,
    OffsetsWorker,
    ProducerWorker,
    ReadingWorker,
    TopicsWorker,
    Worker,
)

TOPICS = {"orders": 3, "payments": 2, "audit": 1}
PLACES: list[Place] = [(topic, n) for topic, count in TOPICS.items() for n in range(count)]
SEGMENT_BYTES = 1 << 20
ROUNDS_EACH = 25
"""A new directory is begun after so many rounds: comparing takes time, and old data is old."""
WHOLE_EVERY = 10
"""Every so many rounds all logs are read anew, not only their new ends."""


@dataclass
class Soak:
    """One broker's directory, and everything that is done with it."""

    seed: int
    folder: Path
    settings: tuple[str, ...] = ()
    producers: int = 3
    history: History = field(default_factory=History)
    kills: int = 0
    restarts_seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.seed} moments")
        self.broker = SoakBroker(self.folder, self.settings)
        self.gate = threading.Event()
        self.workers: list[Worker] = []

    # -- life --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the broker, makes the topics, starts the workers."""
        self.broker.launch()
        self.broker.wait_until_ready()
        admin = self.new_admin()
        config = {"segment.bytes": str(SEGMENT_BYTES)}
        new = [NewTopic(name, count, 1, config=config) for name, count in TOPICS.items()]
        for future in admin.create_topics(new, operation_timeout=10).values():
            future.result(timeout=30)
        gate, history, address = self.gate, self.history, self.broker.address
        names = list(TOPICS)
        self.workers += [
            ProducerWorker(gate, history, address, names, f"{self.seed} producer {number}")
            for number in range(self.producers)
        ]
        self.workers.append(OffsetsWorker(gate, history, address, "kept", PLACES))
        self.workers.append(ReadingWorker(gate, history, address, "readers", names))
        self.workers.append(TopicsWorker(gate, history, address, f"{self.seed} topics"))
        for worker in self.workers:
            worker.start()

    def end(self) -> None:
        """Ends everything, whatever state it is in."""
        for worker in self.workers:
            worker.is_over = True
        for worker in self.workers:
            if worker.is_idle.is_set():
                worker.join(timeout=10)
        self.broker.end()

    # -- rounds ------------------------------------------------------------------------------

    def round(self, number: int, *, is_whole: bool) -> list[str]:
        """Load, a kill in the midst of it, load again; then what was found wrong."""
        for worker in self.workers:
            if isinstance(worker, ProducerWorker) and self.random.random() < 0.3:
                worker.is_to_renew = True
        self.gate.set()
        time.sleep(self.random.uniform(0.05, 0.8))
        self.interrupt()
        time.sleep(self.random.uniform(0.05, 0.4))
        self.gate.clear()
        faults = self.wait_until_settled()
        if faults:
            return faults
        found = self.read_logs(is_whole=is_whole)
        found += check_records(self.history)
        found += check_commits(self.history, self.read_commits())
        found += check_topics(self.history, *self.read_topics())
        return found

    def interrupt(self) -> None:
        """Kills the broker and starts it again; sometimes it is killed while it starts, and
        sometimes it ends in a clean way first, so that a clean end's traces may be stale."""
        started = time.monotonic()
        self.broker.kill()
        self.kills += 1
        self.broker.launch()
        if self.random.random() < 0.25:
            time.sleep(self.random.uniform(0.0, 0.5))
            self.broker.kill()
            self.kills += 1
            self.broker.launch()
        self.restarts_seconds.append(self.broker.wait_until_ready())
        if self.random.random() < 0.15:
            self.broker.stop()
            self.broker.launch()
            self.broker.wait_until_ready()
        self.history.interruptions.append((started, time.monotonic()))

    def wait_until_settled(self) -> list[str]:
        """Waits until every worker is idle."""
        until = time.monotonic() + 90
        for worker in self.workers:
            if not worker.is_idle.wait(max(0.0, until - time.monotonic())):
                return [f"{worker.name} did not come to an end with the broker up again"]
        return list(self.history.faults)

    # -- what the broker holds -----------------------------------------------------------------

    def read_logs(self, *, is_whole: bool) -> list[str]:
        """Reads every partition on from where it was read to, or from its start."""
        found = []
        config = {"group.id": "nobody", "enable.auto.commit": False, "check.crcs": True}
        address = {"bootstrap.servers": self.broker.address, "auto.offset.reset": "error"}
        consumer = Consumer({**PATIENT, **config, **address})
        try:
            for place in PLACES:
                before = self.history.logs.get(place, [])
                start = 0 if is_whole else len(before)
                try:
                    records = read_partition(consumer, place, start)
                except RuntimeError as error:
                    found.append(str(error))
                    continue
                if is_whole:
                    found += check_same(place, before, records)
                    self.history.logs[place] = records
                else:
                    self.history.logs[place] = before + records
        finally:
            consumer.close()
        return found

    def new_admin(self) -> AdminClient:
        """A client that has no connection from before the kill: requests there just fail."""
        return AdminClient({**PATIENT, "bootstrap.servers": self.broker.address})

    def read_commits(self) -> dict[str, dict[Place, int]]:
        """Every group's committed offsets."""
        found = {}
        admin = self.new_admin()
        for group in self.history.commits:
            request = ConsumerGroupTopicPartitions(
                group, [TopicPartition(*place) for place in PLACES]
            )
            future = admin.list_consumer_group_offsets([request], request_timeout=30)[group]
            answer = future.result(timeout=60)
            found[group] = {
                (one.topic, one.partition): max(one.offset, -1) for one in answer.topic_partitions
            }
        return found

    def read_topics(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many partitions each topic has, and the `retention.ms` of each."""
        admin = self.new_admin()
        topics = admin.list_topics(timeout=30).topics
        partitions = {name: len(topic.partitions) for name, topic in topics.items()}
        made = [name for name in partitions if name in self.history.topics]
        asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in made]
        retention_ms = {}
        if asked:
            for resource, future in admin.describe_configs(asked).items():
                retention_ms[resource.name] = int(future.result(timeout=30)["retention.ms"].value)
        return partitions, retention_ms


def read_partition(consumer: Consumer, place: Place, start: int) -> list[Read]:
    """The records of a partition from an offset on; every offset must be there."""
    low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=30)
    name = f"{place[0]}-{place[1]}"
    if low != 0:
        raise RuntimeError(f"{name} begins at offset {low}: nobody had it deleted")
    if high < start:
        raise RuntimeError(f"{name} ends at {high}, and was read up to {start} before")
    records: list[Read] = []
    if high == start:
        return records
    consumer.assign([TopicPartition(*place, start)])
    while start + len(records) < high:
        messages = consumer.consume(min(10_000, high - start - len(records)), 30)
        if not messages:
            at = start + len(records)
            raise RuntimeError(
                f"{name}: nothing came from offset {at} on, though it ends at {high}"
            )
        for message in messages:
            expected = start + len(records)
            if message.error() is not None or message.offset() != expected:
                what = message.error() or f"offset {message.offset()}"
                raise RuntimeError(f"{name}: expected offset {expected}, got {what}")
            producer, number, _ = (message.value() or b"").split(b":", 2)
            records.append(Read(int(producer), int(number)))
    consumer.unassign()
    return records


def run_soak(
    rounds: int, seed: int, folder: Path, settings: tuple[str, ...] = (), **options: Any
) -> list[str]:
    """So many rounds, with a line for each.  What was found wrong; then `folder` holds it all."""
    folder.mkdir(parents=True, exist_ok=True)
    soak = Soak(seed, folder, settings, **options)
    try:
        soak.begin()
        for number in range(1, rounds + 1):
            is_whole = number % WHOLE_EVERY == 0 or number == rounds
            try:
                found = soak.round(number, is_whole=is_whole)
            except (KafkaException, TimeoutError) as error:
                found = [f"what the broker holds could not be read: {error!r}"]
            print(_line(number, rounds, soak), flush=True)
            if found:
                return found
    except BrokerFailed as failure:
        return [str(failure)]
    finally:
        soak.end()
        soak.history.save(folder / "history.jsonl")
    return []


def _line(number: int, rounds: int, soak: Soak) -> str:
    history = soak.history
    commits = sum(commit.is_acked for kept in history.commits.values() for commit in kept)
    worst = max(soak.restarts_seconds, default=0.0)
    return (
        f"round {number}/{rounds}: {soak.kills} kills, {history.acked_count:,} records "
        f"acknowledged by {len(history.producers)} producers ({duplicates_count(history)} twice), "
        f"{commits:,} commits, {len(history.topics)} topics; slowest restart {worst:.2f} s"
    )


def main() -> int:
    """The command: several directories one after another, until all rounds are done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None, help="drawn anew if not given")
    parser.add_argument("--folder", type=Path, default=None, help="where the data is kept")
    parser.add_argument("--keep", action="store_true", help="keep the data of a success, too")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else int.from_bytes(os.urandom(4))
    folder = given.folder or Path(tempfile.mkdtemp(prefix="kproof-soak-"))
    left = given.rounds
    while left > 0:
        rounds = min(left, ROUNDS_EACH)
        print(f"soak: {rounds} rounds, seed {seed}, data in {folder}", flush=True)
        found = run_soak(rounds, seed, folder)
        if found:
            print(f"soak: FAILED. Again with: --seed {seed} --rounds {rounds}")
            print(f"{folder} has the broker's data, broker.log and history.jsonl. Found:")
            for line in found:
                print(f"  {line}")
            return 1
        if not given.keep:
            shutil.rmtree(folder)
        left -= rounds
        seed += 1
        folder = folder.with_name(f"{folder.name}-next")
    print("soak: every acknowledged record, offset and topic is there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
