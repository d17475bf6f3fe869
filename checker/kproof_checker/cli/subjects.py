"""From the names on the command line to a machine: a model in a scope that can be explored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kproof_spec.lang import Machine, Model, ScopeError, SpecError
from kproof_spec.lang.domains import (
    SeqDomain,
    SetDomain,
    StructDomain,
    TableDomain,
    domain_of,
)
from kproof_spec.lang.machine import blame
from kproof_spec.lang.scalars import IS_MEMBER, Domain, Scalar

from ..models import Family, UnknownModel, find_family
from ..reports.wording import near, place_text
from .arguments import parse_settings
from .refusals import SPEC_ERROR, Refused, no_such

LEAVES_MAX = 10_000
INSTANCES_MAX = 50_000
CODE_MAX = 1 << 53
"""Beyond these a scope is refused at once: listing what there is would fill the memory."""


def load_family(name: str) -> Family:
    """The model that is named, with its variants; refuses what cannot be found or loaded."""
    if ("/" in name or name.startswith(".") or name.endswith(".py")) and Path(name).is_dir():
        raise Refused(f"{name} is a folder: expected a Python file that has a `model`")
    try:
        return find_family(name)
    except UnknownModel as error:
        cause = error.__cause__
        place = blame(cause.__traceback__) if cause is not None else ""
        if isinstance(cause, SpecError):
            where = cause.where or place
            raise Refused(f"{name}: {cause.message}{_at(where)}", SPEC_ERROR) from error
        if cause is not None and not isinstance(cause, SyntaxError) and name in place:
            raise Refused(f"{error}{_at(place)}. Mend the file, then try again") from error
        raise Refused(str(error)) from error
    except SpecError as error:
        raise Refused(str(error), SPEC_ERROR) from error
    except SystemExit as error:
        raise Refused(
            f"{name} ended the program while it was loaded (exit {error.code}): expected a Python "
            'file that only declares a `model`. Put what it runs under `if __name__ == "__main__"`'
        ) from error


def _at(where: str) -> str:
    return f" (at {place_text(where)})" if where else ""


def load_model(name: str, variant: str = "", mutant: str = "") -> Model[Any]:
    """The model, in this variant and with this mutant if they are named."""
    family = load_family(name)
    if variant and variant not in family.variants:
        raise no_such("variant", variant, family.variants, f"model {family.name}")
    model = family.variant(variant)
    if not mutant:
        return model
    if mutant not in model.mutants:
        raise no_such("mutant", mutant, model.mutants, repr(model))
    return model.mutated(mutant)


def load_machine(
    name: str, variant: str = "", mutant: str = "", settings: Sequence[str] | None = None
) -> Machine[Any]:
    """The model in the scope that `--set` makes; a mutant brings a scope of its own."""
    model = load_model(name, variant, mutant)
    known = [constant.name for constant in model.constants]
    constants = parse_settings(settings, known, repr(model))
    own = model.mutants[mutant].scope if mutant else {}
    return machine_of(model, {**own, **constants})


def machine_of(model: Model[Any], constants: Mapping[str, int]) -> Machine[Any]:
    """The model in a closed scope; refuses a scope that is impossible or beyond all exploring."""
    try:
        machine = model.closed(**constants)
        _refuse_the_huge(machine)
    except ScopeError as error:
        raise Refused(f"{model!r}: {error}") from error
    except SpecError as error:
        raise Refused(f"{model!r}: the specification is in error: {error}", SPEC_ERROR) from error
    return machine


def source_of(name: str) -> str:
    """The path of the file that a model was named by, or an empty text."""
    return near(name) if "/" in name or name.endswith(".py") else ""


def choose_properties(machine: Machine[Any], names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The properties that were named, each once; None is all."""
    if not names:
        return None
    for name in names:
        if name not in machine.model.properties:
            raise no_such("property", name, machine.model.properties, repr(machine.model))
    return tuple(dict.fromkeys(names))


def _refuse_the_huge(machine: Machine[Any]) -> None:
    leaves = 0
    for times, scalar in _scalars(machine.domain):
        leaves += times
        if max(abs(scalar.low), abs(scalar.high)) > CODE_MAX:
            raise ScopeError(f"a number of the state ranges over {scalar!r}, which is too wide")
    if leaves > LEAVES_MAX:
        raise ScopeError(
            f"this scope is too large: a state has {leaves:,} numbers, and {LEAVES_MAX:,} is the "
            "most that can be explored. Give smaller values with --set"
        )
    model = machine.model
    steps = sum(_choices(machine, action.parameters) for action in model.actions.values())
    claims = [claim.definition.parameters for claim in model.properties.values()]
    claims += [model.initial.parameters] if model.initial else []
    most = max([steps, *(_choices(machine, parameters) for parameters in claims)])
    if most > INSTANCES_MAX:
        raise ScopeError(
            f"this scope is too large: an action or property has {most:,} choices of parameters, "
            f"and {INSTANCES_MAX:,} is the most that can be explored. "
            "Give smaller values with --set"
        )


def _choices(machine: Machine[Any], parameters: Mapping[str, Any]) -> int:
    product = 1
    for sort in parameters.values():
        product *= _how_many(domain_of(sort, machine.scope))
    return product


def _scalars(domain: Domain, times: int = 1) -> Iterator[tuple[int, Scalar]]:
    """Every kind of leaf, with how many of it there are; nothing is listed, so this is quick."""
    match domain:
        case StructDomain():
            for field in domain.fields.values():
                yield from _scalars(field, times)
        case SeqDomain():
            yield times, domain.length
            yield from _scalars(domain.element, times * domain.slots)
        case SetDomain():
            yield times * _how_many(domain.element), IS_MEMBER
        case TableDomain():
            yield from _scalars(domain.element, times * _how_many(domain.keys))
        case Scalar():
            yield times, domain


def _how_many(domain: Domain) -> int:
    """How many values a domain has, without listing them."""
    match domain:
        case StructDomain():
            product = 1
            for field in domain.fields.values():
                product *= _how_many(field)
            return product
        case SetDomain():
            return int(2 ** min(_how_many(domain.element), 64))
        case Scalar():
            return int(domain.high - domain.low) + 1
    return 1
