"""A court with a memory: what the broker did before it went its own way, for the report."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kproof_impl.events import Event

from .court import Court
from .lockstep import Divergence

STEPS_REMEMBERED = 10
VALUE_WIDTH = 200


class Trial:
    """Follows a broker as `Court` does, and knows the last steps of each log and group."""

    def __init__(self) -> None:
        self._court = Court()
        self._before: dict[tuple[str, str], deque[Event]] = {}
        self._counts: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Takes the next step of the broker.  Raises `Divergence`."""
        self._court(event)
        key = (event.model, event.subject)
        before = self._before.get(key)
        if before is None:
            before = self._before[key] = deque(maxlen=STEPS_REMEMBERED)
            self._counts[event.model] += 1
        before.append(event)
        if not self._court.follows(*key):  # Gone: of groups there may be any number in a life.
            del self._before[key]

    @property
    def steps_count(self) -> int:
        """How many steps the specification allows so far."""
        return self._court.events_count

    def counts(self) -> Counter[str]:
        """How many subjects of each model were followed: `log`, `group`."""
        return self._counts

    def report(self, divergence: Divergence, recording: str = "") -> Report:
        """What to tell of a step that the specification does not allow."""
        event = divergence.event
        before = list(self._before.get((event.model, event.subject), ()))
        return Report(
            event, divergence.reason, divergence.state, before, self.steps_count, recording
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A divergence, with all that a person needs to judge who is right."""

    event: Event
    reason: str
    model_state: str
    before: Sequence[Event]
    """The steps of the same log or group before it, oldest first."""
    steps_before: int
    """How many steps of the broker were as the specification allows."""
    recording: str = ""
    """The file that has all of it; empty: nothing was recorded."""

    def text(self) -> str:
        """For a person, in several lines."""
        event = self.event
        step = f"step {event.sequence}, {event.action} of {event.model} {event.subject}"
        lines = [
            f"the broker did what the specification does not allow: {step}",
            "",
            f"  the broker did, at {event.time_ms} ms",
            f"    {event.action}({_values(event.parameters)})",
            "  and has now",
            *(f"    {name} = {_value(value)}" for name, value in event.state.items()),
            "  the specification says",
            *(f"    {line}" for line in self.reason.splitlines()),
        ]
        if self.model_state:
            lines += ["  the model has", *(f"    {line}" for line in self.model_state.splitlines())]
        if self.before:
            lines.append(f"  before it in this {event.model}, all allowed")
            lines += [
                f"    step {each.sequence}: {each.action}({_values(each.parameters)})"
                for each in self.before
            ]
        else:
            lines.append(f"  it is the first step of this {event.model}")
        if self.recording:
            lines.append(f"  recorded in {self.recording}")
        return "\n".join(_printable(line) for line in lines)

    def as_json(self) -> dict[str, Any]:
        """The same as an object."""
        return {
            "step": _fields(self.event),
            "reason": self.reason,
            "model_state": self.model_state,
            "before": [_fields(each) for each in self.before],
            "steps_before": self.steps_before,
            "recording": self.recording or None,
        }


def _fields(event: Event) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "time_ms": event.time_ms,
        "model": event.model,
        "subject": event.subject,
        "action": event.action,
        "parameters": event.parameters,
        "state": event.state,
    }


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= VALUE_WIDTH else f"{text[:VALUE_WIDTH]}..."


def _printable(line: str) -> str:
    """A line without control characters: names in it were chosen by clients."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
