"""Produce requests that begin as one before: a faster twin of `requests` and `produce`.

What a busy producer sends to a partition is the same bytes again and again, but for the correlation
id and the one batch in it.  So the first such request of a connection is read as any other; from
what was read follows how a request with the same fields begins, and one that does begin so needs
to be read only from there on.  Its answer is the same bytes again too, but for the correlation id,
the offset and two more numbers.

    known = KnownRoutes()
    found = known.find(frame)           # None: read it with `decode_request`, then
    known.learn(header, request)
    route, correlation_id, batch = found

Only requests with one batch, without a transactional id and with acks 1 or -1 are remembered, of
the versions with compact lengths; the tests prove that they are read and answered as the twin does.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from uuid import UUID

from kproof_impl.messages.ids import Buffer
from kproof_impl.messages.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
    TopicProduceResponse,
)
from kproof_impl.wire.apis import PRODUCE
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.primitives import compact_text, legacy_nullable_text, unsigned_varint
from kproof_impl.wire.produce import FLEXIBLE, TOPIC_IDS, encode_produce
from kproof_impl.wire.requests import RequestHeader

KEY_AND_VERSION = struct.Struct(">hh")
ACKS_AND_TIMEOUT = struct.Struct(">hi")
ONE = b"\2"
"""The length of an array of one."""
NO_TAGS = b"\0\0\0"
"""What follows the batch: of the partition, the topic and the request."""
HEADER_START = struct.Struct(">4si")
"""Key and version, and the correlation id."""
ROUTES_MAX = 64
"""So many are remembered of one connection, a few hundred bytes each."""
LENGTHS_MAX = 4
OFFSET_TIME_AND_START = 24
"""The bytes of an answer that are other ones each time: three numbers in a row."""


class ProduceRoute:
    """All that such requests have in common: who sends them, and to which partition."""

    __slots__ = (
        "_answer", "_answer_bytes", "_answer_end", "_answer_start", "acks", "api_version",
        "client_id", "index", "key_and_version", "name", "start", "timeout_ms", "topic_id",
    )  # fmt: skip

    def __init__(self, header: RequestHeader, request: ProduceRequest) -> None:
        topic = request.topic_data[0]
        self.api_version = header.api_version
        self.client_id = header.client_id
        self.acks = request.acks
        self.timeout_ms = request.timeout_ms
        self.topic_id: UUID = topic.topic_id
        self.name = topic.name
        self.index = topic.partition_data[0].index
        has_id = self.api_version >= TOPIC_IDS
        named = self.topic_id.bytes if has_id else compact_text(self.name)
        self.key_and_version = KEY_AND_VERSION.pack(PRODUCE, self.api_version)
        self.start = b"".join(
            (
                legacy_nullable_text(self.client_id),
                b"\0\0",  # No tagged field of the header, no transactional id.
                ACKS_AND_TIMEOUT.pack(self.acks, self.timeout_ms),
                ONE,
                named,
                ONE,
                self.index.to_bytes(4, "big", signed=True),
            )
        )
        """What comes after the correlation id and before the length of the batch."""
        self._learn_answer(8 + 1 + 1 + len(named) + 1 + 4 + 2)

    def _learn_answer(self, offset_at: int) -> None:
        """`offset_at` is where in the answer the offset stands: after lengths, names and code."""
        answer = PartitionProduceResponse(self.index, 0, 0, 0, 0)
        response = ProduceResponse([TopicProduceResponse(self.topic_id, [answer], self.name)])
        (frame,) = encode_produce(0, response, self.api_version)
        self._answer_start = bytes(frame[8:offset_at])
        self._answer_end = bytes(frame[offset_at + OFFSET_TIME_AND_START :])
        self._answer_bytes = len(frame) - 4
        self._answer = struct.Struct(
            f">ii{len(self._answer_start)}sqqq{len(self._answer_end)}s"
        ).pack

    def header(self, correlation_id: int) -> RequestHeader:
        """The header of such a request."""
        return RequestHeader(PRODUCE, self.api_version, correlation_id, self.client_id)

    def request(self, records: Buffer) -> ProduceRequest:
        """Such a request with this batch."""
        partition = PartitionProduceData(self.index, records)
        topic = TopicProduceData(self.topic_id, [partition], self.name)
        return ProduceRequest(None, self.acks, self.timeout_ms, [topic])

    def response(self, answer: PartitionProduceResponse) -> ProduceResponse:
        """The response to such a request with the answer of its partition."""
        return ProduceResponse([TopicProduceResponse(self.topic_id, [answer], self.name)])

    def answer(
        self,
        correlation_id: int,
        base_offset: int,
        log_append_time_ms: int,
        log_start_offset: int,
    ) -> bytes:
        """The whole frame that says to what offset the batch was appended."""
        return self._answer(
            self._answer_bytes,
            correlation_id,
            self._answer_start,
            base_offset,
            log_append_time_ms,
            log_start_offset,
            self._answer_end,
        )


class KnownRoutes:
    """What the requests of one connection were like so far."""

    __slots__ = ("_by_start", "_lengths")

    def __init__(self) -> None:
        self._by_start: dict[bytes, ProduceRoute] = {}
        self._lengths: list[int] = []
        """Of the starts: those of the partitions of one topic are all as long."""

    @property
    def routes(self) -> Collection[ProduceRoute]:
        return self._by_start.values()

    def learn(self, header: RequestHeader, request: ProduceRequest) -> None:
        """Remembers a request that was read, if such requests can be read faster."""
        if (
            len(self._by_start) >= ROUTES_MAX
            or header.api_version < FLEXIBLE
            or request.transactional_id is not None
            or request.acks not in (1, -1)
            or len(request.topic_data) != 1
            or len(request.topic_data[0].partition_data) != 1
        ):
            return
        route = ProduceRoute(header, request)
        length = len(route.start)
        if length not in self._lengths:
            if len(self._lengths) >= LENGTHS_MAX:
                return
            self._lengths.append(length)
        self._by_start[route.start] = route

    def find(self, frame: Buffer) -> tuple[ProduceRoute, int, Buffer] | None:
        """The route, the correlation id and the batch of a request like one that was learnt; None
        if it is another, or no request at all, which is for `decode_request` to say.

        The batch is a view of the frame.
        """
        for size in self._lengths:
            position = HEADER_START.size + size
            route = self._by_start.get(bytes(frame[HEADER_START.size : position]))
            if route is not None:
                break
        else:
            return None
        key_and_version, correlation_id = HEADER_START.unpack_from(frame)
        if key_and_version != route.key_and_version:
            return None
        try:
            length = frame[position]
            if length < 0x80:
                position += 1
            elif (second := frame[position + 1]) < 0x80:
                length += (second - 1) << 7
                position += 2
            else:
                length, position = unsigned_varint(frame, position, len(frame))
        except (IndexError, MalformedRequest):
            return None
        end = position + length - 1
        if not length or frame[end:] != NO_TAGS:
            return None
        return route, correlation_id, memoryview(frame)[position:end]
