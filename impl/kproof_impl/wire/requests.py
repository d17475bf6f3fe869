"""A frame to the header and the request in it.

REF   Kafka's RequestHeader schemas 1 and 2; KIP-482 (tagged fields); KIP-511 (ApiVersions of a
      version that the broker does not know).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.adapt import to_record
from kproof_impl.wire.apis import API_VERSIONS, APIS, FETCH, PRODUCE, REQUESTS_LIFTED_BEFORE, Api
from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.primitives import skip_tagged_fields, text
from kproof_impl.wire.scan import scan
from kproof_impl.wire.schema import is_flexible, kio_request, record_request

__all__ = ["MalformedRequest", "RequestHeader", "decode_request"]

HEADER_START = struct.Struct(">hhih")
"""Key, version, correlation id, and the length of the client's id, which may be null as -1."""


@dataclass(slots=True)
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
    try:
        api_key, version, correlation_id, length = HEADER_START.unpack_from(frame)
    except struct.error:
        raise MalformedRequest(
            f"a frame of {len(frame)} bytes, and the header of a request has {HEADER_START.size} "
            "at the least"
        ) from None
    position = HEADER_START.size
    client_id = None
    if length >= 0:
        client_id = text(frame, position, length, len(frame))
        position += length
    elif length < -1:
        raise MalformedRequest(f"a client id of {length} bytes")
    decoder = _decoders.get((api_key, version))
    if decoder is None:
        if api_key == API_VERSIONS and not _is_served(api_key, version):
            return RequestHeader(api_key, 0, correlation_id, client_id), _unsupported_version()
        decoder = _new_decoder(api_key, version)
    header = RequestHeader(api_key, version, correlation_id, client_id)
    return header, decoder(frame, position, version)


def _is_served(api_key: int, version: int) -> bool:
    api = APIS.get(api_key)
    return api is not None and api.min_version <= version <= api.max_version


def _unsupported_version() -> object:
    from kproof_impl.messages.api_versions import ApiVersionsRequest

    return ApiVersionsRequest(is_version_unsupported=True)


Decoder = Callable[[Buffer, int, int], object]
"""Takes a frame, the position after the client id, and the version."""

_decoders: dict[tuple[int, int], Decoder] = {}
"""By key and version: made, and kio's classes imported, when the first such request comes."""


def _new_decoder(api_key: int, version: int) -> Decoder:
    api = APIS.get(api_key)
    if api is None:
        raise MalformedRequest(f"a request of key {api_key}, which is not served")
    if not _is_served(api_key, version):
        raise MalformedRequest(
            f"{api.name} of version {version}, and {api.min_version} to {api.max_version} are "
            "served"
        )
    if api_key == PRODUCE:
        decoder = _decoder_by_hand("produce")
    elif api_key == FETCH:
        decoder = _decoder_by_hand("fetch")
    else:
        decoder = _decoder_by_kio(api, version)
    _decoders[api_key, version] = decoder
    return decoder


def _decoder_by_hand(module: str) -> Decoder:
    found = import_module(f"kproof_impl.wire.{module}")
    decode: Decoder = getattr(found, f"decode_{module}")
    return decode


def _decoder_by_kio(api: Api, version: int) -> Decoder:
    from kproof_impl.wire.kio_import import entity_reader

    kio_class = kio_request(api.key, version)
    read: Any = entity_reader(kio_class)
    flexible = is_flexible(kio_class)
    change = None
    if version < REQUESTS_LIFTED_BEFORE.get(api.key, 0):
        from kproof_impl.wire.lifts import REQUEST_LIFTS

        lift = REQUEST_LIFTS[api.key]
        adapt = to_record(kio_class, lift.old_class)
        change = lift.change
    else:
        adapt = to_record(kio_class, record_request(api.key))

    def decode_frame(frame: Buffer, position: int, version: int) -> object:
        if flexible:
            position, _ = skip_tagged_fields(frame, position, len(frame), 0)
        body = scan(kio_class, bytes(frame[position:]))
        try:
            kio_object, _ = read(body, 0)
        except Exception as error:
            raise MalformedRequest(f"{api.name} v{version} cannot be read: {error}") from error
        record = adapt(kio_object)
        return record if change is None else change(record, version)

    return decode_frame
