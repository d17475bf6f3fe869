"""A model in a closed scope as decision DAGs: every action instance, and every property's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kproof_spec.lang import Definition, Instance, Machine, Misuse, Property, SpecError
from kproof_spec.lang.quantities import Constant

from . import terms
from .advice import check_source
from .containers import SymbolicStore, codes_of
from .decisions import DISABLED, FAILS, HOLDS, Dag, Decision, Library, Update, nodes
from .feasible import Knowledge
from .leaves import lifted
from .paths import Explorer, Impossible, Node
from .terms import Term
from .values import truth_term

WIDEST = 1 << 62
PATHS_MAX = 20_000
"""How many paths one action instance or property instance may have."""


@dataclass(frozen=True)
class Extracted:
    """What engines are built from.  `leaves` of the machine index the terms."""

    machine: Machine[Any]
    actions: tuple[tuple[Instance, Dag], ...]
    """In the order of `machine.instances`."""
    properties: dict[str, tuple[tuple[Instance, Dag], ...]]
    """For each property that was asked for, an instance for each choice of its parameters."""
    paths_by_name: dict[str, int]
    """How often each action's and property's function was run to see every path."""

    @property
    def roots(self) -> list[Dag]:
        """Every DAG: of the actions, then of the properties."""
        roots = [dag for _, dag in self.actions]
        return roots + [dag for pairs in self.properties.values() for _, dag in pairs]

    @cached_property
    def questions(self) -> int:
        """How many decisions the DAGs have, shared ones counted once."""
        return sum(isinstance(node, Decision) for node in nodes(self.roots))

    @cached_property
    def terms(self) -> list[Term]:
        """Every different expression in the DAGs, and every leaf."""
        used: dict[Term, None] = {}
        for node in nodes(self.roots):
            if isinstance(node, Decision):
                used[node.condition] = None
            for _, term in getattr(node, "changes", ()):
                used[term] = None
        domains = [leaf.domain for leaf in self.machine.leaves]
        every = [terms.leaf(i, int(d.low), int(d.high)) for i, d in enumerate(domains)]
        return terms.ordered([*used, *every])

    @property
    def paths(self) -> int:
        """How many paths were run in all."""
        return sum(self.paths_by_name.values())


class Extractor:
    """Extracts functions of one machine; DAGs that it makes share their nodes."""

    def __init__(
        self,
        machine: Machine[Any],
        paths_max: int = PATHS_MAX,
        values: Mapping[Constant, float] | None = None,
    ) -> None:
        """`values` replace the scope's constants while functions run; see `liveness.ranges`."""
        self.machine, self.paths_max, self.values = machine, paths_max, values
        self.library = Library()
        self.paths: Counter[str] = Counter()
        self.leaf_terms: list[Term] = []
        for i, leaf in enumerate(machine.leaves):
            low, high = int(leaf.domain.low), int(leaf.domain.high)
            _check_bounds(leaf.label, low, high)
            self.leaf_terms.append(terms.leaf(i, low, high))
        self.ranges = [range(term.low, term.high + 1) for term in self.leaf_terms]
        self.store = SymbolicStore(machine.scope, ignores_bounds=values is not None)
        numbers = iter(self.leaf_terms)
        self.state = machine.domain.read(lambda scalar: lifted(scalar, next(numbers)), self.store)

    def action(self, instance: Instance) -> Dag:
        """The DAG of an action instance; it ends in `Update`, `DISABLED` or `Failure`."""
        dag = self._dag(self._explored(instance, is_action=True), instance)
        self._check_history(instance, dag)
        return dag

    def predicate(self, instance: Instance) -> Dag:
        """The DAG of a property instance; it ends in `HOLDS`, `FAILS` or `Failure`."""
        return self._dag(self._explored(instance, is_action=False), instance)

    def _explored(self, instance: Instance, *, is_action: bool) -> Node:
        function, arguments = instance.definition.function, instance.arguments.values()

        def run() -> Any:
            value = function(self.state, *arguments)
            if is_action:
                return self._changes()
            if self.store.journal:
                raise Misuse(f"{instance.definition.name} changes the state: a property only looks")
            return truth_term(value)

        explorer = Explorer(instance.label, self.store, Knowledge(self.ranges), self.paths_max)
        with self.machine.in_scope(self.values):
            root = explorer.explore(run)
        self.paths[instance.definition.name] += explorer.paths
        return root

    def _changes(self) -> tuple[tuple[int, Term], ...]:
        codes = codes_of(self.machine.domain, self.state)
        return tuple(
            (i, after)
            for i, (before, after) in enumerate(zip(self.leaf_terms, codes, strict=True))
            if after is not before
        )

    def _dag(self, node: Node, instance: Instance) -> Dag:
        if node.condition is not None:
            assert node.yes is not None and node.no is not None
            if isinstance(node.yes.outcome, Impossible):
                return self._dag(node.no, instance)
            if isinstance(node.no.outcome, Impossible):
                return self._dag(node.yes, instance)
            yes, no = self._dag(node.yes, instance), self._dag(node.no, instance)
            return self.library.decision(node.condition, yes, no)
        outcome = node.outcome
        if isinstance(outcome, tuple):
            return self.library.update(outcome)
        if isinstance(outcome, Term):
            return self.library.decision(outcome, HOLDS, FAILS)
        if isinstance(outcome, SpecError):
            return self.library.failure(outcome.message, outcome.where)
        if instance.definition.name not in self.machine.model.actions:
            raise Misuse(f"{instance.definition.name} uses require: a property has no guard")
        return DISABLED

    def _check_history(self, instance: Instance, dag: Dag) -> None:
        """Refuses an action whose guard or other effects depend on a history field."""
        history = {i for i, leaf in enumerate(self.machine.leaves) if leaf.is_history}
        if not history:
            return
        library = Library()

        def stripped(node: Dag) -> Dag:
            if isinstance(node, Decision):
                return library.decision(node.condition, stripped(node.yes), stripped(node.no))
            if isinstance(node, Update):
                return library.update(tuple(c for c in node.changes if c[0] not in history))
            return node

        def read(node: Dag) -> Iterable[int]:
            if isinstance(node, Decision):
                yield from node.condition.leaves
                yield from read(node.yes)
                yield from read(node.no)
            elif isinstance(node, Update):
                for _, term in node.changes:
                    yield from term.leaves

        used = sorted(history.intersection(read(stripped(dag))))
        if used:
            path, line = instance.definition.position
            raise Misuse(
                f"{instance.label} depends on {self.machine.leaves[used[0]].label}, a history "
                "field: history is for properties, and no action may look at it",
                f"{path}:{line}",
            )


