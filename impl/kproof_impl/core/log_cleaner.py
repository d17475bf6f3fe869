"""The cleaner: which compacted log is cleaned when.  How a log is cleaned is the log's affair.

Every `log.cleaner.backoff.ms` it looks for the log with the largest dirty part and cleans it, slice
by slice; between two slices the broker serves its clients.  When a log is done it looks again, at
once.  A log whose cleaning has failed is passed over until the next look.

REF   Kafka's `LogCleaner`, with one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.effects import Report
from kproof_impl.core.partition import Partition

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

PAUSE_MS = 10
"""So long, at least, is between two slices: about half of the time is left to clients."""


class LogCleaner:
    """One log at a time."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._partition: Partition | None = None
        self._failed: set[Partition] = set()
        self._told: dict[Partition, str] = {}

    def start(self, now_ms: int) -> None:
        """Looks for the first time when the broker has served for a while."""
        config = self._broker.config
        if config.log_cleaner_enable:
            self._broker.timers.at(now_ms + config.log_cleaner_backoff_ms, self._look)

    def _look(self, now_ms: int) -> None:
        self._failed.clear()
        self._next(now_ms)

    def _next(self, now_ms: int) -> None:
        """Begins with the log that needs it most; if none does, the next look is later."""
        ratio, self._partition = 0.0, None
        for partition in self._broker.topics.all_partitions():
            found = partition.dirty_ratio(now_ms)
            if found > ratio and partition not in self._failed:
                ratio, self._partition = found, partition
        if self._partition is None:
            wait_ms = self._broker.config.log_cleaner_backoff_ms
            self._broker.timers.at(now_ms + wait_ms, self._look)
        else:
            self._slice(now_ms)

    def _slice(self, now_ms: int) -> None:
        partition = self._partition
        if partition is None or not self._broker.topics.has(partition):
            self._next(now_ms)
            return
        step = partition.clean(now_ms, self._broker.config.log_cleaner_dedupe_buffer_size)
        if step.is_done:
            self._partition = None
            if step.refusal:
                self._refused(partition, step.refusal)
        self._broker.timers.at(now_ms + PAUSE_MS, self._slice)

    def _refused(self, partition: Partition, refusal: str) -> None:
        self._failed.add(partition)
        if self._told.get(partition) != refusal:
            self._told[partition] = refusal
            self._broker.report(
                Report(
                    f"partition {partition.topic}-{partition.index} is not compacted: {refusal}",
                    is_fault=False,
                )
            )
