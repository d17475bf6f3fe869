"""Terms and decision DAGs as IR.

A term is computed where it is first needed; what was computed stays known in the blocks that can
only be reached from there.  DAGs that begin with the same question are asked it once, together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from ...extraction.decisions import Dag, Decision, Outcome
from ...extraction.terms import TRUE, Term
from ...layout import Layout
from .text import Function, unsigned

Known = dict[Term, str]
"""What is computed already, by term."""
Emit = Callable[[Outcome, Known], None]
"""Writes what an outcome does; must leave the present block open."""

_COMPARED: Final = {"eq": "icmp eq", "le": "icmp sle"}
_COMPUTED: Final = {"add": "add", "sub": "sub", "mul": "mul"}
_EXTREME: Final = {"min": "smin", "max": "smax"}
TOGETHER_DEPTH_MAX = 8
"""How many questions deep DAGs are asked together; deeper, shared branches would be copied."""


class TermWriter:
    """Writes terms over the leaves of a packed state, whose words have these names."""

    def __init__(self, function: Function, layout: Layout, words: Sequence[str]) -> None:
        self.function, self.layout, self.words = function, layout, words

    def value(self, term: Term, known: Known) -> str:
        """The name (or literal) of a term's value: i64 for numbers, i1 for truth values."""
        if term.op == "const":
            return str(term.value)
        if term.op in ("true", "false"):
            return "true" if term is TRUE else "false"
        name = known.get(term)
        if name is None:
            name = known[term] = self._write(term, known)
        return name

    def _write(self, term: Term, known: Known) -> str:
        function = self.function
        if term.op == "leaf":
            return self._leaf(term.value)
        arguments = [self.value(arg, known) for arg in term.args]
        if term.op in ("and", "or"):
            result = arguments[0]
            for argument in arguments[1:]:
                result = function.op(f"{term.op} i1 {result}, {argument}")
            return result
        if term.op in _COMPARED:
            return function.op(f"{_COMPARED[term.op]} i64 {arguments[0]}, {arguments[1]}")
        if term.op in _COMPUTED:
            return function.op(f"{_COMPUTED[term.op]} i64 {arguments[0]}, {arguments[1]}")
        if term.op in _EXTREME:
            name = _EXTREME[term.op]
            return function.op(f"call i64 @llvm.{name}.i64(i64 {arguments[0]}, i64 {arguments[1]})")
        if term.op in ("div", "mod"):
            return self._divided(term.op, *arguments)
        kind = "i64" if term.op == "ite" else "i1"
        if term.op in ("ite", "bite"):
            condition, yes, no = arguments
            return function.op(f"select i1 {condition}, {kind} {yes}, {kind} {no}")
        assert term.op == "not", term.op
        return function.op(f"xor i1 {arguments[0]}, true")

    def _leaf(self, index: int) -> str:
        place = self.layout.places[index]
        function = self.function
        if place.bits == 0:
            return str(place.low)
        value = self.words[place.word]
        if place.shift:
            value = function.op(f"lshr i64 {value}, {place.shift}")
        if place.shift + place.bits < 64:
            value = function.op(f"and i64 {value}, {unsigned((1 << place.bits) - 1)}")
        return function.op(f"add i64 {value}, {place.low}") if place.low else value

    def _divided(self, op: str, a: str, b: str) -> str:
        """Rounds down as Python does.  A divisor that is not positive is on another path."""
        function = self.function
        divisor = function.op(f"call i64 @llvm.smax.i64(i64 {b}, i64 1)")
        rest = function.op(f"srem i64 {a}, {divisor}")
        is_below = function.op(f"icmp slt i64 {rest}, 0")
        if op == "mod":
            lifted = function.op(f"add i64 {rest}, {divisor}")
            return function.op(f"select i1 {is_below}, i64 {lifted}, i64 {rest}")
        quotient = function.op(f"sdiv i64 {a}, {divisor}")
        lower = function.op(f"sub i64 {quotient}, 1")
        return function.op(f"select i1 {is_below}, i64 {lower}, i64 {quotient}")


class DagWriter:
    """Writes DAGs one after the other; each ends by going on to the next."""

    def __init__(self, terms: TermWriter, skip: Outcome | None) -> None:
        self.terms, self.function, self.skip = terms, terms.function, skip

    def all(self, items: list[tuple[Dag, Emit]], known: Known, depth: int = 0) -> None:
        """Writes every DAG; the block that is open at the end is reached on every path."""
        items = [(dag, emit) for dag, emit in items if dag is not self.skip]
        while items:
            questions = Counter(dag.condition for dag, _ in items if isinstance(dag, Decision))
            question, count = questions.most_common(1)[0] if questions else (None, 0)
            if count < 2 or depth >= TOGETHER_DEPTH_MAX:
                for dag, emit in items:
                    self._one(dag, emit, dict(known))
                return
            assert question is not None
            asked = [(d, e) for d, e in items if isinstance(d, Decision)]
            asked = [(d, e) for d, e in asked if d.condition is question]
            items = [(d, e) for d, e in items if getattr(d, "condition", None) is not question]
            self._together(question, asked, known, depth)

    def _together(
        self, question: Term, asked: list[tuple[Decision, Emit]], known: Known, depth: int
    ) -> None:
        function = self.function
        yes, no, after = (function.new_block(hint) for hint in ("yes", "no", "after"))
        function.branch(self.terms.value(question, known), yes, no)
        for block, branches in (
            (yes, [(dag.yes, emit) for dag, emit in asked]),
            (no, [(dag.no, emit) for dag, emit in asked]),
        ):
            function.begin(block)
            self.all(branches, dict(known), depth + 1)
            function.jump(after)
        function.begin(after)

    def _one(self, root: Dag, emit: Emit, known: Known) -> None:
        """Writes one DAG; a node with several parents becomes one block."""
        function = self.function
        after = function.new_block("after")
        parents: Counter[int] = Counter()
        _count_parents(root, parents, set())
        blocks: dict[int, str] = {}
        pending: list[tuple[Dag, str, Known]] = []

        def target(node: Dag, known: Known) -> str:
            if node is self.skip:
                return after
            block = blocks.get(id(node))
            if block is None:
                block = blocks[id(node)] = function.new_block()
                shared = parents[id(node)] > 1
                pending.append((node, block, dict(base) if shared else dict(known)))
            return block

        base = dict(known)
        function.jump(target(root, known))
        while pending:
            node, block, here = pending.pop()
            function.begin(block)
            if isinstance(node, Decision):
                condition = self.terms.value(node.condition, here)
                function.branch(condition, target(node.yes, here), target(node.no, here))
            else:
                emit(node, here)
                function.jump(after)
        function.begin(after)


def _count_parents(node: Dag, parents: Counter[int], seen: set[int]) -> None:
    if isinstance(node, Decision) and id(node) not in seen:
        seen.add(id(node))
        for child in (node.yes, node.no):
            parents[id(child)] += 1
            _count_parents(child, parents, seen)
