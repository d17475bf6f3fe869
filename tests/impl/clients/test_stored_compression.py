"""KAFKA-18659: what a producer compresses arrives compressed, and stays so in the log.

librdkafka looks at the oldest Produce version a broker names: had we named only those we serve,
it would send every batch uncompressed, and no client would notice.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from impl.clients.conftest import NewTopicOf
from impl_support.clients_broker import ServedBroker
from impl_support.clients_records import CLIENTS, CODECS, Client, Record, named

CODEC_MASK = 0b111
METADATA_LOG_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
"""The id that Kafka too gives it; directories have the names of topic ids."""
OVERHEAD = 12
"""Bytes of a batch before those that its length counts."""


def log_sizes(data_dir: Path) -> dict[Path, int]:
    """The segments of all logs but that of the broker's metadata."""
    return {
        path: path.stat().st_size
        for path in data_dir.rglob("*.log")
        if not path.parent.name.startswith(METADATA_LOG_ID)
    }


def batches(path: Path, start: int) -> Iterator[tuple[int, int]]:
    """Codec and count of records of each batch from byte `start` on."""
    data = path.read_bytes()
    while start < len(data):
        length, attributes, count = struct.unpack_from(">8xI9xH34xI", data, start)[:3]
        yield attributes & CODEC_MASK, count
        start += OVERHEAD + length


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_kafka_18659_the_stored_batch_is_compressed_by_the_producers_codec(
    broker: ServedBroker, new_topic: NewTopicOf, client: Client, codec: str
) -> None:
    if broker.data_dir is None:
        pytest.skip("the folder of the broker's data is not known")
    if codec not in client.codecs():
        pytest.skip(f"{client.name} needs a library of its own for {codec}")
    topic = new_topic()
    before = log_sizes(broker.data_dir)
    sent = [Record(b"the same again " * 50, partition=0) for _ in range(20)]

    client.produce(broker.bootstrap, topic, sent, codec=codec)

    after = log_sizes(broker.data_dir)
    grown = {path for path, size in after.items() if size > before.get(path, 0)}
    stored = [batch for path in grown for batch in batches(path, before.get(path, 0))]
    assert sum(count for _, count in stored) == len(sent), grown
    assert {found for found, _ in stored} == {CODECS.index(codec)}
