"""A model that follows a broker: takes the steps it is told, and compares what both have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kproof_impl.events import Event
from kproof_spec.lang import Disabled, Machine, Model, SpecError
from kproof_spec.lang.keys import shown, shown_arguments

from ..why_not import refusal
from .untold import Untold


class Divergence(Exception):
    """Broker and specification do not agree.

    `event` is what the broker did, `reason` what the specification says to that, `state` what the
    model has at this point, in a few lines.
    """

    def __init__(self, event: Event, reason: str, state: str = "") -> None:
        super().__init__(f"step {event.sequence}, {event.action} of {event.subject}: {reason}")
        self.event = event
        self.reason = reason
        self.state = state


class Follower:
    """One model's state, which follows one log or one group of the broker."""

    def __init__(self, model: Model[Any], **constants: int) -> None:
        self.machine: Machine[Any] = model.open(**constants)
        self.state: Any = self.machine.initial_state()
        self.event: Event | None = None
        self.is_gone = False
        """Whether what it follows is no more."""
        self.is_loaded = True
        """Whether the present life of the broker has it."""
        self.is_of_groups = False
        """Whether it is a log in which the groups keep what they have."""
        self.untold: Untold | None = None
        """What the life before has left without a word, if there was one."""

    def follow(self, event: Event) -> None:
        """Takes the step of an event.  Raises `Divergence`."""
        raise NotImplementedError

    def restarted(self) -> bool:
        """The broker has been started again.  False if nothing of this has outlived it."""
        return True

    def summary(self) -> str:
        """What the model has, for a report."""
        return shown(self.state)

    def take(self, action: str, **arguments: Any) -> None:
        """The model takes an action, or the broker did what it may not do."""
        try:
            if self.machine.step(self.state, action, **arguments):
                return
        except SpecError as error:
            raise self.diverged(f"the specification's {action} fails: {error}") from error
        raise self.diverged(self._why_not(action, arguments))

    def can(self, action: str, **arguments: Any) -> bool:
        """Takes an action if it is possible; whether it was."""
        return self.machine.step(self.state, action, **arguments)

    def compare(self, theirs: Mapping[str, Any], **mine: Any) -> None:
        """The broker's state is what the model's is, field by field."""
        for name, value in mine.items():
            if theirs[name] != value:
                raise self.diverged(
                    f"the broker has {name} = {theirs[name]!r}, and the specification has {value!r}"
                )

    def require(self, condition: bool, reason: str) -> None:
        """What the map itself has to see, where the model has no number for it."""
        if not condition:
            raise self.diverged(reason)

    def diverged(self, reason: str) -> Divergence:
        assert self.event is not None
        return Divergence(self.event, reason, self.summary())

    def _why_not(self, action: str, arguments: Mapping[str, Any]) -> str:
        definition = self.machine.model.actions[action]
        values = {
            name: self.machine._argument(name, sort, arguments[name])
            for name, sort in definition.parameters.items()
        }
        step = f"{action}({shown_arguments(values)})"
        try:
            self.machine._call(definition.function, self.state, *values.values())
        except Disabled as refused:
            return str(refusal(self.machine, self.state, step, refused.__traceback__))
        return f"{step} is not possible"
