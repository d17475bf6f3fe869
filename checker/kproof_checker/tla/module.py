"""A whole TLA+ module, and the configuration that makes TLC check it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kproof_spec.lang import Definition, Id, Instance, Machine, PropertyKind

from ..extraction import terms
from ..extraction.decisions import Dag
from ..extraction.extract import Extracted
from ..extraction.terms import Term
from ..symmetry import Symmetry
from .config import configuration
from .docs import COLUMNS, Doc, layout
from .expressions import Scribe
from .families import Family
from .names import plain
from .schema import Schema
from .steps import StepText, failure_term, truth_term
from .types import Types
from .values import Values

NOTE = "\\* TLC takes each true half of a disjunction for a step of its own; this keeps it one."
HELPERS = {
    "Min": ["Min(a, b) == IF a <= b THEN a ELSE b"],
    "Max": ["Max(a, b) == IF a <= b THEN b ELSE a"],
    "Holds": [NOTE, "Holds(condition) == condition = TRUE"],
    "BoundedSeq": ["BoundedSeq(S, n) == UNION {[1..m -> S] : m \\in 0..n}"],
}


@dataclass(frozen=True)
class Exported:
    """The two files of a model."""

    name: str
    """Of the module; its file must have the same name, with `.tla`."""
    tla: str
    cfg: str


def export(
    machine: Machine[Any], extracted: Extracted, *, symmetry: bool = False, version: str = ""
) -> Exported:
    """A machine in a closed scope as TLA+, with every property that was extracted.

    TLC finds as many distinct states, the same depth and the same verdicts.  With `symmetry` the
    configuration counts states up to renaming of the symmetric ids.
    """
    return _Module(machine, extracted).exported(symmetry, version)


def module_name(machine: Machine[Any]) -> str:
    """`replication_kip_320`; a mutant's name is in it too."""
    model = machine.model
    variant = "" if model.variant == model.name else model.variant
    return "_".join(plain(part) for part in (model.name, variant, model.mutant_name) if part)


