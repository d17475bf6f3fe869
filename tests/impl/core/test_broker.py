"""The broker as a whole: time, what comes round, and that it is the same each time."""

import os
import subprocess
import sys
from pathlib import Path

from impl_support.batches import Sent, batch
from impl_support.stepping import START_MS, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.effects import Send
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic

TESTS = Path(__file__).parents[2]


def test_a_timer_that_is_due_between_two_inputs_happens_at_a_tick() -> None:
    broker = Stepper()
    broker.topic("orders")
    wanted = [FetchPartition(0, partition_max_bytes=100)]
    broker.send(FetchRequest(max_wait_ms=7, min_bytes=1, topics=[FetchTopic(partitions=wanted,
                topic="orders")]), 12)  # fmt: skip

    assert broker.broker.next_deadline_ms() == START_MS + 7
    broker.now_ms += 7
    assert broker.answers() == []
    broker.advance(0)

    assert len(broker.answers()) == 1


def test_time_does_not_go_back_for_the_broker() -> None:
    broker = Stepper()
    broker.topic("timed", configs={"message.timestamp.type": "LogAppendTime"})
    first = broker.produce("timed", b"a")
    broker.now_ms -= 500

    second = broker.produce("timed", data=batch(b"b", timestamp_ms=1))

    assert second.log_append_time_ms == first.log_append_time_ms == START_MS


def test_retention_comes_round_and_takes_old_segments() -> None:
    broker = Stepper(BrokerConfig(log_retention_check_interval_ms=1_000))
    broker.topic("short", configs={"retention.ms": "5000", "segment.ms": "100"})
    broker.produce("short", Sent(b"a", timestamp_ms=START_MS))
    broker.advance(200)
    broker.produce("short", Sent(b"b", timestamp_ms=START_MS + 200))

    broker.advance(4_500)
    kept = broker.partition("short").log_start_offset
    broker.advance(1_500)

    assert kept == 0
    assert broker.partition("short").log_start_offset >= 1
    assert broker.partition("short").log_end_offset == 2


def test_the_count_of_requests_and_connections_is_known() -> None:
    broker = Stepper()
    broker.topic("orders")
    broker.produce("orders", b"a", connection=1)
    broker.produce("orders", b"a", connection=2)
    broker.disconnect(2)

    assert (broker.broker.requests_count, broker.broker.connections_count) == (2, 1)


def test_a_stopped_broker_leaves_a_clean_store_and_a_killed_one_does_not() -> None:
    broker = Stepper()
    broker.topic("orders")
    broker.produce("orders", b"a")

    broker.restart()
    clean = broker.store.was_clean  # type: ignore[attr-defined] # Of the real store.
    broker.crash()

    assert (clean, broker.store.was_clean) == (True, False)  # type: ignore[attr-defined]


SCENARIO = """
from impl_support.batches import batch
from impl_support.stepping import Stepper
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic

broker = Stepper()
for name in ("zebra", "ant", "moth"):
    broker.topic(name, partitions=3)
for connection in (5, 2, 9, 7):
    topics = [
        FetchTopic(partitions=[FetchPartition(index, partition_max_bytes=100) for index in (2, 0)],
                   topic=name)
        for name in ("moth", "zebra")
    ]
    request = FetchRequest(session_epoch=0, max_wait_ms=50, min_bytes=1, topics=topics)
    broker.send(request, 12, connection)
broker.produce("zebra", b"one", partition=2, connection=1)
broker.produce("ant", b"two", partition=1, connection=1)
for connection in (2, 9):
    broker.send(FetchRequest(session_id=connection, session_epoch=1), 12, connection)
broker.advance(5_000)
broker.broker.topics.delete([broker.broker.topics.by_name["moth"]])
broker.restart()
broker.produce("zebra", b"three", connection=1)
for effect in broker.effects:
    print(effect)
for path, files in sorted(broker.files._contents.items()):
    print(path, {name: bytes(data) for name, data in sorted(files.items())})
"""


def test_the_same_inputs_have_the_same_effects_under_any_hash_seed() -> None:
    outputs = []
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)}
        run = subprocess.run(
            [sys.executable, "-c", SCENARIO],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        outputs.append(run.stdout)

    assert outputs[0].count("Send(") == 9
    assert outputs[0] == outputs[1] == outputs[2]


def test_two_brokers_in_one_process_do_not_know_each_other() -> None:
    one, other = Stepper(), Stepper()
    one.topic("orders")
    one.produce("orders", b"a")
    other.topic("orders")

    assert other.produce("orders", b"b").base_offset == 0
    assert all(isinstance(effect, Send) for effect in one.effects + other.effects)
