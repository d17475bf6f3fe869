"""Every property of every model as a table for the documents."""

from __future__ import annotations

import re

from kproof_spec.catalog import CHECKS, MODELS
from kproof_spec.catalog_types import Check, Entry
from kproof_spec.lang import Property, PropertyKind

KINDS = {
    PropertyKind.INVARIANT: "always",
    PropertyKind.SOMETIMES: "sometimes",
    PropertyKind.EVENTUALLY: "eventually",
    PropertyKind.LEADS_TO: "leads to",
}
NUMBER = re.compile(r"\b(?:GRL|RL|RT|PT|GR|CC|CP|L|R|C)\d+'?(?!\w)")
"""A number of the list of properties, as the docstrings cite it."""


def properties_of(entry: Entry) -> dict[str, tuple[Property, list[str]]]:
    """The properties of a family, each with the variants that have it."""
    found: dict[str, tuple[Property, list[str]]] = {}
    for variant, model in entry.variants.items():
        for name, claim in model.properties.items():
            found.setdefault(name, (claim, []))[1].append(variant)
    return found


def statement(claim: Property) -> str:
    """The first sentence of the docstring, without the numbers that it cites."""
    title = claim.definition.title
    for number in numbers(claim):
        title = title.replace(f" ({number})", "")
    title = re.sub(r" \([^()]*\)(?=[.:])", lambda m: "" if NUMBER.search(m[0]) else m[0], title)
    return re.sub(rf"(?<=\.)(?:\s+(?:{NUMBER.pattern})(?:,| and)?)+\.?$", "", title)


def numbers(claim: Property) -> list[str]:
    """The numbers of the list of properties that the docstring cites."""
    return list(dict.fromkeys(NUMBER.findall(claim.definition.doc)))


def names(checks: list[Check], entry: Entry) -> str:
    """The wrong models of some checks, each once: mutants by name, variants as such."""
    said = [
        f"`{one.mutant}`" if one.mutant else f"variant `{one.variant or entry.default}`"
        for one in checks
    ]
    return ", ".join(dict.fromkeys(said))


def shown_by(model: str, name: str, claim: Property, entry: Entry) -> str:
    """What breaks a property; for a witness, in how many checks of a sound model it is reached."""
    ours = [check for check in CHECKS if check.model == model]
    if claim.kind is not PropertyKind.SOMETIMES:
        return names([c for c in ours if c.expected.get(name) == "violated"], entry)
    reached = sum(not c.mutant and c.expected.get(name) == "reached" for c in ours)
    return f"reached in {reached} check{'s' if reached > 1 else ''}"


def properties() -> str:
    """A section for each model, with a table of its properties; witnesses come last."""
    parts = []
    for model, entry in MODELS.items():
        found = properties_of(entry)
        order = sorted(found, key=lambda name: found[name][0].kind is PropertyKind.SOMETIMES)
        rows = []
        for name in order:
            claim, variants = found[name]
            said = statement(claim)
            if len(variants) < len(entry.variants):
                said = f"{said} (In {', '.join(f'`{v}`' for v in variants)}.)"
            cited = ", ".join(numbers(claim))
            cells = [f"`{name}`", KINDS[claim.kind], cited, said]
            rows.append(f"| {' | '.join([*cells, shown_by(model, name, claim, entry)])} |")
        heading = ["| property | kind | no. | statement | broken by, or reached |"]
        parts.append("\n".join([f"### `{model}`", "", *heading, "|---|---|---|---|---|", *rows]))
    return "\n\n".join(parts)
