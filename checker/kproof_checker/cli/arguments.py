"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .refusals import Refused, no_such

if TYPE_CHECKING:
    from kproof_spec.lang import Definition, Machine

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A model that `kproof list` names, or a Python file that has one."
    ),
]
Variant = Annotated[
    str, typer.Option("--variant", metavar="NAME", help="A variant of the model, by its id.")
]
MutantName = Annotated[
    str,
    typer.Option(
        "--mutant",
        metavar="NAME",
        help="A kept wrong twin. Its own scope is used where --set says nothing.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A constant of the scope. Repeatable."),
]
Properties = Annotated[
    list[str] | None,
    typer.Option("--property", metavar="NAME", help="Check this one only. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The last line only, no progress.")]
TraceDir = Annotated[
    Path, typer.Option("--trace-dir", metavar="DIR", help="Where traces are written.")
]
WitnessTraces = Annotated[
    bool, typer.Option("--witness-traces", help="Write the traces of witnesses too.")
]
DEFAULT_TRACE_DIR = Path(".kproof/traces")

UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
VALUES_LISTED = 20


def parse_settings(texts: Sequence[str] | None, known: Sequence[str], model: str) -> dict[str, int]:
    """`["replicas=3"]` as numbers by constant."""
    values: dict[str, int] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            raise Refused(f"--set {text}: expected NAME=VALUE, for example --set {_example(known)}")
        if name not in known:
            raise no_such("constant", name, known, model)
        if name in values:
            raise Refused(f"--set {name} was given twice: {values[name]} and {value}. Give one")
        try:
            values[name] = int(value.replace("_", ""))
        except ValueError:
            raise Refused(
                f"--set {text}: {value or 'nothing'} is not a whole number. "
                f"Expected for example --set {name}=3"
            ) from None
    return values


def _example(known: Sequence[str]) -> str:
    return f"{known[0] if known else 'replicas'}=3"


def parse_memory(text: str | None) -> int | None:
    """`2G`, `500M` as bytes, in powers of 1024."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if found is None or float(found[1]) == 0:
        raise Refused(f"--max-memory {text}: expected a size such as 500M or 2G")
    return int(float(found[1]) * UNITS[found[2]])


def parse_parameters(
    machine: Machine[Any], definition: Definition, texts: Sequence[str] | None
) -> dict[str, Any]:
    """`["leader=b0"]` as the values of an action's parameters, in order of declaration."""
    given: dict[str, str] = {}
    parameters = definition.parameters
    takes = ", ".join(parameters) or "no parameters"
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise Refused(f"--param {text}: expected NAME=VALUE; {definition.name} takes {takes}")
        if name not in parameters:
            raise no_such("parameter", name, parameters, definition.name)
        given[name] = value
    missing = [name for name in parameters if name not in given]
    if missing:
        values = {name: list(_values(machine, parameters[name])) for name in missing}
        example = " ".join(f"--param {name}={values[name][0]}" for name in missing if values[name])
        raise Refused(
            f"{definition.name} takes {takes}, and {', '.join(missing)} was not given. "
            f"Add for example {example}"
        )
    return {name: _value(machine, parameters[name], name, given[name]) for name in parameters}


def _value(machine: Machine[Any], sort: Any, name: str, text: str) -> Any:
    values = _values(machine, sort)
    if text in values:
        return values[text]
    folded = {label.lower(): value for label, value in values.items()}
    if text.lower() in folded:
        return folded[text.lower()]
    shown = ", ".join(list(values)[:VALUES_LISTED])
    more = f" and {len(values) - VALUES_LISTED} more" if len(values) > VALUES_LISTED else ""
    raise Refused(f"--param {name}={text}: expected one of {shown}{more}")


def _values(machine: Machine[Any], sort: Any) -> Mapping[str, Any]:
    """The values of a sort by what a user types: an id's or enum member's name, a number, true."""
    from kproof_spec.lang.domains import domain_of
    from kproof_spec.lang.keys import shown

    return {shown(value): value for value in domain_of(sort, machine.scope).values()}
