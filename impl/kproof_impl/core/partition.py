"""One partition of a topic, on its leader: what may be appended, and how far may be read.

A node alone is all its in-sync replicas, so the high watermark is the log's end.
"""

from __future__ import annotations

from uuid import UUID

from kproof_impl.core.ports import PartitionLog


class Partition:
    """A partition that this broker leads."""

    __slots__ = ("index", "leader_epoch", "log", "topic", "topic_id")

    def __init__(
        self, topic: str, topic_id: UUID, index: int, log: PartitionLog, leader_epoch: int
    ) -> None:
        self.topic = topic
        self.topic_id = topic_id
        self.index = index
        self.log = log
        self.leader_epoch = leader_epoch

    @property
    def high_watermark(self) -> int:
        return self.log.log_end_offset

    @property
    def log_start_offset(self) -> int:
        return self.log.log_start_offset

    @property
    def log_end_offset(self) -> int:
        return self.log.log_end_offset

    def apply_retention(self, now_ms: int) -> None:
        """Deletes old segments, as the topic's settings want it."""
        self.log.apply_retention(now_ms, self.high_watermark)