class _Module:
    def __init__(self, machine: Machine[Any], extracted: Extracted) -> None:
        self.machine, self.extracted = machine, extracted
        self.schema = Schema(machine)
        self.types = Types(self.schema, machine)
        names = self.schema.names
        self.actions = {name: names.new(name) for name in machine.model.actions}
        self.properties = {name: names.new(name) for name in extracted.properties}

    def exported(self, symmetry: bool, version: str) -> Exported:
        """Writes everything, then what it turned out to need."""
        body = [*self._type_ok(), "", *self._initial(), *self._steps(), *self._claims()]
        body += self._faults()
        symmetric = self._symmetry()
        body += symmetric
        self.types.complete()
        sets = [line for lines in self.types.definitions.values() for line in lines]
        readers = list(self._readers())
        text = "\n".join([*sets, *readers, *body])
        constants = self._constants(text)
        variables = ", ".join(self.schema.variables.values())
        name = module_name(self.machine)
        lines = [
            f"{'-' * 20} MODULE {name} {'-' * 20}",
            *self._header(name, version),
            "EXTENDS Integers, Sequences, FiniteSets, TLC",
            "",
            # What has parameters comes first: a parameter may be called like a later variable.
            *_helpers_in(text),
            *([f"CONSTANTS {', '.join(constants)}", ""] if constants else []),
            *sets,
            *([""] if sets else []),
            *readers,
            *_wrapped("VARIABLES ", variables),
            "",
            *_wrapped("vars == <<", variables + ">>"),
            "",
            *body,
            "=" * 80,
        ]
        cfg = configuration(
            constants,
            [self.properties[n] for n in self._of_kind(PropertyKind.INVARIANT)],
            [f"Never_{self.properties[n]}" for n in self._of_kind(PropertyKind.SOMETIMES)],
            has_symmetry=bool(symmetric),
            symmetry=symmetry,
        )
        return Exported(name, "\n".join(line.rstrip() for line in lines) + "\n", cfg)

    def _of_kind(self, kind: PropertyKind) -> list[str]:
        known = self.machine.model.properties
        return [name for name in self.extracted.properties if known[name].kind is kind]

    # -- head ------------------------------------------------------------------------------------

    def _header(self, name: str, version: str) -> Iterator[str]:
        model = self.machine.model
        title = f": {model.title}" if model.title else ""
        constants = self.machine.scope.constants
        scope = ", ".join(f"{name}={value}" for name, value in constants.items())
        searched = (PropertyKind.INVARIANT, PropertyKind.SOMETIMES)
        left_out = [c.name for c in model.properties.values() if c.kind not in searched]
        yield from _comment(f"Generated by kproof{version and ' ' + version}; not to be edited.")
        yield from _comment(f"Model {model!r}{title}")
        yield from _comment(f"Scope {scope or 'without constants'}; the numbers are written out.")
        yield from _comment(f"Run it: java -cp tla2tools.jar tlc2.TLC {name}")
        if left_out:
            yield from _comment(f"Liveness is left out: {', '.join(left_out)}")
        yield ""

    def _constants(self, text: str) -> list[str]:
        """The names that are values of their own kind: the ids, and NONE if it occurs."""
        ids = sorted(self.schema.ids, key=lambda key: (key[0].__name__, key[1]))
        has_none = any(re.search(r"\bNONE\b", line) for line in _code(text))
        return [self.schema.ids[key] for key in ids] + (["NONE"] if has_none else [])

    def _type_ok(self) -> list[str]:
        lines = ["TypeOK =="]
        for name, place in self.schema.top.items():
            lines.append(f"  /\\ {self.schema.variables[name]} \\in {self.types.of(place.domain)}")
        return lines

    def _readers(self) -> Iterator[str]:
        """The operators that read slots of sequences."""
        if self.schema.readers:
            yield from _comment("An element by its index, from 0; an initial one beyond the end.")
        for name, sequence in self.schema.readers.items():
            codes = [terms.const(c) for c in self.schema.initial_codes(sequence.element)]
            initial = self._literal(Values(Scribe(self.schema), {}).value(sequence.element, codes))
            yield f"{name}(s, i) =="
            yield "  IF i < Len(s) THEN s[i + 1]"
            yield from _hung("  ELSE ", initial)
        if self.schema.readers:
            yield ""

    @staticmethod
    def _literal(doc: Doc) -> list[str]:
        return layout(doc, COLUMNS - 10)

    # -- behaviour -------------------------------------------------------------------------------

    def _initial(self) -> Iterator[str]:
        scribe = Scribe(self.schema)
        states = []
        for codes in self.machine.initial_codes():
            values = Values(scribe, {})
            parts = []
            for name, place in self.schema.top.items():
                inner = [terms.const(c) for c in codes[place.at : place.at + place.size]]
                value = values.value(place.domain, inner)
                parts.append(
                    scribe.press.make("edit", f"{self.schema.variables[name]} = {{}}", [value])
                )
            states.append(scribe.press.junction("/\\", parts))
        yield "Init =="
        yield from _hung("  ", layout(scribe.press.junction("\\/", states), COLUMNS - 2))
        yield ""

    def _steps(self) -> Iterator[str]:
        uses = []
        for definition in self.machine.model.actions.values():
            dags = {i.index: dag for i, dag in self._instances_of(definition)}
            family = Family(
                self.schema,
                [i for i in self.machine.instances if i.index in dags],
                self.actions[definition.name],
            )

            def write(scribe: Scribe, i: Instance, dags: dict[int, Dag] = dags) -> Doc | None:
                return StepText(scribe).text(dags[i.index])

            family.write(write)
            yield from _comment(definition.doc)
            if not family.operators:
                yield from _comment("Never possible in this scope.")
                yield f"{family.name} == FALSE"
                yield ""
            yield from _operators(family)
            uses += family.uses("\\E")
        yield "Next =="
        yield from _used("\\/", uses or ["FALSE /\\ UNCHANGED vars"])
        yield ""
        yield "Spec == Init /\\ [][Next]_vars"
        yield ""

    def _instances_of(self, definition: Definition) -> list[tuple[Instance, Dag]]:
        return [(i, d) for i, d in self.extracted.actions if i.definition is definition]

    def _claims(self) -> Iterator[str]:
        for kind in (PropertyKind.INVARIANT, PropertyKind.SOMETIMES):
            is_invariant = kind is PropertyKind.INVARIANT
            for name in self._of_kind(kind):
                yield from self._claim(name, is_invariant)

    def _claim(self, name: str, is_invariant: bool) -> Iterator[str]:
        """One property: an operator for each group of instances, and one for all."""
        instances = self.extracted.properties[name]
        found = {id(i): truth_term(dag, of_failure=is_invariant) for i, dag in instances}
        settled = terms.TRUE if is_invariant else terms.FALSE

        def write(scribe: Scribe, instance: Instance) -> Doc | None:
            term = found[id(instance)]
            return None if term is settled else _claimed(scribe, term)

        own = self.properties[name]
        family = Family(self.schema, [i for i, _ in instances], f"{own}_for")
        family.write(write)
        yield from _comment(self.machine.model.properties[name].definition.doc)
        yield from _gathered(family, own, "\\A" if is_invariant else "\\E")
        if not is_invariant:
            yield f"Never_{own} == ~{own}"
        yield ""

    def _faults(self) -> Iterator[str]:
        """Where the specification itself is in error: out of range, or an exception."""
        definitions = list(self.machine.model.actions.values())
        every = [(d.name, self._instances_of(d)) for d in definitions]
        every += [(name, list(found)) for name, found in self.extracted.properties.items()]
        names = []
        for name, instances in every:
            found = {id(i): failure_term(dag) for i, dag in instances}
            if all(term is terms.FALSE for term in found.values()):
                continue

            def write(scribe: Scribe, i: Instance, found: dict[int, Any] = found) -> Doc | None:
                term = found[id(i)]
                return None if term is terms.FALSE else _claimed(scribe, term)

            own = self.schema.names.new(f"{plain(name)}_fails")
            family = Family(self.schema, [i for i, _ in instances], f"{own}_for").write(write)
            yield from _comment(f"Where {name} is in error, as a function of the specification.")
            yield from _gathered(family, own, "\\E")
            yield ""
            names.append(own)
        yield from _comment("No action or property leaves a range, or raises.")
        if names:
            yield "NoSpecError =="
            yield from (f"  /\\ ~{name}" for name in names)
        else:
            yield "NoSpecError == TRUE"
        yield ""

    def _symmetry(self) -> list[str]:
        found: list[type[Id]] = Symmetry(self.machine).sorts
        sorts = [self.schema.sort_name(s) for s in found if self.machine.scope.size(s) > 1]
        if not sorts:
            return []
        return ["Symmetry == " + " \\cup ".join(f"Permutations({s})" for s in sorts), ""]


