"""A client that writes bytes by hand: old versions, whose layout needs nothing of the code under
test.
"""

from __future__ import annotations

import socket
import struct
import time
from types import TracebackType

from impl_support.batches import batch, read_records

PRODUCE, FETCH, METADATA, API_VERSIONS = 0, 1, 3, 18
ANSWER_SECONDS = 10.0


class Gone(Exception):
    """The broker has closed the connection."""


def framed(data: bytes) -> bytes:
    """A frame with its length before it."""
    return struct.pack(">i", len(data)) + data


def request(key: int, version: int, correlation_id: int, body: bytes = b"") -> bytes:
    """A framed request with the older header."""
    return framed(struct.pack(">hhih4s", key, version, correlation_id, 4, b"test") + body)


def text(value: str) -> bytes:
    """A string as old versions have it."""
    return struct.pack(">h", len(value.encode())) + value.encode()


def api_versions(correlation_id: int) -> bytes:
    """ApiVersions 0."""
    return request(API_VERSIONS, 0, correlation_id)


def metadata(correlation_id: int, topic: str) -> bytes:
    """Metadata 1 for one topic."""
    return request(METADATA, 1, correlation_id, struct.pack(">i", 1) + text(topic))


def produce(correlation_id: int, topic: str, records: bytes, acks: int = -1) -> bytes:
    """Produce 3 to partition 0."""
    body = struct.pack(">hhii", -1, acks, 1_000, 1) + text(topic)
    body += struct.pack(">iii", 1, 0, len(records)) + records
    return request(PRODUCE, 3, correlation_id, body)


def fetch(
    correlation_id: int,
    topic: str,
    offset: int,
    max_wait_ms: int = 0,
    min_bytes: int = 1,
    max_bytes: int = 50 << 20,
) -> bytes:
    """Fetch 4 of partition 0."""
    body = struct.pack(">iiiibi", -1, max_wait_ms, min_bytes, max_bytes, 0, 1) + text(topic)
    return request(FETCH, 4, correlation_id, body + struct.pack(">iiqi", 1, 0, offset, max_bytes))


class RawClient:
    """One connection.  Answers are waited for `ANSWER_SECONDS` at most."""

    def __init__(self, port: int, seconds: float = ANSWER_SECONDS) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends bytes; raises `Gone` if the broker has closed the connection."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def receive(self) -> tuple[int, bytes]:
        """The next answer: its correlation id, and what follows.  Raises `Gone`, `TimeoutError`."""
        size, correlation_id = struct.unpack(">ii", self._exactly(8))
        return correlation_id, self._exactly(size - 4)

    def ask(self, data: bytes) -> bytes:
        """Sends a request and gives the body of its answer."""
        self.send(data)
        return self.receive()[1]

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError as error:
                raise Gone from error
            if not part:
                raise Gone
            data += part
        return bytes(data)

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the broker closes the connection by then; what it sends before is passed over."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        return True


def made_topic(port: int, topic: str) -> str:
    """Has a topic made by asking for it."""
    with RawClient(port) as client:
        client.ask(metadata(1, topic))
    return topic


def produced(client: RawClient, topic: str, *values: bytes) -> int:
    """Writes one batch, and gives its base offset."""
    # Of today: older records are gone at the next look at what is to be retained.
    records = batch(*values, timestamp_ms=int(time.time() * 1000))
    answer = client.ask(produce(1, topic, records))
    error, offset = struct.unpack_from(">hq", answer, 4 + 2 + len(topic) + 4 + 4)
    assert error == 0
    assert isinstance(offset, int)
    return offset


def records_in(answer: bytes, topic: str) -> bytes:
    """The records in the answer to a `fetch`."""
    start = 4 + 4 + 2 + len(topic) + 4
    _partition, error, _high_watermark, _stable, aborted = struct.unpack_from(
        ">ihqqi", answer, start
    )
    assert error == 0
    start += 26 + 16 * max(aborted, 0)
    (size,) = struct.unpack_from(">i", answer, start)
    return answer[start + 4 : start + 4 + size]


def fetched(client: RawClient, topic: str, offset: int) -> list[bytes | None]:
    """The values from an offset on, of the batches that one answer has."""
    answer = client.ask(fetch(2, topic, offset))
    return [got.value for got in read_records(records_in(answer, topic)) if got.offset >= offset]
