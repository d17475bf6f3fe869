"""Worker pools on a real broker through real clients, and what must be true of their history."""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import confluent_kafka

from impl_support.clients_kafka_python import CooperativeStickyAssignor, RangePartitionAssignor
from kproof_impl import Broker
from kproof_impl.client import WorkerPoolConsumer
from kproof_impl.events import Event

CLIENTS = ("confluent-kafka", "kafka-python")
ASSIGNORS = {"range": RangePartitionAssignor, "cooperative-sticky": CooperativeStickyAssignor}
PARTITIONS = 4
BROKER_CONFIGS = {
    "group.min.session.timeout.ms": "100",
    "group.initial.rebalance.delay.ms": "0",
}

Place = tuple[int, int]
"""Partition and offset."""


def broker_of_orders(**topics: int) -> Broker:
    return Broker(topics={"orders": PARTITIONS, **topics}, in_memory=True, configs=BROKER_CONFIGS)


def config_of(
    client: str, bootstrap: str, assignor: str = "range", session_ms: int = 6000, **more: Any
) -> dict[str, Any]:
    """A config for the client; `more` are settings by kafka-python's names."""
    settings: dict[str, Any] = {
        "bootstrap_servers": bootstrap,
        "group_id": "pool",
        "auto_offset_reset": "earliest",
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": 100,
        **more,
    }
    if client == "kafka-python":
        return {
            **settings,
            "fetch_max_wait_ms": 50,
            "partition_assignment_strategy": [ASSIGNORS[assignor]],
        }
    return {
        **{name.replace("_", "."): value for name, value in settings.items()},
        "fetch.wait.max.ms": 50,
        "partition.assignment.strategy": assignor,
        "log_level": 0,
    }


def produce(bootstrap: str, records_count: int, keys: int = 40) -> dict[Place, int]:
    """Keyed records: of every key the numbers 0, 1, 2, ...; where they are, and their keys."""
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for i in range(records_count):
        key, number = i % keys, i // keys
        value = json.dumps([key, number]).encode()
        producer.produce("orders", value, b"%d" % key, partition=key % PARTITIONS)
    assert producer.flush(20) == 0
    ends = [0] * PARTITIONS
    places = {}
    for i in range(records_count):
        partition = i % keys % PARTITIONS
        places[(partition, ends[partition])] = i % keys
        ends[partition] += 1
    return places


def place_of(message: Any) -> Place:
    """Of a record of either client."""
    if callable(message.partition):
        return (message.partition(), message.offset())
    return (message.partition, message.offset)


def text_of(message: Any) -> list[int]:
    """Key and number."""
    value = message.value() if callable(message.value) else message.value
    parsed: list[int] = json.loads(value)
    return parsed


@dataclass
class History:
    """What several pools have processed, in the order in which they were done."""

    done: list[tuple[Place, int, int]] = field(default_factory=list)
    """Place, key and number."""
    busy: set[int] = field(default_factory=set)
    """Keys of which a record is being processed."""
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def process(self, message: Any, seconds: float = 0.0) -> None:
        """A handler: takes its time, and looks that nobody has a record of the same key."""
        key, number = text_of(message)
        with self.lock:
            if key in self.busy:
                self.faults.append(f"two records of key {key} at once")
            self.busy.add(key)
        time.sleep(seconds)
        with self.lock:
            self.busy.discard(key)
            self.done.append((place_of(message), key, number))

    def observe(self, event: Event) -> None:
        """No commit beyond what is done."""
        if event.action in ("poll_thread_commit", "poll_thread_finish_revocation"):
            end, partition = event.parameters["offset"], int(event.parameters["partition"][-1])
            with self.lock:
                done = {offset for (at, offset), _, _ in self.done if at == partition}
            if end is not None and not set(range(end)) <= done:
                self.faults.append(f"{end} of {partition} is committed too early")

    def check(self, places: dict[Place, int]) -> None:
        """Everything at least once, and every key in order, the first time."""
        assert self.faults == []
        assert {place for place, _, _ in self.done} == set(places)
        numbers: dict[int, list[int]] = defaultdict(list)
        for _, key, number in self.done:
            if number not in numbers[key]:
                numbers[key].append(number)
        for key, seen in numbers.items():
            assert seen == sorted(seen), f"key {key} is out of order"

    def wait_for(self, count: int, seconds: float = 25.0) -> None:
        """Until so many different records are done."""
        deadline = time.monotonic() + seconds
        while len({place for place, _, _ in list(self.done)}) < count:
            assert time.monotonic() < deadline, f"{len(self.done)} of {count} in {seconds} s"
            time.sleep(0.02)


def wait_until(is_so: Callable[[], bool], seconds: float = 25.0) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so in {seconds} s"
        time.sleep(0.02)


def committed(bootstrap: str) -> dict[int, int]:
    """The offsets that the group has committed, for each partition that has one."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "pool", "log_level": 0}
    )
    asked = [confluent_kafka.TopicPartition("orders", p) for p in range(PARTITIONS)]
    answered = consumer.committed(asked, timeout=10)
    consumer.close()
    return {each.partition: each.offset for each in answered if each.offset >= 0}


def ends_of(places: dict[Place, int]) -> dict[int, int]:
    """One past the last offset of each partition."""
    ends: dict[int, int] = {}
    for partition, offset in places:
        ends[partition] = max(ends.get(partition, 0), offset + 1)
    return ends


def main(client: str, bootstrap: str) -> None:
    """A pool in a process of its own, which tells each record that it has processed."""
    history = History()

    def handle(message: Any) -> None:
        history.process(message, 0.002)
        key, number = text_of(message)
        os.write(1, json.dumps([*place_of(message), key, number]).encode() + b"\n")

    config = config_of(client, bootstrap, session_ms=1000)
    pool = WorkerPoolConsumer(
        config, ["orders"], handle, workers=4, max_in_flight=100, commit_interval_s=0.1
    )
    pool.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
