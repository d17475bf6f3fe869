"""What the ledger keeps: a partition for as long as it is owned, lanes of records, tickets."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class Order(Enum):
    """Which records are processed one after the other, in the order of their offsets."""

    KEY = "key"
    """Those of a partition that have the same key; a record without a key waits for none."""
    PARTITION = "partition"
    """All of a partition."""
    NONE = "none"
    """None."""


@dataclass(slots=True, eq=False)
class Tenure:
    """One partition, from its assignment until it is given back or lost."""

    partition: TopicPartition
    position: int | None = None
    """The least offset that the next record may have; None before the first record."""
    committed: int | None = None
    """Up to where a commit was sent, exclusive; at first, the offset of the first record."""
    confirmed: int | None = None
    """The same for commits that the coordinator has taken."""
    in_flight: dict[int, Ticket] = field(default_factory=dict)
    """Records that are dispatched and not finished, by offset, in the order of offsets."""
    is_paused: bool = False
    is_revoking: bool = False

    @property
    def end_of_finished_prefix(self) -> int | None:
        """All below it are finished, and this, and nothing higher, may be committed.

        None before the first record.  Only fetched records count, so a gap in the offsets is
        passed over with the record after it.
        """
        return next(iter(self.in_flight), self.position)


@dataclass(slots=True, eq=False)
class Lane:
    """Records that are processed one after the other: those of one key of one partition.

    It outlives a tenure while a record of it is being processed, so that a partition that comes
    back does not have two records of a key processed at once in the same process.
    """

    number: int
    """Of all lanes that exist; used again when the lane has ended."""
    partition: TopicPartition
    key: Hashable
    waiting: deque[Ticket] = field(default_factory=deque)
    running: Ticket | None = None
    is_ready: bool = False
    """Whether it stands in the queue of lanes that have something to start."""
    is_blocked: bool = False
    """Whether a record of it failed for good: no later one is started."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A dispatched record."""

    tenure: Tenure
    lane: Lane
    offset: int
    record: Any
