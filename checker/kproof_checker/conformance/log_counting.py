"""A follower of the model `log` that counts batches where the broker counts records.

The offsets of the broker go in and come out; inside, the model has its own, as `log_units` tells.
A step that the model refuses is put to it again with a record for each offset, so that the report
has the broker's own numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kproof_spec.log.partition import model
from kproof_spec.log.state import State

from .lockstep import Follower
from .log_units import Batches, Units

SHOWN_MAX = 100_000
"""Up to so many offsets, a report counts records instead of units."""
TIDY_MIN = 256
"""With fewer units than this it is not worth the while to join some."""
_OFFSETS = ("offset", "end", "torn")
"""Parameters of the model's actions that are offsets."""


class CountingFollower(Follower):
    """The model of a log, and how it counts."""

    state: State

    def __init__(self) -> None:
        super().__init__(model, retention_ms=0, retention_bytes=0)
        self._units = Units([0])
        self._units_tidy = 0
        self._batches = Batches(0)

    def summary(self) -> str:
        s, offset = self.state, self._units.offset
        return (
            f"log_start_offset = {offset(s.log_start_offset)}, "
            f"high_watermark = {offset(s.high_watermark)}, "
            f"log_end_offset = {self._end_offset}, recovery_point = {offset(s.recovery_point)}, "
            f"segments = {self._segments()}"
        )

    @property
    def _end_offset(self) -> int:
        return self._units.offset(self.state.log_end_offset)

    def _segments(self) -> list[int]:
        return [self._units.offset(base) for base in sorted(self.state.segments)]

    def take(self, action: str, **arguments: Any) -> None:
        """As of any follower; offsets among the arguments are the broker's."""
        units = {
            name: self._unit(value) if name in _OFFSETS else value
            for name, value in arguments.items()
        }
        if self.can(action, **units):
            return
        if self._units.end <= SHOWN_MAX:
            self._place(range(self._units.end + 1))
            super().take(action, **arguments)
        super().take(action, **units)

    def _unit(self, offset: int) -> int:
        """The unit that begins at an offset, cut off from what is before it if need be."""
        self.require(offset >= 0, f"{offset} is no offset")
        if not self._units.begins(offset):
            self._place([*self._units.bases, offset])
        return self._units.unit(offset)

    def _place(self, bases: Iterable[int]) -> None:
        """Counts by other units.  All are whole, and in the files from the first segment on."""
        s, offset = self.state, self._units.offset
        units = Units(bases)
        unit = units.unit
        segments = [unit(base) for base in self._segments()]
        fresh: State = self.machine.initial_state()
        fresh.segments.remove(0)
        for base in segments:
            fresh.segments.add(base)
        fresh.log_start_offset = unit(offset(s.log_start_offset))
        fresh.durable_log_start_offset = unit(offset(s.durable_log_start_offset))
        fresh.history_log_start_offset = unit(offset(s.history_log_start_offset))
        fresh.high_watermark = unit(offset(s.high_watermark))
        fresh.log_end_offset = unit(offset(s.log_end_offset))
        fresh.flushed_offset = unit(offset(s.flushed_offset))
        fresh.recovery_point = unit(offset(s.recovery_point))
        for at in range(segments[0], fresh.log_end_offset):
            fresh.files[at].batches = 1
        self.machine.store_of(fresh).commit()
        self.state, self._units = fresh, units

    def _tidy_if_due(self) -> None:
        """So seldom that it costs no step more than a step."""
        if len(self._units) > TIDY_MIN + 2 * self._units_tidy:
            self._tidy()

    def _tidy(self) -> None:
        """Joins what can only go together, and forgets what is gone."""
        s, offset = self.state, self._units.offset
        kept = {
            *self._segments(),
            offset(s.log_start_offset),
            offset(s.durable_log_start_offset),
            offset(s.history_log_start_offset),
            offset(s.recovery_point),
            offset(s.flushed_offset),
            offset(s.high_watermark),
            offset(s.log_end_offset),
        }
        self._place(sorted(kept))
        self._units_tidy = len(self._units)
        self._batches.forget(offset(self.state.log_start_offset))
