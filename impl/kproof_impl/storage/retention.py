"""Which old segments go: whole ones only, oldest first, never above the high watermark.

REF   Kafka's `retention.ms` and `retention.bytes`; KIP-405 did not change them for local segments.
"""

from kproof_impl.core.log_config import LogConfig
from kproof_impl.storage.segments import Segments


def expired_count(
    segments: Segments, config: LogConfig, now_ms: int, high_watermark: int, log_start_offset: int
) -> int:
    """How many of the oldest segments are too old, too much, or below the start of the log.

    An empty active segment never counts.  A segment without any timestamp is not too old, but one
    whose records are all gone by compaction is.
    """
    is_deleting = "delete" in config.cleanup_policy
    surplus = segments.size_bytes() - config.retention_bytes
    count = 0
    for place, segment in enumerate(segments.all):
        is_active = place == len(segments.all) - 1
        end_offset = segment.next_offset
        if end_offset > high_watermark or (is_active and not segment.size):
            break
        is_below_start = not is_active and end_offset <= log_start_offset
        is_surplus = is_deleting and config.retention_bytes >= 0 and surplus >= segment.size
        if not (is_below_start or is_surplus):
            if not is_deleting or config.retention_ms < 0:
                break
            timestamp_ms = segment.largest_timestamp() if segment.size else 0
            if timestamp_ms < 0 or now_ms - timestamp_ms <= config.retention_ms:
                break
        surplus -= segment.size
        count += 1
    return count
