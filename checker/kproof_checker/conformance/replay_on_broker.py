"""A trace driven into a fresh broker: does it follow where the specification goes, and only there?

| the trace | the broker | |
|---|---|---|
| a legal behaviour | follows it to its end | as it should |
| | does something else | broker and specification disagree |
| a mutant's counterexample | does something else where the mutant errs | as it should |
| | follows it to its end | the broker has the mutant's fault |
| | does something else before | broker and specification disagree |
| any | cannot be brought to a step | nothing is known of the rest |

Where a mutant errs is found by taking each step on the model without the mutant: the first that it
refuses, or after which it has another state.  A mutant may be wrong about the members; these are
played by the driver, which goes by the model, so it is they who do something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from kproof_impl.records.errors import LogFailed
from kproof_spec.lang import Definition, Machine, SpecError

from ..models import find_model
from ..traces.trace import Trace, TraceStep
from ..why_not import why_not
from .driven_broker import Parted, Undrivable


class Ending(Enum):
    """How far a broker went along a trace."""

    FOLLOWED = "followed"
    """A legal behaviour, to its end."""
    REFUSED = "refused"
    """A mutant's counterexample, up to where the mutant errs."""
    PARTED = "parted"
    """The broker left a legal behaviour, or what is legal of a counterexample."""
    ERRED = "erred"
    """The broker followed a mutant to the end of its counterexample."""
    UNDRIVABLE = "undrivable"
    """The broker could not be brought to a step that the specification allows."""


GOOD = (Ending.FOLLOWED, Ending.REFUSED)


@dataclass(frozen=True)
class BrokerReplay:
    """What became of a trace on a broker."""

    ending: Ending
    steps: int
    """Of the trace."""
    driven: int
    """So many of its steps the broker has taken."""
    step: str = ""
    """The step at which it ended, if not at the end of the trace."""
    reason: str = ""
    """Why it ended there: what the broker did instead."""
    errs_at: int | None = None
    """The step at which the mutant errs, counted from 1."""
    mutant: str = ""

    def message(self) -> str:
        """For people, in one line."""
        at = f"step {self.driven + 1} of {self.steps}, {self.step}"
        match self.ending:
            case Ending.FOLLOWED:
                return f"the broker follows all {self.steps} steps"
            case Ending.REFUSED if self.errs_at == self.driven + 1:
                return f"the broker does not follow {self.mutant} at {at}: {self.reason}"
            case Ending.REFUSED:
                return (
                    f"the broker does not follow {self.mutant}, which errs at step "
                    f"{self.errs_at}, beyond {at}: {self.reason}"
                )
            case Ending.ERRED:
                return (
                    f"the broker follows {self.mutant} through all {self.steps} steps, although it "
                    f"errs at step {self.errs_at}"
                )
            case Ending.PARTED:
                return f"the broker does something else at {at}: {self.reason}"
        return f"the broker cannot be brought to {at}: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        return {
            "ending": self.ending.value,
            "steps": self.steps,
            "driven": self.driven,
            "step": self.step or None,
            "reason": self.reason or None,
            "mutant": self.mutant or None,
            "errs_at": self.errs_at,
        }


class Driver(Protocol):
    """A broker that is brought from step to step."""

    of_clients: frozenset[str]
    """Actions that clients decide on, and a broker has no means to refuse."""

    def drive(
        self, s: Any, action: str, arguments: Mapping[str, Any], *, is_legal: bool = True
    ) -> None: ...
    def differences(self, s: Any) -> list[str]: ...


class NoDriver(Exception):
    """There is no driver for a model; the text says for which there is."""


def replay_on_broker(trace: Trace, driver: Driver | None = None) -> BrokerReplay:
    """Drives a trace, which is one of its model, into a broker.  Raises `NoDriver`."""
    correct = find_model(trace.model, trace.variant).closed(**trace.constants)
    if driver is None:
        driver = driver_of(trace, correct)
    return _Replay(correct, trace, driver).run()


def driver_of(trace: Trace, machine: Machine[Any]) -> Driver:
    """What drives a fresh broker along traces of a model.  Raises `NoDriver`."""
    if trace.model == "group" and trace.variant in ("", "eager"):
        from .driver_group import GroupDriver

        return GroupDriver()
    if trace.model == "log":
        from .driver_log import LogDriver

        return LogDriver(machine)
    name = f"{trace.model}/{trace.variant}" if trace.variant else trace.model
    raise NoDriver(
        f"no broker can be driven along {name}: only along group, variant eager, and log"
    )


class _Replay:
    def __init__(self, correct: Machine[Any], trace: Trace, driver: Driver) -> None:
        self.correct, self.trace, self.driver = correct, trace, driver
        self.errs_at: int | None = None
        self.driven = 0

    def run(self) -> BrokerReplay:
        for index, step in enumerate(self.trace.steps):
            self.driven = index
            definition = self.correct.model.actions[step.action]
            arguments = self._arguments(definition, step)
            refusal = self._refusal(index, definition, arguments)
            if refusal is not None and self.errs_at is None:
                self.errs_at = index + 1
            if refusal and step.action in self.driver.of_clients:
                return self._ended(Ending.REFUSED, step, f"the client does not do it: {refusal}")
            try:
                before = self.correct.load(self.trace.states[index])
                is_legal = self.errs_at is None
                self.driver.drive(before, step.action, arguments, is_legal=is_legal)
                differences = self.driver.differences(
                    self.correct.load(self.trace.states[index + 1])
                )
            except Undrivable as error:
                return self._ended(Ending.UNDRIVABLE, step, str(error))
            except (Parted, LogFailed) as error:
                return self._parted(step, str(error))
            if differences:
                return self._parted(step, "; ".join(differences))
        self.driven = len(self.trace.steps)
        ending = Ending.FOLLOWED if self.errs_at is None else Ending.ERRED
        return self._ended(ending, None, "")

    def _parted(self, step: TraceStep, reason: str) -> BrokerReplay:
        ending = Ending.PARTED if self.errs_at is None else Ending.REFUSED
        return self._ended(ending, step, reason)

    def _ended(self, ending: Ending, step: TraceStep | None, reason: str) -> BrokerReplay:
        return BrokerReplay(
            ending,
            len(self.trace.steps),
            self.driven,
            step.label if step else "",
            reason,
            self.errs_at,
            self.trace.mutant,
        )

    def _arguments(self, definition: Definition, step: TraceStep) -> dict[str, Any]:
        return {
            name: self.correct._argument(name, sort, _plain(step.arguments[name]))
            for name, sort in definition.parameters.items()
        }

    def _refusal(
        self, index: int, definition: Definition, arguments: Mapping[str, Any]
    ) -> str | None:
        """What the specification has against a step: None is nothing, empty another outcome."""
        before = self.trace.states[index]
        state = self.correct.load(before)
        try:
            happened = self.correct.attempt(state, definition, arguments)
            after = self.correct.codes(state)
        except SpecError as error:
            return str(error)
        if not happened:
            refused = why_not(self.correct, before, definition, arguments)
            return refused.message if refused is not None else "it is not possible"
        return None if after == self.trace.states[index + 1] else ""


def _plain(value: Any) -> Any:
    """An id by its name: a mutated model may have sorts of its own."""
    return str(value) if hasattr(type(value), "symmetric") else value
