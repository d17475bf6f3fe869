"""The faster twin reads and answers Produce requests as `decode_request` and `encode_response`."""

import struct
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl_support.frames import damaged
from impl_support.kio_values import plain
from kproof_impl.messages.produce import (
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.repeated_produce import LENGTHS_MAX, ROUTES_MAX, KnownRoutes, ProduceRoute
from kproof_impl.wire.requests import RequestHeader, decode_request
from kproof_impl.wire.responses import encode_response

VERSIONS = pytest.mark.parametrize("version", range(9, 14))
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
SIZES = (0, 1, 61, 125, 126, 127, 128, 16_381, 16_382, 16_383, 16_384, (1 << 21) - 2, (1 << 21) - 1)
"""Around the places where the length of a batch takes one byte more."""
DAMAGED_FRAMES = 5_000


def number(value: int) -> bytes:
    """A length of variable size, as it stands in a frame: one more than it is."""
    value += 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def frame_of(
    version: int,
    *batches: bytes | None,
    correlation_id: int = 7,
    client_id: str | None = "client",
    acks: int = -1,
    transactional_id: str | None = None,
    name: str = "orders",
    index: int = 3,
) -> bytes:
    """A request with so many partitions of one topic, as kio writes it."""
    client = b"\xff\xff" if client_id is None else struct.pack(">h", len(client_id.encode()))
    client += (client_id or "").encode()
    frame = struct.pack(">hhi", 0, version, correlation_id) + client + b"\0"
    if transactional_id is None:
        frame += b"\0"
    else:
        frame += number(len(transactional_id)) + transactional_id.encode()
    frame += struct.pack(">hi", acks, 30_000) + number(1)
    named = name.encode()
    frame += named.ljust(16, b"x")[:16] if version >= 13 else number(len(named)) + named
    frame += number(len(batches))
    for at, batch in enumerate(batches):
        frame += struct.pack(">i", index + at)
        frame += b"\0" if batch is None else number(len(batch)) + batch
        frame += b"\0"
    return frame + b"\0\0"


def learnt(frame: bytes) -> KnownRoutes:
    """What is known after one request."""
    known = KnownRoutes()
    header, request = decode_request(frame)
    assert isinstance(request, ProduceRequest)
    known.learn(header, request)
    return known


def in_full(found: tuple[ProduceRoute, int, Any] | None) -> Any:
    """What was found, as `decode_request` gives it; None if nothing was."""
    if found is None:
        return None
    route, correlation_id, batch = found
    return route.header(correlation_id), plain(route.request(batch))


@VERSIONS
@pytest.mark.parametrize("client_id", [None, "", "client", "größe"])
@pytest.mark.parametrize("acks", [1, -1])
def test_a_request_like_one_before_is_read_as_the_twin_reads_it(
    version: int, client_id: str | None, acks: int
) -> None:
    known = learnt(frame_of(version, b"first", client_id=client_id, acks=acks, index=0))

    for size in SIZES:
        batch = (bytes(range(256)) * (size // 256 + 1))[:size]
        parts: Any = {"client_id": client_id, "acks": acks, "index": 0}
        frame = frame_of(version, batch, correlation_id=-size, **parts)
        header, request = decode_request(frame)
        for buffer in (frame, memoryview(bytearray(frame))):
            assert in_full(known.find(buffer)) == (header, plain(request))


@VERSIONS
@given(
    name=st.text(min_size=1, max_size=300),
    client_id=st.none() | st.text(max_size=200),
    index_and_correlation_id=st.tuples(INT32, INT32),
    numbers=st.tuples(INT64, INT64, INT64),
)
@settings(max_examples=60, deadline=None)
def test_the_answer_is_the_twins_byte_for_byte(
    version: int,
    name: str,
    client_id: str | None,
    index_and_correlation_id: tuple[int, int],
    numbers: tuple[int, int, int],
) -> None:
    index, correlation_id = index_and_correlation_id
    frame = frame_of(version, b"batch", name=name, client_id=client_id, index=index)
    (route,) = learnt(frame).routes

    partition = PartitionProduceResponse(index, 0, *numbers)
    topic_id = UUID(bytes=name.encode().ljust(16, b"x")[:16]) if version >= 13 else UUID(int=0)
    response = ProduceResponse([TopicProduceResponse(topic_id, [partition], name)])
    header = RequestHeader(0, version, correlation_id, client_id)
    (expected,) = encode_response(header, response)
    assert route.answer(correlation_id, *numbers) == bytes(expected)
    if version < 13:
        assert route.response(partition) == response


def test_whatever_is_found_in_a_damaged_frame_is_what_the_twin_reads_in_it() -> None:
    random = Random(5)
    found_count = 0
    for count in range(DAMAGED_FRAMES):
        version = 9 + count % 5
        known = learnt(frame_of(version, b"first"))
        frame = damaged(random, frame_of(version, random.randbytes(random.choice((3, 200)))))
        found = in_full(known.find(frame))
        if found is not None:
            found_count += 1
            header, request = decode_request(frame)
            assert found == (header, plain(request)), frame.hex()
    # Where only the batch is damaged.
    assert DAMAGED_FRAMES // 10 < found_count < DAMAGED_FRAMES


@VERSIONS
def test_a_frame_that_is_cut_off_is_not_found_anywhere(version: int) -> None:
    frame = frame_of(version, bytes(200))
    known = learnt(frame)

    assert known.find(frame) is not None
    for end in range(len(frame)):
        assert known.find(frame[:end]) is None
        if end >= 10:
            with pytest.raises(MalformedRequest):
                decode_request(frame[:end])


@VERSIONS
def test_a_request_that_differs_in_a_field_is_not_taken_for_the_one_before(version: int) -> None:
    known = learnt(frame_of(version, b"batch"))

    for other in (
        frame_of(version, b"batch", acks=1),
        frame_of(version, b"batch", client_id="cliemt"),
        frame_of(version, b"batch", name="orderz"),
        frame_of(version, b"batch", index=4),
        frame_of(version, b"batch", transactional_id="t"),
        frame_of(version, b"batch", b"batch"),
        frame_of(version, None),
        frame_of(22 - version, b"batch") if version != 11 else frame_of(10, b"batch"),
        b"\0\1" + frame_of(version, b"batch")[2:],
        frame_of(version, b"batch") + b"\0",
    ):
        assert known.find(other) is None


@VERSIONS
def test_what_the_twin_must_decide_about_is_not_learnt(version: int) -> None:
    for frame in (
        frame_of(version, b"batch", acks=0),
        frame_of(version, b"batch", acks=2),
        frame_of(version, b"batch", transactional_id="t"),
        frame_of(version, b"batch", b"batch"),
        frame_of(version),
    ):
        assert not learnt(frame).routes


def test_versions_with_lengths_of_two_bytes_are_not_learnt() -> None:
    known = KnownRoutes()
    _, request = decode_request(frame_of(9, b"batch"))
    assert isinstance(request, ProduceRequest)

    known.learn(RequestHeader(0, 8, 7, "client"), request)

    assert not known.routes


def test_the_partitions_of_some_topics_are_known_side_by_side_up_to_a_limit() -> None:
    known = KnownRoutes()
    frames = [
        frame_of(9, b"batch", name="n" * (1 + index % (LENGTHS_MAX + 1)), index=index)
        for index in range(2 * ROUTES_MAX)
    ]

    for frame in frames:
        header, request = decode_request(frame)
        assert isinstance(request, ProduceRequest)
        known.learn(header, request)

    found = [known.find(frame) for frame in frames]
    assert len(known.routes) == ROUTES_MAX
    assert [one[0].index for one in found if one] == [route.index for route in known.routes]
    assert not any(one for one in found[LENGTHS_MAX :: LENGTHS_MAX + 1])
