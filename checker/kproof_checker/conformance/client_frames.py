"""Requests as clients write them and responses as clients read them, by kio.

The broker reads and writes its own way, with checks that clients have no need of.  Here is the
other side: kio's writer for requests, its reader for responses, and our records in between.
"""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from typing import Any

from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i16, i32

from kproof_impl.wire.adapt import to_kio, to_record
from kproof_impl.wire.apis import Api
from kproof_impl.wire.schema import kio_request, kio_response, record_response

LENGTH = struct.Struct(">i")


def request_frame(
    api: Api, request: object, version: int, correlation_id: int, client_id: str
) -> bytes:
    """A request with its header, and the four bytes of length before it."""
    kio_class: Any = kio_request(api.key, version)
    record_class: Any = type(request)
    header_class = kio_class.__header_schema__
    frame = BytesIO(bytes(LENGTH.size))
    frame.seek(LENGTH.size)
    entity_writer(header_class)(
        frame,
        header_class(
            request_api_key=i16(api.key),
            request_api_version=i16(version),
            correlation_id=i32(correlation_id),
            client_id=client_id,
        ),
    )
    entity_writer(kio_class)(frame, to_kio(record_class, kio_class)(request))
    written = frame.getvalue()
    return LENGTH.pack(len(written) - LENGTH.size) + written[LENGTH.size :]


def read_response(api: Api, version: int, frame: bytes) -> tuple[int, Any]:
    """The correlation id and the response of a frame, which comes without its length."""
    read_header, read, adapt = _readers(api.key, version)
    header, position = read_header(frame, 0)
    response, _ = read(frame, position)
    return int(header.correlation_id), adapt(response)


@cache
def _readers(api_key: int, version: int) -> tuple[Any, Any, Any]:
    kio_class: Any = kio_response(api_key, version)
    adapt = to_record(kio_class, record_response(api_key))
    return entity_reader(kio_class.__header_schema__), entity_reader(kio_class), adapt
