"""What one client sends, every client reads back: equal, in order, whatever codec and acks."""

import time
from itertools import permutations

import pytest

from impl.clients.conftest import NewTopicOf
from impl_support.clients_records import ACKS, CLIENTS, CODECS, Client, Headers, Record, named

MESSAGES = 30


def orders(partitions: int) -> list[Record]:
    """Records that compress well, each told apart by its number, dealt out to the partitions."""
    return [
        Record(b"order %d " % number + b"pay ship deliver " * 20, b"key %d" % number,
               partition=number % partitions)
        for number in range(MESSAGES)
    ]  # fmt: skip


def use_codec(client: Client, codec: str) -> None:
    """Skip if this client lacks the library for this codec."""
    if codec not in client.codecs():
        pytest.skip(f"{client.name} needs a library of its own for {codec}")


@pytest.mark.parametrize("acks", ACKS)
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_what_a_client_sends_it_reads_back_equal_and_in_order(
    bootstrap: str, new_topic: NewTopicOf, client: Client, codec: str, acks: int
) -> None:
    use_codec(client, codec)
    topic, sent = new_topic(partitions=3), orders(3)

    places = client.produce(bootstrap, topic, sent, codec=codec, acks=acks)
    found = client.consume(bootstrap, topic, 3, MESSAGES)

    assert len(found) == MESSAGES
    for partition in range(3):
        here = [record for record in found if record.partition == partition]
        wanted = [record for record in sent if record.partition == partition]
        assert [record.offset for record in here] == list(range(len(wanted)))
        assert [(r.key, r.value) for r in here] == [(r.key, r.value) for r in wanted]
    if acks != 0:
        assert places == [(number % 3, number // 3) for number in range(MESSAGES)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("writer", "reader"), list(permutations(CLIENTS, 2)), ids=named)
def test_what_one_client_compressed_another_reads(
    bootstrap: str, new_topic: NewTopicOf, writer: Client, reader: Client, codec: str
) -> None:
    use_codec(writer, codec)
    use_codec(reader, codec)
    topic, sent = new_topic(), orders(1)

    writer.produce(bootstrap, topic, sent, codec=codec)
    found = reader.consume(bootstrap, topic, 1, MESSAGES)

    assert [(r.key, r.value) for r in found] == [(r.key, r.value) for r in sent]


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_an_idempotent_producer_writes_each_record_once(
    bootstrap: str, new_topic: NewTopicOf, client: Client
) -> None:
    topic, sent = new_topic(), orders(1)

    places = client.produce(bootstrap, topic, sent, idempotent=True)
    again = client.produce(bootstrap, topic, sent, idempotent=True)
    found = client.consume(bootstrap, topic, 1, 2 * MESSAGES)

    assert places == [(0, number) for number in range(MESSAGES)]
    # Another producer id: the broker must not take its sequence 0 for a duplicate.
    assert again == [(0, number) for number in range(MESSAGES, 2 * MESSAGES)]
    assert [record.value for record in found] == [record.value for record in sent] * 2


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_headers_null_keys_tombstones_and_empty_values_come_back_as_they_were(
    bootstrap: str, new_topic: NewTopicOf, client: Client
) -> None:
    topic = new_topic()
    headers: Headers = (("trace", b"1"), ("trace", b"2"), ("empty", b""), ("\N{SNOWMAN}", b"\xff"))
    if client.name != "kafka-python":  # It sends no null header, but reads one.
        headers += (("null", None),)
    sent = [
        Record(b"value", b"key", headers, partition=0),
        Record(b"no key", None, partition=0),
        Record(None, b"a tombstone", partition=0),
        Record(b"", b"", partition=0),
    ]

    client.produce(bootstrap, topic, sent)

    for reader in CLIENTS:
        found = reader.consume(bootstrap, topic, 1, len(sent))
        assert [(r.key, r.value, r.headers) for r in found] == [
            (r.key, r.value, r.headers) for r in sent
        ]


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_the_producers_timestamps_are_kept_to_the_millisecond(
    bootstrap: str, new_topic: NewTopicOf, client: Client
) -> None:
    topic = new_topic()
    times = [1_700_000_000_123, 1_600_000_000_456, 1_700_000_000_124]
    sent = [Record(b"at", timestamp_ms=time_ms, partition=0) for time_ms in times]

    client.produce(bootstrap, topic, sent)

    for reader in CLIENTS:
        found = reader.consume(bootstrap, topic, 1, len(sent))
        assert [(r.timestamp_ms, r.timestamp_type) for r in found] == [(t, 0) for t in times]


@pytest.mark.parametrize("codec", ["none", "gzip"])
@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_with_log_append_time_the_broker_sets_the_timestamps(
    bootstrap: str, new_topic: NewTopicOf, client: Client, codec: str
) -> None:
    topic = new_topic(**{"message.timestamp.type": "LogAppendTime"})
    sent = [Record(b"at" * 100, timestamp_ms=1_000_000 + n, partition=0) for n in range(5)]
    before_ms = int(time.time() * 1000)

    client.produce(bootstrap, topic, sent, codec=codec)

    after_ms = int(time.time() * 1000)
    for reader in CLIENTS:
        found = reader.consume(bootstrap, topic, 1, len(sent))
        assert [r.timestamp_type for r in found] == [1] * 5
        assert all(before_ms - 1 <= r.timestamp_ms <= after_ms + 1 for r in found)
