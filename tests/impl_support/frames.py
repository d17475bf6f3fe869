"""Frames of requests as clients send them, by kio, and as nobody should: damaged at random.

For tests of the wire and of the socket alike.  A frame here comes without its four bytes of length.
"""

import struct
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from io import BytesIO
from random import Random
from typing import Any

from kio.serial import entity_writer

from impl_support.kio_values import SERVED, random_entity
from kproof_impl.wire.apis import APIS

HUGE_VALUES = (
    b"\xff\xff\xff\xff\x0f",  # 2**32 - 1 of variable length: 34 GB of elements, to kio.
    b"\xff\xff\xff\xff\x07",
    b"\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\x7f",
    b"\xff\x7f",
    b"\x7f\xff\xff\xff",
    b"\x7f\xff",
    b"\x80\x00\x00\x00",
    b"\x00\x0f\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x00",
    b"\xff",
)


@cache
def kio_class(key: int, version: int, kind: str) -> Any:
    """kio's class of a message; the kind is Request or Response."""
    api = APIS[key]
    module = import_module(f"kio.schema.{api.module}.v{version}.{kind.lower()}")
    return getattr(module, f"{api.name}{kind}")


def written(entity: Any) -> bytes:
    """What kio writes for a value of one of its classes."""
    body = BytesIO()
    write: Any = entity_writer(type(entity))
    write(body, entity)
    return body.getvalue()


def request_header(
    key: int, version: int, correlation_id: int = 7, client_id: str | None = "client"
) -> bytes:
    """The header of a request, with the tagged fields that its version may have."""
    encoded = b"" if client_id is None else client_id.encode()
    length = -1 if client_id is None else len(encoded)
    header = struct.pack(">hhih", key, version, correlation_id, length) + encoded
    return header + b"\0" if kio_class(key, version, "Request").__flexible__ else header


def random_frame(random: Random, key: int, version: int) -> bytes:
    """A frame of a served request, correct in every way."""
    entity = random_entity(kio_class(key, version, "Request"), random)
    client_id = random.choice((None, "", "client"))
    return request_header(key, version, random.getrandbits(31), client_id) + written(entity)


def damaged(random: Random, frame: bytes) -> bytes:
    """A frame with one to four things wrong; now and then it is a correct one still."""
    data = bytearray(frame)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _damage(random, data)
    return bytes(data)


def _damage(random: Random, data: bytearray) -> None:
    # The header's key and version are left alone mostly, or nothing behind them would be tried.
    first = 0 if random.random() < 0.05 else min(8, len(data))
    position = random.randint(first, len(data))
    match random.randrange(7):
        case 0:
            if position < len(data):
                data[position] ^= 1 << random.randrange(8)
        case 1:
            del data[position:]
        case 2:
            huge = random.choice(HUGE_VALUES)
            data[position : position + len(huge)] = huge
        case 3:
            data[position:position] = random.choice(HUGE_VALUES)
        case 4:
            del data[position : position + random.randint(1, 8)]
        case 5:
            data[position : position + 4] = random.randbytes(4)
        case _:
            data += random.randbytes(random.randint(1, 40))


def damaged_frames(seed: int, count: int) -> Iterator[bytes]:
    """Damaged frames of all requests and versions in turn, the same for the same seed.

    A correct frame is used for some forty damages: kio's writer takes longer than all else.
    """
    random = Random(seed)
    frames: dict[tuple[int, int], bytes] = {}
    for number in range(count):
        served = SERVED[number % len(SERVED)]
        if number // len(SERVED) % 40 == 0 or served not in frames:
            frames[served] = random_frame(random, *served)
        yield damaged(random, frames[served])
