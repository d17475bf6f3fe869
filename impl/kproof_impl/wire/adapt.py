"""kio's objects of a version to our records and back, field by field, by their names.

Our records have the fields of all versions.  A field that a version lacks has its default on the
way in and is left out on the way out.  What is spelt otherwise:

| kio | ours |
|---|---|
| `timeout: timedelta` | `timeout_ms: int`; likewise a `datetime`, whose None is -1 |
| `ErrorCode` | its number, which need not be one that kio knows |
| None for the zero id | `NO_ID` |
| tuples | any sequence |

Where a version has another shape, `lifts` has a function by hand.  A plan is made once for each
pair of classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args, get_type_hints

from kproof_impl.messages.ids import NO_ID
from kproof_impl.wire.schema import WireField, wire_fields

ONE_MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime.fromtimestamp(0, UTC)

Convert = Callable[[Any], Any]


def record_name(field: WireField) -> str:
    """What our records call a field of kio's: times say their unit."""
    if field.kafka_type.startswith(("timedelta", "datetime")):
        return field.name if field.name.endswith("_ms") else f"{field.name}_ms"
    return field.name


def _struct_of(record_class: type, name: str) -> type:
    """The class of the elements of a field of our records, or of the field itself."""
    annotation = _type_hints(record_class)[name]
    while arguments := get_args(annotation):
        annotation = next(argument for argument in arguments if argument is not type(None))
    found: type = annotation
    return found


@cache
def _type_hints(record_class: type) -> dict[str, Any]:
    return get_type_hints(record_class)


@cache
def to_record(kio_class: type, record_class: type) -> Convert:
    """A function from an object of kio's to one of ours.

    Fields of kio's that ours lack are left out: what they say is lifted by hand.
    """
    ours = {field.name for field in fields(record_class)}
    plan = tuple(
        (field.name, record_name(field), _in_converter(field, record_class))
        for field in wire_fields(kio_class)
        if record_name(field) in ours
    )
    as_they_are = tuple((name, to) for name, to, convert in plan if convert is None)
    converted = tuple((name, to, convert) for name, to, convert in plan if convert is not None)

    def convert_struct(kio_object: Any) -> Any:
        values = {to: getattr(kio_object, name) for name, to in as_they_are}
        for name, to, convert in converted:
            values[to] = convert(getattr(kio_object, name))
        return record_class(**values)

    return convert_struct


def _in_converter(field: WireField, record_class: type) -> Convert | None:
    convert = _in_value(field, record_class)
    if convert is None:
        return None
    if not field.is_array:
        return _unless_none(convert) if field.struct is not None and field.nullable else convert
    element = convert

    def convert_array(values: Any) -> Any:
        return None if values is None else tuple([element(value) for value in values])

    return convert_array


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _in_value(field: WireField, record_class: type) -> Convert | None:
    if field.struct is not None:
        return to_record(field.struct, _struct_of(record_class, record_name(field)))
    match field.kafka_type:
        case "uuid":
            return lambda value: NO_ID if value is None else value
        case "error_code":
            return lambda value: int(value.value)
        case "timedelta_i32" | "timedelta_i64":
            return lambda value: value // ONE_MILLISECOND
        case "datetime_i64":
            return lambda value: -1 if value is None else (value - EPOCH) // ONE_MILLISECOND
        case _:
            return None


@cache
def to_kio(record_class: type, kio_class: type) -> Convert:
    """A function from an object of ours to one of kio's, of a version.

    None where the version has no null is the empty string, bytes or array: so does Kafka with the
    protocol name of an old JoinGroup.
    """
    names = {field.name for field in fields(record_class)}
    plan = []
    for field in wire_fields(kio_class):
        name = record_name(field)
        if name in names:
            plan.append((name, field.name, _out_converter(field, record_class)))
        elif not _has_default(kio_class, field.name):
            raise TypeError(
                f"{record_class.__name__} has no {name}, and {kio_class.__module__} no default"
            )
    steps = tuple(plan)

    def convert_struct(record: Any) -> Any:
        return kio_class(**{to: convert(getattr(record, name)) for name, to, convert in steps})

    return convert_struct


def _has_default(kio_class: type, name: str) -> bool:
    (field,) = (field for field in fields(kio_class) if field.name == name)
    return field.default is not MISSING


def _out_converter(field: WireField, record_class: type) -> Convert:
    convert = _out_value(field, record_class)
    if not field.is_array:
        if field.struct is not None and field.nullable:
            return _unless_none(convert)
        return convert
    element, nullable = convert, field.nullable

    def convert_array(values: Any) -> Any:
        if values is None:
            return None if nullable else ()
        return tuple([element(value) for value in values])

    return convert_array


def _out_value(field: WireField, record_class: type) -> Convert:
    if field.struct is not None:
        return to_kio(_struct_of(record_class, record_name(field)), field.struct)
    match field.kafka_type:
        case "error_code":
            return _error_code
        case "timedelta_i32" | "timedelta_i64":
            return lambda value: timedelta(milliseconds=value)
        case "datetime_i64":
            return lambda value: None if value < 0 else EPOCH + value * ONE_MILLISECOND
        case "string" if not field.nullable:
            return lambda value: "" if value is None else value
        case "bytes" | "records" if not field.nullable:
            return lambda value: b"" if value is None else value
        case _:
            return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


class _NumberOnly:
    """An error code that kio has no name for."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


@cache
def _error_code(number: int) -> Any:
    from kio.schema.errors import ErrorCode

    try:
        return ErrorCode(number)
    except ValueError:
        return _NumberOnly(number)
