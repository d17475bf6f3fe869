"""Which values the leaves can still have on a path: domains, kept arc consistent.

Every condition that a path has decided is a constraint on the leaves it reads.  A constraint over
few combinations of values is enforced by trying them all: what no combination supports is dropped.
A constraint over many is only remembered.  So nothing possible is ever ruled out; something
impossible may pass, and then costs a path that no state takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .terms import FALSE, TRUE, Term, evaluator

COMBINATIONS_MAX = 300
"""Up to how many combinations of leaf values are tried for one condition."""

Values = Sequence[int]
Constraint = tuple[Term, bool]

_outcomes: dict[tuple[Term, tuple[Values, ...]], tuple[bool, bool, list[Values], list[Values]]] = {}


class Knowledge:
    """What is known at one point of a path.  Immutable: `assuming` makes a new one."""

    __slots__ = ("domains", "facts", "initial", "watchers")

    def __init__(self, initial: Sequence[range]) -> None:
        self.initial = initial
        self.domains: dict[int, Values] = {}
        self.facts: dict[Term, bool] = {}
        self.watchers: dict[int, tuple[Constraint, ...]] = {}

    def values_of(self, leaf: int) -> Values:
        """The values that a leaf can still have."""
        return self.domains.get(leaf, self.initial[leaf])

    def truth_of(self, condition: Term) -> bool | None:
        """Whether the condition must be true, must be false, or None if it may be either."""
        if condition is TRUE:
            return True
        if condition is FALSE:
            return False
        known = self.facts.get(condition)
        if known is not None:
            return known
        if self._is_small(condition):
            may_hold, may_fail, _, _ = self._tried(condition)
            if may_hold and may_fail:
                return None
            return may_hold
        return self._by_parts(condition)

    def _by_parts(self, condition: Term) -> bool | None:
        match condition.op:
            case "not":
                inner = self.truth_of(condition.args[0])
                return None if inner is None else not inner
            case "and" | "or":
                decisive = condition.op == "or"
                parts = [self.truth_of(arg) for arg in condition.args]
                if decisive in parts:
                    return decisive
                return None if None in parts else not decisive
            case "bite":
                chosen = self.truth_of(condition.args[0])
                if chosen is not None:
                    return self.truth_of(condition.args[1 if chosen else 2])
                yes, no = self.truth_of(condition.args[1]), self.truth_of(condition.args[2])
                return yes if yes == no else None
        return None

    def possible_values(self, number: Term) -> Values:
        """Every value that a number may have, in increasing order; perhaps more than it has."""
        if number.op == "leaf":
            return self.values_of(number.value)
        if self._is_small(number):
            leaves = [self.values_of(i) for i in sorted(number.leaves)]
            function = evaluator(number)
            return sorted({function(*values) for values in itertools.product(*leaves)})
        return range(number.low, number.high + 1)

    def assuming(self, condition: Term, holds: bool) -> Knowledge | None:
        """What is known if the condition holds (or does not); None if that cannot be."""
        more = Knowledge(self.initial)
        more.domains = dict(self.domains)
        more.facts = dict(self.facts)
        more.watchers = dict(self.watchers)
        return more if more._assume(condition, holds) else None

    def _assume(self, condition: Term, holds: bool) -> bool:
        queue: list[Constraint] = [(condition, holds)]
        fresh = True
        while queue:
            term, wanted = queue.pop()
            while term.op == "not":
                term, wanted = term.args[0], not wanted
            if term is TRUE or term is FALSE:
                if (term is TRUE) is not wanted:
                    return False
                continue
            known = self.facts.get(term)
            if known is not None and known is not wanted:
                return False
            if known is None:
                self.facts[term] = wanted
                if (term.op, wanted) in (("and", True), ("or", False)):
                    queue.extend((arg, wanted) for arg in term.args)
                for leaf in term.leaves:
                    self.watchers[leaf] = (*self.watchers.get(leaf, ()), (term, wanted))
            elif fresh and term is condition:
                continue
            fresh = False
            if self._is_small(term):
                for leaf in self._narrow(term, wanted):
                    if not self.domains[leaf]:
                        return False
                    queue.extend(self.watchers.get(leaf, ()))
        return True

    def _narrow(self, term: Term, wanted: bool) -> list[int]:
        """Drops the values that `term is wanted` rules out; the leaves that lost some."""
        _, _, holding, failing = self._tried(term)
        supported = holding if wanted else failing
        changed = []
        for leaf, values in zip(sorted(term.leaves), supported, strict=True):
            if len(values) < len(self.values_of(leaf)):
                self.domains[leaf] = values
                changed.append(leaf)
        return changed

    def _is_small(self, term: Term) -> bool:
        combinations = 1
        for leaf in term.leaves:
            combinations *= len(self.values_of(leaf))
            if combinations > COMBINATIONS_MAX:
                return False
        return True

    def _tried(self, term: Term) -> tuple[bool, bool, list[Values], list[Values]]:
        """Tries every combination: may it hold, may it fail, and the values that support each."""
        leaves = [self.values_of(i) for i in sorted(term.leaves)]
        key = (term, tuple(leaves))
        known = _outcomes.get(key)
        if known is None:
            function = evaluator(term)
            yes: list[set[int]] = [set() for _ in leaves]
            no: list[set[int]] = [set() for _ in leaves]
            may_hold = may_fail = False
            for values in itertools.product(*leaves):
                if function(*values):
                    may_hold, support = True, yes
                else:
                    may_fail, support = True, no
                for i, value in enumerate(values):
                    support[i].add(value)
            known = _outcomes[key] = (
                may_hold,
                may_fail,
                [tuple(sorted(values)) for values in yes],
                [tuple(sorted(values)) for values in no],
            )
        return known
