"""TLA+ expressions as a graph, and how they are laid out as text.

Equal expressions of one `Press` are one object, so an expression that occurs twice costs nothing
until it is written: then `shared` gives it a name in a LET.  No expression is written flat before
its width is known to fit, so text never grows faster than the graph.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

COLUMNS = 96
"""How wide a line may be; an atom that is wider is not broken."""

NARROWEST = 40
"""Lists of variables are not made narrower than this."""

SHARED_WIDTH = 56
"""Narrower expressions are written again where they occur again."""

RELATIONS = ("=", "#", "<", "<=", ">", ">=", "\\in", "\\notin", "<=>", "\\subseteq")


@dataclass(frozen=True, eq=False)
class Doc:
    """An expression.  `head` is an operator, a text with holes, or the names of a record."""

    kind: str
    head: str
    parts: tuple[Doc, ...]
    digest: str
    """Of the text alone: an order that is the same in every run."""
    width: int
    """How many columns it takes on one line."""


class Press:
    """Makes expressions; equal ones are the same object."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, tuple[int, ...]], Doc] = {}

    def make(self, kind: str, head: str, parts: Iterable[Doc] = ()) -> Doc:
        """An expression of any kind."""
        inside = tuple(parts)
        key = (kind, head, tuple(id(part) for part in inside))
        known = self._made.get(key)
        if known is None:
            text = "\0".join([kind, head, *[part.digest for part in inside]])
            digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
            known = self._made[key] = Doc(kind, head, inside, digest, _width(kind, head, inside))
        return known

    def atom(self, text: str) -> Doc:
        """A name or a literal."""
        return self.make("atom", text)

    def infix(self, operator: str, left: Doc, right: Doc) -> Doc:
        """left operator right"""
        return self.make("infix", operator, (left, right))

    def form(self, text: str, *parts: Doc) -> Doc:
        """A text with a hole `{}` for each part, none of which needs parentheses."""
        return self.make("form", text, parts)

    def junction(self, operator: str, parts: Iterable[Doc]) -> Doc:
        """A conjunction or a disjunction."""
        inside = list(parts)
        if not inside:
            return self.atom("TRUE" if operator == "/\\" else "FALSE")
        return inside[0] if len(inside) == 1 else self.make("junction", operator, inside)

    def negated(self, part: Doc) -> Doc:
        """~part"""
        return part.parts[0] if part.kind == "not" else self.make("not", "~", (part,))

    def choice(self, condition: Doc, yes: Doc, no: Doc) -> Doc:
        """IF condition THEN yes ELSE no"""
        return yes if yes is no else self.make("if", "", (condition, yes, no))

    def record(self, fields: dict[str, Doc]) -> Doc:
        """A record; at least one field."""
        return self.make("record", ",".join(fields), fields.values())

    def replaced(self, doc: Doc, parts: Sequence[Doc]) -> Doc:
        """`doc` with other parts."""
        return doc if all(map(_same, doc.parts, parts)) else self.make(doc.kind, doc.head, parts)


def _same(a: Doc, b: Doc) -> bool:
    return a is b


def _width(kind: str, head: str, parts: tuple[Doc, ...]) -> int:
    inside = sum(part.width + 2 * _in_brackets(part, kind, head) for part in parts)
    match kind:
        case "atom":
            return len(head)
        case "infix" | "junction":
            return inside + (len(head) + 2) * (len(parts) - 1)
        case "if":
            return inside + len("IF  THEN  ELSE ")
        case "record":
            return inside + len(head) + 1 + len(" |-> ") * len(parts) + len(parts)
        case "except":
            return inside + len("[ EXCEPT ]") + 2 * (len(parts) - 2)
        case "assign":
            return inside + len(head) + len("' = ")
    return inside + len(head)


def _in_brackets(part: Doc, kind: str, head: str) -> bool:
    """Whether a part needs parentheses inside an expression of this kind, on one line."""
    match kind:
        case "infix" | "not":
            if part.kind == "infix":
                return head not in RELATIONS or part.head in RELATIONS
            return part.kind in ("junction", "if", "not")
        case "junction":
            return part.kind in ("junction", "if") or part.head == "<=>"
        case "assign" | "edit":
            return part.kind == "if" or _is_truth(part)
    return False


def _is_truth(doc: Doc) -> bool:
    """Whether this binds less than the `=` before it."""
    return doc.kind == "junction" or (doc.kind == "infix" and doc.head in RELATIONS)


def flat(doc: Doc) -> str:
    """An expression on one line."""
    inside = [
        f"({flat(part)})" if _in_brackets(part, doc.kind, doc.head) else flat(part)
        for part in doc.parts
    ]
    match doc.kind:
        case "atom":
            return doc.head
        case "infix" | "junction":
            return f" {doc.head} ".join(inside)
        case "not":
            return f"~{inside[0]}"
        case "if":
            return f"IF {inside[0]} THEN {inside[1]} ELSE {inside[2]}"
        case "record":
            names = doc.head.split(",")
            fields = (f"{n} |-> {value}" for n, value in zip(names, inside, strict=True))
            return f"[{', '.join(fields)}]"
        case "except":
            return f"[{inside[0]} EXCEPT {', '.join(inside[1:])}]"
        case "assign":
            return f"{doc.head}' = {inside[0]}"
    texts = doc.head.split("{}")
    return texts[0] + "".join(p + t for p, t in zip(inside, texts[1:], strict=True))


