"""Every length and count of a request's body, checked against the bytes that are left.

kio's reader is native and trusts what a client claims: a body of five bytes can make it ask for
34 GB, and the process is aborted.  So a scan goes before it, compiled once for each of kio's
classes from its types and metadata.  It refuses

* a length or count beyond the bytes that are left, or a negative one but -1 for null;
* null where the schema has no null;
* a variable-length number of more than five bytes;
* a string that is not UTF-8;
* tags that do not rise, and a tagged field that does not fill its size;
* more than `SCANNED_ELEMENTS_MAX` array elements and tagged fields in one request.

Bytes after the end are passed over, as Kafka does: librdkafka sends three of them in a Metadata
request for all topics.

kio refuses three things that Kafka takes; the scan writes them anew for kio: tagged fields that
nobody knows are left out (KIP-482 has brokers skip them), a boolean other than 0 is made 1, and a
time of more microseconds than 64 bits hold (292,000 years) is made the longest one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kproof_impl.wire.errors import MalformedRequest
from kproof_impl.wire.primitives import unsigned_varint, varint_bytes
from kproof_impl.wire.schema import WireField, is_flexible, wire_fields

SCANNED_ELEMENTS_MAX = 60_000
"""More than a broker has partitions.  Each takes some 20 microseconds to answer, all together."""
LONGEST_TIME_MS = (2**63 - 1) // 1000
"""kio counts microseconds in 64 bits."""

FIXED_SIZES = {
    "int8": 1,
    "int16": 2,
    "uint16": 2,
    "error_code": 2,
    "int32": 4,
    "uint32": 4,
    "timedelta_i32": 4,
    "int64": 8,
    "datetime_i64": 8,
    "float64": 8,
    "uuid": 16,
}


class _Body:
    """The bytes under scan, and what is to be written anew for kio."""

    __slots__ = ("data", "edits", "elements_left", "end")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = len(data)
        self.elements_left = SCANNED_ELEMENTS_MAX
        self.edits: list[tuple[int, int, bytes]] = []
        """(from, to, bytes instead), in rising order."""


Scanner = Callable[[_Body, int], int]
"""Takes the position where a value begins and gives the position after it."""


def scan(kio_class: type, data: bytes) -> bytes:
    """The body of a request as kio may read it: almost always the very bytes that came.

    Raises `MalformedRequest`.
    """
    body = _Body(data)
    position = _struct_scanner(kio_class)(body, 0)
    if body.edits:
        return _edited(data, 0, position, body.edits)
    return data if position == body.end else data[:position]


def _edited(data: bytes, start: int, end: int, edits: list[tuple[int, int, bytes]]) -> bytes:
    parts = []
    for edit_start, edit_end, instead in edits:
        parts += [data[start:edit_start], instead]
        start = edit_end
    parts.append(data[start:end])
    return b"".join(parts)


def _title(kio_class: type) -> str:
    return f"{kio_class.__name__} v{kio_class.__version__}"  # type: ignore[attr-defined]


def _need(body: _Body, position: int, size: int, what: str) -> None:
    if size > body.end - position:
        raise MalformedRequest(
            f"{what} at byte {position} needs {size} bytes, and {body.end - position} are left"
        )


@cache
def _struct_scanner(kio_class: type) -> Scanner:
    flexible = is_flexible(kio_class)
    steps: list[Scanner] = []
    fixed_bytes = 0
    tagged: dict[int, Scanner] = {}
    for field in wire_fields(kio_class):
        what = f"{_title(kio_class)}.{field.name}"
        if field.tag is not None:
            tagged[field.tag] = _field_scanner(field, flexible, what)
            continue
        size = None if field.is_array else FIXED_SIZES.get(field.kafka_type)
        if size is not None:
            fixed_bytes += size  # Neighbours of fixed size are one step.
            continue
        if fixed_bytes:
            steps.append(_fixed_scanner(fixed_bytes, _title(kio_class)))
            fixed_bytes = 0
        steps.append(_field_scanner(field, flexible, what))
    if fixed_bytes:
        steps.append(_fixed_scanner(fixed_bytes, _title(kio_class)))
    if flexible:
        steps.append(_tags_scanner(tagged, _title(kio_class)))
    if len(steps) == 1:
        return steps[0]
    all_steps = tuple(steps)

    def scan_struct(body: _Body, position: int) -> int:
        for step in all_steps:
            position = step(body, position)
        return position

    return scan_struct


@cache
def smallest_size(kio_class: type) -> int:
    """The fewest bytes that a value of the class can take."""
    flexible = is_flexible(kio_class)
    fields = [field for field in wire_fields(kio_class) if field.tag is None]
    # Tagged fields are there at least as their count.
    return sum(_smallest_field(field, flexible) for field in fields) + flexible


def _smallest_field(field: WireField, flexible: bool) -> int:
    if field.is_array:
        return 1 if flexible else 4
    return _smallest_value(field, flexible)


def _smallest_value(field: WireField, flexible: bool) -> int:
    if field.struct is not None:
        return 1 if field.nullable and not field.is_array else smallest_size(field.struct)
    if field.kafka_type in {"string", "bytes", "records"}:
        if flexible:
            return 1
        return 2 if field.kafka_type == "string" else 4
    if field.kafka_type == "timedelta_i64":
        return 8
    return 1 if field.kafka_type == "bool" else FIXED_SIZES[field.kafka_type]


def _field_scanner(field: WireField, flexible: bool, what: str) -> Scanner:
    # kio has null for a tagged field by its absence only.
    nullable = field.nullable and field.tag is None
    if not field.is_array:
        return _value_scanner(field, flexible, nullable, what)
    element_size = FIXED_SIZES.get(field.kafka_type)
    if element_size is not None:
        return _fixed_array_scanner(element_size, flexible, nullable, what)
    element = _value_scanner(field, flexible, False, what)
    return _array_scanner(element, _smallest_value(field, flexible), flexible, nullable, what)


def _value_scanner(field: WireField, flexible: bool, nullable: bool, what: str) -> Scanner:
    if field.struct is not None:
        scanner = _struct_scanner(field.struct)
        return _nullable_struct_scanner(scanner, what) if nullable else scanner
    match field.kafka_type:
        case "string":
            return _string_scanner(flexible, nullable, what)
        case "bytes" | "records":
            return _bytes_scanner(flexible, nullable, what)
        case "bool":
            return _boolean_scanner(what)
        case "timedelta_i64":
            return _long_time_scanner(what)
        case kafka_type:
            return _fixed_scanner(FIXED_SIZES[kafka_type], what)


def _fixed_scanner(size: int, what: str) -> Scanner:
    def scan_fixed(body: _Body, position: int) -> int:
        if position + size > body.end:
            _need(body, position, size, what)
        return position + size

    return scan_fixed


def _boolean_scanner(what: str) -> Scanner:
    def scan_boolean(body: _Body, position: int) -> int:
        if position >= body.end:
            _need(body, position, 1, what)
        if body.data[position] > 1:
            body.edits.append((position, position + 1, b"\1"))
        return position + 1

    return scan_boolean


def _long_time_scanner(what: str) -> Scanner:
    def scan_long_time(body: _Body, position: int) -> int:
        _need(body, position, 8, what)
        milliseconds = int.from_bytes(body.data[position : position + 8], "big", signed=True)
        if abs(milliseconds) > LONGEST_TIME_MS:
            instead = LONGEST_TIME_MS if milliseconds > 0 else -LONGEST_TIME_MS
            body.edits.append((position, position + 8, instead.to_bytes(8, "big", signed=True)))
        return position + 8

    return scan_long_time


Length = Callable[[_Body, int], tuple[int, int]]
"""Takes the position of a length and gives the length, -1 for null, and the position after it."""


def _compact_length(body: _Body, position: int) -> tuple[int, int]:
    if position < body.end and (byte := body.data[position]) < 0x80:
        return byte - 1, position + 1
    length, position = unsigned_varint(body.data, position, body.end)
    return length - 1, position


def _legacy_length(size: int, what: str) -> Length:
    def read_length(body: _Body, position: int) -> tuple[int, int]:
        after = position + size
        if after > body.end:
            _need(body, position, size, what)
        length = int.from_bytes(body.data[position:after], "big", signed=True)
        if length < -1:
            raise MalformedRequest(f"{what} at byte {position} has the length {length}")
        return length, after

    return read_length


def _null(nullable: bool, position: int, what: str) -> None:
    if not nullable:
        raise MalformedRequest(f"{what} before byte {position} is null, which it may not be")


def _string_scanner(flexible: bool, nullable: bool, what: str) -> Scanner:
    read_length = _compact_length if flexible else _legacy_length(2, what)

    def scan_string(body: _Body, position: int) -> int:
        length, position = read_length(body, position)
        if length < 0:
            _null(nullable, position, what)
            return position
        after = position + length
        if after > body.end:
            _need(body, position, length, what)
        try:
            body.data[position:after].decode()
        except UnicodeDecodeError as error:
            raise MalformedRequest(f"{what} at byte {position} is not UTF-8: {error}") from None
        return after

    return scan_string


def _bytes_scanner(flexible: bool, nullable: bool, what: str) -> Scanner:
    read_length = _compact_length if flexible else _legacy_length(4, what)

    def scan_bytes(body: _Body, position: int) -> int:
        length, position = read_length(body, position)
        if length < 0:
            _null(nullable, position, what)
            return position
        _need(body, position, length, what)
        return position + length

    return scan_bytes


def _count_reader(smallest: int, flexible: bool, nullable: bool, what: str) -> Length:
    read_length = _compact_length if flexible else _legacy_length(4, what)

    def read_count(body: _Body, position: int) -> tuple[int, int]:
        count, position = read_length(body, position)
        if count < 0:
            _null(nullable, position, what)
            return 0, position
        _need(body, position, count * smallest, f"{what} of {count} elements")
        _count_elements(body, position, count, what)
        return count, position

    return read_count


def _count_elements(body: _Body, position: int, count: int, what: str) -> None:
    body.elements_left -= count
    if body.elements_left < 0:
        raise MalformedRequest(
            f"{what} at byte {position} of {count} elements makes more than {SCANNED_ELEMENTS_MAX}"
        )


def _fixed_array_scanner(size: int, flexible: bool, nullable: bool, what: str) -> Scanner:
    read_count = _count_reader(size, flexible, nullable, what)

    def scan_array(body: _Body, position: int) -> int:
        count, position = read_count(body, position)
        return position + count * size

    return scan_array


def _array_scanner(
    element: Scanner, smallest: int, flexible: bool, nullable: bool, what: str
) -> Scanner:
    read_count = _count_reader(smallest, flexible, nullable, what)

    def scan_array(body: _Body, position: int) -> int:
        count, position = read_count(body, position)
        for _ in range(count):
            position = element(body, position)
        return position

    return scan_array


def _nullable_struct_scanner(scanner: Scanner, what: str) -> Scanner:
    def scan_nullable(body: _Body, position: int) -> int:
        _need(body, position, 1, what)
        # A byte of its own says whether the struct is there (KIP-893).
        return position + 1 if body.data[position] >= 0x80 else scanner(body, position + 1)

    return scan_nullable


def _tags_scanner(tagged: dict[int, Scanner], what: str) -> Scanner:
    def scan_tags(body: _Body, position: int) -> int:
        if position < body.end and not body.data[position]:
            return position + 1
        return _scan_some_tags(body, position, tagged, what)

    return scan_tags


def _scan_some_tags(body: _Body, start: int, tagged: dict[int, Scanner], what: str) -> int:
    """Tagged fields: those that nobody knows are left out for kio, which would raise."""
    data, end = body.data, body.end
    count, position = unsigned_varint(data, start, end)
    _need(body, position, 2 * count, f"{count} tagged fields of {what}")
    _count_elements(body, position, count, what)
    first_edit = len(body.edits)
    kept: list[bytes] = []
    changed = False
    last_tag = -1
    for _ in range(count):
        tag, position = unsigned_varint(data, position, end)
        if tag <= last_tag:
            raise MalformedRequest(f"tag {tag} of {what} before byte {position} follows {last_tag}")
        last_tag = tag
        size, position = unsigned_varint(data, position, end)
        _need(body, position, size, f"tagged field {tag} of {what}")
        after = position + size
        if tag in tagged:
            body.end = after  # Nothing in a tagged field reaches beyond it.
            reached = tagged[tag](body, position)
            body.end = end
            if reached != after:
                raise MalformedRequest(
                    f"tagged field {tag} of {what} at byte {position} is {reached - position} "
                    f"bytes long and claims {size}"
                )
            inner_edits = body.edits[first_edit:]
            del body.edits[first_edit:]
            value = _edited(data, position, after, inner_edits)
            changed = changed or bool(inner_edits)
            kept.append(varint_bytes(tag) + varint_bytes(len(value)) + value)
        else:
            changed = True
        position = after
    if changed:
        body.edits.append((start, position, varint_bytes(len(kept)) + b"".join(kept)))
    return position
