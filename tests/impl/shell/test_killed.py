"""A broker that is killed, and the next one on its directory."""

import os
import time
from pathlib import Path

from impl_support.raw_client import RawClient, fetched, made_topic, produced
from impl_support.serving import serving


def test_what_was_acknowledged_before_kill_9_is_there_afterwards(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as broker, RawClient(broker.port) as client:
        topic = made_topic(broker.port, "orders")
        values = [b"order %d" % number for number in range(100)]
        offsets = [produced(client, topic, value) for value in values]
        broker.kill()
    assert offsets == list(range(100))

    with serving("--data-dir", str(tmp_path)) as broker, RawClient(broker.port) as client:
        got = fetched(client, topic, 0)
        assert got == values
        assert produced(client, topic, b"next") == 100
        assert broker.end() == 0
    assert broker.events("fault") == []


def test_a_client_that_waits_is_told_of_the_end_at_once(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as broker, RawClient(broker.port) as client:
        topic = made_topic(broker.port, "orders")
        produced(client, topic, b"one")
        began = time.monotonic()
        broker.process.terminate()

        assert client.is_closed_within(5.0)
        assert broker.ended() == 0
        assert time.monotonic() - began < 10

    assert os.listdir(tmp_path)
