"""The sets that values come from: sorts, records, and `TypeOK`."""

from __future__ import annotations

from typing import Any

from kproof_spec.lang import Machine
from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain, domain_of
from kproof_spec.lang.scalars import Domain, EnumDomain, FlagDomain, IdDomain, Scalar

from .docs import COLUMNS
from .names import field_name
from .schema import Schema


class Types:
    """Definitions of sets, each after those that it needs."""

    def __init__(self, schema: Schema, machine: Machine[Any]) -> None:
        self.schema, self.machine = schema, machine
        self.definitions: dict[str, list[str]] = {}

    def of(self, domain: Domain) -> str:
        """The set of a domain's values, as an expression."""
        match domain:
            case StructDomain():
                return self._defined(domain.cls, domain)
            case SeqDomain():
                return f"BoundedSeq({self.of(domain.element)}, {domain.slots})"
            case SetDomain():
                inner = self.of(domain.element)
                return f"SUBSET ({inner})" if " " in inner or ".." in inner else f"SUBSET {inner}"
            case TableDomain():
                return f"[{self.of(domain.keys)} -> {self.of(domain.element)}]"
            case FlagDomain():
                return "BOOLEAN"
            case EnumDomain():
                return self._defined(type(domain.options[0]), domain)
            case IdDomain():
                sort = self._defined(domain.sort, domain)
                return f"({sort} \\cup {{NONE}})" if domain.optional else sort
        assert isinstance(domain, Scalar)
        return f"{int(domain.low)}..{int(domain.high)}"

    def complete(self) -> None:
        """Defines every sort that some text has named so far."""
        for sort in list(self.schema.sorts):
            domain = domain_of(sort, self.machine.scope)
            if isinstance(domain, StructDomain | EnumDomain | IdDomain):
                self.of(domain)
            else:
                assert isinstance(domain, Scalar)
                name = self.schema.sort_name(sort)
                self.definitions[name] = [f"{name} == {int(domain.low)}..{int(domain.high)}"]

    def _defined(self, sort: type[Any], domain: Domain) -> str:
        name = self.schema.sort_name(sort)
        if name not in self.definitions:
            self.definitions[name] = self._definition(name, domain)
        return name

    def _definition(self, name: str, domain: Domain) -> list[str]:
        if isinstance(domain, EnumDomain):
            texts = [f'"{option.name}"' for option in domain.options]
            return _listed(f"{name} ==", "{", texts, "}")
        if isinstance(domain, IdDomain):
            known = self.machine.scope.ids(domain.sort)
            return _listed(f"{name} ==", "{", [self.schema.id_name(i) for i in known], "}")
        assert isinstance(domain, StructDomain)
        fields = [f"{field_name(n)} : {self.of(inner)}" for n, inner in domain.fields.items()]
        return _listed(f"{name} ==", "[", fields, "]")


def _listed(heading: str, opening: str, items: list[str], closing: str) -> list[str]:
    line = f"{heading} {opening}{', '.join(items)}{closing}"
    if len(line) <= COLUMNS:
        return [line]
    ends = [","] * (len(items) - 1) + [closing]
    parts = [f"{item}{end}" for item, end in zip(items, ends, strict=True)]
    return [heading, f"  {opening}{parts[0]}", *[f"   {part}" for part in parts[1:]]]
