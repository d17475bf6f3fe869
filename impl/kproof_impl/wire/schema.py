"""What kio's classes say about a message of a version: its fields, in the order of the wire.

kio has a frozen dataclass for each message and version, made from Kafka's own schemas.  The type
and the metadata of each of its fields tell how it stands on the wire; this module reads them once
a class.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from types import NoneType
from typing import Any, get_args, get_origin

from kproof_impl.wire.apis import APIS


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of a message of one version."""

    name: str
    kafka_type: str
    """"int32", "string", "timedelta_i32" and so on; "struct" where `struct` is the class."""
    nullable: bool
    is_array: bool
    tag: int | None
    struct: type | None


def wire_fields(kio_class: type) -> tuple[WireField, ...]:
    """The fields of one of kio's classes, in the order of the wire."""
    found = []
    for field in fields(kio_class):
        inner, nullable = _without_none(field.type)
        is_array = get_origin(inner) is tuple
        if is_array:
            inner, element_nullable = _without_none(get_args(inner)[0])
            # kio's ids are optional by their type only: the zero id is its None.
            if element_nullable and field.metadata["kafka_type"] != "uuid":
                raise TypeError(f"{kio_class.__name__}.{field.name}: an element may be null")
        struct: type | None = inner if isinstance(inner, type) and is_dataclass(inner) else None
        kafka_type = "struct" if struct is not None else field.metadata["kafka_type"]
        tag = field.metadata.get("tag")
        found.append(WireField(field.name, kafka_type, nullable, is_array, tag, struct))
    return tuple(found)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    arguments = get_args(annotation)
    if NoneType not in arguments:
        return annotation, False
    (inner,) = (argument for argument in arguments if argument is not NoneType)
    return inner, True


@cache
def kio_request(api_key: int, version: int) -> type:
    """kio's class of a request."""
    return _kio_class(api_key, version, "Request")


@cache
def kio_response(api_key: int, version: int) -> type:
    """kio's class of a response."""
    return _kio_class(api_key, version, "Response")


def _kio_class(api_key: int, version: int, kind: str) -> type:
    api = APIS[api_key]
    module = import_module(f"kio.schema.{api.module}.v{version}.{kind.lower()}")
    found: type = getattr(module, f"{api.name}{kind}")
    return found


@cache
def record_request(api_key: int) -> type:
    """Our class of a request, whatever its version."""
    return _record_class(api_key, "Request")


@cache
def record_response(api_key: int) -> type:
    """Our class of a response, whatever its version."""
    return _record_class(api_key, "Response")


def _record_class(api_key: int, kind: str) -> type:
    api = APIS[api_key]
    module = import_module(f"kproof_impl.messages.{api.module}")
    found: type = getattr(module, f"{api.name}{kind}")
    return found


def is_flexible(kio_class: type) -> bool:
    """Whether lengths are compact and tagged fields may follow (KIP-482)."""
    flexible: bool = kio_class.__flexible__  # type: ignore[attr-defined]
    return flexible
