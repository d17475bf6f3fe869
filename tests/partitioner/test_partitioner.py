"""Partitioners: bit for bit as the clients compute."""

import random
import zlib

import pytest

from kproof_spec.partitioner import (
    crc32,
    crc32_partition,
    murmur2,
    murmur2_partition,
    next_sticky,
    round_robin,
    signed,
    to_positive,
)

JAVA_MURMUR2 = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]
"""From the tests of Kafka's Java client, `UtilsTest.testMurmur2`."""

LIBRDKAFKA_MURMUR2 = [
    (b"kafka", 0xD067CF64),
    (b"giberish123456789", 0x8F552B0C),
    (b"1234", 0x9FC97B14),
    (b"234", 0xE7C009CA),
    (b"34", 0x873930DA),
    (b"4", 0x5A4B5CA1),
    (b"PreAmbleWillBeRemoved,ThePrePartThatIs", 0x78424F1C),
    (b"", 0x106E08D9),
]
"""From librdkafka's own unit test of `rd_murmur2`."""

KAFKA_PYTHON_MURMUR2 = [
    ("", 0x106E08D9),
    ("b0", 0xDCAFDEBB),
    ("d391", 0x178A0114),
    ("de7e6a", 0xA2FBC3E5),
    ("1e6f8889", 0xC4598092),
    ("5fb0fae543", 0x11CC0259),
    ("ddcf55098ddd62", 0x4B7D74C7),
    ("e9aac1ba7d72af59", 0x349717D4),
    ("201f3da9061d2688a2", 0x085EF35B),
    ("5e414fb1f7efe062a0d92f978815b013", 0x7289EBD8),
    ("3250d85052e4ec8b935db26ac3029e4275d3d1d9c216d0383630af2d74bbf4c489", 0xFF2989A7),
]
"""Random keys in hexadecimal, as kafka-python 3.0.12 hashes them."""


@pytest.mark.parametrize(("key", "expected"), JAVA_MURMUR2)
def test_murmur2_is_java_s(key: bytes, expected: int) -> None:
    assert signed(murmur2(key)) == expected


@pytest.mark.parametrize(("key", "expected"), LIBRDKAFKA_MURMUR2)
def test_murmur2_is_librdkafka_s(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected


@pytest.mark.parametrize(("key", "expected"), KAFKA_PYTHON_MURMUR2)
def test_murmur2_is_kafka_python_s(key: str, expected: int) -> None:
    assert murmur2(bytes.fromhex(key)) == expected


def test_murmur2_agrees_with_kafka_python_where_it_is_installed() -> None:
    theirs = pytest.importorskip("kafka.partitioner.default")
    chance = random.Random(7)

    for _ in range(1_000):
        key = chance.randbytes(chance.randrange(40))
        assert theirs.murmur2(key) & 0xFFFF_FFFF == murmur2(key)


def test_crc32_is_zlib_s() -> None:
    chance = random.Random(7)

    assert crc32(b"123456789") == 0xCBF43926  # The check value of the algorithm's catalogue.
    for _ in range(500):
        key = chance.randbytes(chance.randrange(40))
        assert crc32(key) == zlib.crc32(key)


def test_a_negative_hash_gives_no_negative_partition() -> None:
    hashed = murmur2(b"foobar")

    assert signed(hashed) < 0
    assert murmur2_partition(b"foobar", 3) == (signed(hashed) & 0x7FFFFFFF) % 3
    assert murmur2_partition(b"foobar", 3) != abs(signed(hashed)) % 3
    assert to_positive(0x8000_0000) == 0  # Its absolute value would be itself, and negative.


def test_partitions_are_in_range_and_all_are_used() -> None:
    keys = [str(number).encode() for number in range(2_000)]

    for partitions in (1, 2, 7, 64):
        for partition_of in (murmur2_partition, crc32_partition):
            used = {partition_of(key, partitions) for key in keys}
            assert used == set(range(partitions))


def test_one_more_partition_moves_most_keys() -> None:
    keys = [str(number).encode() for number in range(1_000)]

    moved = sum(murmur2_partition(key, 4) != murmur2_partition(key, 5) for key in keys)

    assert 0.75 < moved / len(keys) < 0.85  # Four of five.


def test_round_robin_visits_every_partition_also_where_the_counter_wraps() -> None:
    assert [round_robin(counter, 3) for counter in range(4)] == [0, 1, 2, 0]
    assert round_robin(-(2**31), 3) == 0
    assert round_robin(2**31, 3) == 0


def test_sticky_never_draws_the_same_partition_twice_in_a_row_and_reaches_every_other() -> None:
    for partitions in range(2, 9):
        for previous in range(partitions):
            drawn = [next_sticky(previous, n, partitions) for n in range(partitions - 1)]
            assert sorted([*drawn, previous]) == list(range(partitions))


def test_sticky_begins_anywhere_and_stays_where_there_is_only_one() -> None:
    assert sorted(next_sticky(-1, n, 4) for n in range(4)) == [0, 1, 2, 3]
    assert next_sticky(0, 12, 1) == 0
