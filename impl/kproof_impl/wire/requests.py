"""A frame to the header and the request in it.

REF   Kafka's RequestHeader schemas 1 and 2; KIP-482 (tagged fields); KIP-511 (ApiVersions of a
      version that the broker does not know).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.adapt import to_record
from kproof_impl.wire.apis import API_VERSIONS, APIS
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.lifts import REQUEST_LIFTS
from kproof_impl.wire.scan import scan, skip_tags
from kproof_impl.wire.schema import is_flexible, kio_request, record_request

__all__ = ["MalformedRequest", "RequestHeader", "decode_request"]

HEADER_START = struct.Struct(">hhih")
"""Key, version, correlation id, and the length of the client's id, which may be null as -1."""


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """What stands before each request; the answer bears the correlation id."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None


def decode_request(frame: Buffer) -> tuple[RequestHeader, object]:
    """The header and the request of a frame, which comes without its four bytes of length.

    The request is of `kproof_impl.messages`.  Records in it are views of the frame: a frame must
    not be written to while they are in use.  An ApiVersions of a version that is not served is
    given as one of version 0 with `is_version_unsupported`.

    Raises `MalformedRequest` for anything that is not a request of a version served.
    """
    view = memoryview(frame)
    if len(view) < HEADER_START.size:
        raise MalformedRequest(
            f"a frame of {len(view)} bytes, and the header of a request has {HEADER_START.size} "
            "at the least"
        )
    api_key, version, correlation_id, client_id_length = HEADER_START.unpack_from(view)
    position = HEADER_START.size
    client_id = None
    if client_id_length > 0:
        after = position + client_id_length
        if after > len(view):
            raise MalformedRequest(
                f"a client id of {client_id_length} bytes, and {len(view) - position} are left"
            )
        try:
            client_id = str(view[position:after], "utf-8")
        except UnicodeDecodeError as error:
            raise MalformedRequest(f"the client id is not UTF-8: {error}") from None
        position = after
    elif client_id_length == 0:
        client_id = ""
    elif client_id_length < -1:
        raise MalformedRequest(f"a client id of {client_id_length} bytes")
    api = APIS.get(api_key)
    if api is None:
        raise MalformedRequest(f"a request of key {api_key}, which is not served")
    if not api.min_version <= version <= api.max_version:
        if api_key == API_VERSIONS:
            return RequestHeader(api_key, 0, correlation_id, client_id), _unsupported_version()
        raise MalformedRequest(
            f"{api.name} of version {version}, and {api.min_version} to {api.max_version} are "
            "served"
        )
    header = RequestHeader(api_key, version, correlation_id, client_id)
    return header, _decoder(api_key, version)(view, position)


def _unsupported_version() -> object:
    from kproof_impl.messages.api_versions import ApiVersionsRequest

    return ApiVersionsRequest(is_version_unsupported=True)


Decoder = Callable[[memoryview, int], object]
"""Takes a frame and the position after the client id."""


@cache
def _decoder(api_key: int, version: int) -> Decoder:
    """How to read a version of a request: made, and its classes imported, when first asked."""
    from kio.serial import entity_reader

    kio_class = kio_request(api_key, version)
    read: Any = entity_reader(kio_class)
    flexible = is_flexible(kio_class)
    lift = REQUEST_LIFTS.get(api_key)
    if lift is not None and version < lift.before_version:
        adapt = to_record(kio_class, lift.old_class)
        change = lift.change
    else:
        adapt = to_record(kio_class, record_request(api_key))
        change = None
    name = APIS[api_key].name

    def decode(view: memoryview, position: int) -> object:
        body = bytes(view[position:])
        if flexible:
            body = body[skip_tags(body) :]
        body = scan(kio_class, body)
        try:
            kio_object, _ = read(body, 0)
        except Exception as error:
            raise MalformedRequest(f"{name} v{version} cannot be read: {error}") from error
        record = adapt(kio_object)
        return record if change is None else change(record, version)

    return decode
