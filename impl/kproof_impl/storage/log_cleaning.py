"""The cleanings of one log: up to where it is clean, the one in progress, and why there is none.

A cleaning is given up when the segments that it reads change under it: by retention, by
DeleteRecords, by a truncation, or because the log is not compacted any more.  A log with a batch
that cannot be read is left alone until the broker starts again, since the next attempt would end at
the same place; its clients are served as before.

REF   Kafka's `LogCleanerManager`, its uncleanable partitions among it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import Cleaned, CleaningStep
from kproof_impl.records.errors import LogDamaged, LogFailed
from kproof_impl.storage.cleanable import Cleanable, cleanable_part
from kproof_impl.storage.cleaning import Cleaning, SwapFailed
from kproof_impl.storage.producer_state import ProducerState
from kproof_impl.storage.segments import Segments


class LogCleaning:
    """Up to `first_dirty_offset` the log is clean; -1: nothing is known, and so nothing is."""

    def __init__(self, segments: Segments, first_dirty_offset: int) -> None:
        self._segments = segments
        self.first_dirty_offset = first_dirty_offset
        self.is_unreadable = False
        self._cleaning: Cleaning | None = None
        self._slices: Iterator[Cleaned | None] = iter(())

    def part(
        self, config: LogConfig, log_start_offset: int, bound_offset: int, now_ms: int
    ) -> Cleanable:
        """What may be cleaned: nothing where a batch cannot be read.

        A first dirty offset that cannot be is taken for the start of the log.
        """
        log_end_offset = self._segments.active.next_offset
        if not log_start_offset <= self.first_dirty_offset <= log_end_offset:
            self.first_dirty_offset = log_start_offset
        if self._cleaning is not None:
            return self._cleaning.part
        if self.is_unreadable:
            return Cleanable(self.first_dirty_offset, self.first_dirty_offset, 0.0, False)
        return cleanable_part(self._segments, config, self.first_dirty_offset, bound_offset, now_ms)

    def step(
        self,
        config: LogConfig,
        part: Cleanable,
        producers: ProducerState,
        map_bytes_max: int,
        now_ms: int,
    ) -> CleaningStep:
        """A slice of the cleaning in progress; of a new one of this part, if none is.

        Raises `SwapFailed`: then nobody knows which files the log has.
        """
        if self._cleaning is None:
            self._cleaning = Cleaning(
                self._segments, config, part, producers, map_bytes_max, now_ms
            )
            self._slices = self._cleaning.slices()
        cleaning = self._cleaning
        cleaning.now_ms = now_ms
        try:
            return CleaningStep(False, next(self._slices))
        except StopIteration:
            self.first_dirty_offset = cleaning.part.first_dirty_offset
            self._cleaning = None
            return CleaningStep(True)
        except SwapFailed:
            self._cleaning = None
            raise
        except LogFailed as error:
            self.is_unreadable = isinstance(error, LogDamaged)
            self.give_up()
            return CleaningStep(True, refusal=str(error))

    def give_up(self) -> None:
        """Ends the cleaning in progress, if one is; its files go, now or at the next start."""
        if self._cleaning is not None:
            cleaning, self._cleaning = self._cleaning, None
            self._slices = iter(())
            with suppress(LogFailed):
                cleaning.abandon()
