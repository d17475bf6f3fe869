"""A compacted topic, as clients see it: the broker compacts, and a reader has the latest values."""

import os
import signal
import time
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from impl_support.clients_broker import ServedBroker, served

SECONDS = 30
KEYS = 7
VERSIONS = 400
SETTINGS = ("--config", "log.cleaner.backoff.ms=50")
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.bytes": "1048576",
    "min.cleanable.dirty.ratio": "0.01",
    "file.delete.delay.ms": "0",
}
VALUE_BYTES = 4000

pytestmark = pytest.mark.heavy


def write_versions(bootstrap: str, first: int, codec: str) -> None:
    """Each key gets many values; the last but one key ends with a tombstone."""
    producer = confluent_kafka.Producer({
        "bootstrap.servers": bootstrap, "compression.type": codec,
        "enable.idempotence": True, "batch.num.messages": 50,
    })  # fmt: skip
    for version in range(first, first + VERSIONS):
        for key in range(KEYS):
            value = f"{key}/{version}/".encode() + os.urandom(VALUE_BYTES)
            producer.produce("states", value, b"%d" % key)
        producer.poll(0)
    producer.produce("states", None, b"gone")
    assert producer.flush(SECONDS) == 0


def read_all(bootstrap: str) -> list[tuple[int, bytes, bytes | None]]:
    """Offset, key and value of every record, from the beginning to the end of now."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True,
        "auto.offset.reset": "earliest", "enable.auto.commit": False,
    })  # fmt: skip
    consumer.assign([confluent_kafka.TopicPartition("states", 0, 0)])
    found = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
            break
        offset, key = message.offset(), message.key()
        assert offset is not None
        assert isinstance(key, bytes)
        value = message.value()
        found.append((offset, key, None if value is None else value[:20].split(b"\0")[0]))
    consumer.close()
    return found


def versions(found: list[tuple[int, bytes, bytes | None]]) -> dict[bytes, int]:
    """The last version that a reader from the beginning has seen of each key."""
    return {key: int(value.split(b"/")[1]) for _, key, value in found if value is not None}


def made_topic(broker: ServedBroker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("states", 1, 1, config=COMPACTED)])["states"].result(SECONDS)


def size_bytes(data_dir: Path) -> int:
    return sum(path.stat().st_size for path in data_dir.glob("*-0/*.log"))


def wait_until_small(data_dir: Path, limit: int) -> None:
    deadline = time.monotonic() + SECONDS
    while size_bytes(data_dir) > limit:
        assert time.monotonic() < deadline, f"{size_bytes(data_dir)} bytes are left"
        time.sleep(0.1)


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_the_latest_value_of_each_key_is_read_in_order(own_data_dir: Path, codec: str) -> None:
    with served(own_data_dir, options=SETTINGS) as broker:
        made_topic(broker)
        write_versions(broker.bootstrap, 0, codec)
        wait_until_small(own_data_dir, 3 << 20)
        found = read_all(broker.bootstrap)
        assert versions(found) == {b"%d" % key: VERSIONS - 1 for key in range(KEYS)}
        assert [offset for offset, _, _ in found] == sorted({offset for offset, _, _ in found})
        assert len(found) < VERSIONS * KEYS / 2
        assert found[-1][1:] == (b"gone", None)
        # An idempotent producer goes on, and so do its offsets.
        write_versions(broker.bootstrap, VERSIONS, codec)
        assert max(offset for offset, _, _ in read_all(broker.bootstrap)) == (
            2 * (VERSIONS * KEYS + 1) - 1
        )


def test_kill_9_while_the_broker_compacts_loses_no_value(own_data_dir: Path) -> None:
    first = 0
    with served(own_data_dir, options=SETTINGS) as broker:
        made_topic(broker)
    for _ in range(3):
        with served(own_data_dir, options=SETTINGS) as broker:
            write_versions(broker.bootstrap, first, "none")
            first += VERSIONS
            assert broker.process is not None
            os.kill(broker.process.pid, signal.SIGKILL)
            broker.process.wait(SECONDS)
        with served(own_data_dir, options=SETTINGS) as broker:
            assert versions(read_all(broker.bootstrap)) == {
                b"%d" % key: first - 1 for key in range(KEYS)
            }
