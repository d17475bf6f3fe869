"""Codecs give back what was put in, and no more than their bound."""

from __future__ import annotations

import struct
import zlib
from random import Random

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.compression import (
    FREE_BYTES,
    GZIP,
    LZ4,
    MAX_BYTES,
    MAX_RATIO,
    SNAPPY,
    XERIAL_HEADER,
    ZSTD,
    allowed_bytes,
    compress,
    decompress,
)
from kproof_impl.records.errors import BatchRefused

CODECS = [GZIP, SNAPPY, LZ4, ZSTD]


def refused(codec: int, data: bytes) -> int:
    with pytest.raises(BatchRefused) as caught:
        decompress(codec, data)
    return caught.value.error_code


@given(st.integers(0, 4), st.binary(max_size=300), st.integers(1, 900))
def test_each_codec_gives_back_what_was_put_in(codec: int, data: bytes, times: int) -> None:
    assert decompress(codec, memoryview(compress(codec, data * times))) == data * times


def test_snappy_is_read_raw_and_in_the_frames_of_xerial() -> None:
    data = bytes(range(256)) * 500
    raw = bytes(cramjam.snappy.compress_raw(data))
    framed = compress(SNAPPY, data)
    assert framed.startswith(XERIAL_HEADER)
    assert decompress(SNAPPY, raw) == decompress(SNAPPY, framed) == data


def test_an_lz4_frame_has_independent_blocks_because_java_refuses_others() -> None:
    compressible = bytes(200_000)
    incompressible = Random(1).randbytes(100_000)
    for data in (b"", b"words", compressible, incompressible):
        frame = compress(LZ4, data)
        assert frame.startswith(b"\x04\x22\x4d\x18\x60\x40\x82")
        assert frame.endswith(bytes(4))
        assert decompress(LZ4, frame) == data
    assert len(compress(LZ4, incompressible)) < len(incompressible) + 30


def test_linked_blocks_of_others_are_read() -> None:
    data = bytes(range(256)) * 1000
    assert decompress(LZ4, bytes(cramjam.lz4.compress(data))) == data


def test_a_length_inside_the_frames_of_xerial_is_not_believed() -> None:
    for length in (-1, 0, 5, (1 << 31) - 1):
        data = XERIAL_HEADER + struct.pack(">i", length) + b"\0\0\0"
        assert refused(SNAPPY, data) == ErrorCode.CORRUPT_MESSAGE
    assert refused(SNAPPY, XERIAL_HEADER + b"\0\0") == ErrorCode.CORRUPT_MESSAGE


def test_snappy_that_claims_gigabytes_is_refused_before_any_are_allocated() -> None:
    claim = b"\xff\xff\xff\xff\x0f\x00"
    assert refused(SNAPPY, claim) == ErrorCode.INVALID_RECORD
    framed = compress(SNAPPY, b"words") + struct.pack(">i", len(claim)) + claim
    assert refused(SNAPPY, framed) == ErrorCode.INVALID_RECORD


@pytest.mark.parametrize("codec", CODECS)
def test_data_cut_anywhere_is_refused(codec: int) -> None:
    packed = compress(codec, b"some words, and some words more" * 9)
    for size in range(0, len(packed), 3):
        if codec == SNAPPY and size == len(XERIAL_HEADER):
            continue
        assert refused(codec, packed[:size]) == ErrorCode.CORRUPT_MESSAGE


def test_a_megabyte_of_one_letter_is_honest_data() -> None:
    for codec in CODECS:
        assert len(decompress(codec, compress(codec, b"a" * (1 << 20)))) == 1 << 20


@pytest.mark.parametrize("codec", [GZIP, LZ4, ZSTD])
def test_a_bomb_is_refused(codec: int) -> None:
    bomb = compress(codec, bytes(2 * FREE_BYTES))
    assert len(bomb) < FREE_BYTES // MAX_RATIO
    assert refused(codec, bomb) == ErrorCode.INVALID_RECORD


def test_the_bound_grows_with_the_data_up_to_the_most_that_any_batch_may_have() -> None:
    assert allowed_bytes(0) == FREE_BYTES
    assert allowed_bytes(1 << 20) == MAX_RATIO << 20
    assert allowed_bytes(1 << 30) == MAX_BYTES


def test_gzip_of_several_members_is_bounded_as_a_whole() -> None:
    member = compress(GZIP, bytes(FREE_BYTES // 2))
    assert len(decompress(GZIP, member * 2)) == FREE_BYTES // 2 * 2
    assert refused(GZIP, member * 3) == ErrorCode.INVALID_RECORD


def test_zlib_data_without_the_header_of_gzip_is_refused() -> None:
    assert refused(GZIP, zlib.compress(b"words")) == ErrorCode.CORRUPT_MESSAGE


def test_an_unknown_codec_is_refused() -> None:
    for codec in (5, 6, 7):
        assert refused(codec, b"") == ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
