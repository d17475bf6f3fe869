"""Records are read as they were written, and a malformed one is refused, never misread."""

from __future__ import annotations

import warnings
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.batch import HEADER, HEADER_BYTES, header_at
from kproof_impl.records.build import (
    assign,
    batch_of,
    build_batch,
    with_crc,
    with_log_append_time,
)
from kproof_impl.records.compression import compress
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.read import Record, RecordRules, check_records, records_of
from kproof_impl.records.validate import checked_batch
from kproof_impl.records.varints import MAX_LONG_BYTES, read_varint, varint

with warnings.catch_warnings():
    # It reads its schemas by a function that Python 3.11 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.codec import has_lz4, has_snappy, has_zstd  # type: ignore[import-untyped]
    from kafka.record.memory_records import (  # type: ignore[import-untyped]
        MemoryRecords,
        MemoryRecordsBuilder,
    )

ANY_TIME = RecordRules()
THEIR_CODECS = [0, 1, *(2,) * has_snappy(), *(3,) * has_lz4(), *(4,) * has_zstd()]
"""kafka-python takes the codecs whose libraries it finds."""


records = st.lists(
    st.tuples(
        st.integers(0, 1 << 42),
        st.none() | st.binary(max_size=20),
        st.none() | st.binary(max_size=200),
        st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=9)), max_size=3),
    ),
    min_size=1,
    max_size=8,
)


def read(batch: bytes) -> list[Record]:
    return list(records_of(header_at(batch), batch))


def batch_with(payload: bytes, count: int = 1, codec: int = 0) -> bytes:
    """A batch whose records are these bytes, whatever they are."""
    model = build_batch([(1000, None, None)] * count, codec=codec)
    packed = compress(codec, payload)
    header = header_at(model)._replace(batch_length=HEADER_BYTES - 12 + len(packed))
    return with_crc(HEADER.pack(*header) + packed)


def refused(batch: bytes) -> BatchRefused:
    with pytest.raises(BatchRefused) as caught:
        read(batch)
    return caught.value


@given(records, st.integers(0, 4))
def test_what_is_built_is_read_again(rows: list[tuple], codec: int) -> None:  # type: ignore[type-arg]
    batch = build_batch(rows, codec=codec)
    assert checked_batch(batch, 1 << 20).records_count == len(rows)
    wanted = [
        Record(i, time, key, value, tuple(headers))
        for i, (time, key, value, headers) in enumerate(rows)
    ]
    assert read(batch) == wanted


@settings(max_examples=50)
@given(records, st.sampled_from(THEIR_CODECS))
def test_kafka_python_reads_what_is_built(rows: list[tuple], codec: int) -> None:  # type: ignore[type-arg]
    batch = assign(build_batch(rows, codec=codec), 40, 3)
    (found,) = list(iter_batches(batch))
    assert found.validate_crc()
    wanted = [(40 + i, row[0], row[1], row[2], row[3]) for i, row in enumerate(rows)]
    assert [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in found] == wanted


@settings(max_examples=50)
@given(records, st.sampled_from(THEIR_CODECS))
def test_what_kafka_python_builds_is_read(rows: list[tuple], codec: int) -> None:  # type: ignore[type-arg]
    builder = MemoryRecordsBuilder(magic=2, compression_type=codec, batch_size=1 << 20)
    for time, key, value, headers in rows:
        assert builder.append(timestamp=time, key=key, value=value, headers=headers)
    builder.close()
    batch = bytes(builder.buffer())
    header = checked_batch(batch, 1 << 20)
    assert header.max_timestamp == max(row[0] for row in rows)
    assert [(r.timestamp_ms, r.key, r.value, list(r.headers)) for r in read(batch)] == rows


def iter_batches(data: bytes):  # type: ignore[no-untyped-def]
    found = MemoryRecords(data)
    while found.has_next():
        yield found.next_batch()


def test_an_uncompressed_batch_of_kafka_python_is_built_byte_for_byte() -> None:
    builder = MemoryRecordsBuilder(
        magic=2, compression_type=0, batch_size=1 << 20, producer_id=9, producer_epoch=1,
        base_sequence=4,
    )  # fmt: skip
    rows = [
        (1000, b"k", b"v", [("h", b"1"), ("n", None)]),
        (990, None, b"", []),
        (7, b"", None, []),
    ]
    for time, key, value, headers in rows:
        builder.append(timestamp=time, key=key, value=value, headers=headers)
    builder.close()
    ours = build_batch(rows, producer_id=9, producer_epoch=1, base_sequence=4)
    theirs = bytes(builder.buffer())
    # Where no leader has written an epoch yet, some write -1 and some 0.
    assert ours[:12] + ours[16:] == theirs[:12] + theirs[16:]


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_number_is_read_as_it_was_written(number: int) -> None:
    data = varint(number)
    assert read_varint(data, 0, MAX_LONG_BYTES) == (number, len(data))


