"""Fetches that wait for more data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.partition import Partition


class WaitingFetches:
    """Fetch requests that have less than they want, by the partitions they ask for."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def appended(self, partition: Partition) -> None:
        """A partition has more to read than before."""
        raise NotImplementedError
