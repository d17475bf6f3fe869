"""Memory of large frames is used again when nobody looks at it any more, and not before."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.frame_memory import KEPT_BYTES_MAX, KEPT_MAX, FrameMemory
from kproof_impl.wire.frames import LARGEST_CHUNK, FrameReader


def feed(reader: FrameReader, data: bytes) -> deque[Buffer]:
    """What a socket does that has so many bytes."""
    frames: deque[Buffer] = deque()
    while data:
        room = reader.get_buffer()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        data = data[count:]
        reader.buffer_updated(count, frames)
    return frames


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def memory_of(frame: Buffer) -> object:
    assert isinstance(frame, memoryview)
    return frame.obj


def test_the_memory_of_a_frame_is_the_next_ones_once_it_was_let_go() -> None:
    memory = FrameMemory()
    one, other = FrameReader(memory=memory), FrameReader(memory=memory)
    (frame,) = feed(one, framed(b"a" * 500_000))
    first = memory_of(frame)

    (second,) = feed(other, framed(b"b" * 400_000))
    assert memory_of(second) is not first
    assert bytes(frame) == b"a" * 500_000

    del frame
    (third,) = feed(other, framed(b"c" * 300_000))
    assert memory_of(third) is first
    assert (bytes(second), bytes(third)) == (b"b" * 400_000, b"c" * 300_000)


def test_a_part_of_a_frame_that_is_in_use_keeps_all_of_it() -> None:
    memory = FrameMemory()
    reader = FrameReader(memory=memory)
    (frame,) = feed(reader, framed(b"a" * 500_000))
    first, part = memory_of(frame), frame[100:200]

    del frame
    (second,) = feed(reader, framed(b"b" * 500_000))

    assert memory_of(second) is not first
    assert bytes(part) == b"a" * 100


def test_few_are_kept_and_the_largest_of_them() -> None:
    memory = FrameMemory()
    for size in range(1_000, 1_000 + 3 * KEPT_MAX):
        memory.keep(bytearray(size))
    memory.keep(bytearray(KEPT_BYTES_MAX + 1))

    assert memory.take(KEPT_BYTES_MAX) is None
    taken = [memory.take(1_000) for _ in range(KEPT_MAX + 1)]
    sizes = sorted(len(each) for each in taken if each is not None)
    assert sizes == list(range(1_000 + 2 * KEPT_MAX, 1_000 + 3 * KEPT_MAX))


def test_what_is_kept_already_is_not_kept_twice() -> None:
    memory = FrameMemory()
    buffer = bytearray(1_000)
    memory.keep(buffer)
    memory.keep(buffer)

    assert memory.take(1_000) is buffer
    assert memory.take(1_000) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_frame_that_is_held_changes_whatever_comes_after_it(data: st.DataObject) -> None:
    memory = FrameMemory()
    readers = [FrameReader(memory=memory) for _ in range(3)]
    held: list[tuple[Buffer, bytes]] = []
    sizes = st.sampled_from((20, LARGEST_CHUNK, LARGEST_CHUNK + 1, 200_000, 200_001, 400_000))
    for number in range(data.draw(st.integers(2, 12))):
        reader = readers[data.draw(st.integers(0, 2))]
        sent = bytes([number]) * data.draw(sizes)
        (frame,) = feed(reader, framed(sent))
        held.append((frame, sent))
        del frame
        if data.draw(st.booleans()):
            del held[data.draw(st.integers(0, len(held) - 1))]
        assert all(bytes(frame) == expected for frame, expected in held)
