"""Requests and responses by kio, for tools and tests that ask a broker, ours or Kafka, by hand."""

from __future__ import annotations

import socket
import struct
from importlib import import_module
from io import BytesIO
from typing import Any

from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i16, i32

from kproof_impl.wire.adapt import to_kio, to_record
from kproof_impl.wire.apis import APIS

_BY_NAME = {f"{api.name}Request": api for api in APIS.values()}


class Asked:
    """A request that was sent, and how its answer is read."""

    def __init__(self, connection: socket.socket, request: object, version: int) -> None:
        api = _BY_NAME[type(request).__name__]
        schema = f"kio.schema.{api.module}.v{version}"
        kio_request = getattr(import_module(f"{schema}.request"), f"{api.name}Request")
        self._kio_response = getattr(import_module(f"{schema}.response"), f"{api.name}Response")
        module = import_module(f"kproof_impl.messages.{api.module}")
        self._record_class = getattr(module, f"{api.name}Response")
        self._connection = connection
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
        connection.sendall(struct.pack(">i", len(data.getvalue())) + data.getvalue())

    def answer(self) -> Any:
        """Waits for the answer, a record of `kproof_impl.messages`."""
        frame = self._read(struct.unpack(">i", self._read(4))[0])
        _, position = entity_reader(self._kio_response.__header_schema__)(frame, 0)
        response, _ = entity_reader(self._kio_response)(frame, position)
        return to_record(self._kio_response, self._record_class)(response)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data