def property_instances(machine: Machine[Any], claim: Property) -> list[Instance]:
    """A property with every choice of its parameters."""
    definition: Definition = claim.definition
    return [
        Instance(i, definition, arguments)
        for i, arguments in enumerate(machine.choices(definition))
    ]


def extract(
    machine: Machine[Any], properties: Iterable[Property] = (), *, paths_max: int = PATHS_MAX
) -> Extracted:
    """Extracts every action of a machine, and the properties given.

    A `Misuse` says what in the specification cannot be followed symbolically, and where.
    """
    wanted = list(properties)
    check_source(machine.model)
    extractor = Extractor(machine, paths_max)
    actions = tuple((instance, extractor.action(instance)) for instance in machine.instances)
    predicates = {
        claim.name: tuple(
            (instance, extractor.predicate(instance))
            for instance in property_instances(machine, claim)
        )
        for claim in wanted
    }
    found = Extracted(machine, actions, predicates, extractor.paths)
    _check_width(found)
    return found


def _check_width(extracted: Extracted) -> None:
    """Refuses numbers that engines of 64 bits would get wrong."""
    for term in extracted.terms:
        _check_bounds("what is computed", term.low, term.high)


def _check_bounds(what: str, low: int, high: int) -> None:
    if not -WIDEST <= low <= high <= WIDEST:
        raise Misuse(
            f"{what} can be from {low} to {high}: engines count in 64 bits, so numbers must stay "
            "within 2**62. Declare narrower ranges, or use --engine python"
        )


__all__ = ["Extracted", "Extractor", "extract", "property_instances"]
