"""`kproof list`: what there is to check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json

if TYPE_CHECKING:
    from kproof_spec.lang import Model

    from ..models import Family


def list_models(
    model: Annotated[
        str, typer.Argument(metavar="[MODEL]", help="Show this one in detail; a file will do.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Show the models, their variants, constants, properties and mutants."""
    from ..models import families
    from .subjects import load_family

    found = [load_family(model)] if model else list(families().values())
    if as_json:
        import json

        for family in found:
            typer.echo(json.dumps(_as_object(family), ensure_ascii=False))
    elif model:
        typer.echo("\n".join(_detail(found[0])))
    else:
        for family in found:
            typer.echo("\n".join(_overview(family)))
        typer.echo("More about one: kproof list MODEL. Check one: kproof check MODEL.")
    return 0


def _overview(family: Family) -> list[str]:
    lines = [f"{family.name}: {_sentence(family.title)}"]
    if len(family.variants) > 1:
        lines += _variants(family)
    from ..reports.wording import counted

    default = family.variant()
    lines.append(
        f"  {counted(len(default.actions), 'action')}, "
        f"{counted(len(default.properties), 'property', 'properties')}, "
        f"{counted(len(_all_mutants(family)), 'mutant')}; scope "
        + (", ".join(f"{c.name}={c.default}" for c in default.constants) or "fixed")
    )
    return [*lines, ""]


def _variants(family: Family) -> list[str]:
    width = max(map(len, family.variants))
    return [
        f"  {name:<{width}}  {model.title}{' (default)' if name == family.default else ''}"
        for name, model in family.variants.items()
    ]


def _detail(family: Family) -> list[str]:
    default = family.variant()
    lines = [f"{family.name}: {_sentence(family.title)}"]
    lines += ["", "Variants (--variant NAME)", *_variants(family)]
    lines += ["", "Constants (--set NAME=VALUE)"]
    rows = [
        (f"{c.name}={c.default}", f"{c.doc} {_range(c.low, c.high)}") for c in default.constants
    ]
    lines += _columns(rows) or ["  none"]
    lines += ["", "Actions"]
    lines += _columns([(_signature(a), a.title) for a in default.actions.values()])
    lines += ["", "Properties (--property NAME)"]
    lines += _columns(
        [(f"{p.name} ({p.kind.value})", p.definition.title) for p in default.properties.values()]
    )
    for name, variant in family.variants.items():
        lines += _own_parts(name, variant, default)
    mutants = [
        (f"{m.name} breaks {m.breaks}", f"{m.replacement.title} {_which(family, m.name)}".rstrip())
        for m in _all_mutants(family).values()
    ]
    lines += ["", "Mutants (--mutant NAME)", *(_columns(mutants) or ["  none"])]
    return lines


def _own_parts(name: str, variant: Model[Any], default: Model[Any]) -> list[str]:
    """What a variant has that the default lacks, and the reverse."""
    lines = []
    for kind, mine, theirs in (
        ("action", list(variant.actions), list(default.actions)),
        ("property", list(variant.properties), list(default.properties)),
    ):
        more = [n for n in mine if n not in theirs]
        less = [n for n in theirs if n not in mine]
        lines += [f"  {kind} {n}" for n in more] + [f"  no {kind} {n}" for n in less]
    return ["", f"Variant {name} differs from the default", *lines] if lines else []


def _all_mutants(family: Family) -> dict[str, Any]:
    return {name: m for v in family.variants.values() for name, m in v.mutants.items()}


def _which(family: Family, mutant: str) -> str:
    having = [name for name, v in family.variants.items() if mutant in v.mutants]
    return "" if len(having) == len(family.variants) else f"[variant {', '.join(having)}]"


def _signature(action: Any) -> str:
    return f"{action.name}({', '.join(action.parameters)})"


def _range(low: int, high: int | None) -> str:
    return f"[{low} to {high}]" if high is not None else f"[{low} or more]"


def _sentence(title: str) -> str:
    return title or "no title"


def _columns(rows: list[tuple[str, str]], width: int = 100) -> list[str]:
    """A name with its text beside it, or below it where the names are long."""
    import textwrap

    left = max((len(name) for name, _ in rows), default=0) + 4
    if left > 45:
        lines = []
        for name, text in rows:
            lines.append(f"  {name}")
            lines += textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        return lines
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(text, width - left) or [""]
        lines.append(f"  {name:<{left - 2}}{wrapped[0]}".rstrip())
        lines += [" " * left + more for more in wrapped[1:]]
    return lines


def _as_object(family: Family) -> dict[str, Any]:
    return {
        "model": family.name,
        "title": family.title,
        "default": family.default,
        "variants": {name: _variant_object(model) for name, model in family.variants.items()},
    }


def _variant_object(model: Model[Any]) -> dict[str, Any]:
    return {
        "title": model.title,
        "constants": {
            c.name: {"default": c.default, "low": c.low, "high": c.high, "doc": c.doc}
            for c in model.constants
        },
        "actions": {
            a.name: {"parameters": list(a.parameters), "doc": a.doc} for a in model.actions.values()
        },
        "properties": {
            p.name: {"kind": p.kind.value, "doc": p.definition.doc}
            for p in model.properties.values()
        },
        "mutants": {
            m.name: {"breaks": m.breaks, "scope": dict(m.scope), "doc": m.story}
            for m in model.mutants.values()
        },
    }
