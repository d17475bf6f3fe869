"""A stream cut anywhere gives the same frames, in memory that grows with what came only."""

import tracemalloc
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.frames import FIRST_CHUNK, LARGEST_CHUNK, FrameReader
from kproof_impl.wire.requests import MalformedRequest


def stream_of(frames: list[bytes]) -> bytes:
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def read(reader: FrameReader, data: bytes, most: int = 1 << 30) -> list[bytes]:
    """What a socket does that has so many bytes, and gives at most some of them at a time."""
    frames: deque[Buffer] = deque()
    while data:
        room = reader.get_buffer()
        count = min(len(room), len(data), most)
        assert count
        room[:count] = data[:count]
        data = data[count:]
        del room
        reader.buffer_updated(count, frames)
    return [bytes(frame) for frame in frames]


def frame_of(size: int, number: int) -> bytes:
    return bytes([number % 251]) * size


def test_a_stream_split_at_every_byte_gives_the_same_frames() -> None:
    frames = [frame_of(size, number) for number, size in enumerate((10, 11, 300, 10, 64))]
    stream = stream_of(frames)
    for split in range(len(stream) + 1):
        reader = FrameReader()
        assert read(reader, stream[:split]) + read(reader, stream[split:]) == frames
        assert reader.pending_bytes == 0


SIZES = st.integers(10, 200) | st.sampled_from(
    [FIRST_CHUNK - 4, FIRST_CHUNK, 3 * FIRST_CHUNK, LARGEST_CHUNK - 4, LARGEST_CHUNK, 300_000]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SIZES, max_size=12), st.integers(1, 400_000))
def test_a_stream_read_in_pieces_of_any_size_gives_the_same_frames(
    sizes: list[int], most: int
) -> None:
    frames = [frame_of(size, number) for number, size in enumerate(sizes)]
    most = max(most, sum(sizes) // 2_000)
    reader = FrameReader()
    assert read(reader, stream_of(frames), most) == frames
    assert reader.pending_bytes == 0


def test_a_frame_is_not_written_to_after_it_was_given() -> None:
    reader = FrameReader()
    frames: deque[Buffer] = deque()
    sizes = (20, 1_000, 300_000, 20, 200_000, 3_000) * 3
    expected = [frame_of(size, number) for number, size in enumerate(sizes)]
    data = stream_of(expected)
    while data:
        room = reader.get_buffer()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        data = data[count:]
        reader.buffer_updated(count, frames)
    assert [bytes(frame) for frame in frames] == expected


def test_a_large_frame_is_handed_over_and_not_copied() -> None:
    reader = FrameReader()
    (frame,) = _frames(reader, stream_of([bytes(1_000_000)]))
    assert isinstance(frame, memoryview)
    # No other memory of that size was made: the frame is the very memory that was written to.
    assert memoryview(frame.obj).nbytes == 1_000_004


def _frames(reader: FrameReader, data: bytes) -> deque[Buffer]:
    frames: deque[Buffer] = deque()
    while data:
        room = reader.get_buffer()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        data = data[count:]
        reader.buffer_updated(count, frames)
    return frames


@pytest.mark.parametrize(
    ("length", "complaint"),
    [
        (-1, "-1 bytes"),
        (-(2**31), "-2147483648 bytes"),
        (0, "0 bytes"),
        (9, "9 bytes"),
        (1_001, "1000 is the limit"),
        (2**31 - 1, "2147483647 bytes"),
    ],
)
def test_a_length_that_cannot_be_is_refused_after_the_frames_before_it(
    length: int, complaint: str
) -> None:
    reader = FrameReader(max_request_bytes=1_000)
    data = stream_of([bytes(10), bytes(1_000)]) + length.to_bytes(4, "big", signed=True)
    frames: deque[Buffer] = deque()
    room = reader.get_buffer()
    room[: len(data)] = data
    with pytest.raises(MalformedRequest, match=complaint):
        reader.buffer_updated(len(data), frames)
    assert [len(frame) for frame in frames] == [10, 1_000]


def test_a_claim_makes_no_memory_before_the_bytes_come() -> None:
    claim = (100 * 1024 * 1024).to_bytes(4, "big")
    tracemalloc.start()
    try:
        readers = [FrameReader() for _ in range(100)]
        for reader in readers:
            assert read(reader, claim + bytes(1_000)) == []
            reader.get_buffer()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100 * 4 * FIRST_CHUNK
    assert [reader.pending_bytes for reader in readers] == [1_004] * 100


def test_memory_is_at_most_four_times_what_came() -> None:
    reader = FrameReader()
    data = (10_000_000).to_bytes(4, "big")
    came = 0
    while came < 9_000_000:
        room = reader.get_buffer()
        count = min(len(room), 50_000)
        room[: len(data)] = data
        data = b""
        came += count
        assert came - count + len(room) <= max(LARGEST_CHUNK, 4 * came)
        reader.buffer_updated(count, deque())


def test_many_small_frames_in_one_read_are_all_given() -> None:
    reader = FrameReader()
    frames = [frame_of(40, number) for number in range(20_000)]
    assert read(reader, stream_of(frames)) == frames
    # The chunk has grown, for there is much to read.
    assert len(reader.get_buffer()) == LARGEST_CHUNK
