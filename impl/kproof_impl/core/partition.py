"""One partition of a topic, on its leader: what may be appended, and how far may be read.

A node alone is all its in-sync replicas, so the high watermark is the log's end, and with no
transactions the last stable offset is the high watermark.  Everything that changes a partition goes
through a method here.
"""

from __future__ import annotations

from uuid import UUID

from kproof_impl.core.ports import CleaningStep, PartitionLog
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import BatchHeader

NO_LEADER_EPOCH = -1
"""What a request says that does not name the epoch it believes in."""


class Partition:
    """A partition that this broker leads."""

    __slots__ = ("appended_bytes", "index", "leader_epoch", "log", "topic", "topic_id")

    def __init__(
        self, topic: str, topic_id: UUID, index: int, log: PartitionLog, leader_epoch: int
    ) -> None:
        self.topic = topic
        self.topic_id = topic_id
        self.index = index
        self.log = log
        self.leader_epoch = leader_epoch
        self.appended_bytes = 0
        """In this life of the broker: fetches that wait see by it how much has come."""

    @property
    def high_watermark(self) -> int:
        return self.log.log_end_offset

    @property
    def last_stable_offset(self) -> int:
        return self.log.log_end_offset

    @property
    def log_start_offset(self) -> int:
        return self.log.log_start_offset

    @property
    def log_end_offset(self) -> int:
        return self.log.log_end_offset

    def leader_epoch_error(self, current_leader_epoch: int) -> ErrorCode:
        """NONE, or what is wrong with the epoch that a client believes in (KIP-320)."""
        if current_leader_epoch in (NO_LEADER_EPOCH, self.leader_epoch):
            return ErrorCode.NONE
        if current_leader_epoch < self.leader_epoch:
            return ErrorCode.FENCED_LEADER_EPOCH
        return ErrorCode.UNKNOWN_LEADER_EPOCH

    # -- changes -----------------------------------------------------------------------------

    def append(self, batch: BatchHeader, data: Buffer, now_ms: int) -> int:
        """The leader appends one whole valid batch, and returns the base offset it got.

        Every record of a partition comes in here.  Whoever calls this tells
        `WaitingFetches.appended` afterwards.  Raises `LogFailed` when the disk refuses.
        """
        base_offset = self.log.append(batch, data, self.leader_epoch, now_ms)
        self.appended_bytes += len(data)
        return base_offset

    def delete_records(self, offset: int) -> None:
        """Records below an offset are there no more; it is not above the high watermark.

        A log that starts later stays as it is.  Raises `LogFailed` when the disk refuses.
        """
        self.log.advance_log_start_offset(offset)

    def dirty_ratio(self, now_ms: int) -> float:
        """How urgently the log wants a cleaning; 0: not at all."""
        return self.log.dirty_ratio(now_ms, self.last_stable_offset)

    def clean(self, now_ms: int, map_bytes_max: int) -> CleaningStep:
        """A slice of a cleaning, as the topic's settings want it (compaction)."""
        return self.log.clean(now_ms, self.last_stable_offset, map_bytes_max)

    def apply_retention(self, now_ms: int) -> None:
        """Deletes old segments, as the topic's settings want it."""
        self.log.apply_retention(now_ms, self.high_watermark)
