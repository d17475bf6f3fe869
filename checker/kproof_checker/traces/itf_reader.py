"""Reading trace files: nothing in one is believed until it was looked at.

A trace file names a model, which may be a Python file: reading a trace loads that file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kproof_spec.lang import Definition, Machine, Model, PropertyKind, ScopeError, SpecError
from kproof_spec.lang.domains import StructDomain, domain_of

from ..models import UnknownModel, find_model
from ..spec_hash import spec_hash
from .itf_values import Json, WrongValue, codes_of, decode, integer_of, quoted, size_of
from .trace import Claim, ClaimKind, Trace, TraceStep

FILE_BYTES_MAX = 256 * 1024 * 1024
"""A file larger than this is no trace: the longest that were ever stored have a few megabytes."""

STATE_NUMBERS_MAX = 1_000_000
"""A state with more numbers than this comes from constants that are a mistake."""


class UnreadableTrace(ValueError):
    """The file is no trace of a model that is here; the message says what was seen and expected."""


def field_names(machine: Machine[Any]) -> list[str]:
    """The names of the fields of the state."""
    assert isinstance(machine.domain, StructDomain)
    return list(machine.domain.fields)


def claimed_definition(machine: Machine[Any], claim: Claim) -> Definition | None:
    """The property that a claim speaks of; for FAILS, a property or an action."""
    if claim.name in machine.model.properties:
        return machine.model.properties[claim.name].definition
    return machine.model.actions.get(claim.name)


def read_trace(path: Path) -> tuple[Machine[Any], Trace]:
    """The trace in a file, and the machine that it is a trace of.

    A trace of another version of the specification is read as long as it fits; compare its
    `spec_hash`.  Whether it is a run is for `replay` to say.
    """
    hint = ""
    try:
        document = _loaded(path)
        meta = _object(document, "#meta", "the file")
        model = find_model(_text(meta, "model"), _text(meta, "variant"), _text(meta, "mutant"))
        now, then = spec_hash(model), _text(meta, "spec_hash")
        if now != then:
            hint = (
                f" It was written by another version of the specification ({then}; this is {now}),"
                " which may be why."
            )
        machine = _machine(model, meta)
        return machine, _trace(document, meta, machine)
    except (WrongValue, ScopeError) as error:
        raise UnreadableTrace(f"{path} cannot be read as a trace: {error}.{hint}") from error
    except (UnknownModel, SpecError) as error:
        raise UnreadableTrace(
            f"{path} is a trace of a model that cannot be used here: {error}. "
            "Read it with the version of the specification that wrote it"
        ) from error
    except RecursionError as error:
        raise UnreadableTrace(
            f"{path} cannot be read as a trace: its JSON is nested too deeply"
        ) from error


def _loaded(path: Path) -> dict[str, Json]:
    advice = "expected a trace that kproof wrote (*.itf.json)"
    try:
        if path.is_file() and path.stat().st_size > FILE_BYTES_MAX:
            size = path.stat().st_size
            raise UnreadableTrace(
                f"{path} has {size:,} bytes, which is too much for a trace: {advice}, "
                f"at most {FILE_BYTES_MAX:,} bytes"
            )
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UnreadableTrace(
            f"{path} cannot be read: {error.strerror or error}; {advice}"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableTrace(f"{path} is not text in UTF-8 ({error.reason}): {advice}") from error
    if not text.strip():
        raise UnreadableTrace(f"{path} is empty: {advice}")
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableTrace(
            f"{path} is not JSON ({error.msg} at {where}): {advice}; perhaps it was cut off"
        ) from error
    except WrongValue:
        raise
    except ValueError as error:  # A number of thousands of digits.
        raise UnreadableTrace(f"{path} is not JSON that can be read ({error}): {advice}") from error
    if not isinstance(document, dict) or "states" not in document:
        raise UnreadableTrace(
            f"{path} is JSON, but not ITF: seen {quoted(document)}, expected an object "
            "with #meta, vars and states"
        )
    return document


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise WrongValue("an object", names, f"the key {twice} once")
    return made


def _present(meta: dict[str, Json], key: str, where: str = "#meta") -> Json:
    if key not in meta:
        raise WrongValue.lacking(where, key, "a trace that kproof wrote")
    return meta[key]


def _text(meta: dict[str, Json], key: str, where: str = "#meta") -> str:
    value = _present(meta, key, where)
    if not isinstance(value, str):
        raise WrongValue(f"{where}.{key}", value, "a text")
    return value


def _object(meta: dict[str, Json], key: str, where: str = "#meta") -> dict[str, Json]:
    value = _present(meta, key, where)
    if not isinstance(value, dict):
        raise WrongValue(f"{where}.{key}", value, "an object")
    return value


def _list(document: dict[str, Json], key: str) -> list[Json]:
    value = _present(document, key, "the file")
    if not isinstance(value, list):
        raise WrongValue(key, value, "a list")
    return value


def _machine(model: Model[Any], meta: dict[str, Json]) -> Machine[Any]:
    given = {
        name: integer_of(value, f"#meta.constants.{name}")
        for name, value in _object(meta, "constants").items()
    }
    expected = [constant.name for constant in model.constants]
    if given.keys() != set(expected):
        raise WrongValue("#meta.constants", given, f"a value for each of {', '.join(expected)}")
    machine = model.closed(**given)
    if size_of(machine.domain) > STATE_NUMBERS_MAX:
        raise WrongValue(
            "#meta.constants", given, f"a scope whose states have up to {STATE_NUMBERS_MAX} numbers"
        )
    return machine


def _trace(document: dict[str, Json], meta: dict[str, Json], machine: Machine[Any]) -> Trace:
    names = field_names(machine)
    if document.get("vars") != names:
        raise WrongValue("vars", document.get("vars"), f"the fields of the state: {names}")
    written = _list(document, "states")
    if not written:
        raise WrongValue("states", written, "one state at least")
    states, steps = [], []
    for index, state in enumerate(written):
        where = f"states[{index}]"
        if not isinstance(state, dict):
            raise WrongValue(where, state, "an object")
        values = {name: value for name, value in state.items() if name != "#meta"}
        states.append(tuple(codes_of(machine.domain, values, where)))
        own = _object(state, "#meta", where)
        where = f"{where}.#meta"
        seen = integer_of(_present(own, "index", where), f"{where}.index")
        if seen != index:
            raise WrongValue(f"{where}.index", seen, f"{index}: were states moved or removed?")
        if index > 0:
            steps.append(_step(own, machine, where))
    claim = _claim(_object(meta, "claim"), machine, len(states))
    _check_loop(document, claim, len(states))
    return Trace(
        model=_text(meta, "model"),
        variant=_text(meta, "variant"),
        mutant=_text(meta, "mutant"),
        constants=dict(machine.scope.constants),
        spec_hash=_text(meta, "spec_hash"),
        states=tuple(states),
        steps=tuple(steps),
        claim=claim,
        story=_story(meta.get("story", "")),
    )


def _check_loop(document: dict[str, Json], claim: Claim, length: int) -> None:
    if claim.kind is not ClaimKind.NEVER:
        if "loop" in document:
            raise WrongValue("loop", document["loop"], "a loop only in a trace that claims `never`")
        return
    loop = integer_of(_present(document, "loop", "the file"), "loop")
    if loop != claim.state % length:
        raise WrongValue("loop", loop, f"{claim.state % length}, the state that the claim names")


def _story(value: Json) -> str:
    lines = value if isinstance(value, list) else [value]
    if not all(isinstance(line, str) for line in lines):
        raise WrongValue("#meta.story", value, "a text, or a list of lines")
    return "\n".join(lines)


def _step(own: dict[str, Json], machine: Machine[Any], where: str) -> TraceStep:
    action = _text(own, "action", where)
    definition = machine.model.actions.get(action)
    if definition is None:
        raise WrongValue(
            f"{where}.action", action, f"an action of the model: {', '.join(machine.model.actions)}"
        )
    return TraceStep(action, _arguments(own, definition, machine, where))


def _arguments(
    own: dict[str, Json], definition: Definition, machine: Machine[Any], where: str
) -> dict[str, Any]:
    given = _object(own, "arguments", where)
    if given.keys() != definition.parameters.keys():
        expected = ", ".join(definition.parameters) or "none"
        raise WrongValue(
            f"{where}.arguments", given, f"the parameters of {definition.name}: {expected}"
        )
    return {
        name: decode(
            domain_of(sort, machine.scope), given[name], machine.scope, f"{where}.arguments.{name}"
        )
        for name, sort in definition.parameters.items()
    }


"""What a run that goes round for ever can violate."""


def _claim(written: dict[str, Json], machine: Machine[Any], length: int) -> Claim:
    where = "#meta.claim"
    kinds = [kind.value for kind in ClaimKind]
    if written.get("kind") not in kinds:
        raise WrongValue(f"{where}.kind", written.get("kind"), f"one of {', '.join(kinds)}")
    kind, name = ClaimKind(written["kind"]), _text(written, "name", where)
    state = integer_of(_present(written, "state", where), f"{where}.state")
    if not -length <= state < length:
        raise WrongValue(f"{where}.state", state, f"0 to {length - 1}: there are {length} states")
    claims = machine.model.properties
    match kind:
        case ClaimKind.VIOLATES:
            names = [n for n, c in claims.items() if c.kind is PropertyKind.INVARIANT]
        case ClaimKind.REACHES:
            names = [n for n, c in claims.items() if c.kind is PropertyKind.SOMETIMES]
        case ClaimKind.NEVER:
            names = [n for n, c in claims.items() if c.kind.is_liveness]
        case ClaimKind.FAILS:
            names = [*machine.model.actions, *claims]
        case _:
            return Claim(kind, "", {}, state)
    if name not in names:
        raise WrongValue(f"{where}.name", name, f"one of {', '.join(names) or 'none there is'}")
    claim = Claim(kind, name, {}, state)
    definition = claimed_definition(machine, claim)
    assert definition is not None
    return Claim(kind, name, _arguments(written, definition, machine, where), state)
