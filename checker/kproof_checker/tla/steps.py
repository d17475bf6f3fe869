"""What an action or property instance does, as one TLA+ expression made from its decision DAG.

The DAG forks wherever the function did, so it says the same in several places.  Outcomes that are
written alike are one here, and forks that lead to the same are joined, which brings back most of
what the author wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..extraction import terms
from ..extraction.decisions import HOLDS, Dag, Decision, Failure, Update, nodes
from ..extraction.terms import FALSE, TRUE, Term
from .docs import Doc, Press
from .expressions import Scribe
from .simplify import settled_by, simplified
from .values import Values

Facts = dict[int, frozenset[int]]
"""The codes that leaves may have; a leaf that is not there may have any."""

CODES_MAX = 1000
"""Of a leaf with more codes than this, no facts are kept."""


@dataclass(frozen=True, eq=False)
class Happens:
    """The step is taken: each variable that it may change, with its new value."""

    assigned: tuple[Doc, ...]


@dataclass(frozen=True, eq=False)
class Fork:
    """A question, and what follows from each answer."""

    condition: Term
    yes: Tree
    no: Tree


Tree = Happens | Fork | None
"""None: the step is not possible."""


def failure_term(dag: Dag) -> Term:
    """Whether the specification is in error here."""
    return _folded(dag, lambda outcome: isinstance(outcome, Failure))


def truth_term(dag: Dag, *, of_failure: bool) -> Term:
    """A property's value; `of_failure` where the specification is in error."""

    def is_true(outcome: Dag) -> bool:
        return of_failure if isinstance(outcome, Failure) else outcome is HOLDS

    return _folded(dag, is_true)


def _folded(dag: Dag, is_true: object) -> Term:
    assert callable(is_true)
    found: dict[int, Term] = {}
    for node in reversed(list(nodes([dag]))):
        if isinstance(node, Decision):
            yes, no = found[id(node.yes)], found[id(node.no)]
            found[id(node)] = terms.bite(node.condition, yes, no)
        else:
            found[id(node)] = TRUE if is_true(node) else FALSE
    return simplified(found[id(dag)])


def facts_of(dag: Dag) -> dict[int, Facts]:
    """For each node what is known of leaves whenever it is reached, by the node's identity."""
    known: dict[int, Facts] = {id(dag): {}}
    for node in nodes([dag]):
        if isinstance(node, Decision):
            here = known[id(node)]
            for branch, answer in ((node.yes, True), (node.no, False)):
                there = _learned(here, node.condition, answer)
                before = known.get(id(branch))
                known[id(branch)] = there if before is None else _common(before, there)
    return known


def _common(a: Facts, b: Facts) -> Facts:
    return {leaf: a[leaf] | b[leaf] for leaf in a.keys() & b.keys()}


def _learned(facts: Facts, condition: Term, answer: bool) -> Facts:
    if condition.op == "not":
        return _learned(facts, condition.args[0], not answer)
    if condition.op == ("and" if answer else "or"):
        for part in condition.args:
            facts = _learned(facts, part, answer)
        return facts
    if condition.op not in ("eq", "le"):
        return facts
    a, b = condition.args
    left, right = _codes(facts, a), _codes(facts, b)
    if left is None or right is None:
        return facts
    if condition.op == "eq":
        if answer:
            left = right = left & right
        elif len(right) == 1:
            left -= right
        elif len(left) == 1:
            right -= left
    elif answer:
        most, least = max(right, default=0), min(left, default=0)
        left = frozenset(code for code in left if code <= most)
        right = frozenset(code for code in right if code >= least)
    else:
        least, most = min(right, default=0), max(left, default=0)
        left = frozenset(code for code in left if code > least)
        right = frozenset(code for code in right if code < most)
    learned = {term.value: codes for term, codes in ((a, left), (b, right)) if term.op == "leaf"}
    return {**facts, **learned}


def _codes(facts: Facts, term: Term) -> frozenset[int] | None:
    """What a leaf or a constant may be; None for other terms, and for wide leaves."""
    if term.op == "const":
        return frozenset([term.value])
    if term.op != "leaf" or term.high - term.low > CODES_MAX:
        return None
    return facts.get(term.value, frozenset(range(term.low, term.high + 1)))


def answers_of(dag: Dag) -> dict[int, dict[Term, Term]]:
    """For each node the conditions that are settled whenever it is reached, with their answers."""
    known: dict[int, dict[Term, Term]] = {id(dag): {}}
    for node in nodes([dag]):
        if isinstance(node, Decision):
            here = known[id(node)]
            for branch, answer in ((node.yes, TRUE), (node.no, FALSE)):
                there = here | settled_by(node.condition, answer)
                before = known.get(id(branch))
                if before is not None:
                    there = {c: a for c, a in there.items() if before.get(c) is a}
                known[id(branch)] = there
    return known


