"""A third witness: kafka-python, whose codec is made from Kafka's schemas by another road.

It reads what kio writes and writes it anew, and we read that; and it reads what we write.
"""

import warnings
from dataclasses import fields, is_dataclass
from importlib import import_module
from random import Random
from typing import Any

import pytest

from impl_support.frames import kio_class, request_header, written
from impl_support.kio_values import plain, random_entity, record_of
from kproof_impl.messages.ids import NO_ID
from kproof_impl.wire.apis import APIS
from kproof_impl.wire.requests import RequestHeader, decode_request
from kproof_impl.wire.responses import encode_response
from kproof_impl.wire.schema import record_response

with warnings.catch_warnings():
    # kafka-python reads its schemas in a way that Python 3.11 will give up.
    warnings.simplefilter("ignore", DeprecationWarning)
    PACKAGES = [
        import_module(f"kafka.protocol.{name}")
        for name in ("producer", "consumer", "metadata", "admin")
    ]

WITNESSED = (0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 19, 20, 22, 32)
OLD_SHAPES = {9: 8, 10: 4, 13: 3}
"""Responses before these versions are lifted: the other tests are about them."""

SPELT_OTHERWISE = {
    "topic_authorized_operations": "authorized_operations",
    "cluster_authorized_operations": "authorized_operations",
}


def witness(key: int, kind: str) -> Any:
    name = f"{APIS[key].name}{kind}"
    (found,) = {getattr(package, name) for package in PACKAGES if hasattr(package, name)}
    return found


def versions(key: int, kind: str) -> range:
    newest = min(APIS[key].max_version, witness(key, kind).max_version)
    return range(APIS[key].min_version, newest + 1)


@pytest.mark.parametrize("key", WITNESSED, ids=lambda key: APIS[key].name)
def test_a_request_that_kafka_python_writes_is_read(key: int) -> None:
    theirs = witness(key, "Request")
    random = Random(key)
    for version in versions(key, "Request"):
        for _ in range(10):
            entity = random_entity(kio_class(key, version, "Request"), random)
            frame = request_header(key, version, 5, "me") + written(entity)
            message = theirs.decode(written(entity), version=version)
            message._header = None
            message.API_VERSION = version
            message.with_header(correlation_id=5, client_id="me")
            theirs_frame = message.encode(header=True)
            header, request = decode_request(theirs_frame)
            assert header == RequestHeader(key, version, 5, "me")
            assert plain(request) == plain(decode_request(frame)[1])


def compare(ours: Any, theirs: Any, of_kio: Any) -> int:
    """Compare the fields that kio has in the version; how many values that are."""
    if ours is not None and isinstance(of_kio, tuple):
        assert len(ours) == len(theirs)
        return sum(map(compare, ours, theirs, of_kio))
    if is_dataclass(of_kio):
        if theirs is None:  # A tagged struct that has its default.
            assert ours == type(ours)()
            return 1
        count = 0
        for field in fields(of_kio):
            name = field.name if hasattr(ours, field.name) else f"{field.name}_ms"
            theirs_name = SPELT_OTHERWISE.get(name, name)
            value = getattr(of_kio, field.name)
            count += compare(getattr(ours, name), getattr(theirs, theirs_name), value)
        return count
    if isinstance(ours, bytes):
        assert ours == bytes(theirs)
    elif isinstance(theirs, set):  # It takes the bits of authorized operations apart.
        assert all(ours >> bit & 1 for bit in theirs)
    else:
        assert ours == theirs or (ours == NO_ID and theirs is None)
    return 1


@pytest.mark.parametrize("key", WITNESSED, ids=lambda key: APIS[key].name)
def test_a_response_that_we_write_is_read_by_kafka_python(key: int) -> None:
    random = Random(key)
    compared = 0
    for version in versions(key, "Response"):
        if version < OLD_SHAPES.get(key, 0):
            continue
        for _ in range(10):
            entity = random_entity(kio_class(key, version, "Response"), random)
            ours = record_of(entity, record_response(key))
            frame = b"".join(encode_response(RequestHeader(key, version, 5, None), ours))
            theirs = witness(key, "Response").decode(
                frame, version=version, header=True, framed=True
            )
            assert theirs.header.correlation_id == 5
            compared += compare(ours, theirs, entity)
    assert compared > 50
