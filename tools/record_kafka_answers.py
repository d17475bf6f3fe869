"""Records what Kafka answers to an administrator's requests, as the tests compare it.

    python tools/record_kafka_answers.py 127.0.0.1:9092

The broker is a single node with id 1, without authorizer, with num.partitions=4.  It loses all its
topics whose names begin with `story-`.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from impl_support.admin_story import PREFIX, TIMEOUT_MS, story
from impl_support.kafka_answers import RECORDED, comparable
from impl_support.kio_client import Asked
from kproof_impl.messages.delete_topics import (
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kproof_impl.messages.metadata import MetadataRequest

SETTLED_SECONDS = 1.0
"""Kafka's broker learns of a change after its controller has answered."""


class Client:
    """One connection; one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)

    def ask(self, request: object, version: int) -> Any:
        return Asked(self._socket, request, version).answer()


def main(address: str) -> None:
    host, _, port = address.rpartition(":")
    client = Client(host, int(port))
    forget(client)
    answers = {}
    for name, version, request in story():
        answers[name] = comparable(client.ask(request, version))
        time.sleep(SETTLED_SECONDS)
    forget(client)
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(json.dumps(answers, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(answers)} answers recorded in {RECORDED}")


def forget(client: Client) -> None:
    topics = client.ask(MetadataRequest(None), 9).topics
    states = [DeleteTopicState(one.name) for one in topics if one.name.startswith(PREFIX)]
    client.ask(DeleteTopicsRequest(states, TIMEOUT_MS), 6)
    time.sleep(SETTLED_SECONDS)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
