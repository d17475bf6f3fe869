"""Fetches that wait for more data: Kafka's purgatory for Fetch.

A fetch that finds less than its `min_bytes` waits until so much has been appended to the partitions
it asks for, until its time is over, or until one of the partitions is deleted; whatever comes
first.  Then it is read anew, so what it is answered is what is true at that moment.

REF   Kafka's `DelayedFetch`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.timers import Timer

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.partition import Partition


class WaitingFetch:
    """One fetch: how much it lacks, and what is to be done when it has it."""

    __slots__ = ("bytes_missing", "call", "complete", "partitions", "timer")

    def __init__(
        self,
        call: Call,
        partitions: Sequence[Partition],
        bytes_missing: int,
        complete: Callable[[], None],
    ) -> None:
        self.call = call
        self.partitions = partitions
        self.bytes_missing = bytes_missing
        self.complete = complete
        self.timer: Timer | None = None


class _Watch:
    """What a fetch has seen of a partition; no more of it counts than the fetch would take."""

    __slots__ = ("bytes_allowed", "bytes_seen", "fetch")

    def __init__(self, fetch: WaitingFetch, bytes_seen: int, bytes_allowed: int) -> None:
        self.fetch = fetch
        self.bytes_seen = bytes_seen
        self.bytes_allowed = bytes_allowed


class WaitingFetches:
    """Fetch requests that have less than they want, by the partitions they ask for."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._by_partition: dict[Partition, dict[WaitingFetch, _Watch]] = {}
        """The fetches of a partition in the order they came."""

    def wait(
        self,
        call: Call,
        wanted: Sequence[tuple[Partition, int]],
        bytes_missing: int,
        due_ms: int,
        complete: Callable[[], None],
    ) -> None:
        """Keeps a fetch of partitions, each with the most bytes it takes of it.

        `complete` is called once, when it is to be answered; never if its connection goes before.
        """
        partitions = [partition for partition, _ in wanted]
        fetch = WaitingFetch(call, partitions, bytes_missing, complete)
        for partition, max_bytes in wanted:
            watches = self._by_partition.get(partition)
            if watches is None:
                watches = self._by_partition[partition] = {}
            watches[fetch] = _Watch(fetch, partition.appended_bytes, max_bytes)
        fetch.timer = self._broker.timers.at(due_ms, lambda _now_ms: self._complete(fetch))
        call.on_gone = lambda: self._forget(fetch)

    def appended(self, partition: Partition) -> None:
        """A partition has more to read than before."""
        watches = self._by_partition.get(partition)
        if watches is None:
            return
        satisfied: list[WaitingFetch] = []
        appended_bytes = partition.appended_bytes
        for watch in watches.values():
            found = min(appended_bytes - watch.bytes_seen, watch.bytes_allowed)
            watch.bytes_seen = appended_bytes
            watch.bytes_allowed -= found
            watch.fetch.bytes_missing -= found
            if watch.fetch.bytes_missing <= 0:
                satisfied.append(watch.fetch)
        for fetch in satisfied:
            self._complete(fetch)

    def deleted(self, partition: Partition) -> None:
        """A partition is gone: whoever waits for it is answered that.  Told after it is gone."""
        for fetch in list(self._by_partition.get(partition, ())):
            self._complete(fetch)

    @property
    def is_empty(self) -> bool:
        return not self._by_partition

    def _complete(self, fetch: WaitingFetch) -> None:
        self._forget(fetch)
        fetch.complete()

    def _forget(self, fetch: WaitingFetch) -> None:
        fetch.call.on_gone = None  # It points back here: no work for the garbage collector.
        if fetch.timer is not None:
            fetch.timer.cancel()
        for partition in fetch.partitions:
            watches = self._by_partition.get(partition)
            if watches is not None:
                watches.pop(fetch, None)
                if not watches:
                    del self._by_partition[partition]
