"""Where a check's time and paths go, action by action.

The time of an action is measured on the NumPy engine over the first states of the scope, whatever
engine gave the verdict: machine code cannot be timed so finely without slowing it.  A condition
that several actions ask is charged to the first of them.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from .engines.base import Batch, Problem
from .engines.columns import Columns, Mask, Program
from .engines.numpy_engine import NumpyEngine, Successors
from .extraction.decisions import Decision, nodes
from .extraction.extract import Extracted

SAMPLE_STATES = 50_000


@dataclass(frozen=True)
class ActionCost:
    """What one action, over all its instances, takes."""

    name: str
    instances: int
    paths: int
    """How often its function was run to see every path."""
    questions: int
    """Nodes of its decision DAGs, shared ones counted once."""
    seconds: float
    """Spent on it in the sample."""
    possible: int
    """In how many (state, parameters) of the sample it was possible."""


@dataclass(frozen=True)
class Profile:
    """Where the time and the paths go."""

    phases: dict[str, float]
    """Seconds of each phase of the check."""
    actions: tuple[ActionCost, ...]
    questions: int
    """Nodes of all decision DAGs, properties' included, shared ones counted once."""
    terms: int
    """Different expressions in them."""
    sample_states: int
    state_bits: int
    """How many bits a state takes packed."""


class _TimedEngine(NumpyEngine):
    """The NumPy engine with a clock for each action."""

    def __init__(self, problem: Problem, extracted: Extracted) -> None:
        super().__init__(problem, extracted)
        self.spent: Counter[str] = Counter()
        self.possible: Counter[str] = Counter()

    def _take(
        self, number: int, steps: Program, columns: Columns, successors: Successors, batch: Batch
    ) -> Mask:
        started = time.perf_counter()
        before = batch.enabled.get(number, 0)
        taken = super()._take(number, steps, columns, successors, batch)
        name = self.problem.machine.instances[number].definition.name
        self.spent[name] += time.perf_counter() - started  # type: ignore[assignment]  # seconds
        self.possible[name] += batch.enabled.get(number, 0) - before
        return taken


def profile(problem: Problem, extracted: Extracted, phases: dict[str, float]) -> Profile:
    """Measures a sample of the scope and sums up what the extraction saw."""
    engine = _TimedEngine(problem, extracted)
    while engine.visited < min(engine.distinct, SAMPLE_STATES):
        engine.expand(engine.batch_max, ())
    costs = []
    for name in problem.machine.model.actions:
        dags = [dag for instance, dag in extracted.actions if instance.definition.name == name]
        costs.append(
            ActionCost(
                name=name,
                instances=len(dags),
                paths=extracted.paths_by_name[name],
                questions=sum(isinstance(node, Decision) for node in nodes(dags)),
                seconds=float(engine.spent[name]),
                possible=engine.possible[name],
            )
        )
    return Profile(
        phases=phases,
        actions=tuple(costs),
        questions=extracted.questions,
        terms=len(extracted.terms),
        sample_states=engine.visited,
        state_bits=sum(place.bits for place in engine.layout.places),
    )
