"""Which partitions a client is kept from returning records of."""

from __future__ import annotations

from collections.abc import Collection

from kproof_impl.client.clients import Client
from kproof_impl.client.tenure import TopicPartition


class Pausing:
    """All of a client's partitions are paused together, and resumed together."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._paused: set[TopicPartition] = set()
        self._unsure: set[TopicPartition] = set()
        """Those just assigned: a client may keep them paused if they were so in a tenure before."""

    def assigned(self, partition: TopicPartition) -> None:
        self._unsure.add(partition)

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """They are not the client's any more."""
        self._paused.difference_update(partitions)
        self._unsure.difference_update(partitions)

    def pause(self, owned: Collection[TopicPartition]) -> None:
        """Pauses those that are not paused yet."""
        paused = [partition for partition in owned if partition not in self._paused]
        self._paused.update(paused)
        if paused:
            self._client.pause(paused)

    def resume(self) -> None:
        if paused := sorted(self._paused | self._unsure):
            self._paused.clear()
            self._unsure.clear()
            self._client.resume(paused)
