"""Keyed records go to the partition that the client's own partitioner computes."""

from zlib import crc32

import confluent_kafka
import pytest

from impl.clients.conftest import NewTopicOf
from impl_support.clients_records import CLIENTS, Client, Record, named

PARTITIONS = 7
KEYS = [b"", b"a", b"ab", b"abc", b"abcd", *(b"customer-%d" % number for number in range(60))]
MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit hash of Java's default partitioner, as an unsigned number."""
    multiplier, rest = 0x5BD1E995, len(key) % 4
    hashed = 0x9747B28C ^ len(key)
    for start in range(0, len(key) - rest, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & MASK
        word = (word ^ word >> 24) * multiplier & MASK
        hashed = hashed * multiplier & MASK ^ word
    if rest:
        hashed = (hashed ^ int.from_bytes(key[-rest:], "little")) * multiplier & MASK
    hashed = (hashed ^ hashed >> 13) * multiplier & MASK
    return hashed ^ hashed >> 15


def by_murmur2(key: bytes) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def by_crc32(key: bytes) -> int:
    return crc32(key) % PARTITIONS


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_each_key_goes_to_the_partition_of_the_clients_hash(
    bootstrap: str, new_topic: NewTopicOf, client: Client
) -> None:
    topic = new_topic(partitions=PARTITIONS)
    keys = [key for key in KEYS if key]  # librdkafka deals an empty key out at random.
    expected = by_crc32 if client.name == "confluent-kafka" else by_murmur2

    client.produce(bootstrap, topic, [Record(b"value", key) for key in keys])

    found = client.consume(bootstrap, topic, PARTITIONS, len(keys))
    assert {r.key: r.partition for r in found} == {key: expected(key) for key in keys}


def test_librdkafka_told_to_use_murmur2_agrees_with_java_on_every_key(
    bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic(partitions=PARTITIONS)
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2"})

    for key in KEYS:
        producer.produce(topic, b"value", key)
    assert producer.flush(20) == 0

    found = CLIENTS[0].consume(bootstrap, topic, PARTITIONS, len(KEYS))
    assert {r.key: r.partition for r in found} == {key: by_murmur2(key) for key in KEYS}


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_records_of_one_key_stay_in_order(
    bootstrap: str, new_topic: NewTopicOf, client: Client
) -> None:
    topic = new_topic(partitions=3)
    steps = (b"create", b"pay", b"ship", b"deliver")
    sent = [Record(step, b"order-%d" % order) for step in steps for order in range(20)]

    client.produce(bootstrap, topic, sent)

    found = client.consume(bootstrap, topic, 3, len(sent))
    for order in range(20):
        mine = [r for r in found if r.key == b"order-%d" % order]
        assert tuple(r.value for r in mine) == steps
        assert len({r.partition for r in mine}) == 1
