"""Instances of one action or property, gathered into as few operators with parameters as can be.

Two instances share an operator only if its text, with their values put in, is exactly their own
text: nothing is assumed about what the function would do for other values.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kproof_spec.lang import NONE, Id, Instance, SetOf, Struct
from kproof_spec.lang.keys import shown_arguments

from .docs import COLUMNS, Doc, layout, shared
from .expressions import STYLES, Scribe, Style
from .names import Names, field_name
from .schema import Schema, value_key

TOKEN = re.compile(r'"[^"]*"|\w+|\s+|.', re.DOTALL)

Write = Callable[[Scribe, Instance], Doc | None]
"""Writes one instance with a scribe; None if there is nothing to say."""


@dataclass
class Column:
    """A text for an instance's value: `epoch`, `(epoch + 1)`, `request.version`."""

    text: str
    value_of: Callable[[Mapping[str, Any]], str]


@dataclass
class Group:
    """Instances that share an operator."""

    tokens: list[str]
    extras: tuple[str, ...]
    """Ids that are mentioned and are no parameter, by the names they have here."""
    members: list[tuple[Instance, tuple[Any, ...]]] = field(default_factory=list)
    """Each with the values of the extras."""
    varying: dict[int, list[Column]] = field(default_factory=dict)
    """For each token in which the members differ, what it may be."""

    def admits(self, tokens: list[str], instance: Instance, columns: list[Column]) -> bool:
        """Takes the instance in, if the text can be its text."""
        if len(tokens) != len(self.tokens):
            return False
        differing = [i for i, token in enumerate(tokens) if token != self.tokens[i]]
        varying = dict(self.varying)
        for i in {*differing, *varying}:
            if i not in varying:
                varying[i] = [
                    c
                    for c in columns
                    if all(c.value_of(m.arguments) == self.tokens[i] for m, _ in self.members)
                ]
            varying[i] = [c for c in varying[i] if c.value_of(instance.arguments) == tokens[i]]
            if not varying[i]:
                return False
        self.varying = varying
        return True

    @property
    def text(self) -> str:
        """The text with the parameters' names."""
        tokens = list(self.tokens)
        for i, columns in self.varying.items():
            tokens[i] = columns[0].text
        return "".join(tokens)


@dataclass
class Operator:
    """A definition, and how it is used for all its instances."""

    name: str
    parameters: tuple[str, ...]
    body: list[str]
    group: Group

    @property
    def heading(self) -> str:
        """The left side of the definition."""
        inner = f"({', '.join(self.parameters)})" if self.parameters else ""
        return f"{self.name}{inner} =="


