"""The topics of the broker, as its metadata log tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.partition import Partition

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

CONSUMER_OFFSETS = "__consumer_offsets"


class Topic:
    """A topic: its partitions by index, the settings it was given, and those in force."""

    __slots__ = ("configs", "log_config", "name", "partitions", "topic_id")

    def __init__(self, name: str, topic_id: UUID, configs: dict[str, str], log_config: LogConfig):
        self.name = name
        self.topic_id = topic_id
        self.configs = configs
        self.log_config = log_config
        self.partitions: list[Partition] = []

    @property
    def is_internal(self) -> bool:
        return self.name == CONSUMER_OFFSETS


class Topics:
    """All topics, by name and by id."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.by_name: dict[str, Topic] = {}
        self.by_id: dict[UUID, Topic] = {}

    def partition(self, topic: str, index: int) -> Partition | None:
        """A partition, or None where there is no such one."""
        found = self.by_name.get(topic)
        if found is None or not 0 <= index < len(found.partitions):
            return None
        return found.partitions[index]

    def partition_by_id(self, topic_id: UUID, index: int) -> Partition | None:
        found = self.by_id.get(topic_id)
        if found is None or not 0 <= index < len(found.partitions):
            return None
        return found.partitions[index]

    def all_partitions(self) -> Iterator[Partition]:
        for topic in self.by_name.values():
            yield from topic.partitions

    def load(self) -> None:
        """Reads the metadata log and opens the log of each partition."""
        raise NotImplementedError

    def has_committed_offsets(self) -> bool:
        return CONSUMER_OFFSETS in self.by_name

    def create(self, name: str, partitions: int, configs: dict[str, str]) -> Topic:
        """Makes a topic whose name, number and settings have been checked; durable on return."""
        raise NotImplementedError

    def ensure_internal(self, name: str, partitions: int, configs: dict[str, str]) -> Topic:
        """An internal topic, made if it is not there."""
        return self.by_name.get(name) or self.create(name, partitions, configs)
