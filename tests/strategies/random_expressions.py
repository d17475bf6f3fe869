"""Random text in the specification language: expressions by type, and statements."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

FIELDS = {
    "n": "integer(-1, 3)",
    "m": "integer(0, size, default=1)",
    "f": "flag()",
    "g": "flag()",
    "e": "choice(Level, default=Level.MIDDLE)",
    "a": "maybe(A)",
    "b": "member(B)",
    "p": "nested(Pair)",
    "ids": "subset(A)",
    "others": "subset(A)",
    "nums": "subset(Small)",
    "levels": "subset(Level)",
    "marks": "subset(Mark)",
    "log": "seq(Pair, 2)",
    "long": "seq(Pair, 3)",
    "row": "seq(integer(0, 2), 2)",
    "queue": "seq(maybe(A), 2)",
    "owners": "seq(member(B), 2)",
    "t": "table(A, integer(0, 2))",
    "tp": "table(A, Pair)",
    "room": "table(A, Room)",
    "te": "table(Level, flag())",
    "sets": "table(A, subset(A))",
}
"""Every kind of field.  A model has some of them, each under its own name."""

INT_PLACES = {"n": "s.n", "m": "s.m", "p": "s.p.x", "t": "s.t[{id}]", "tp": "s.tp[{id}].x"}
INT_READS = {
    "log": "s.log.end",
    "ids": "s.ids.size",
    "marks": "s.marks.size",
    "row": "s.row[{int}]",
    "room": "s.room[{id}].log.end",
}
BOOL_PLACES = {"f": "s.f", "g": "s.g", "p": "s.p.on", "tp": "s.tp[{id}].on", "te": "s.te[{enum}]"}
ID_PLACES = {"a": "s.a", "p": "s.p.who", "tp": "s.tp[{id}].who"}
ID_READS = {
    "queue": "s.queue[{int}]",
    "log": "s.log[{int}].who",
}
SETS = {
    "ids": "s.ids",
    "others": "s.others",
    "room": "s.room[{id}].ids",
    "sets": "s.sets[{id}]",
}
PAIRS = {"p": "s.p", "tp": "s.tp[{id}]", "log": "s.log[{int}]", "room": "s.room[{id}].log[{int}]"}
SEQS = {"log": "s.log", "long": "s.long", "room": "s.room[{id}].log"}

Names = dict[str, str]


class Writer:
    """Writes for a state with these fields.  Every choice is drawn, so that examples shrink."""

    def __init__(self, draw: Any, fields: set[str]) -> None:
        self.draw, self.fields = draw, fields
        self.helpers: dict[str, str] = {}
        self.names: Names = {}
        self.fresh = 0

    def pick(self, options: list[Any]) -> Any:
        """One of the options; the first is the simplest."""
        return self.draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        """A number of the generator's own."""
        return int(self.draw(st.integers(low, high)))

    def _filled(self, pattern: str, depth: int) -> str:
        for kind in ("id", "int", "enum"):
            while "{" + kind + "}" in pattern:
                pattern = pattern.replace("{" + kind + "}", self.expression(kind, depth - 1), 1)
        return pattern

    def _there(self, places: dict[str, str], depth: int) -> list[str]:
        found = [pattern for name, pattern in places.items() if name in self.fields]
        return [self._filled(self.pick(found), depth)] if found else []

    def _named(self, kind: str) -> list[str]:
        return [name for name, its in self.names.items() if its == kind]

    def _within(self, name: str, kind: str, write: Callable[[], str]) -> str:
        self.names = {**self.names, name: kind}
        text = write()
        self.names = {n: k for n, k in self.names.items() if n != name}
        return text

    def _new(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    # -- expressions -------------------------------------------------------------------------

    def expression(self, kind: str, depth: int) -> str:
        """An expression of a kind: int, bool, id, order, enum, set, pair."""
        return str(getattr(self, f"_{kind}")(depth))

    def _leaf_int(self, depth: int) -> str:
        constants = ["0", "1", "2", "size", "-1"]
        places = self._there(INT_PLACES, depth) if depth > 0 else []
        return str(self.pick([*places, *self._named("int"), *constants]))

    def _int(self, depth: int) -> str:  # noqa: PLR0911 - one for each form
        if depth <= 0:
            return self._leaf_int(0)
        calls = [n for n, kind in self.helpers.items() if kind == "int"]
        a = self._leaf_int(depth)
        match self.pick(
            ["leaf", "read", "+", "-", "*", "//", "min", "if", "count", "over", "call"]
        ):
            case "read":
                return (self._there(INT_READS, depth) or [a])[0]
            case "+" | "-" | "*" as operator:
                return f"({a} {operator} {self._int(depth - 1)})"
            case "//":
                operator = self.pick(["//", "%"])
                return f"({a} {operator} {self._int(depth - 1)})"
            case "min":
                return f"{self.pick(['min_', 'max_', 'min', 'max'])}({a}, {self._int(depth - 1)})"
            case "if":
                return f"({a} if {self._bool(depth - 1)} else {self._int(depth - 1)})"
            case "count":
                return self._over("count", depth)
            case "over":
                function = self.pick(["min_over", "max_over"])
                return self._over(function, depth, f", start={self._leaf_int(0)}")
            case "call" if calls:
                return f"{self.pick(calls)}(s, {self._id(depth - 1)})"
        return a

    def _over(self, function: str, depth: int, more: str = "") -> str:
        name = self._new()
        kinds = [("A", "id"), ("[0, 1, 2]", "int"), ("SPAN", "int")]
        kinds += [(f"s.{n}", "id") for n in ("ids", "others", "queue") if n in self.fields]
        kinds += [(f"s.{n}", "pair") for n in ("log", "long") if n in self.fields]
        kinds += [("s.marks", "mark")] if "marks" in self.fields else []
        over, kind = self.pick(kinds)
        if over == "SPAN":
            over = f"span({self._leaf_int(0)}, {self._int(depth - 1)})"
        wanted = "int" if function.endswith("over") else "bool"
        body = self._within(name, kind, lambda: self.expression(wanted, depth - 1))
        return f"{function}({over}, lambda {name}: {body}{more})"

    def _bool(self, depth: int) -> str:  # noqa: PLR0911, PLR0912 - one for each form
        flags = self._there(BOOL_PLACES, depth) + self._named("bool") if depth > 0 else ["True"]
        flag = self.pick([*flags, "True"])
        if depth <= 0:
            return str(flag)
        calls = [n for n, kind in self.helpers.items() if kind == "bool"]
        kinds = ["flag", "<", "==", "not", "and", "id", "order", "enum", "in", "sets", "for", "all"]
        match self.pick([*kinds, "pair", "seq", "mark", "call", "is"]):
            case "<":
                operator = self.pick(["<", "<=", ">", ">="])
                return f"({self._int(depth - 1)} {operator} {self._int(depth - 1)})"
            case "==":
                return f"({self._int(depth)} {self.pick(['==', '!='])} {self._int(depth - 1)})"
            case "not":
                return f"(not {self._bool(depth - 1)})"
            case "and":
                word = self.pick(["and", "or"])
                return f"({self._bool(depth - 1)} {word} {self._bool(depth - 1)})"
            case "id":
                operator = self.pick(["==", "!="])
                return f"({self._id(depth)} {operator} {self.pick([self._id(depth - 1), 'NONE'])})"
            case "order" if "b" in self.fields:
                return f"({self._order(depth)} {self.pick(['==', '<', '>='])} s.b)"
            case "enum":
                return f"({self._enum(depth)} {self.pick(['==', '!='])} {self._enum(depth - 1)})"
            case "in":
                word = self.pick(["in", "not in"])
                return f"({self._id(depth - 1)} {word} {self._set(depth)})"
            case "sets":
                operator = self.pick(["==", "<=", ">=", "!="])
                return f"({self._set(depth)} {operator} {self._set(depth - 1)})"
            case "for":
                return self._over(self.pick(["forall", "exists"]), depth)
            case "all":
                name, word = self._new(), self.pick(["all", "any"])
                over, kind = self._looped(depth)
                body = self._within(name, kind, lambda: self._bool(depth - 1))
                return f"{word}({body} for {name} in {over})"
            case "pair":
                return f"({self._pair(depth)} == {self._pair(depth - 1)})"
            case "seq" if self.fields & SEQS.keys():
                (one,), (two,) = self._there(SEQS, depth), self._there(SEQS, depth)
                return str(self.pick([f"({one} == {two})", f"{one}.has_room", f"{two}.is_empty"]))
            case "mark" if "marks" in self.fields:
                return f"({self._mark(depth)} in s.marks)"
            case "call" if calls:
                return f"{self.pick(calls)}(s, {self._id(depth - 1)})"
            case "is":
                return f"{self._set(depth)}.is_empty"
        return str(flag)

    def _id(self, depth: int) -> str:
        """An id of A, perhaps NONE."""
        known = self._named("id")
        known += [f"{name}.who" for name in self._named("pair") + self._named("mark")]
        places = self._there(ID_PLACES, depth) if depth > 0 else []
        reads = self._there(ID_READS, depth) if depth > 1 else []
        calls = [n for n, kind in self.helpers.items() if kind == "id"] if depth > 0 else []
        found = known + places + reads + [f"{name}(s, {self._id(0)})" for name in calls]
        return str(self.pick(found or ["NONE"]))

    def _order(self, depth: int) -> str:
        reads = ["s.owners[0]"] if "owners" in self.fields else []
        places = ["s.b"] if "b" in self.fields else []
        return str(self.pick([*self._named("order"), *places, *reads]))

    def _enum(self, depth: int) -> str:
        places = ["s.e"] if "e" in self.fields else []
        constants = ["Level.LOW", "Level.MIDDLE", "Level.HIGH"]
        return str(self.pick([*places, *self._named("enum"), *constants]))

    def _set(self, depth: int) -> str:
        place = (self._there(SETS, depth) or ["SetOf()"])[0]
        if depth <= 0:
            return place
        one = self._id(depth - 1)
        match self.pick(["place", "|", "&", "-", "including", "excluding", "SetOf"]):
            case "|" | "&" | "-" as operator:
                return f"({place} {operator} {self._set(depth - 1)})"
            case "including" | "excluding" as method:
                return f"{place}.{method}({one})"
            case "SetOf":
                return f"SetOf([{one}])"
        return place

    def _pair(self, depth: int) -> str:
        places = self._there(PAIRS, depth) if depth > 0 else []
        made = f"Pair(x={self._int(depth - 1)}, who={self._id(depth - 1)}, on={self._bool(0)})"
        return str(self.pick([*places, *self._named("pair"), made]))

    def _mark(self, depth: int) -> str:
        made = f"Mark(who={self._id(depth - 1)}, on={self._bool(depth - 1)})"
        return str(self.pick([*self._named("mark"), made]))

    def _looped(self, depth: int) -> tuple[str, str]:
        kinds = [("each(A)", "id"), (f"range({self._int(depth - 1)})", "int")]
        kinds += [(f"s.{n}", "id") for n in ("ids", "others", "queue") if n in self.fields]
        kinds += [(f"s.{n}", "int") for n in ("nums", "row") if n in self.fields]
        kinds += [(f"s.{n}", "pair") for n in ("log", "long") if n in self.fields]
        kinds += [("s.marks", "mark")] if "marks" in self.fields else []
        kinds += [("s.owners", "order")] if "owners" in self.fields else []
        found: tuple[str, str] = self.pick(kinds)
        return found

    # -- statements --------------------------------------------------------------------------

    def action(self, parameters: Names) -> str:
        """The body of an action."""
        self.names = dict(parameters)
        lines = [f"    require({self._bool(2)})" for _ in range(self.number(0, 2))]
        for _ in range(self.number(1, 3)):
            lines += self._statement(2, "    ")
        return "\n".join(lines)

    def claim(self, parameters: tuple[str, ...] = ("p",)) -> str:
        """The body of a property."""
        self.names = dict.fromkeys(parameters, "id")
        return f"    return {self._bool(2)}"

    def definition(self, name: str) -> str:
        """A `pure` definition of the state and an id."""
        self.names = {"q": "id"}
        kind = self.pick(["bool", "int", "id"])
        lines = ["@pure", f"def {name}(s: State, q: A) -> Any:"]
        if self.pick([False, True]):
            variable = self._new()
            over, its = self._looped(2)
            inner = self._within(
                variable,
                its,
                lambda: f"({self._bool(2)}):\n            return {self.expression(kind, 1)}",
            )
            lines += [f"    for {variable} in {over}:", f"        if {inner}"]
        lines += [f"    if {self._bool(2)}:", f"        return {self.expression(kind, 2)}"]
        lines.append(f"    return {self.expression(kind, 1)}\n")
        self.helpers[name] = kind
        return "\n".join(lines)

    def _statement(self, depth: int, indent: str) -> list[str]:
        kinds = ["int", "bool", "set", "seq", "change", "pair", "id", "enum", "number", "mark"]
        kinds += ["if", "for", "match"] if depth > 0 else []
        kind = self.pick(kinds)
        match kind:
            case "if":
                inside = self._statement(depth - 1, indent + "    ")
                lines = [f"{indent}if {self._bool(2)}:", *inside]
                if self.pick([True, False]):
                    lines += [f"{indent}else:", *self._statement(depth - 1, indent + "    ")]
                return lines
            case "for":
                name = self._new()
                over, its = self._looped(1)
                self.names = {**self.names, name: its}
                lines = [f"{indent}for {name} in {over}:"]
                lines += self._statement(depth - 1, indent + "    ")
                self.names = {n: k for n, k in self.names.items() if n != name}
                return lines
            case "match":
                inside = self._statement(depth - 1, indent + " " * 8)
                return [f"{indent}match {self._enum(1)}:", f"{indent}    case Level.LOW:", *inside]
        return [indent + (self._change(kind) or "pass")]

    def _change(self, kind: str) -> str:  # noqa: PLR0911 - one for each kind of field
        match kind:
            case "int":
                place = self._there(INT_PLACES, 1)
                value = self.pick([f"= ({self._int(2)}) % 3", f"= {self._int(2)}", "+= 1", "-= 1"])
                return f"{place[0]} {value}" if place else ""
            case "bool":
                place = self._there(BOOL_PLACES, 1)
                return f"{place[0]} = {self._bool(2)}" if place else ""
            case "id":
                place = self._there(ID_PLACES, 1)
                return f"{place[0]} = {self._id(2)}" if place else ""
            case "enum" if "e" in self.fields:
                return f"s.e = {self._enum(1)}"
            case "set":
                place = self._there(SETS, 1)
                method = self.pick(["add", "remove"])
                change = self.pick([f".{method}({self._id(2)})", f" = {self._set(2)}"])
                return f"{place[0]}{change}" if place else ""
            case "mark" if "marks" in self.fields:
                return f"s.marks.{self.pick(['add', 'remove'])}({self._mark(2)})"
            case "pair":
                place = self._there(PAIRS, 1)
                return f"{place[0]} = {self._pair(2)}" if place else ""
            case "number" if self.fields & {"row", "nums"}:
                value = self.pick([f"({self._int(1)}) % 2", self._int(1)])
                changes = [f"s.row.append({value})", f"s.row[{self._int(1)}] = {value}"]
                known = changes if "row" in self.fields else [f"s.nums.add({value})"]
                return str(self.pick(known))
            case "seq":
                return self._sequence_change()
            case "change" if self.fields & {"log", "tp"}:
                place = self._there({k: PAIRS[k] for k in ("log", "tp")}, 1)
                return f"r = {place[0]}; r.x = {self._int(1)}; r.who = {self._id(1)}"
        return ""

    def _sequence_change(self) -> str:
        if "queue" in self.fields and self.pick([True, False]):
            return f"s.queue.{self.pick([f'append({self._id(2)})', 'pop_first()'])}"
        if "owners" in self.fields and self._named("order") and self.pick([True, False]):
            return f"s.owners.{self.pick([f'append({self._order(1)})', 'pop_first()'])}"
        place = self._there(SEQS, 1)
        if not place:
            return ""
        other = self._there(SEQS, 1)[0]
        grow = f"if {place[0]}.has_room: {place[0]}.append({self._pair(1)})"
        shrink = f"if not {place[0]}.is_empty: {place[0]}.pop_first()"
        changes = [f".append({self._pair(1)})", ".pop_first()", f".truncate({self._int(1)})"]
        more = [place[0] + change for change in [*changes, f" = {other}", " = Seq()"]]
        return str(self.pick([grow, shrink, *more]))
