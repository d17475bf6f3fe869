"""The function that visits one state: looks for the properties, and gathers the successors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kproof_spec.lang import Instance

from ...extraction.decisions import DISABLED, Dag, Failure, Outcome, Update
from ...layout import Layout
from .frame import (
    BUFFERED,
    DEADLOCKS,
    FAULT,
    FAULT_STATE,
    FIRST_DEADLOCK,
    FOUND,
    Frame,
)
from .terms_ir import DagWriter, Emit, Known, TermWriter
from .text import Function, unsigned


@dataclass
class VisitWriter:
    """Writes `@visit(words..., state, own, open)`.  `faults` lists what can go wrong, by number."""

    layout: Layout
    frame: Frame
    actions: Sequence[tuple[Instance, Dag]]
    predicates: Sequence[tuple[Outcome, Sequence[tuple[Instance, Dag]]]]
    """For each property: the outcome that settles it, and its instances."""
    faults: list[tuple[Instance, Failure]] = field(default_factory=list)

    def write(self) -> str:
        """The function as IR."""
        words = [f"%w{i}" for i in range(self.layout.words)]
        inputs = ", ".join(f"i64 {word}" for word in words)
        function = Function(
            f"define internal void @visit({inputs}, i64 %state, ptr %own, i64 %open)"
        )
        self.function, self.terms = function, TermWriter(function, self.layout, words)
        for number, (sought, instances) in enumerate(self.predicates):
            self._property(number, sought, instances)
        before = function.load("%own", BUFFERED)
        writer = DagWriter(self.terms, skip=DISABLED)
        writer.all([(dag, self._taken(instance)) for instance, dag in self.actions], {})
        self._deadlock(before)
        function.do("ret void")
        return str(function)

    def _property(
        self, number: int, sought: Outcome, instances: Sequence[tuple[Instance, Dag]]
    ) -> None:
        function = self.function
        look, after = function.new_block("look"), function.new_block("after")
        bit = function.op(f"and i64 %open, {1 << number}")
        function.branch(function.op(f"icmp ne i64 {bit}, 0"), look, after)
        function.begin(look)

        def settle(instance: Instance) -> Emit:
            def emit(outcome: Outcome, known: Known) -> None:  # noqa: ARG001 - an `Emit`
                if outcome is sought:
                    self._first(FOUND + number)
                elif isinstance(outcome, Failure):
                    self._fault(instance, outcome)

            return emit

        writer = DagWriter(self.terms, skip=None)
        writer.all([(dag, settle(instance)) for instance, dag in instances], {})
        function.jump(after)
        function.begin(after)

    def _first(self, index: int) -> None:
        """Keeps the present state at `own[index]` if it is the first one there."""
        function = self.function
        address = function.at("%own", index)
        former = function.op(f"load i64, ptr {address}")
        # As unsigned numbers, "none yet" (-1) is the greatest.
        least = function.op(f"call i64 @llvm.umin.i64(i64 {former}, i64 %state)")
        function.do(f"store i64 {least}, ptr {address}")

    def _fault(self, instance: Instance, failure: Failure) -> None:
        self.faults.append((instance, failure))
        function = self.function
        note, after = function.new_block("note"), function.new_block("after")
        former = function.load("%own", FAULT)
        function.branch(function.op(f"icmp eq i64 {former}, 0"), note, after)
        function.begin(note)
        function.store(len(self.faults), "%own", FAULT)
        function.store("%state", "%own", FAULT_STATE)
        function.jump(after)
        function.begin(after)

    def _taken(self, instance: Instance) -> Emit:
        def emit(outcome: Outcome, known: Known) -> None:
            if isinstance(outcome, Failure):
                self._fault(instance, outcome)
                return
            assert isinstance(outcome, Update)
            function, frame = self.function, self.frame
            position = function.increment("%own", BUFFERED)
            row = function.op(f"mul i64 {position}, {frame.words}")
            for word, value in enumerate(self._updated(outcome, known)):
                place = function.op(f"add i64 {row}, {frame.rows + word}")
                function.store(value, "%own", place)
            origin = function.op(f"or i64 %state, {instance.index << 32}")
            place = function.op(f"add i64 {position}, {frame.origins}")
            function.store(origin, "%own", place)
            function.increment("%own", frame.enabled + instance.index)

        return emit

    def _updated(self, update: Update, known: Known) -> list[str]:
        """The words of the state after an update."""
        function = self.function
        words = [f"%w{i}" for i in range(self.layout.words)]
        cleared = [0] * len(words)
        constant = [0] * len(words)
        computed: list[list[str]] = [[] for _ in words]
        for leaf, term in update.changes:
            place = self.layout.places[leaf]
            if place.bits == 0:
                continue
            cleared[place.word] |= place.mask
            if term.op == "const":
                constant[place.word] |= (term.value - place.low) << place.shift
                continue
            value = self.terms.value(term, known)
            if place.low:
                value = function.op(f"sub i64 {value}, {place.low}")
            if place.shift:
                value = function.op(f"shl i64 {value}, {place.shift}")
            computed[place.word].append(value)
        for i, mask in enumerate(cleared):
            if mask:
                words[i] = function.op(f"and i64 {words[i]}, {unsigned(~mask)}")
            if constant[i]:
                words[i] = function.op(f"or i64 {words[i]}, {unsigned(constant[i])}")
            for value in computed[i]:
                words[i] = function.op(f"or i64 {words[i]}, {value}")
        return words

    def _deadlock(self, before: str) -> None:
        """Counts the state if nothing was gathered and nothing failed."""
        function = self.function
        stuck, after = function.new_block("stuck"), function.new_block("after")
        now = function.load("%own", BUFFERED)
        none = function.op(f"icmp eq i64 {now}, {before}")
        fine = function.op(f"icmp eq i64 {function.load('%own', FAULT)}, 0")
        function.branch(function.op(f"and i1 {none}, {fine}"), stuck, after)
        function.begin(stuck)
        function.increment("%own", DEADLOCKS)
        self._first(FIRST_DEADLOCK)
        function.jump(after)
        function.begin(after)