def _claimed(scribe: Scribe, term: Term) -> Doc:
    """A truth value that is asked of states; TLC refuses to ask for a constant."""
    if term.leaves:
        return scribe.truth(term)
    return scribe.press.atom("vars = vars" if term is terms.TRUE else "vars # vars")


def _operators(family: Family) -> Iterator[str]:
    for operator in family.operators:
        yield from _comment(family.comment(operator))
        yield operator.heading
        yield from _hung("  ", operator.body)
        yield ""


def _gathered(family: Family, name: str, quantifier: str) -> Iterator[str]:
    """The operators of a property, and its value for all its parameters."""
    if not family.operators:
        value = "TRUE" if quantifier == "\\A" else "FALSE"
        yield f"{name} == {value}"
        return
    if len(family.operators) == 1 and not family.operators[0].parameters:
        yield f"{name} =="
        yield from _hung("  ", family.operators[0].body)
        return
    yield from _operators(family)
    yield f"{name} =="
    joint = "/\\" if quantifier == "\\A" else "\\/"
    yield from _used(joint, family.uses(quantifier))


def _used(joint: str, uses: Iterable[str]) -> Iterator[str]:
    """Uses of operators, joined; a long one breaks after its quantifier."""
    for use in uses:
        line = f"  {joint} {use}"
        head, colon, rest = line.partition(" : ")
        parts = [line] if len(line) <= COLUMNS or not colon else [f"{head} :", f"       {rest}"]
        for part in parts:
            yield from (
                textwrap.wrap(part, COLUMNS, subsequent_indent=" " * 9, break_long_words=False)
                if len(part) > COLUMNS
                else [part]
            )


def _helpers_in(text: str) -> Iterator[str]:
    code = "\n".join(_code(text))
    for name, lines in HELPERS.items():
        if re.search(rf"\b{name}\b", code):
            yield from lines
            yield ""


def _code(text: str) -> Iterator[str]:
    """The lines of a text without comments."""
    return (line for line in text.split("\n") if not line.lstrip().startswith("\\*"))


def _comment(text: str) -> Iterator[str]:
    """A text as comment lines, in ASCII, because TLA+ knows no other letters."""
    if text:
        for line in text.encode("ascii", "replace").decode().split("\n"):
            yield from (f"\\* {part}" for part in textwrap.wrap(line, COLUMNS + 2) or [""])


def _hung(prefix: str, lines: Iterable[str]) -> Iterator[str]:
    blank = " " * len(prefix)
    for i, line in enumerate(lines):
        yield (blank if i else prefix) + line


def _wrapped(heading: str, names: str) -> Iterator[str]:
    """A list of names, on as many lines as it takes."""
    line = heading
    for name in names.split(", "):
        if len(line) + len(name) > COLUMNS and line != heading:
            yield line.rstrip()
            line = " " * len(heading)
        line += f"{name}, "
    yield line.removesuffix(", ")


__all__ = ["Exported", "export", "module_name"]
