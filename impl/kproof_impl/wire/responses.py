"""A response to a frame.

REF   Kafka's ResponseHeader schemas 0 and 1; KIP-511 (ApiVersions answers with header 0 always, for
      a client reads it before it knows what the broker speaks).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.adapt import to_kio
from kproof_impl.wire.apis import API_VERSIONS, FETCH, METADATA, PRODUCE, RESPONSES_LIFTED_BEFORE
from kproof_impl.wire.requests import RequestHeader
from kproof_impl.wire.schema import is_flexible, kio_response, record_response

START = struct.Struct(">ii")
"""The length of what follows it, and the correlation id."""


def encode_response(header: RequestHeader, response: object) -> list[Buffer]:
    """The frame that answers a request, its four bytes of length included.

    A response without records is one buffer; each run of records of a Fetch is a buffer of its
    own, the very one that the response holds.
    """
    encoder = _encoders.get((header.api_key, header.api_version))
    if encoder is None:
        encoder = _new_encoder(header.api_key, header.api_version)
    return encoder(header.correlation_id, response, header.api_version)


Encoder = Callable[[int, Any, int], list[Buffer]]

_encoders: dict[tuple[int, int], Encoder] = {}
"""By key and version: made, and kio's classes imported, when the first such response goes."""


def _new_encoder(api_key: int, version: int) -> Encoder:
    if api_key == PRODUCE:
        encoder = _encoder_by_hand("produce", "encode_produce")
    elif api_key == FETCH:
        encoder = _encoder_by_hand("fetch_response", "encode_fetch")
    elif api_key == METADATA:
        encoder = _encoder_by_hand("metadata_response", "encode_metadata")
    else:
        encoder = _encoder_by_kio(api_key, version)
    _encoders[api_key, version] = encoder
    return encoder


def _encoder_by_hand(module: str, name: str) -> Encoder:
    found = import_module(f"kproof_impl.wire.{module}")
    encode: Encoder = getattr(found, name)
    return encode


def _encoder_by_kio(api_key: int, version: int) -> Encoder:
    from kproof_impl.wire.kio_import import entity_writer

    kio_class = kio_response(api_key, version)
    write: Any = entity_writer(kio_class)
    has_tags = is_flexible(kio_class) and api_key != API_VERSIONS
    change = None
    if version < RESPONSES_LIFTED_BEFORE.get(api_key, 0):
        from kproof_impl.wire.lifts import RESPONSE_LIFTS

        lift = RESPONSE_LIFTS[api_key]
        adapt = to_kio(lift.old_class, kio_class)
        change = lift.change
    else:
        adapt = to_kio(record_response(api_key), kio_class)
    start = bytes(START.size + has_tags)

    def encode(correlation_id: int, response: Any, version: int) -> list[Buffer]:
        if change is not None:
            response = change(response, version)
        frame = BytesIO(start)
        frame.seek(len(start))
        write(frame, adapt(response))
        with frame.getbuffer() as view:
            START.pack_into(view, 0, len(view) - 4, correlation_id)
        return [frame.getvalue()]

    return encode
