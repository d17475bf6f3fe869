"""Values as ITF writes them, and back into the codes of a state.

The Informal Trace Format of Apalache (its ADR-015): integers are `{"#bigint": "12"}`, sets
`{"#set": [...]}`, maps `{"#map": [[key, value], ...]}`; records are objects, sequences are lists,
truth values are JSON's own; ids, `NONE` and enum members are strings.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any

from kproof_spec.lang import Scope
from kproof_spec.lang.containers import PlainStore
from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain
from kproof_spec.lang.keys import member_key
from kproof_spec.lang.scalars import (
    Domain,
    EnumDomain,
    FlagDomain,
    IdDomain,
    IntegerDomain,
    Scalar,
)

Json = Any
"""What `json.loads` gives."""

SHOWN_MAX = 60
"""Characters of a wrong piece of JSON that a message quotes."""


class WrongValue(ValueError):
    """A piece of JSON that is not what its place holds."""

    def __init__(self, where: str, seen: Json, expected: str) -> None:
        super().__init__(f"{where} is {quoted(seen)}, expected {expected}")

    @classmethod
    def lacking(cls, where: str, name: str, expected: str) -> WrongValue:
        """Something that should be there is not."""
        made = cls(where, None, expected)
        made.args = (f"{where} lacks {name}, expected {expected}",)
        return made


def quoted(seen: Json) -> str:
    """A piece of JSON for a message, cut short."""
    text = repr(seen)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


def integer_of(value: Json, where: str) -> int:
    """The number in `{"#bigint": "12"}`; a plain JSON number is accepted too."""
    if type(value) is int:
        return value
    if isinstance(value, dict) and value.keys() == {"#bigint"}:
        text = value["#bigint"]
        try:
            return int(text) if isinstance(text, str) else integer_of(text, where)
        except ValueError:
            pass
    raise WrongValue(where, value, 'a number as {"#bigint": "12"}')


# -- writing -------------------------------------------------------------------------------------


@singledispatch
def encode(domain: Domain, value: Any) -> Json:
    """The JSON of a value of `domain`."""
    raise TypeError(f"{domain!r} has no form in ITF: {value!r}")


@encode.register
def _(_domain: IntegerDomain, value: Any) -> Json:
    return {"#bigint": str(int(value))}


@encode.register
def _(_domain: FlagDomain, value: Any) -> Json:
    return bool(value)


@encode.register(EnumDomain)
@encode.register(IdDomain)
def _(_domain: EnumDomain | IdDomain, value: Any) -> Json:
    return value.name


@encode.register
def _(domain: StructDomain, value: Any) -> Json:
    return {name: encode(field, getattr(value, name)) for name, field in domain.fields.items()}


@encode.register
def _(domain: SeqDomain, value: Any) -> Json:
    return [encode(domain.element, item) for item in value]


@encode.register
def _(domain: SetDomain, value: Any) -> Json:
    return {"#set": [encode(domain.element, member) for member in value]}


@encode.register
def _(domain: TableDomain, value: Any) -> Json:
    return {
        "#map": [
            [encode(domain.keys, key), encode(domain.element, item)]
            for key, item in value._entries()
        ]
    }


# -- reading -------------------------------------------------------------------------------------


def decode(domain: Domain, value: Json, scope: Scope, where: str) -> Any:
    """The value of `domain` that a piece of JSON stands for; a `WrongValue` if it is none."""
    codes = iter(codes_of(domain, value, where))
    return domain.read(lambda scalar: scalar.decode(next(codes)), PlainStore(scope))


@singledispatch
def codes_of(domain: Domain, value: Json, where: str) -> list[int]:
    """The codes of the value that a piece of JSON stands for; a `WrongValue` if it is none."""
    raise TypeError(f"{domain!r} has no form in ITF: {value!r} at {where}")


@codes_of.register
def _(domain: IntegerDomain, value: Json, where: str) -> list[int]:
    number = integer_of(value, where)
    if not domain.low <= number <= domain.high:
        raise WrongValue(where, number, repr(domain))
    return [number]


@codes_of.register
def _(domain: FlagDomain, value: Json, where: str) -> list[int]:
    if type(value) is not bool:
        raise WrongValue(where, value, "true or false")
    return [domain.encode(value)]


@codes_of.register
def _(domain: EnumDomain, value: Json, where: str) -> list[int]:
    for option in domain.options:
        if option.name == value:
            return [domain.encode(option)]
    raise WrongValue(where, value, repr(domain))


@codes_of.register
def _(domain: IdDomain, value: Json, where: str) -> list[int]:
    for known in domain.values():
        if known.name == value:
            return [domain.encode(known)]
    names = ", ".join(known.name for known in domain.values())
    raise WrongValue(where, value, f"{domain!r}, which is one of {names}")


@codes_of.register
def _(domain: StructDomain, value: Json, where: str) -> list[int]:
    names = ", ".join(domain.fields)
    if not isinstance(value, dict):
        raise WrongValue(where, value, f"an object with {names}")
    for name in domain.fields:
        if name not in value:
            raise WrongValue.lacking(where, name, f"an object with {names}")
    for name in value:
        if name not in domain.fields:
            raise WrongValue(f"{where}.{name}", value[name], f"nothing there, only {names}")
    return [
        code
        for name, field in domain.fields.items()
        for code in codes_of(field, value[name], f"{where}.{name}")
    ]


@codes_of.register
def _(domain: SeqDomain, value: Json, where: str) -> list[int]:
    if not isinstance(value, list) or len(value) > domain.slots:
        raise WrongValue(where, value, f"a list of up to {domain.slots}")
    codes = [len(value)]
    for i, item in enumerate(value):
        codes += codes_of(domain.element, item, f"{where}[{i}]")
    # Slots past the end hold the codes of initial values: equal states have equal codes.
    padding: list[int] = []
    if len(value) < domain.slots:
        domain.element.write(domain.element.default(PlainStore(domain.scope)), padding)
    return codes + padding * (domain.slots - len(value))


@codes_of.register
def _(domain: SetDomain, value: Json, where: str) -> list[int]:
    if not isinstance(value, dict) or value.keys() != {"#set"}:
        raise WrongValue(where, value, 'a set as {"#set": [...]}')
    if not isinstance(value["#set"], list):
        raise WrongValue(where, value, 'a set as {"#set": [...]}')
    codes = [0] * len(domain.elements)
    for i, item in enumerate(value["#set"]):
        member_codes = iter(codes_of(domain.element, item, f"{where}, member {i}"))
        member = domain.element.read(
            lambda scalar, given=member_codes: scalar.decode(next(given)),  # type: ignore[misc]
            PlainStore(domain.scope),
        )
        position = domain.positions[member_key(member)]
        if codes[position]:
            raise WrongValue(f"{where}, member {i},", item, "each member once")
        codes[position] = 1
    return codes


@codes_of.register
def _(domain: TableDomain, value: Json, where: str) -> list[int]:
    expected = 'a map as {"#map": [[key, value], ...]} with one entry for each key'
    if not isinstance(value, dict) or value.keys() != {"#map"}:
        raise WrongValue(where, value, expected)
    entries = value["#map"]
    if not isinstance(entries, list):
        raise WrongValue(where, value, expected)
    found: dict[int, Json] = {}
    for i, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != 2:
            raise WrongValue(f"{where}, entry {i},", entry, "a list [key, value]")
        [key] = codes_of(domain.keys, entry[0], f"{where}, key {i},")
        if key in found:
            raise WrongValue(f"{where}, key {i},", entry[0], "each key once")
        found[key] = entry[1]
    assert isinstance(domain.keys, Scalar), "the keys of a table are scalars"
    codes: list[int] = []
    for key_value in domain.keys.values():
        key = domain.keys.encode(key_value)
        name = encode(domain.keys, key_value)
        name = name["#bigint"] if isinstance(name, dict) else name
        if key not in found:
            raise WrongValue.lacking(where, f"the key {name}", expected)
        codes += codes_of(domain.element, found[key], f"{where}[{name}]")
    return codes


# -- sizes ---------------------------------------------------------------------------------------


def size_of(domain: Domain) -> float:
    """How many numbers a value has, without listing anything: constants may be absurd."""
    match domain:
        case StructDomain():
            return sum(size_of(field) for field in domain.fields.values())
        case SeqDomain():
            return 1 + domain.capacity * size_of(domain.element)
        case SetDomain():
            return _how_many(domain.element)
        case TableDomain():
            return _how_many(domain.keys) * size_of(domain.element)
    return 1


def _how_many(domain: Domain) -> float:
    """How many values there are, as far as a float can tell."""
    match domain:
        case StructDomain():
            return math.prod(_how_many(field) for field in domain.fields.values())
        case SetDomain():
            members = _how_many(domain.element)
            return 2.0**members if members < 1000 else math.inf
        case Scalar():
            return domain.high - domain.low + 1
    return math.inf
