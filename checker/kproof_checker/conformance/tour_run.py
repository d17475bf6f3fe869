"""Tours taken: a fresh broker for each, driven along it, and compared with the model at each step.

What counts as driven is a step that the broker has taken and after which it had the model's state.
A tour ends early where the broker parts from the model, and so does the whole run: what comes after
a difference says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kproof_impl.events import Observer
from kproof_impl.records.errors import LogFailed
from kproof_spec.lang import Machine

from .driven_broker import NewBroker, Parted
from .driver_group import GroupDriver
from .group_situation import Situation
from .lockstep import Divergence
from .socket_broker import SocketBroker
from .stepped_broker import SteppedBroker
from .tours import Tours, TourStep, tours

WAYS: Mapping[str, NewBroker] = {"sockets": SocketBroker, "core": SteppedBroker}
"""How requests come to the broker."""


class Driver(Protocol):
    """A broker that is brought from step to step, until it is closed."""

    def drive(self, s: Any, action: str, arguments: Mapping[str, Any]) -> None: ...
    def differences(self, s: Any) -> list[str]: ...
    def close(self) -> None: ...


@dataclass
class Coverage:
    """How far the tours of a scope were taken."""

    tours: Tours
    driven: set[int] = field(default_factory=set)
    """The steps after which broker and model were compared, interchangeable ones once."""
    tours_taken: int = 0
    steps_taken: int = 0
    parted: str = ""
    """Where the broker did something else, and what; empty if it never did."""
    way: list[str] = field(default_factory=list)
    """The steps of the tour that parted, the last one too."""

    @property
    def is_complete(self) -> bool:
        """Whether all was driven that can be."""
        return not self.parted and len(self.driven) == self.tours.toured

    def not_driven(self) -> dict[tuple[str, str], int]:
        """How many steps are not driven because they cannot be, by action and reason."""
        return dict(Counter(self.tours.refused).most_common())


def take_tours(
    machine: Machine[Any],
    found: Tours,
    new_driver: Callable[[], Driver],
    report: Callable[[Coverage], bool] = lambda _: True,
    every: int = 1,
) -> Coverage:
    """Takes the tours, or one of `every` so many, until `report`, called after each, says no."""
    coverage = Coverage(found)
    for tour in found.tours[::every]:
        try:
            driver = new_driver()
        except Divergence as divergence:
            coverage.parted = f"the court: {divergence.reason}"
            return coverage
        try:
            for index, step in enumerate(tour):
                coverage.parted = _take(machine, driver, step)
                if coverage.parted:
                    coverage.way = [one.instance.label for one in tour[: index + 1]]
                    return coverage
                coverage.driven.add(step.edge)
                coverage.steps_taken += 1
        finally:
            driver.close()
        coverage.tours_taken += 1
        if not report(coverage):
            break
    return coverage


def _take(machine: Machine[Any], driver: Driver, step: TourStep) -> str:
    """Takes a step; what the broker did else, or an empty text."""
    try:
        driver.drive(
            machine.load(step.source), step.instance.definition.name, step.instance.arguments
        )
        differences = driver.differences(machine.load(step.target))
    except Divergence as divergence:
        return f"the court: {divergence.reason}"
    except (Parted, LogFailed) as error:
        return str(error)
    return "; ".join(differences)


def tours_of_group(machine: Machine[Any], goes_on: Callable[[int], bool] | None = None) -> Tours:
    """The tours of the model `group`, variant `eager`, that a broker can take."""
    return tours(machine, Situation(), goes_on)


def new_group_driver(
    way: str = "sockets", observe: Callable[[], Observer] | None = None
) -> Callable[[], GroupDriver]:
    """What makes a fresh broker for each tour; `observe` makes who observes it."""
    return lambda: GroupDriver(None if observe is None else observe(), WAYS[way])
