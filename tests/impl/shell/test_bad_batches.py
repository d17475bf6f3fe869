"""Batches that are not what they claim, for a topic that is there: refused, or harmless."""

import gzip
import struct
import time
from collections.abc import Callable
from random import Random

import cramjam
import pytest

from impl_support.batches import batch, with_crc
from impl_support.frames import damaged
from impl_support.good_client import well_served
from impl_support.raw_client import (
    Gone,
    RawClient,
    fetch,
    framed,
    made_topic,
    produce,
    request,
    text,
)
from impl_support.serving import Serving
from kproof_impl.records.batch import HEADER_BYTES

LIST_OFFSETS = 2
MEGABYTE = 1 << 20

CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, lambda data: gzip.compress(data, 9)),
    "snappy": (2, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "lz4": (3, lambda data: bytes(cramjam.lz4.compress(data))),
    "zstd": (4, lambda data: bytes(cramjam.zstd.compress(data))),
}


def compressed(codec: str, records: bytes, count: int) -> bytes:
    """A batch with these bytes as its records, compressed, and otherwise right."""
    number, compress = CODECS[codec]
    head = bytearray(batch(*[b""] * count, attributes=number)[:HEADER_BYTES])
    data = head + compress(records)
    data[8:12] = struct.pack(">i", len(data) - 12)
    return with_crc(data)


def offset_at(client: RawClient, topic: str, timestamp_ms: int) -> tuple[int, int]:
    """The error and the offset that ListOffsets 1 gives for a time."""
    body = struct.pack(">ii", -1, 1) + text(topic) + struct.pack(">iiq", 1, 0, timestamp_ms)
    answer = client.ask(request(LIST_OFFSETS, 1, 1, body))
    error, _timestamp, offset = struct.unpack_from(">hqq", answer, 4 + 2 + len(topic) + 8)
    return error, offset


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_that_would_become_very_large_costs_no_memory(
    attacked: Serving, codec: str
) -> None:
    topic = made_topic(attacked.port, f"bomb-{codec}")
    # As much as a request can hold: 900 MB of zeros where the codec makes little of them.
    size = {"snappy": 15 * MEGABYTE, "lz4": 200 * MEGABYTE}.get(codec, 900 * MEGABYTE)
    bomb = compressed(codec, bytes(size), 1000)
    assert len(bomb) < 1_040_000
    with well_served(attacked.port), RawClient(attacked.port) as client:
        before = attacked.rss_bytes_max
        began = time.monotonic()
        client.ask(produce(1, topic, bomb))
        assert offset_at(client, topic, 1)[0] in (0, -1, 2, 56, 87)
        assert time.monotonic() - began < 2

        assert attacked.rss_bytes_max - before < 320 * MEGABYTE


def test_damaged_batches_are_answered_and_what_is_stored_can_be_read(attacked: Serving) -> None:
    random = Random(3)
    topic = made_topic(attacked.port, "damaged")
    whole = [
        batch(b"one", b"two", b"three"),
        batch(b"one", producer_id=5, producer_epoch=0, sequence=0),
        *(compressed(codec, batch(b"one")[HEADER_BYTES:], 1) for codec in CODECS),
    ]
    answered = 0
    with well_served(attacked.port):
        for number in range(1_500):
            records = damaged(random, whole[number % len(whole)])
            if len(records) > HEADER_BYTES and number % 2:
                # Right by its checksum and its length, so that all behind them is looked at.
                changed = bytearray(records)
                changed[8:12] = struct.pack(">i", len(changed) - 12)
                records = with_crc(changed)
            with RawClient(attacked.port) as client:
                try:
                    client.ask(produce(number, topic, records))
                    answered += 1
                except Gone:
                    continue
        with RawClient(attacked.port) as client:
            assert client.ask(fetch(1, topic, 0))
            for timestamp_ms in (-1, 0, 1, 1_000, 1_001, 1 << 60):
                assert offset_at(client, topic, timestamp_ms)[0] in (0, 2, 87)

    assert answered > 1_400


def test_damaged_requests_for_what_is_there_are_answered_or_closed(attacked: Serving) -> None:
    random = Random(4)
    topic = made_topic(attacked.port, "there")
    whole = [
        produce(1, topic, batch(b"one", b"two")),
        fetch(2, topic, 0),
        fetch(3, topic, 1, max_wait_ms=100),
        request(LIST_OFFSETS, 1, 4, struct.pack(">ii", -1, 1) + text(topic) + bytes(16)),
    ]
    with well_served(attacked.port):
        for number in range(2_000):
            frame = framed(damaged(random, whole[number % len(whole)][4:]))
            with RawClient(attacked.port) as client:
                try:
                    client.send(frame)
                except Gone:
                    continue
