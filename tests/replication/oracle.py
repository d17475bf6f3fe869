"""The figures of another checker, and a plain search to hold the specification against them.

The rows in `data/` were computed by TLC from TLA+ models of the same protocols.  `explore` is the
one place that searches: it needs nothing but `Machine.successors`, so it is slow and easy to trust.
A test of a large row passes another function with the same result.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kproof_spec.catalog import MODELS
from kproof_spec.lang import Machine, Model

DATA = Path(__file__).parent / "data"

Codes = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One line of a file: a model in a scope, and the figures to reproduce."""

    variant: str
    constants: dict[str, int]
    symmetry: bool
    figures: dict[str, str]

    @property
    def label(self) -> str:
        """A name for the test of this row: `kip_320-2-1-1-2`."""
        parts = [self.variant, *map(str, self.constants.values())]
        return "-".join([*parts, *(["symmetry"] if self.symmetry else [])])

    @property
    def model(self) -> Model[Any]:
        """The model of this row."""
        name = "async_isr" if self.variant == "async_isr" else "replication"
        return MODELS[name].variants[self.variant]

    @property
    def machine(self) -> Machine[Any]:
        """The model in the scope of this row."""
        return self.model.closed(**self.constants)

    def number(self, name: str) -> int:
        """One of the figures."""
        return int(self.figures[name])


@dataclass
class Exploration:
    """What a search saw."""

    distinct: int = 0
    generated: int = 0
    """The initial states, and one for every action instance possible in a visited state."""
    depth: int = 0
    """States on the longest shortest path."""
    extra: int = 0
    """The sum over all states of the `extra` function that was passed."""
    found: dict[str, int] = field(default_factory=dict)
    """For each property that was settled by a state: how many states lead to it, at least."""
    actions: dict[str, int] = field(default_factory=dict)
    """For each action: in how many (state, parameters) it was possible."""


def read_rows(file: str) -> Iterator[Row]:
    """The rows of a file in `data/`.  The columns of `async_isr` have meanings of their own."""
    with (DATA / file).open(newline="", encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            variant = line.pop("variant")
            symmetry = line.pop("symmetry") == "yes"
            names = ["replicas", "log_size", "max_records", "max_leader_epoch"]
            constants = {name: int(line.pop(name)) for name in names}
            if variant == "async_isr":
                constants = {
                    "replicas": constants["replicas"],
                    "max_offset": constants["log_size"],
                    "max_version": constants["max_leader_epoch"],
                }
            yield Row(variant, constants, symmetry, line)


def count_rows() -> list[Row]:
    """Complete explorations: distinct, generated and depth."""
    return list(read_rows("replication-counts.csv"))


def counterexample_rows() -> list[Row]:
    """Shortest counterexamples: the property, and how many states."""
    return list(read_rows("replication-counterexamples.csv"))


def explore(
    machine: Machine[Any],
    *,
    properties: tuple[str, ...] = (),
    extra: Callable[[Any], int] | None = None,
    until_found: bool = False,
) -> Exploration:
    """Visits every reachable state, breadth first, in CPython and without symmetry.

    `extra` gives a number for each state.  With `until_found` the search ends, its counts partial,
    at the end of the level on which the last of `properties` was settled.
    """
    result = Exploration(actions=dict.fromkeys(machine.model.actions, 0))
    level = machine.initial_codes()
    seen = set(level)
    result.generated = len(level)
    while level:
        result.depth += 1
        for codes in level:
            _look(machine, codes, properties, extra, result)
        if until_found and len(result.found) == len(properties):
            break
        following: list[Codes] = []
        for codes in level:
            for instance, after in machine.successors(codes):
                result.generated += 1
                result.actions[instance.definition.name] += 1
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        level = following
    result.distinct = len(seen)
    return result


def _look(
    machine: Machine[Any],
    codes: Codes,
    properties: tuple[str, ...],
    extra: Callable[[Any], int] | None,
    result: Exploration,
) -> None:
    state = machine.load(codes)
    if extra is not None:
        result.extra += extra(state)
    for name in properties:
        claim = machine.model.properties[name]
        if name not in result.found and machine.breaking(state, claim) is not None:
            result.found[name] = result.depth
