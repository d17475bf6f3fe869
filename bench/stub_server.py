"""A server that only answers: as fast as a broker on asyncio could be if it had nothing to do.

It runs on the same loop and the same kind of protocol object as the broker, reads no more of a
request than it must, keeps nothing, and answers from bytes that were made before.  What a client
reaches against it is the limit of the client, the loop and the machine.

One topic is there for each size of record: `any-name-100` has records with values of 100 bytes.
A topic has one partition and as many records as one cares to read, in batches of about a megabyte
that were built once.  Whatever is produced is counted and dropped.

    python bench/stub_server.py [port]

prints `ready <port>` when clients may connect, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from functools import cache

import crc32c

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS = 0, 1, 2, 3, 18
VERSIONS = {PRODUCE: (0, 7), FETCH: (0, 11), LIST_OFFSETS: (0, 2), METADATA: (0, 4)}
"""The newest versions without the compact encodings: they cost a server least.  librdkafka looks at
the lower ends too, to find out what a broker can do."""
VERSIONS |= {API_VERSIONS: (0, 3)}

RECORDS_MAX = 1 << 40
"""How many records a topic pretends to have."""
BATCH_BYTES = 950_000
"""About what librdkafka's own batches come to."""
BUFFER_BYTES = 1 << 20

FRAME = struct.Struct(">i")
HEAD = struct.Struct(">hhih")
PRODUCED = struct.Struct(">iiih")
"""Size, correlation id, one topic, length of its name."""
PRODUCED_TAIL = struct.Struct(">iihqqqi")
FETCHED = struct.Struct(">iiihiih")
FETCHED_TAIL = struct.Struct(">iihqqqiii")


def text(value: str) -> bytes:
    """A string with its length before it."""
    data = value.encode()
    return struct.pack(">h", len(data)) + data


@cache
def versions_body(version: int) -> bytes:
    """The whole answer to ApiVersions, without its header."""
    if version < 3:
        rows = b"".join(struct.pack(">hhh", key, *ends) for key, ends in VERSIONS.items())
        return struct.pack(">hi", 0, len(VERSIONS)) + rows + bytes(4 if version else 0)
    rows = b"".join(struct.pack(">hhhx", key, *ends) for key, ends in VERSIONS.items())
    return struct.pack(">hB", 0, len(VERSIONS) + 1) + rows + bytes(5)


def metadata_body(version: int, port: int, topics: list[str]) -> bytes:
    """One broker, and every topic that was asked for, whatever its name."""
    parts = [bytes(4) if version >= 3 else b"", struct.pack(">ii", 1, 1), text("127.0.0.1")]
    parts.append(struct.pack(">i", port))
    if version >= 1:
        parts.append(struct.pack(">h", -1))  # No rack.
    if version >= 2:
        parts.append(struct.pack(">h", -1))  # No cluster id.
    if version >= 1:
        parts.append(struct.pack(">i", 1))
    parts.append(struct.pack(">i", len(topics)))
    for topic in topics:
        parts += [bytes(2), text(topic), bytes(1 if version >= 1 else 0)]
        parts.append(struct.pack(">ihiiiiii", 1, 0, 0, 1, 1, 1, 1, 1))
    return b"".join(parts)


def varint(value: int) -> bytes:
    """A number of at least 0 in zigzag form."""
    value <<= 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@cache
def batch_of(value_bytes: int) -> tuple[bytearray, int]:
    """A batch of records with values of this size, and how many they are."""
    records = bytearray()
    count = 0
    while len(records) < BATCH_BYTES:
        body = b"\0\0" + varint(count) + b"\1" + varint(value_bytes) + bytes(value_bytes) + b"\0"
        records += varint(len(body)) + body
        count += 1
    now_ms = 1_700_000_000_000
    covered = struct.pack(">hiqqqhii", 0, count - 1, now_ms, now_ms, -1, -1, -1, count) + records
    head = struct.pack(">qiibI", 0, len(covered) + 9, 0, 2, crc32c.crc32c(covered))
    return bytearray(head + covered), count


