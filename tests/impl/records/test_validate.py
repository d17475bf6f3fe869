"""Every batch that Kafka refuses is refused, with Kafka's error code, and nothing else raises."""

from __future__ import annotations

from random import Random

import pytest

from impl_support.logs import batch_of_size
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.batch import HEADER, HEADER_BYTES, header_at
from kproof_impl.records.build import build_batch, with_crc
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.validate import checked_batch

LARGE = 1 << 20


def changed(batch: bytes, **fields: int) -> bytes:
    """The batch with other fields in its header, and a CRC that fits."""
    header = header_at(batch)._replace(**fields)
    return with_crc(HEADER.pack(*header) + batch[HEADER_BYTES:])


def code_of(batch: bytes, max_message_bytes: int = LARGE) -> int:
    with pytest.raises(BatchRefused) as caught:
        checked_batch(batch, max_message_bytes)
    assert caught.value.reason.endswith(".") or caught.value.reason.endswith(").")
    return caught.value.error_code


@pytest.mark.parametrize("codec", range(5))
def test_a_valid_batch_gives_its_header(codec: int) -> None:
    batch = batch_of_size(3, codec=codec, timestamp_ms=77)
    header = checked_batch(memoryview(batch), LARGE)
    assert (header.records_count, header.codec, header.base_timestamp) == (3, codec, 77)
    assert (header.max_timestamp, header.size_bytes) == (79, len(batch))


def test_only_format_2_is_taken() -> None:
    batch = batch_of_size()
    for magic in (0, 1, 3, 255):
        old = batch[:16] + bytes((magic,)) + batch[17:]
        assert code_of(old) == ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT
        assert code_of(old[:40]) == ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT


def test_a_batch_cut_anywhere_is_corrupt() -> None:
    batch = batch_of_size(2)
    for size in range(1, len(batch)):
        assert code_of(batch[:size]) == ErrorCode.CORRUPT_MESSAGE
    assert code_of(b"") == ErrorCode.INVALID_RECORD


def test_any_flipped_bit_behind_the_length_is_seen_but_for_the_epoch() -> None:
    batch = batch_of_size(2)
    for place in (*range(8, 12), *range(16, len(batch))):
        for bit in range(8):
            damaged = bytearray(batch)
            damaged[place] ^= 1 << bit
            assert code_of(bytes(damaged)) in (
                ErrorCode.CORRUPT_MESSAGE,
                ErrorCode.INVALID_RECORD,
                ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
            )


def test_two_batches_are_one_too_many() -> None:
    assert code_of(batch_of_size() * 2) == ErrorCode.INVALID_RECORD


def test_the_length_is_refused_before_anything_is_made_of_it() -> None:
    for length in (-1, 0, 48, 1 << 20, (1 << 31) - 1, -(1 << 31)):
        assert code_of(changed(batch_of_size(), batch_length=length)) in (
            ErrorCode.CORRUPT_MESSAGE,
            ErrorCode.INVALID_RECORD,
        )


def test_a_batch_may_have_as_many_bytes_as_the_topic_takes_and_no_more() -> None:
    batch = batch_of_size()
    checked_batch(batch, len(batch))
    assert code_of(batch, len(batch) - 1) == ErrorCode.MESSAGE_TOO_LARGE


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"records_count": 0}, ErrorCode.INVALID_RECORD),
        ({"records_count": -1}, ErrorCode.INVALID_RECORD),
        ({"records_count": 0, "last_offset_delta": -1}, ErrorCode.INVALID_RECORD),
        ({"records_count": 3}, ErrorCode.INVALID_RECORD),
        ({"records_count": 1000, "last_offset_delta": 999}, ErrorCode.INVALID_RECORD),
        ({"last_offset_delta": 4}, ErrorCode.INVALID_RECORD),
        ({"base_offset": 1}, ErrorCode.INVALID_RECORD),
        ({"attributes": 0x20}, ErrorCode.INVALID_RECORD),
        ({"attributes": 0x27}, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        ({"attributes": 5}, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        ({"attributes": 7}, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        ({"producer_id": 0}, ErrorCode.INVALID_RECORD),
        ({"producer_id": 1, "producer_epoch": 0}, ErrorCode.INVALID_RECORD),
        ({"producer_id": 1, "base_sequence": 0}, ErrorCode.INVALID_RECORD),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(fields: dict[str, int], code: int) -> None:
    assert code_of(changed(batch_of_size(2), **fields)) == code


def test_the_smallest_records_that_there_are_are_taken() -> None:
    assert checked_batch(build_batch([(1, None, None)] * 50), LARGE).records_count == 50


def test_a_producer_with_epoch_and_sequence_is_taken() -> None:
    batch = build_batch([(1, None, None)], producer_id=0, producer_epoch=0, base_sequence=0)
    assert checked_batch(batch, LARGE).producer_id == 0


def test_random_bytes_are_refused_without_any_other_error() -> None:
    random = Random(3)
    for _ in range(2000):
        data = bytearray(random.randbytes(random.randrange(120)))
        if len(data) > 16:
            data[16] = 2
        with pytest.raises(BatchRefused):
            checked_batch(data, LARGE)
