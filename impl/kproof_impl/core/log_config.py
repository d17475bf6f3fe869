"""How one log is kept: the settings of a topic that its storage obeys."""

from dataclasses import dataclass

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class LogConfig:
    """Sizes in bytes, times in milliseconds; the defaults are Kafka's, -1 is no limit."""

    segment_bytes: int = 1 << 30
    segment_ms: int = 7 * 24 * 3600 * 1000
    segment_index_bytes: int = 10 << 20
    index_interval_bytes: int = 4096
    retention_bytes: int = UNLIMITED
    retention_ms: int = 7 * 24 * 3600 * 1000
    file_delete_delay_ms: int = 60_000
    flush_messages: int = (1 << 63) - 1
    """So many records may be written and not forced to the disk: 1 forces each append."""
    flush_ms: int = (1 << 63) - 1
    """So long may a record stay written and not forced."""
    max_message_bytes: int = 1_048_588
    message_timestamp_type: str = "CreateTime"
    message_timestamp_before_max_ms: int = (1 << 63) - 1
    message_timestamp_after_max_ms: int = 3_600_000
    cleanup_policy: str = "delete"
    min_cleanable_dirty_ratio: float = 0.5
    """A compacted log is cleaned when more than this part of it has come since the last time."""
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = (1 << 63) - 1
    delete_retention_ms: int = 24 * 3600 * 1000
    """So long a tombstone stays after the first cleaning that met it."""
    min_insync_replicas: int = 1
    preallocate: bool = False
    compression_type: str = "producer"

    @property
    def is_compacted(self) -> bool:
        return "compact" in self.cleanup_policy

    @property
    def roll_ms(self) -> int:
        """After so long a segment is closed: what is in the active one cannot be cleaned."""
        if self.is_compacted:
            return min(self.segment_ms, self.max_compaction_lag_ms)
        return self.segment_ms