def test_a_number_that_does_not_end_is_refused() -> None:
    for data in (b"", b"\x80", b"\xff" * 4, b"\x80" * 6, b"\xff" * 100):
        with pytest.raises(BatchRefused):
            read_varint(data, 0)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\x01",
        b"\x0c\x00\x00\x00\x01\x01",
        b"\x0e\x00\x00\x00\x01\x01\x00\x00",
        b"\x0c\x00\x00\x02\x01\x01\x00",
        b"\x0c\x00\x00\x00\x03\x01\x00",
        b"\x0c\x00\x00\x00\x01\x40\x00",
        b"\x0c\x00\x00\x00\x01\x01\x02",
        b"\x0c\x00\x00\x00\x01\x01\x01",
        b"\x10\x00\x00\x00\x01\x01\x02\x01\x00",
        b"\x10\x00\x00\x00\x01\x01\xff\xff\xff\xff\x0f"[:9],
        b"\xff\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00",
        b"\x0c\x00\x00\x00\x01\x01\x00" * 2,
    ],
)
def test_a_malformed_record_is_refused(payload: bytes) -> None:
    assert read(batch_with(b"\x0c\x00\x00\x00\x01\x01\x00")) == [Record(0, 1000, None, None)]
    assert refused(batch_with(payload)).error_code == ErrorCode.INVALID_RECORD


def test_records_damaged_at_random_are_refused_or_read_within_their_bytes() -> None:
    random = Random(5)
    rows = [(1000 + i, b"key", b"value" * i, [("h", b"x")]) for i in range(5)]
    for _ in range(3000):
        codec = random.randrange(5)
        batch = bytearray(build_batch(rows, codec=codec))
        for _ in range(random.randrange(1, 4)):
            batch[random.randrange(HEADER_BYTES, len(batch))] = random.randrange(256)
        try:
            found = read(bytes(batch))
        except BatchRefused:
            continue
        assert [record.offset for record in found] == list(range(5))


def test_null_keys_are_refused_by_index_where_a_key_is_needed() -> None:
    batch = build_batch([(1, b"k", b"v"), (1, None, b"v"), (1, b"", b"v"), (1, None, None)])
    with pytest.raises(BatchRefused) as caught:
        check_records(header_at(batch), batch, RecordRules(is_key_needed=True), 0)
    assert caught.value.error_code == ErrorCode.INVALID_RECORD
    assert [index for index, _ in caught.value.record_errors] == [1, 3]
    check_records(header_at(batch), batch, ANY_TIME, 0)


def test_times_out_of_range_are_refused_by_index() -> None:
    times = (900, 899, 1010, 1011, -1)
    batch = build_batch([(time, b"k", b"v") for time in times])
    rules = RecordRules(timestamp_before_max_ms=100, timestamp_after_max_ms=10)
    with pytest.raises(BatchRefused) as caught:
        check_records(header_at(batch), batch, rules, 1000)
    assert caught.value.error_code == ErrorCode.INVALID_TIMESTAMP
    assert [index for index, _ in caught.value.record_errors] == [1, 3]
    own = RecordRules(
        is_log_append_time=True, timestamp_before_max_ms=100, timestamp_after_max_ms=10
    )
    check_records(header_at(batch), batch, own, 1000)


def test_a_wrong_time_outweighs_a_missing_key() -> None:
    batch = build_batch([(1000, None, b"v"), (1, b"k", b"v")])
    rules = RecordRules(is_key_needed=True, timestamp_before_max_ms=100)
    with pytest.raises(BatchRefused) as caught:
        check_records(header_at(batch), batch, rules, 1000)
    assert caught.value.error_code == ErrorCode.INVALID_TIMESTAMP
    assert [index for index, _ in caught.value.record_errors] == [0, 1]


def test_a_producer_may_not_claim_the_time_of_the_broker() -> None:
    batch = with_log_append_time(build_batch([(1, b"k", b"v")]), 1000)
    with pytest.raises(BatchRefused) as caught:
        check_records(header_at(batch), batch, ANY_TIME, 1000)
    assert caught.value.error_code == ErrorCode.INVALID_TIMESTAMP


def test_the_time_of_the_broker_changes_two_fields_and_the_crc() -> None:
    batch = build_batch([(1, b"k", b"v"), (9, b"k", b"v")])
    stamped = with_log_append_time(batch, 5000)
    assert [record.timestamp_ms for record in read(stamped)] == [5000, 5000]
    checked_batch(stamped, 1 << 20)
    assert header_at(stamped).base_timestamp == 1
    assert stamped[HEADER_BYTES:] == batch[HEADER_BYTES:]


def test_assigning_a_place_changes_nothing_that_the_crc_is_about() -> None:
    batch = build_batch([(1, b"k", b"v")])
    placed = assign(batch, 1 << 40, 7)
    header = header_at(placed)
    assert (header.base_offset, header.partition_leader_epoch) == (1 << 40, 7)
    assert placed[16:] == batch[16:]
    assert read(placed)[0].offset == 1 << 40


def test_a_batch_without_records_is_not_built() -> None:
    with pytest.raises(ValueError, match="at least one"):
        batch_of([], 5)
