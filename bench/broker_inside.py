"""The broker's own cost of a request, without sockets and clients: CPU time from bytes to bytes.

A connection of the shell gets the frames of one-message Produce requests, so many at a time as a
read of a socket brings, and its answers go to a transport that drops them.  The log is on files.

    python bench/broker_inside.py [--calls]

`--calls` tells which functions take the time, by cProfile, which makes small ones look larger.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

import crc32c

from kproof_impl import Broker
from kproof_impl.shell.connection import Connection

REQUESTS = 20_000
TOPIC = b"bench"


class Dropped(asyncio.Transport):
    """A client that takes everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.socket = socket.socket()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "socket": self.socket}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: Any) -> None:
        pass

    def writelines(self, list_of_data: Any) -> None:
        pass

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.socket.close()


def produce_frame(value_bytes: int) -> bytes:
    """A Produce request of version 10 with a batch of one record."""
    size = 2 + value_bytes
    prefix = struct.pack("BB", size & 0x7F | 0x80, size >> 7)
    body = b"\0\0\0\1" + prefix + bytes(value_bytes) + b"\0"
    length = 2 * len(body)
    record = struct.pack("BB", length & 0x7F | 0x80, length >> 7) + body
    now_ms = int(time.time() * 1000)
    covered = struct.pack(">hiqqqhii", 0, 0, now_ms, now_ms, -1, -1, -1, 1) + record
    batch = struct.pack(">qiibI", 0, len(covered) + 9, 0, 2, crc32c.crc32c(covered)) + covered
    length = len(batch) + 1
    request = struct.pack(">hhih7sx", 0, 10, 7, 7, b"rdkafka")
    request += b"\0" + struct.pack(">hi", 1, 30_000) + b"\2" + bytes([len(TOPIC) + 1]) + TOPIC
    request += b"\2" + struct.pack(">iBB", 0, length & 0x7F | 0x80, length >> 7) + batch + bytes(3)
    return struct.pack(">i", len(request)) + request


def feed(connection: Connection, data: bytes, times: int) -> float:
    """CPU seconds."""
    started = time.process_time()
    for _ in range(times):
        view = memoryview(data)
        while view:
            room = connection.get_buffer(-1)
            count = min(len(room), len(view))
            room[:count] = view[:count]
            connection.buffer_updated(count)
            view = view[count:]
    return time.process_time() - started


async def measure(given: argparse.Namespace) -> None:
    """Prints the least of some runs for several numbers of requests at a time."""
    with tempfile.TemporaryDirectory(prefix="kproof-bench-") as folder:
        async with Broker(data_dir=Path(folder) / "data", topics={TOPIC.decode(): 1}) as broker:
            connection = Connection(broker.server)
            transport = Dropped()
            connection.connection_made(transport)
            frame = produce_frame(100)
            feed(connection, frame * 10, 100)
            for together in (1, 10, 50):
                times = REQUESTS // together
                data = frame * together
                seconds = min(feed(connection, data, times) for _ in range(given.runs))
                each = 1e6 * seconds / (times * together)
                print(f"{together:>3} requests at a time: {each:6.2f} us of CPU time a request")
            if given.calls:
                profile = cProfile.Profile()
                profile.runcall(feed, connection, frame * 10, REQUESTS // 10)
                pstats.Stats(profile).sort_stats("tottime").print_stats(40)
            connection.connection_lost(None)
            transport.close()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="the best of so many runs counts")
    parser.add_argument("--calls", action="store_true", help="tell which functions take the time")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
