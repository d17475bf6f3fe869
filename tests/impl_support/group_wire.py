"""A broker on a port, as the story of groups is told to it: several connections, by kio."""

from __future__ import annotations

import select
import socket
import struct
from importlib import import_module
from io import BytesIO
from typing import Any

from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i16, i32

from impl_support.group_story import GROUPS, TOPIC
from kproof_impl.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.wire.adapt import to_kio, to_record
from kproof_impl.wire.apis import APIS

LATE_SECONDS = 5.0

_BY_NAME = {f"{api.name}Request": api for api in APIS.values()}


class Wire:
    """Connections by name.  What has not answered within `patience` seconds is taken to wait."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience
        self._sockets: dict[str, socket.socket] = {}
        self._waiting: dict[str, tuple[Any, Any]] = {}

    def __enter__(self) -> Wire:
        topic = CreatableTopic(TOPIC, 2, 1)
        self.ask("first", CreateTopicsRequest([topic], 30_000), 7) or self.late("first")
        self.ask("first", DeleteGroupsRequest(GROUPS), 2) or self.late("first")
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets.values():
            one.close()

    def ask(self, connection: str, request: object, version: int) -> Any:
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
        if connection not in self._sockets:
            self._sockets[connection] = socket.create_connection(("127.0.0.1", self._port))
        frame = data.getvalue()
        self._sockets[connection].sendall(struct.pack(">i", len(frame)) + frame)
        module = import_module(f"kproof_impl.messages.{api.module}")
        self._waiting[connection] = (kio_response, getattr(module, f"{api.name}Response"))
        return self._answer(connection, self._patience)

    def late(self, connection: str) -> Any:
        return self._answer(connection, LATE_SECONDS)

    def _answer(self, connection: str, seconds: float) -> Any:
        if not select.select([self._sockets[connection]], [], [], seconds)[0]:
            return None
        kio_response, record_class = self._waiting.pop(connection)
        frame = self._read(connection, struct.unpack(">i", self._read(connection, 4))[0])
        _, position = entity_reader(kio_response.__header_schema__)(frame, 0)
        response, _ = entity_reader(kio_response)(frame, position)
        return to_record(kio_response, record_class)(response)

    def _read(self, connection: str, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._sockets[connection].recv(count - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data
