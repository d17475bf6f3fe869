"""Why a condition is true or false: what its parts were when it was looked at.

Shared by `why_not` (the guard that refused) and by `explain` (the property that broke).  Parts of
an expression are evaluated again, one by one, on plain values: only those that were looked at the
first time too, so that the right side of a false `and` is left alone, and only what changes
nothing.  A part that cannot be evaluated is left out, never guessed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from kproof_spec import lang
from kproof_spec.lang import Definition, Machine, Struct, require
from kproof_spec.lang.guards import Pure
from kproof_spec.lang.keys import shown

from .sources import (
    Returned,
    assigned_once,
    call_watched,
    decided_at,
    is_spec_code,
    line_of,
    short_position,
    source_of,
)

DEPTH_MAX = 4
"""Into how many definitions inside definitions a reading goes."""

VALUE_LENGTH_MAX = 160
"""Characters of a value that are shown."""

SAFE_FUNCTIONS = frozenset(
    [
        *(lang.forall, lang.exists, lang.count, lang.each, lang.span),
        *(lang.min_, lang.max_, lang.min_over, lang.max_over),
        *(abs, all, any, bool, enumerate, int, len, list, max, min, range, set, sorted, sum),
        *(tuple, zip),
    ]
)
SAFE_METHODS = frozenset({"including", "excluding"})
QUANTIFIERS = {"forall": False, "all": False, "exists": True, "any": True}
"""The truth value for which one element alone is the reason."""

ASSIGNED = "<assigned>"
"""Under this key, which is no name, `names` has the expressions that local names stand for."""

UNKNOWN: Any = object()
"""The value of a part that could not be evaluated."""


@dataclass(frozen=True)
class Reading:
    """A part of a condition and its value, with the operands that make it so."""

    text: str
    value: str
    operands: tuple[tuple[str, str], ...] = ()
    depth: int = 0

    def __str__(self) -> str:
        """As in `offset < log.end is False: offset = 1, log.end = 1`."""
        inner = ", ".join(f"{text} = {value}" for text, value in self.operands)
        verb = "is" if self.value in ("True", "False") else "="
        said = f"{self.text} {verb} {self.value}"
        return "  " * self.depth + (f"{said}: {inner}" if inner else said)


@dataclass(frozen=True)
class Clause:
    """A condition in the source, and the values of its parts."""

    path: str
    line: int
    source: str
    """The whole statement or call; it may span lines."""
    readings: tuple[Reading, ...]

    @property
    def position(self) -> str:
        """`path:line`, from the current folder."""
        return short_position(self.path, self.line)

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """Every part with its value, each once, in the order of evaluation."""
        found: dict[str, str] = {}
        for reading in self.readings:
            found.setdefault(reading.text, reading.value)
            for text, value in reading.operands:
                found.setdefault(text, value)
        return tuple(found.items())


def deciding_clause(
    machine: Machine[Any], state: Any, definition: Definition, *args: Any
) -> Clause:
    """Which `return` of a property gave its value, and on what values."""
    function = definition.function
    path, line = definition.position
    with machine.in_scope():
        try:
            _, returned = call_watched(function, state, *args)
        except Exception:
            returned = None
        at = decided_at(path, returned.line) if returned else None
        if returned is None or at is None:
            return Clause(path, line, line_of(path, line), ())
        statement, expression = at
        names = {**returned.names, ASSIGNED: assigned_once(path, returned.line)}
        readings = tuple(Reader(machine, state).readings(expression, names))
    return Clause(path, statement.lineno, _statement_text(path, statement), readings)


def _statement_text(path: str, statement: ast.stmt) -> str:
    if isinstance(statement, ast.If):
        return f"if {source_of(path, statement.test).strip()}: ..."
    return source_of(path, statement)


class Reader:
    """Evaluates parts of expressions on one state, and leaves the state as it is.

    It must run inside the machine's scope.
    """

    def __init__(self, machine: Machine[Any], state: Any) -> None:
        self.machine, self.state = machine, state
        self.store = machine.store_of(state)

    def readings(self, node: ast.expr, names: dict[str, Any], depth: int = 0) -> Iterator[Reading]:
        """The parts of a condition that decide its value, in the order of evaluation."""
        match node:
            case ast.BoolOp():
                yield from self._joined(node, names, depth)
            case ast.UnaryOp(op=ast.Not()):
                yield from self.readings(node.operand, names, depth)
            case ast.IfExp():
                chosen = self.value(node.test, names)
                yield from self.readings(node.test, names, depth)
                if chosen is not UNKNOWN:
                    yield from self.readings(node.body if chosen else node.orelse, names, depth)
            case ast.Compare():
                operands = [node.left, *node.comparators]
                yield from self._atom(node, operands, names, depth)
            case ast.Call():
                operands = [*node.args, *(keyword.value for keyword in node.keywords)]
                yield from self._atom(node, operands, names, depth)
                if depth < DEPTH_MAX:
                    yield from self._inside(node, names, depth + 1)
            case ast.Constant():
                return
            case ast.Name(id=name) if name in names.get(ASSIGNED, ()) and depth < DEPTH_MAX:
                yield from self._atom(node, [], names, depth)
                meant = names[ASSIGNED][name]
                # Not if the state changed since: the expression would have another value now.
                if self.value(meant, names) is self.value(node, names):
                    yield from self.readings(meant, names, depth + 1)
            case _:
                yield from self._atom(node, [], names, depth)

    def _joined(self, node: ast.BoolOp, names: dict[str, Any], depth: int) -> Iterator[Reading]:
        """The parts of an `and` or `or`: the one that decides alone, else all."""
        stops_at = isinstance(node.op, ast.Or)
        for part in node.values:
            value = self.value(part, names)
            if value is not UNKNOWN and bool(value) is stops_at:
                yield from self.readings(part, names, depth)
                return
        for part in node.values:
            yield from self.readings(part, names, depth)

    def _atom(
        self, node: ast.expr, operands: list[ast.expr], names: dict[str, Any], depth: int
    ) -> Iterator[Reading]:
        value = self.value(node, names)
        if value is UNKNOWN:
            return
        shown: list[tuple[str, str]] = []
        for operand in operands:
            if isinstance(operand, ast.Constant | ast.Lambda | ast.GeneratorExp | ast.ListComp):
                continue
            part = self.value(operand, names)
            text = _text(operand)
            # The whole state, a sort, or a name that is its own value says nothing.
            if part is UNKNOWN or part is self.state or isinstance(part, type):
                continue
            if text not in (seen for seen, _ in shown) and not text.endswith(_cut(part)):
                shown.append((text, _cut(part)))
        yield Reading(_text(node), _cut(value), tuple(shown), depth)

    def _inside(self, node: ast.Call, names: dict[str, Any], depth: int) -> Iterator[Reading]:
        """Why a call has its value: the element that decides, or the definition's own clause."""
        quantifier = node.func.id if isinstance(node.func, ast.Name) else ""
        if quantifier in QUANTIFIERS:
            yield from self._deciding_element(node, quantifier, names, depth)
            return
        function = self._called(node, names)
        if isinstance(function, Pure):
            function = self.machine.scope.overrides.get(function, function.function)
        if not isinstance(function, FunctionType) or not is_spec_code(function.__code__):
            return
        returned = self._returned(node, function, names)
        path = function.__code__.co_filename
        at = decided_at(path, returned.line) if returned else None
        if returned is not None and at is not None:
            inner = {**returned.names, ASSIGNED: assigned_once(path, returned.line)}
            yield from self.readings(at[1], inner, depth)

    def _returned(
        self, node: ast.Call, function: FunctionType, names: dict[str, Any]
    ) -> Returned | None:
        if node.keywords:
            return None
        arguments = [self.value(argument, names) for argument in node.args]
        if any(argument is UNKNOWN for argument in arguments):
            return None
        mark = len(self.store.journal)
        try:
            return call_watched(function, *arguments)[1]
        except Exception:
            return None
        finally:
            self._undo(mark)

    def _deciding_element(
        self, node: ast.Call, quantifier: str, names: dict[str, Any], depth: int
    ) -> Iterator[Reading]:
        match node.args:
            case [ast.GeneratorExp() | ast.ListComp() as made] if len(made.generators) == 1:
                over, body = made.generators[0].iter, made.elt
                target, conditions = made.generators[0].target, made.generators[0].ifs
            case [over, ast.Lambda() as made] if len(made.args.args) == 1:
                body, conditions = made.body, []
                target = ast.Name(made.args.args[0].arg)
            case _:
                return
        elements = self.value(over, names)
        if elements is UNKNOWN or not isinstance(target, ast.Name):
            return
        wanted = QUANTIFIERS[quantifier]
        if isinstance(elements, type):
            elements = self.machine.scope.each(elements)
        for element in elements:
            inner = {**names, target.id: element}
            if not all(self.value(condition, inner) is True for condition in conditions):
                continue
            value = self.value(body, inner)
            if value is not UNKNOWN and bool(value) is wanted:
                yield Reading(target.id, _cut(element), (), depth)
                yield from self.readings(body, inner, depth)
                return

    # -- evaluating --------------------------------------------------------------------------

    def value(self, node: ast.expr, names: dict[str, Any]) -> Any:
        """The value of an expression, or UNKNOWN."""
        if not self._is_safe(node, names):
            return UNKNOWN
        mark = len(self.store.journal)
        try:
            expression = ast.fix_missing_locations(ast.Expression(node))
            # Everything goes in as globals: a lambda inside sees no locals of an `eval`.
            return eval(compile(expression, "<clause>", "eval"), dict(names))
        except Exception:
            return UNKNOWN
        finally:
            self._undo(mark)

    def _undo(self, mark: int) -> None:
        """Takes back what was written since the journal was `mark` long, and no more."""
        journal = self.store.journal
        if len(journal) > mark:
            kept = journal[:mark]
            del journal[:mark]
            self.store.rollback()
            journal.extend(kept)

    def _is_safe(self, node: ast.expr, names: dict[str, Any]) -> bool:
        for part in ast.walk(node):
            if isinstance(part, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
                return False
            if isinstance(part, ast.Call):
                if isinstance(part.func, ast.Attribute) and part.func.attr in SAFE_METHODS:
                    continue
                if not _is_safe_function(self._called(part, names)):
                    return False
        return True

    def _called(self, node: ast.Call, names: dict[str, Any]) -> Any:
        match node.func:
            case ast.Name(id=name):
                return names.get(name, getattr(builtins, name, None))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                module = names.get(name)
                return getattr(module, attribute, None) if isinstance(module, ModuleType) else None
        return None


def _is_safe_function(function: Any) -> bool:
    if isinstance(function, type) and issubclass(function, Struct):
        return True
    if isinstance(function, Pure):
        return True
    if isinstance(function, FunctionType) and function is not require:
        return function in SAFE_FUNCTIONS or is_spec_code(function.__code__)
    return function in SAFE_FUNCTIONS if getattr(function, "__hash__", None) else False


def _text(node: ast.expr) -> str:
    """An expression on one line; `unparse` puts a lone generator in two pairs of brackets."""
    match node:
        case ast.Call(args=[ast.GeneratorExp() as only], keywords=[]):
            return f"{ast.unparse(node.func)}{ast.unparse(only)}"
    return ast.unparse(node)


def _cut(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 3] + "..."