class StepText:
    """Writes one action instance."""

    def __init__(self, scribe: Scribe) -> None:
        self.scribe, self.schema, self.press = scribe, scribe.schema, scribe.press
        self._happens: dict[tuple[int, ...], Happens] = {}
        self._forks: dict[tuple[int, int, int], Fork] = {}
        self._conjuncts: dict[int, list[Doc]] = {}

    def text(self, dag: Dag) -> Doc | None:
        """The action as an expression; None if it is never possible."""
        updates = [node for node in nodes([dag]) if isinstance(node, Update)]
        if not updates:
            return None
        touched = {leaf for update in updates for leaf, _ in update.changes}
        names = [
            name
            for name, place in self.schema.top.items()
            if any(place.at <= leaf < place.at + place.size for leaf in touched)
        ]
        facts, known = facts_of(dag), answers_of(dag)
        trees: dict[int, Tree] = {}
        for node in reversed(list(nodes([dag]))):
            if isinstance(node, Update):
                trees[id(node)] = self._outcome(node, facts[id(node)], names)
            elif isinstance(node, Decision):
                yes, no = trees[id(node.yes)], trees[id(node.no)]
                condition = simplified(node.condition, known[id(node)])
                trees[id(node)] = self._fork(condition, yes, no)
            else:
                trees[id(node)] = None
        others = [tla for name, tla in self.schema.variables.items() if name not in names]
        parts = self._parts(trees[id(dag)])
        if others:
            parts = [*parts, self.press.atom(unchanged(others))]
        return self.press.junction("/\\", parts)

    def _outcome(self, update: Update, facts: Facts, names: Sequence[str]) -> Happens:
        values = Values(self.scribe, facts)
        changes = dict(update.changes)
        assigned = []
        for name in names:
            place = self.schema.top[name]
            if any(place.at <= leaf < place.at + place.size for leaf in changes):
                new = values.after(place, changes)
                assigned.append(self.press.make("assign", self.schema.variables[name], [new]))
            else:
                assigned.append(self.press.atom(unchanged([self.schema.variables[name]])))
        key = tuple(map(id, assigned))
        return self._happens.setdefault(key, Happens(tuple(assigned)))

    def _fork(self, condition: Term, yes: Tree, no: Tree) -> Tree:
        """A fork, joined with the next one if an answer of that leads to the same."""
        if yes is no or condition is TRUE:
            return yes
        if condition is FALSE:
            return no
        # Guards stay apart, so that they are listed one below the other.
        if isinstance(no, Fork) and yes is not None:
            if no.yes is yes:
                return self._fork(terms.either([condition, no.condition]), yes, no.no)
            if no.no is yes:
                other = terms.negate(no.condition)
                return self._fork(terms.either([condition, other]), yes, no.yes)
        if isinstance(yes, Fork) and no is not None:
            if yes.no is no:
                return self._fork(terms.both([condition, yes.condition]), yes.yes, no)
            if yes.yes is no:
                other = terms.negate(yes.condition)
                return self._fork(terms.both([condition, other]), yes.no, no)
        if condition.op == "not":
            condition, yes, no = terms.negate(condition), no, yes
        key = (condition.id, id(yes), id(no))
        return self._forks.setdefault(key, Fork(condition, yes, no))

    def _parts(self, tree: Tree) -> list[Doc]:
        """What must hold, and what happens then, one below the other."""
        if tree is None:
            return [self.press.atom("FALSE")]
        known = self._conjuncts.get(id(tree))
        if known is None:
            known = self._conjuncts[id(tree)] = self._listed(tree)
        return known

    def _listed(self, tree: Happens | Fork) -> list[Doc]:
        if isinstance(tree, Happens):
            return list(tree.assigned)
        if tree.no is None:
            return self._guards(tree.condition) + self._parts(tree.yes)
        if tree.yes is None:
            return self._guards(terms.negate(tree.condition)) + self._parts(tree.no)
        yes, no = self._parts(tree.yes), self._parts(tree.no)
        both = [doc for doc in yes if any(doc is other for other in no)]
        here = [doc for doc in yes if not any(doc is other for other in both)]
        there = [doc for doc in no if not any(doc is other for other in both)]
        question = self.scribe.truth(tree.condition)
        guards = [doc for doc in both if not is_assignment(doc)]
        assigned = [doc for doc in both if is_assignment(doc)]
        return [*guards, self._either(question, here, there), *assigned]

    def _either(self, question: Doc, yes: list[Doc], no: list[Doc]) -> Doc:
        if len(yes) == len(no) == 1 and yes[0].kind == no[0].kind == "assign":
            one, other = yes[0], no[0]
            if one.head == other.head:
                value = self.press.choice(question, one.parts[0], other.parts[0])
                return self.press.make("assign", one.head, [value])
        join = self.press.junction
        return self.press.choice(question, join("/\\", yes), join("/\\", no))

    def _guards(self, condition: Term) -> list[Doc]:
        parts = condition.args if condition.op == "and" else (condition,)
        return [guard(self.press, doc) for doc in self.scribe.truths_in_order(parts)]


def guard(press: Press, doc: Doc) -> Doc:
    """A condition of a step.  TLC takes each true half of a disjunction for a step of its own."""
    return press.form("Holds({})", doc) if doc.kind in ("if", "junction") else doc


def is_assignment(doc: Doc) -> bool:
    """Whether this says what a variable is after the step."""
    if doc.kind == "if":
        return is_assignment(doc.parts[1])
    if doc.kind == "junction":
        return any(map(is_assignment, doc.parts))
    return doc.kind == "assign" or doc.head.startswith("UNCHANGED")


def unchanged(names: Sequence[str]) -> str:
    """UNCHANGED for some variables."""
    return f"UNCHANGED {names[0]}" if len(names) == 1 else f"UNCHANGED <<{', '.join(names)}>>"
