"""Running a function once for each of its paths.

The function runs on symbolic values.  Where it asks for a truth value that is not determined, the
explorer answers yes, and remembers to come back for no.  Runs share a tree of the questions asked;
a run follows the tree to a branch that is not finished yet.  A function must be deterministic: a
run that meets another question where the tree has one is reported.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kproof_spec.lang import Disabled, Misuse, SpecError
from kproof_spec.lang.machine import blame, is_specification
from kproof_spec.lang.store import Store
from kproof_spec.lang.symbolic import Tracing

from . import terms
from .feasible import Knowledge
from .joining import one_value
from .terms import Term
from .values import (
    number,
    number_term,
    truth_term,
    truth_value,
)

OURS = str(Path(__file__).parent.parent)
"""Where the checker's own files are."""


class Impossible(Exception):
    """Every value of a choice was ruled out: no state takes this path."""


class Node:
    """A point that runs reach: a question, or the end of a path."""

    __slots__ = (
        "condition",
        "determined",
        "is_done",
        "joined",
        "knowledge",
        "no",
        "outcome",
        "parent",
        "yes",
    )

    def __init__(self, knowledge: Knowledge | None, parent: Node | None) -> None:
        self.knowledge, self.parent = knowledge, parent
        self.condition: Term | None = None
        self.yes: Node | None = None
        self.no: Node | None = None
        self.outcome: Any = None
        self.is_done = False
        self.determined: dict[Term, bool | None] = {}
        self.joined: list[tuple[Any, list[tuple[Term, Exception]]]] = []
        """Definitions already evaluated at this point, in order: value, and errors by path."""

    def finish(self, outcome: Any) -> None:
        """Ends the path here."""
        self.outcome, self.is_done = outcome, True
        node = self.parent
        while node is not None and node.yes is not None and node.no is not None:
            node.is_done = node.yes.is_done and node.no.is_done
            node = node.parent


