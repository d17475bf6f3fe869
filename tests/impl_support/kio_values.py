"""Values of kio's classes, made by Hypothesis or at random, and the records we expect of them.

What is expected is worked out from the values themselves, by another road than the broker's.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from random import Random
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from kproof_impl.messages.ids import NO_ID
from kproof_impl.wire.apis import APIS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTEGER_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
SERVED = [
    (api.key, version)
    for api in APIS.values()
    for version in range(api.min_version, api.max_version + 1)
]
"""Every key and version that is served."""

Primitive = Callable[[str], Any]


def title(served: tuple[int, int]) -> str:
    return f"{APIS[served[0]].name}-{served[1]}"


def _shape(field: Any) -> tuple[Any, bool, bool]:
    """The type inside, whether there is an array of it, and whether the whole may be null."""
    annotation = field.type
    nullable = type(None) in get_args(annotation)
    if nullable:
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    is_array = get_origin(annotation) is tuple
    if is_array:
        annotation = get_args(annotation)[0]
        if type(None) in get_args(annotation):
            (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    if "tag" in field.metadata:
        nullable = nullable and field.metadata.get("kafka_type") != "uuid"
    return annotation, is_array, nullable


@cache
def entities(kio_class: Any) -> st.SearchStrategy[Any]:
    """All values of one of kio's classes."""
    parts = {}
    for field in fields(kio_class):
        inner, is_array, nullable = _shape(field)
        if isinstance(inner, type) and is_dataclass(inner):
            value: st.SearchStrategy[Any] = entities(inner)
        else:
            value = _primitives(field.metadata["kafka_type"])
        if is_array:
            value = st.lists(value, max_size=3).map(tuple)
        if nullable and (is_array or field.metadata.get("kafka_type") != "uuid"):
            value = st.none() | value
        parts[field.name] = value
    return st.builds(kio_class, **parts)


@cache
def _primitives(  # noqa: PLR0911
    kafka_type: str,
) -> st.SearchStrategy[Any]:
    match kafka_type:
        case "string":
            return st.text(max_size=20) | st.integers(1, 200).map("n".__mul__)
        case "bytes" | "records":
            return st.binary(max_size=40) | st.integers(100, 20_000).map(bytes)
        case "bool":
            return st.booleans()
        case "uuid":
            return st.none() | st.integers(1, 2**128 - 1).map(lambda number: UUID(int=number))
        case "error_code":
            return st.sampled_from(list(ErrorCode))
        case "timedelta_i32":
            return st.integers(-(2**31), 2**31 - 1).map(_milliseconds)
        case "timedelta_i64":
            return st.integers(-(2**42), 2**42).map(_milliseconds)
        case "datetime_i64":
            # In whole seconds: kio drops the rest when it reads.
            moments = st.integers(0, 2**32).map(lambda second: EPOCH + timedelta(seconds=second))
            return st.none() | moments
        case _:
            bits = INTEGER_BITS[kafka_type]
            return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _milliseconds(number: int) -> timedelta:
    return timedelta(milliseconds=number)


def random_entity(kio_class: Any, random: Random) -> Any:
    """A small value of one of kio's classes: cheaper by far than Hypothesis's."""
    values: dict[str, Any] = {}
    for field in fields(kio_class):
        inner, is_array, nullable = _shape(field)
        if nullable and random.random() < 0.2 and field.metadata.get("kafka_type") != "uuid":
            values[field.name] = None
        elif is_array:
            count = random.choice((0, 1, 1, 2, 3))
            values[field.name] = tuple(_random_value(inner, field, random) for _ in range(count))
        else:
            values[field.name] = _random_value(inner, field, random)
    return kio_class(**values)


def _random_value(  # noqa: PLR0911
    inner: Any, field: Any, random: Random
) -> Any:
    if is_dataclass(inner):
        return random_entity(inner, random)
    kafka_type = field.metadata["kafka_type"]
    match kafka_type:
        case "string":
            return random.choice(("", "a", "topic", "grüße", "x" * 130))
        case "bytes" | "records":
            return random.randbytes(random.choice((0, 1, 61, 200)))
        case "bool":
            return random.random() < 0.5
        case "uuid":
            return None if random.random() < 0.2 else UUID(int=random.getrandbits(128))
        case "timedelta_i32" | "timedelta_i64":
            return timedelta(milliseconds=random.choice((-1, 0, 500, 2**31 - 1)))
        case "datetime_i64":
            return (
                None if random.random() < 0.3 else EPOCH + timedelta(seconds=random.getrandbits(32))
            )
        case "error_code":
            return random.choice(list(ErrorCode))
        case _:
            bits = INTEGER_BITS[kafka_type]
            whole = random.getrandbits(bits) - 2 ** (bits - 1)
            return random.choice((-1, 0, 1, 2, whole))


def record_of(kio_object: Any, record_class: Any, leave_out: str = "") -> Any:
    """Our record of a value of kio's, field by field; what a version lacks has its default."""
    hints = _hints(record_class)
    ours = {field.name for field in fields(record_class)}
    values = {}
    for field in fields(kio_object):
        value = getattr(kio_object, field.name)
        inner, _, _ = _shape(field)
        name = field.name
        if name == leave_out:
            continue
        if name not in ours and f"{name}_ms" in ours:
            name = f"{name}_ms"
        if name not in ours:
            raise AssertionError(f"{record_class.__name__} has no {name}")
        if is_dataclass(inner):
            element = _innermost(hints[name])
            values[name] = _mapped(value, element)
        elif inner is UUID and value is None:
            values[name] = NO_ID
        elif field.metadata.get("kafka_type") == "datetime_i64" and value is None:
            values[name] = -1
        else:
            values[name] = _plain_value(value)
    return record_class(**values)


def _mapped(value: Any, record_class: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return [record_of(element, record_class) for element in value]
    return record_of(value, record_class)


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value


@cache
def _hints(record_class: Any) -> dict[str, Any]:
    return get_type_hints(record_class)


def _innermost(annotation: Any) -> Any:
    while parts := [part for part in get_args(annotation) if part is not type(None)]:
        annotation = parts[0]
    return annotation


def plain(value: Any) -> Any:
    """A record as dictionaries, lists and bytes: what is equal whatever sequence holds it."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    return bytes(value) if isinstance(value, bytearray | memoryview) else value
