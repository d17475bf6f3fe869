"""Judging `eventually` and `leads_to` on the state graph of an exhausted scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kproof_spec.lang import Fairness, Instance, Machine, Property

from ..engines.base import Fault, HasEdges
from ..extraction.decisions import Failure
from ..extraction.extract import Extracted, Extractor, property_instances
from ..reconstruct import trace_of
from ..traces.trace import Claim, ClaimKind, Trace
from ..trust import Disagreement
from ..verdicts import PropertyResult, Verdict
from .fair import Demand, fair_parts
from .lasso import Lasso, is_fair, shortest_lasso
from .ranges import blocked_by_bounds
from .state_graph import Mask, StateGraph, StateMasks, state_graph

STATES_MAX = 5_000_000
"""Larger graphs are not searched: their edges would take gigabytes, and each goal a minute."""


class Failed(Exception):
    """A goal or a premise is a specification error in some state."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass
class Judge:
    """Liveness of one machine, over an engine that has explored it without symmetry to the end."""

    machine: Machine[Any]
    extracted: Extracted
    engine: HasEdges

    def results(self, claims: Sequence[Property]) -> list[PropertyResult]:
        """A verdict for each claim; a violation has a lasso that was checked in CPython.

        `Failed` if a claim is a specification error in some state.
        """
        if self.engine.distinct > STATES_MAX:
            note = f"the state graph has {self.engine.distinct:,} states, more than {STATES_MAX:,}"
            return [PropertyResult(claim, Verdict.UNKNOWN, note=note) for claim in claims]
        self.graph = state_graph(self.engine)
        self.blocked = blocked_by_bounds(
            self.machine, self.extracted, self.engine, self._fair_names()
        )
        self.demands = self._demands()
        return [self._result(claim) for claim in claims]

    def _fair_names(self) -> list[str]:
        actions = self.machine.model.actions.values()
        return [action.name for action in actions if action.fairness is not Fairness.NONE]

    def _demands(self) -> list[Demand]:
        demands = []
        blocked = {b.instance.index: b.states for b in self.blocked}
        for instance in self.machine.instances:
            fairness = instance.definition.fairness
            if fairness is not Fairness.NONE:
                enabled = self.graph.enabled(instance.index)
                if instance.index in blocked:
                    enabled |= blocked[instance.index]
                demands.append(Demand(instance.index, fairness is Fairness.STRONG, enabled))
        return demands

    def _result(self, claim: Property) -> PropertyResult:
        extractor = Extractor(self.machine)
        is_ever_asked = False
        for goal in property_instances(self.machine, claim):
            holds = self._where(claim, extractor, goal)
            if claim.premise is None:
                asked = self._initial()
            else:
                premise = Instance(goal.index, claim.premise, goal.arguments)
                asked = self._where(claim, extractor, premise)
            is_ever_asked |= bool(asked.any())
            begins = asked & ~holds
            parts = list(fair_parts(self.graph, ~holds, self.demands))
            lasso = shortest_lasso(
                self.graph, self._initial_states(), begins, ~holds, parts, self.demands
            )
            if lasso is not None:
                trace = self._trace(claim, goal, lasso)
                return PropertyResult(claim, Verdict.VIOLATED, trace)
        if self.blocked:
            note = (
                f"no violation was found, but a bound of the scope alone keeps fair actions from "
                f"happening: {self._blocked_text()}. There the run only seems to end"
            )
            return PropertyResult(claim, Verdict.UNKNOWN, note=note)
        note = ""
        if claim.premise is not None and not is_ever_asked:
            note = (
                f"its premise {claim.premise.name} is true in no state of this scope, so nothing "
                "was asked"
            )
        return PropertyResult(claim, Verdict.EXHAUSTED, note=note)

    def _blocked_text(self) -> str:
        states: dict[str, Mask] = {}
        for blocked in self.blocked:
            name = blocked.instance.definition.name
            states[name] = states.get(name, blocked.states) | blocked.states
        counts = {name: int(mask.sum()) for name, mask in states.items()}
        return ", ".join(f"{n} in {c:,} state{'s' * (c > 1)}" for n, c in counts.items())

    def _where(self, claim: Property, extractor: Extractor, instance: Instance) -> Mask:
        dag = extractor.predicate(instance)
        found = StateMasks(self.engine, [dag])
        for outcome, mask in found.outcomes(dag):
            if isinstance(outcome, Failure):
                raise Failed(
                    Fault(
                        instance.label,
                        dict(instance.arguments),
                        claim.name,
                        outcome.message,
                        outcome.where,
                        int(mask.argmax()),
                    )
                )
        return found.holds(dag)

    def _initial_states(self) -> range:
        return range(len(self.machine.initial_codes()))

    def _initial(self) -> Mask:
        mask = np.zeros(self.graph.states, dtype=np.bool_)
        mask[: len(self._initial_states())] = True
        return mask

    # -- traces ------------------------------------------------------------------------------

    def _trace(self, claim: Property, goal: Instance, lasso: Lasso) -> Trace:
        graph, engine = self.graph, self.engine
        edges = [*lasso.stem, *lasso.circle]
        states = [lasso.start, *(int(graph.targets[edge]) for edge in edges)]
        steps = [self.machine.instances[int(graph.instances[edge])] for edge in edges]
        codes = [engine.codes(state) for state in states]
        about = Claim(ClaimKind.NEVER, claim.name, dict(goal.arguments), len(lasso.stem))
        trace = trace_of(self.machine, codes, steps, about)
        self._verify(claim, trace, lasso, graph)
        return trace

    def _verify(self, claim: Property, trace: Trace, lasso: Lasso, graph: StateGraph) -> None:
        """Takes the run again in CPython; a `Disagreement` if it does not show what it should."""
        from ..traces.lasso import lasso_problem

        problem = lasso_problem(self.machine, trace)
        if problem is None and not is_fair(
            graph, int(self._end_of_stem(lasso)), lasso.circle, self.demands
        ):
            problem = "the circle is not fair"
        if problem is not None:
            raise Disagreement(
                f"the run that is to violate {claim.name} does not in CPython: {problem}. This is "
                "a defect of kproof: please report it with the model and its scope"
            )

    def _end_of_stem(self, lasso: Lasso) -> int:
        return int(self.graph.targets[lasso.stem[-1]]) if lasso.stem else lasso.start