class Family:
    """The instances of one definition."""

    def __init__(self, schema: Schema, instances: Sequence[Instance], name: str) -> None:
        self.schema, self.instances, self.name = schema, instances, name
        self.names = schema.names.inner()
        sorts = instances[0].definition.parameters if instances else {}
        self.parameters = {wanted: self.names.new(wanted, f"this_{wanted}") for wanted in sorts}
        """For each parameter its name in TLA+."""
        self.operators: list[Operator] = []

    def write(self, write: Write) -> Family:
        """Writes every instance, in the style that needs the fewest operators."""
        groups = self._groups(write, STYLES[0])
        for style in STYLES[1:] if len(groups) > 1 else ():
            groups = min(groups, self._groups(write, style), key=len)
        for i, group in enumerate(groups):
            name = self.name if i == 0 else self.schema.names.new(f"{self.name}_{i + 1}")
            inner = tuple(self.parameters.values()) + group.extras
            self.operators.append(Operator(name, inner, group.text.split("\n"), group))
        return self

    def _groups(self, write: Write, style: Style) -> list[Group]:
        groups: list[Group] = []
        columns = self._columns()
        names = self.names.inner()
        others = [names.new("other") for _ in range(self._others_max())]
        for instance in self.instances:
            named = self._named(instance, style)
            spare = self._spare_ids(named)
            extra = {value_key(known): name for known, name in zip(spare, others, strict=False)}
            scribe = Scribe(self.schema, {**named, **extra}, style)
            doc = write(scribe, instance)
            if doc is not None:
                text = "\n".join(self._lines(scribe, doc, names))
                spares = dict(zip(others, spare, strict=False))
                self._gather(groups, text, instance, columns, spares)
        return groups

    @staticmethod
    def _gather(
        groups: list[Group],
        text: str,
        instance: Instance,
        columns: list[Column],
        others: Mapping[str, Id],
    ) -> None:
        tokens = TOKEN.findall(text)
        extras = tuple(name for name in others if name in tokens)
        values = tuple(others[name] for name in extras)
        for group in groups:
            if group.extras == extras and group.admits(tokens, instance, columns):
                group.members.append((instance, values))
                return
        groups.append(Group(tokens, extras, [(instance, values)]))

    @staticmethod
    def _lines(scribe: Scribe, doc: Doc, names: Names) -> list[str]:
        inner, count = names.inner(), itertools.count(1)
        definitions, main = shared(scribe.press, doc, lambda: inner.new(f"t{next(count)}"))
        if not definitions:
            return layout(main, COLUMNS - 2)
        lines: list[str] = []
        for i, (name, part) in enumerate(definitions):
            opening = ("LET " if i == 0 else "    ") + f"{name} == "
            first, *rest = layout(part, COLUMNS - 2 - len(opening))
            lines += [opening + first, *[" " * len(opening) + line for line in rest]]
        first, *rest = layout(main, COLUMNS - 6)
        return [*lines, f"IN  {first}", *[f"    {line}" for line in rest]]

    # -- values and their names ------------------------------------------------------------------

    def _named(self, instance: Instance, style: Style) -> dict[Any, str]:
        """The values that a text names by a parameter: ids, sets and structs."""
        found: dict[Any, str] = {}

        def note(value: Any, name: str) -> None:
            if isinstance(value, SetOf) and value.is_empty and "empty" not in style:
                return
            if isinstance(value, Id | SetOf | Struct) and value is not NONE:
                found.setdefault(value_key(value), name)

        for wanted, name in self.parameters.items():
            note(instance.arguments[wanted], name)
        for wanted, name in self.parameters.items():
            value = instance.arguments[wanted]
            if isinstance(value, Struct):
                for inner in type(value)._fields:
                    note(value.__dict__[inner], f"{name}.{field_name(inner)}")
        return found

    def _sorts(self) -> list[type[Id]]:
        sorts = self.instances[0].definition.parameters.values() if self.instances else []
        return list(dict.fromkeys(s for s in sorts if issubclass(s, Id)))

    def _others_max(self) -> int:
        return sum(self.schema.machine.scope.size(sort) for sort in self._sorts())

    def _spare_ids(self, named: Mapping[Any, str]) -> list[Id]:
        """The ids of the parameters' sorts that are no argument themselves."""
        every = [i for sort in self._sorts() for i in self.schema.machine.scope.ids(sort)]
        return [known for known in every if value_key(known) not in named]

    def _columns(self) -> list[Column]:
        sorts = self.instances[0].definition.parameters if self.instances else {}
        found: list[Column] = []
        for wanted, name in self.parameters.items():
            sort = sorts[wanted]
            found += _scalar_columns(name, (wanted,))
            if issubclass(sort, Struct):
                for inner in sort._fields:
                    text = f"{name}.{field_name(inner)}"
                    found += _scalar_columns(text, (wanted, inner))
        return found

    # -- use -------------------------------------------------------------------------------------

    def uses(self, quantifier: str) -> list[str]:
        """The operators applied to all their instances: `\\E leader \\in ReplicaId : ...`."""
        return [use for operator in self.operators for use in self._uses(operator, quantifier)]

    def _uses(self, operator: Operator, quantifier: str) -> list[str]:
        group = operator.group
        if not operator.parameters:
            return [operator.name]
        if not group.extras and len(group.members) > 1:
            quantified = self._quantified(operator, quantifier)
            if quantified:
                return [quantified]
        scribe = Scribe(self.schema)
        calls = []
        for instance, extras in group.members:
            values = [*instance.arguments.values(), *extras]
            texts = ", ".join(_line(scribe.constant(value)) for value in values)
            calls.append(f"{operator.name}({texts})")
        return calls

    def _quantified(self, operator: Operator, quantifier: str) -> str:
        """One use for all instances, if they are all choices from some ranges; else nothing."""
        members = [list(m.arguments.values()) for m, _ in operator.group.members]
        columns = [list(column) for column in zip(*members, strict=True)]
        keys = [tuple(map(value_key, column)) for column in columns]
        names, wanted = list(self.parameters.values()), list(self.parameters)
        # A column that never changes is a literal, one like another has the other's name.
        scribe = Scribe(self.schema)
        free: list[int] = []
        arguments = []
        for i, column in enumerate(keys):
            twin = next((j for j in free if keys[j] == column), None)
            if len(set(column)) == 1:
                arguments.append(_line(scribe.constant(columns[i][0])))
            else:
                arguments.append(names[i if twin is None else twin])
                free += [i] if twin is None else []
        rows = set(zip(*[keys[i] for i in free], strict=True))
        every = set(itertools.product(*[set(keys[i]) for i in free]))
        call = f"{operator.name}({', '.join(arguments)})"
        if rows != every:
            pairs = itertools.combinations(range(len(free)), 2)
            apart = [(i, j) for i, j in pairs if rows == {r for r in every if r[i] != r[j]}]
            if not apart:
                return ""
            first, second = (names[free[position]] for position in apart[0])
            joined = "/\\" if quantifier == "\\E" else "=>"
            call = f"{first} # {second} {joined} {call}"
        ranges = []
        for i in free:
            values = dict(zip(keys[i], columns[i], strict=True))
            ranges.append(f"{names[i]} \\in {self._range(wanted[i], list(values.values()))}")
        return f"{quantifier} {', '.join(ranges)} : {call}"

    def _range(self, wanted: str, values: list[Any]) -> str:
        sort = self.instances[0].definition.parameters[wanted]
        every = {value_key(instance.arguments[wanted]) for instance in self.instances}
        if len(values) == len(every):
            return self.schema.sort_name(sort)
        numbers = [v for v in values if isinstance(v, int) and not isinstance(v, bool)]
        if numbers and sorted(numbers) == list(range(min(numbers), max(numbers) + 1)):
            return f"{min(numbers)}..{max(numbers)}"
        return _line(Scribe(self.schema).set_of(values))

    def comment(self, operator: Operator) -> str:
        """Which instances an operator is, if the family has more than one."""
        if len(self.operators) == 1:
            return ""
        shown = [shown_arguments(m.arguments) for m, _ in operator.group.members[:3]]
        more = len(operator.group.members) - len(shown)
        return "For: " + "; ".join(shown) + (f"; and {more} more." if more else ".")


def _line(doc: Doc) -> str:
    return "".join(layout(doc, 1_000_000))


def _scalar_columns(name: str, path: tuple[str, ...]) -> list[Column]:
    """What may stand for a parameter that is a number, a flag or an enum member."""

    def get(arguments: Mapping[str, Any]) -> Any:
        value = arguments[path[0]]
        return value if len(path) == 1 else value.__dict__[path[1]]

    def shown(shift: int) -> Callable[[Mapping[str, Any]], str]:
        def text(arguments: Mapping[str, Any]) -> str:
            value = get(arguments)
            if isinstance(value, bool):
                return str(value).upper() if shift == 0 else ""
            if isinstance(value, Enum):
                return f'"{value.name}"' if shift == 0 else ""
            return str(value + shift) if isinstance(value, int) else ""

        return text

    return [
        Column(name, shown(0)),
        Column(f"({name} + 1)", shown(1)),
        Column(f"({name} - 1)", shown(-1)),
    ]
