"""A client that works while others do what they should not: writes, reads back, and takes times."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from impl_support.raw_client import RawClient, api_versions, fetched, made_topic, produced

ANSWER_SECONDS_MAX = 1.0


class GoodClient:
    """Rounds of produce, fetch and ApiVersions on one connection."""

    def __init__(self, port: int, topic: str) -> None:
        self._port = port
        self._topic = topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.rounds = 0
        self.slowest = 0.0
        """Seconds of the slowest round, which has three answers."""
        self.failure: BaseException | None = None

    def _work(self) -> None:
        try:
            with RawClient(self._port) as client:
                while not self._stop.is_set():
                    began = time.monotonic()
                    value = b"value %d" % self.rounds
                    offset = produced(client, self._topic, value)
                    assert fetched(client, self._topic, offset) == [value]
                    client.ask(api_versions(self.rounds))
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.rounds += 1
                    self._stop.wait(0.005)
        except BaseException as error:
            self.failure = error

    def start(self) -> None:
        """Begins to work, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the work."""
        self._stop.set()
        self._thread.join()


@contextmanager
def well_served(port: int, topic: str = "good") -> Iterator[GoodClient]:
    """While the block runs a good client works; each of its rounds must be done in a second."""
    client = GoodClient(port, made_topic(port, topic))
    client.start()
    try:
        yield client
        rounds = client.rounds
        deadline = time.monotonic() + 10
        while client.rounds < rounds + 2 and client.failure is None:
            assert time.monotonic() < deadline, "the good client is not served any more"
            time.sleep(0.01)
    finally:
        client.stop()
    if client.failure is not None:
        raise client.failure
    assert client.slowest < ANSWER_SECONDS_MAX
