"""What every assignor is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NewType

MemberId = NewType("MemberId", str)
Topic = NewType("Topic", str)


class TopicPartition(NamedTuple):
    """One partition of a topic; they are ordered by topic, then by number."""

    topic: Topic
    partition: int


Assignment = dict[MemberId, tuple[TopicPartition, ...]]
"""What each member gets.  Every member is there, in the order of names."""


@dataclass(frozen=True)
class Owned:
    """What a member says in JoinGroup that it had."""

    partitions: tuple[TopicPartition, ...] = ()
    generation_id: int = 0
    """The generation in which it was given them."""


@dataclass(frozen=True)
class Group:
    """The members with what they subscribe to, and the topics with their size."""

    partitions: Mapping[Topic, int]
    """How many partitions each topic has."""
    subscriptions: Mapping[MemberId, frozenset[Topic]]
    owned: Mapping[MemberId, Owned] = field(default_factory=dict)
    """What members had; who is not named had nothing."""

    @property
    def members(self) -> list[MemberId]:
        """The members, in the order of their ids."""
        return sorted(self.subscriptions)

    @property
    def topics(self) -> list[Topic]:
        """The topics, in the order of their names."""
        return sorted(self.partitions)

    def subscribers(self, topic: Topic) -> list[MemberId]:
        """The members that subscribe to a topic, in order."""
        return [m for m in self.members if topic in self.subscriptions[m]]

    def partitions_of(self, topic: Topic) -> list[TopicPartition]:
        """The partitions of a topic, in order."""
        return [TopicPartition(topic, number) for number in range(self.partitions[topic])]

    def subscribed(self) -> list[TopicPartition]:
        """The partitions that anybody subscribes to, in order."""
        topics = [topic for topic in self.topics if self.subscribers(topic)]
        return [p for topic in topics for p in self.partitions_of(topic)]


def made(lists: Mapping[MemberId, list[TopicPartition]]) -> Assignment:
    """An assignment of lists that were filled one by one, each in order."""
    return {member: tuple(sorted(lists[member])) for member in sorted(lists)}
