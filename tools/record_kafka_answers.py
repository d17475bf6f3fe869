"""Records what Kafka answers to an administrator's requests, as the tests compare it.

    python tools/record_kafka_answers.py 127.0.0.1:9092

The broker is a single node with id 1, without authorizer, with num.partitions=4.  It loses all its
topics whose names begin with `story-`.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i16, i32

from impl_support.admin_story import PREFIX, TIMEOUT_MS, story
from impl_support.kafka_answers import RECORDED, comparable
from kproof_impl.messages.delete_topics import (
    DeleteTopicsRequest,
    DeleteTopicState,
)
from kproof_impl.messages.metadata import MetadataRequest
from kproof_impl.wire.adapt import to_kio, to_record
from kproof_impl.wire.apis import APIS

SETTLED_SECONDS = 1.0
"""Kafka's broker learns of a change after its controller has answered."""
_BY_NAME = {f"{api.name}Request": api for api in APIS.values()}


class Client:
    """One connection; one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)

    def ask(self, request: object, version: int) -> Any:
        api = _BY_NAME[type(request).__name__]
        schema = f"kio.schema.{api.module}.v{version}"
        kio_request = getattr(import_module(f"{schema}.request"), f"{api.name}Request")
        kio_response = getattr(import_module(f"{schema}.response"), f"{api.name}Response")
        header = kio_request.__header_schema__
        data = BytesIO()
        entity_writer(header)(
            data,
            header(
                request_api_key=i16(api.key),
                request_api_version=i16(version),
                correlation_id=i32(1),
                client_id="story",
            ),
        )
        record_class: Any = type(request)
        entity_writer(kio_request)(data, to_kio(record_class, kio_request)(request))
        self._socket.sendall(struct.pack(">i", len(data.getvalue())) + data.getvalue())
        frame = self._read(struct.unpack(">i", self._read(4))[0])
        _, position = entity_reader(kio_response.__header_schema__)(frame, 0)
        response, _ = entity_reader(kio_response)(frame, position)
        module = import_module(f"kproof_impl.messages.{api.module}")
        return to_record(kio_response, getattr(module, f"{api.name}Response"))(response)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data


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
