"""A response to a frame.

REF   Kafka's ResponseHeader schemas 0 and 1; KIP-511 (ApiVersions answers with header 0 always, for
      a client reads it before it knows what the broker speaks).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from kproof_impl.messages.ids import Buffer
from kproof_impl.wire.adapt import to_kio
from kproof_impl.wire.apis import API_VERSIONS
from kproof_impl.wire.lifts import RESPONSE_LIFTS
from kproof_impl.wire.requests import RequestHeader
from kproof_impl.wire.schema import is_flexible, kio_response, record_response

START = struct.Struct(">ii")
"""The length of what follows it, and the correlation id."""


def encode_response(header: RequestHeader, response: object) -> list[Buffer]:
    """The frame that answers a request, its four bytes of length included.

    A response without records is one buffer; each run of records of a Fetch is a buffer of its
    own, the very one that the response holds.
    """
    return _encoder(header.api_key, header.api_version)(header.correlation_id, response)


Encoder = Callable[[int, Any], list[Buffer]]


@cache
def _encoder(api_key: int, version: int) -> Encoder:
    """How to write a version of a response: made, and its classes imported, when first asked."""
    from kio.serial import entity_writer

    kio_class = kio_response(api_key, version)
    write: Any = entity_writer(kio_class)
    has_tags = is_flexible(kio_class) and api_key != API_VERSIONS
    lift = RESPONSE_LIFTS.get(api_key)
    change = None
    if lift is not None and version < lift.before_version:
        adapt = to_kio(lift.old_class, kio_class)
        change = lift.change
    else:
        adapt = to_kio(record_response(api_key), kio_class)
    start = bytes(START.size + has_tags)

    def encode(correlation_id: int, response: Any) -> list[Buffer]:
        if change is not None:
            response = change(response, version)
        frame = BytesIO(start)
        frame.seek(len(start))
        write(frame, adapt(response))
        with frame.getbuffer() as view:
            START.pack_into(view, 0, len(view) - 4, correlation_id)
        return [frame.getvalue()]

    return encode