class Stub(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.buffer = bytearray(BUFFER_BYTES)
        self.view = memoryview(self.buffer)
        self.filled = 0
        self.produced = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=1 << 24)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self.filled += nbytes
        start, filled, buffer = 0, self.filled, self.buffer
        answers: list[bytes | bytearray] = []
        needed = 4
        while filled - start >= 4:
            needed = 4 + FRAME.unpack_from(buffer, start)[0]
            if filled - start < needed:
                break
            self.answer(start + 4, answers)
            start += needed
            needed = 4
        if answers:
            self.transport.write(b"".join(answers) if len(answers) > 1 else answers[0])
        rest = filled - start
        if start and rest:
            buffer[:rest] = buffer[start:filled]
        self.filled = rest
        if needed > len(buffer):
            grown = bytearray(needed + BUFFER_BYTES)
            grown[:rest] = buffer[:rest]
            self.buffer, self.view = grown, memoryview(grown)

    def answer(self, start: int, answers: list[bytes | bytearray]) -> None:
        """Adds the answer to the request that starts there."""
        api_key, version, correlation_id, length = HEAD.unpack_from(self.buffer, start)
        at = start + 10 + max(length, 0)
        if api_key == PRODUCE:
            self.produce(version, correlation_id, at, answers)
        elif api_key == FETCH:
            self.fetch(version, correlation_id, at, answers)
        else:
            body = self.other(api_key, version, at)
            answers.append(struct.pack(">ii", 4 + len(body), correlation_id) + body)

    def produce(
        self, version: int, correlation_id: int, at: int, answers: list[bytes | bytearray]
    ) -> None:
        """Counts a batch of one partition."""
        buffer = self.buffer
        if version >= 3:
            (length,) = struct.unpack_from(">h", buffer, at)
            at += 2 + max(length, 0)
        acks, _, _, length = struct.unpack_from(">hiih", buffer, at)
        name = buffer[at + 12 : at + 12 + length]
        at += 12 + length
        _, partition, _ = struct.unpack_from(">iii", buffer, at)
        (count,) = struct.unpack_from(">i", buffer, at + 12 + 57)
        base_offset, self.produced = self.produced, self.produced + count
        if acks:
            answers.append(
                PRODUCED.pack(10 + length + PRODUCED_TAIL.size, correlation_id, 1, length)
                + name
                + PRODUCED_TAIL.pack(1, partition, 0, base_offset, -1, 0, 0)
            )

    def fetch(
        self, version: int, correlation_id: int, at: int, answers: list[bytes | bytearray]
    ) -> None:
        """Answers with the one batch there is, with the offset that was asked for in it."""
        buffer = self.buffer
        at += 17  # Replica, maximal wait, minimal bytes, maximal bytes, isolation level.
        at += 8 if version >= 7 else 0  # Session.
        topics, length = struct.unpack_from(">ih", buffer, at)
        if topics < 1:
            answers.append(struct.pack(">iiihii", 18, correlation_id, 0, 0, 0, 0))
            return
        name = bytes(buffer[at + 6 : at + 6 + length])
        at += 6 + length + 4
        (partition,) = struct.unpack_from(">i", buffer, at)
        (offset,) = struct.unpack_from(">q", buffer, at + (8 if version >= 9 else 4))
        data, count = batch_of(int(name.rsplit(b"-", 1)[1]))
        struct.pack_into(">q", data, 0, offset - offset % count)
        is_new = version >= 7
        size = 4 + 4 + (6 if is_new else 0) + 4 + 2 + length + 4 + 4 + 2 + 8 + 8 + 4 + 4
        size += (8 if version >= 5 else 0) + (4 if version >= 11 else 0) + len(data)
        head = [struct.pack(">iii", size, correlation_id, 0)]
        if is_new:
            head.append(bytes(6))
        head += [struct.pack(">ih", 1, length), name, struct.pack(">iih", 1, partition, 0)]
        head.append(struct.pack(">qq", RECORDS_MAX, RECORDS_MAX))
        if version >= 5:
            head.append(bytes(8))
        head.append(struct.pack(">i", -1))
        if version >= 11:
            head.append(struct.pack(">i", -1))
        head.append(struct.pack(">i", len(data)))
        answers += [b"".join(head), data]

    def other(self, api_key: int, version: int, at: int) -> bytes:
        """What is asked now and then."""
        if api_key == API_VERSIONS:
            return versions_body(version)
        if api_key == METADATA:
            (count,) = struct.unpack_from(">i", self.buffer, at)
            at += 4
            names = []
            for _ in range(max(count, 0)):
                (length,) = struct.unpack_from(">h", self.buffer, at)
                names.append(self.buffer[at + 2 : at + 2 + length].decode())
                at += 2 + length
            return metadata_body(version, self.port, names)
        at += 5 if version >= 2 else 4  # Replica, isolation level.
        _, length = struct.unpack_from(">ih", self.buffer, at)
        name = self.buffer[at + 6 : at + 6 + length].decode()
        at += 6 + length
        _, partition, timestamp = struct.unpack_from(">iiq", self.buffer, at)
        offset = 0 if timestamp == -2 else RECORDS_MAX
        return (
            bytes(4 if version >= 2 else 0)
            + struct.pack(">i", 1)
            + text(name)
            + struct.pack(">iih", 1, partition, 0)
            + (struct.pack(">qq", -1, offset) if version else struct.pack(">iq", 1, offset))
        )


async def serve(port: int) -> None:
    """Serves until the standard input ends."""
    loop = asyncio.get_running_loop()
    bound = [port]
    server = await loop.create_server(lambda: Stub(bound[0]), "127.0.0.1", port)
    bound[0] = server.sockets[0].getsockname()[1]
    print(f"ready {bound[0]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