class Explorer:
    """The tracer that explores paths; one for each function that is extracted."""

    def __init__(self, name: str, store: Store, knowledge: Knowledge, paths_max: int) -> None:
        self.name, self.store, self.paths_max = name, store, paths_max
        self.root = Node(knowledge, None)
        self.node = self.root
        self.cursor = 0
        """How many definitions were joined at the present node."""
        self.paths = 0
        self.forks: Counter[str] = Counter()

    def explore(self, thunk: Callable[[], Any]) -> Node:
        """Runs `thunk` for every path; the tree of questions, whose ends hold what it returned.

        An end holds a `Disabled` or `SpecError` where that was raised.
        """
        before = Tracing.current
        Tracing.current = self
        try:
            self._explore(self.root, thunk, may_write=True)
        finally:
            Tracing.current = before
        return self.root

    def _explore(self, root: Node, thunk: Callable[[], Any], *, may_write: bool) -> None:
        mark = len(self.store.journal)
        while not root.is_done:
            self.node, self.cursor = root, 0
            self.paths += 1
            if self.paths > self.paths_max:
                self._give_up()
            outcome = self._run(thunk)
            if self.node.condition is not None:
                raise self._diverged("the run ended")
            self.node.finish(outcome)
            if may_write:
                self.store.rollback()
            elif len(self.store.journal) != mark:
                raise Misuse(
                    f"{self.name}: a definition or a predicate changes the state: it may only look"
                )

    @staticmethod
    def _run(thunk: Callable[[], Any]) -> Any:
        try:
            return thunk()
        except (Disabled, Impossible) as refusal:
            return refusal
        except Misuse as error:
            error.where = error.where or spec_line(error)
            raise
        except SpecError as error:
            error.where = error.where or spec_line(error)
            return error
        except Exception as error:
            if _is_ours(error):
                raise
            return SpecError(f"{type(error).__name__}: {error}", spec_line(error))

    # -- questions ---------------------------------------------------------------------------

    def decide(self, condition: Term) -> bool:
        """An answer to a question about the state; every possible one is given in some run."""
        answer = self._determined(condition)
        if answer is not None:
            return answer
        wanted = True
        if condition.op == "not":
            condition, wanted = condition.args[0], False
        node = self.node
        if node.condition is None and not self._split(node, condition):
            answer = self._determined(condition)
            assert answer is not None
            return answer is wanted
        if node.condition is not condition:
            raise self._diverged(f"it asked {condition!r}")
        assert node.yes is not None and node.no is not None
        chosen = node.no if node.yes.is_done else node.yes
        self.node, self.cursor = chosen, 0
        return (chosen is node.yes) is wanted

    def _split(self, node: Node, condition: Term) -> bool:
        """Makes the branches; False if only one is possible, which is then remembered."""
        assert node.knowledge is not None
        yes = node.knowledge.assuming(condition, True)
        no = node.knowledge.assuming(condition, False)
        if yes is None or no is None:
            if yes is None and no is None:
                raise Impossible
            node.determined[condition] = yes is not None
            return False
        node.condition = condition
        node.yes, node.no = Node(yes, node), Node(no, node)
        self.forks[current_line()] += 1
        return True

    def _determined(self, condition: Term) -> bool | None:
        node = self.node
        if condition in node.determined:
            return node.determined[condition]
        if condition.op == "not":
            inner = self._determined(condition.args[0])
            return None if inner is None else not inner
        if node.condition is condition:
            return None
        assert node.knowledge is not None
        answer = node.determined[condition] = node.knowledge.truth_of(condition)
        return answer

    def choose(self, value: Term) -> int:
        """One of the values that a number can have; every possible one is chosen in some run."""
        node = self.node
        assert node.knowledge is not None
        candidates = node.knowledge.possible_values(value)
        if len(candidates) > self.paths_max:
            raise Misuse(f"an index can have {len(candidates)} values: too many to try one by one")
        for candidate in candidates:
            if self.decide(terms.eq(value, terms.const(candidate))):
                return candidate
        raise Impossible

    def require(self, condition: Any) -> None:
        """Goes on where the condition holds; the branch where it does not needs no run."""
        term = truth_term(condition)
        node = self.node
        is_new = node.condition is None
        holds = self.decide(term)
        if is_new and holds and node.condition is not None:
            refused = node.yes if term.op == "not" else node.no
            assert refused is not None
            refused.finish(Disabled())
        elif not holds:
            raise Disabled

    # -- joining paths -----------------------------------------------------------------------

    def merged(
        self,
        thunk: Callable[[], Any],
        given: Any = True,
        reached: Callable[[], Any] | None = None,
    ) -> Any:
        """The value of `thunk()` over all its paths, joined into one; see `lang.symbolic`."""
        node, cursor = self.node, self.cursor
        self.cursor = cursor + 1
        if cursor == len(node.joined):
            assert node.knowledge is not None
            knowledge = node.knowledge.assuming(truth_term(given), True)
            if knowledge is None:
                node.joined.append((False, []))
            else:
                inner = Node(knowledge, None)
                self._explore(inner, thunk, may_write=False)
                errors: list[tuple[Term, Exception]] = []
                value = _joined(inner, truth_term(given), errors)
                if errors and reached is not None:
                    here = truth_term(reached())
                    errors = [(terms.both([here, path]), error) for path, error in errors]
                node.joined.append((value, errors))
            self.node, self.cursor = node, cursor + 1
        value, errors = node.joined[cursor]
        for condition, error in errors:
            if self.decide(condition):
                raise error
        if value is not NOTHING:
            return value
        if given is True and reached is None:
            raise Impossible  # Every path of it is an error, and this run takes none of them.
        return False  # Nobody asks: `given` is false, or the quantifier has ended before.

    def conjunction(self, parts: list[Any]) -> Any:
        """All of the truth values, as one."""
        return truth_value(terms.both(truth_term(part) for part in parts))

    def disjunction(self, parts: list[Any]) -> Any:
        """Any of the truth values, as one."""
        return truth_value(terms.either(truth_term(part) for part in parts))

    def total(self, parts: list[Any]) -> Any:
        """How many of the truth values hold."""
        sum_ = terms.const(0)
        for part in parts:
            one = terms.ite(truth_term(part), terms.const(1), terms.const(0))
            sum_ = terms.add(sum_, one)
        return number(sum_)

    def either(self, condition: Any, yes: Any, no: Any) -> Any:
        """The number `yes` where the condition holds, else `no`."""
        if condition is True or condition is False:
            return yes if condition else no
        yes_term, no_term = number_term(yes), number_term(no)
        if yes_term is None or no_term is None:
            raise SpecError(f"min_ and max_ take numbers, not {yes!r} and {no!r}")
        return number(terms.ite(truth_term(condition), yes_term, no_term))

    def bounds_of(self, value: Any) -> tuple[int, int]:
        """The least and greatest value that a number can have here."""
        term = number_term(value)
        if term is None:
            raise SpecError(f"a span's ends are numbers, not {value!r}")
        assert self.node.knowledge is not None
        if term.op == "leaf":
            values = self.node.knowledge.values_of(term.value)
            return values[0], values[-1]
        return term.low, term.high

    # -- complaints --------------------------------------------------------------------------

    def _diverged(self, what: str) -> Misuse:
        return Misuse(
            f"{self.name} is not deterministic: run again with the same answers, {what} where it "
            "had asked something else before. Look for iteration over a Python set, a global that "
            "changes, or randomness",
            current_line(),
        )

    def _give_up(self) -> None:
        (line, count), *_ = self.forks.most_common(1) or [("an unknown line", 0)]
        raise Misuse(
            f"{self.name} has more than {self.paths_max} paths; {count} of the questions come from "
            "this line. Move what it computes into a `@pure` definition, use forall, exists, "
            "count, min_ or max_, or give the property a parameter instead of a loop",
            line,
        )


def _joined(node: Node, path: Term, errors: list[tuple[Term, Exception]]) -> Any:
    """The value over all ends below a node; errors are put aside with the path to them."""
    if node.condition is not None:
        assert node.yes is not None and node.no is not None
        yes = _joined(node.yes, terms.both([path, node.condition]), errors)
        no = _joined(node.no, terms.both([path, terms.negate(node.condition)]), errors)
        if yes is NOTHING:
            return no
        return yes if no is NOTHING else one_value(node.condition, yes, no)
    if isinstance(node.outcome, Exception):
        if not isinstance(node.outcome, Impossible):
            errors.append((path, node.outcome))
        return NOTHING
    return node.outcome


NOTHING: Any = object()
"""No value: the path ends in an error."""


def current_line() -> str:
    """The specification's line that is running, as `path:line`."""
    frame = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(OURS) and is_specification(filename):
            return f"{filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # ends with None
    return ""


def spec_line(error: BaseException) -> str:
    """The specification's line that raised, as `path:line`."""
    traceback = error.__traceback__
    found = ""
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not filename.startswith(OURS) and is_specification(filename):
            found = f"{filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found or blame(error.__traceback__)


def _is_ours(error: BaseException) -> bool:
    """Whether the checker itself raised: a defect of kproof, not of the specification."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(OURS)