def layout(doc: Doc, width: int = COLUMNS) -> list[str]:  # noqa: PLR0911 - one for each kind
    """An expression as lines, none of them longer than `width` where that can be."""
    if doc.width <= width:
        return [flat(doc)]
    match doc.kind:
        case "atom" if doc.head.startswith("UNCHANGED"):
            blank = " " * len("UNCHANGED <<")
            return textwrap.wrap(doc.head, max(width, NARROWEST), subsequent_indent=blank)
        case "junction":
            return [
                line for part in doc.parts for line in _hung(f"{doc.head} ", layout, part, width)
            ]
        case "not":
            return _hung("~", _bracketed, doc.parts[0], width)
        case "if":
            return _branches(doc, width)
        case "infix":
            left = _operand(doc.parts[0], doc.head, width)
            return left + [
                f"  {doc.head} {line}" if i == 0 else " " * (len(doc.head) + 3) + line
                for i, line in enumerate(_operand(doc.parts[1], doc.head, width - 5))
            ]
        case "assign":
            value = doc.parts[0]
            show = _bracketed if _is_truth(value) else layout
            return _hung(f"{doc.head}' = ", show, value, width)
        case "record":
            names = doc.head.split(",")
            lines = [
                _hung(f"{name} |-> ", layout, part, width - 3)
                for name, part in zip(names, doc.parts, strict=True)
            ]
            return _listed("[", lines, "]")
        case "except":
            edits = [layout(part, width - 3) for part in doc.parts[1:]]
            first = [f"[{flat(doc.parts[0])} EXCEPT"]
            return first + ["  " + line for line in _listed("", edits, "]")]
        case "edit":
            return _edited(doc, width)
        case "form":
            return _filled(doc, width)
    return [flat(doc)]


def _hung(prefix: str, show: Callable[[Doc, int], list[str]], doc: Doc, width: int) -> list[str]:
    lines = show(doc, width - len(prefix))
    blank = " " * len(prefix)
    return [(blank if i else prefix) + line for i, line in enumerate(lines)]


def _bracketed(doc: Doc, width: int) -> list[str]:
    lines = _hung("(", layout, doc, width - 1)
    lines[-1] += ")"
    return lines


def _operand(doc: Doc, operator: str, width: int) -> list[str]:
    is_inside = _in_brackets(doc, "infix", operator)
    return _bracketed(doc, width) if is_inside else layout(doc, width)


def _branches(doc: Doc, width: int) -> list[str]:
    condition, yes, no = doc.parts
    lines = _hung("IF ", layout, condition, width) + _hung("THEN ", layout, yes, width)
    if no.kind == "if" and no.width > width - 5 and no.parts[0].width <= width - 8:
        # A chain of ELSE IF stays at its column.
        first, *rest = layout(no, width)
        return [*lines, f"ELSE {first}", *rest]
    return lines + _hung("ELSE ", layout, no, width)


def _listed(opening: str, items: list[list[str]], closing: str) -> list[str]:
    """Items on lines of their own, with commas between them."""
    out: list[str] = []
    for i, lines in enumerate(items):
        lines[-1] += closing if i == len(items) - 1 else ","
        prefix = opening if i == 0 else " " * len(opening)
        out += [(prefix if j == 0 else " " * len(opening)) + line for j, line in enumerate(lines)]
    return out


def _filled(doc: Doc, width: int) -> list[str]:
    """A text with its holes filled: a list of arguments has each on a line of its own."""
    texts = doc.head.split("{}")
    if len(texts) > 2 and set(texts[1:-1]) == {", "}:
        items = [layout(part, width - len(texts[0]) - 1) for part in doc.parts]
        return _listed(texts[0], items, texts[-1])
    lines = [texts[0]]
    for part, before, after in zip(doc.parts, texts, texts[1:], strict=False):
        is_enclosed = before.endswith("(") and after.startswith(")")
        show = _bracketed if part.kind == "junction" and not is_enclosed else layout
        first, *rest = show(part, width - len(lines[-1]))
        blank = " " * len(lines[-1])
        lines[-1] += first
        lines += [blank + line for line in rest]
        lines[-1] += after
    return lines


def _edited(doc: Doc, width: int) -> list[str]:
    """`![key].field = value`; the value is on the next line if it is whole there."""
    *keys, value = doc.parts
    texts = doc.head.split("{}")
    start = texts[0] + "".join(flat(k) + t for k, t in zip(keys, texts[1:], strict=False))
    show = _bracketed if _is_truth(value) else layout
    if value.width > width - len(start) and value.width <= width - 2:
        return [start.rstrip(), *(f"  {line}" for line in show(value, width - 2))]
    return _hung(start, show, value, width)


def unique(root: Doc) -> list[Doc]:
    """Every expression inside one, each once, parts before what they are part of."""
    found: dict[int, Doc] = {}
    stack = [root]
    while stack:
        doc = stack[-1]
        missing = [part for part in doc.parts if id(part) not in found]
        if missing and id(doc) not in found:
            stack.extend(missing)
        else:
            stack.pop()
            found[id(doc)] = doc
    return list(found.values())


def shared(press: Press, root: Doc, name: Callable[[], str]) -> tuple[list[tuple[str, Doc]], Doc]:
    """Names what is wide and occurs more than once: the definitions, and the expression left."""
    inside = unique(root)
    uses: dict[int, int] = {}
    for doc in inside:
        for part in doc.parts:
            uses[id(part)] = uses.get(id(part), 0) + 1
    definitions: list[tuple[str, Doc]] = []
    now: dict[int, Doc] = {}
    for doc in inside:
        new = press.replaced(doc, [now[id(part)] for part in doc.parts])
        is_worth_it = new.width > SHARED_WIDTH and doc.kind not in ("assign", "edit", "atom")
        if uses.get(id(doc), 0) > 1 and is_worth_it:
            definitions.append((name(), new))
            new = press.atom(definitions[-1][0])
        now[id(doc)] = new
    return definitions, now[id(root)]
