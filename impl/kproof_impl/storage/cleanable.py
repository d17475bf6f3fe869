"""What of a compacted log may be cleaned, and whether that is worth it now.  Nothing is changed.

A log is *clean* up to where the last cleaning ended; what comes behind is dirty, up to the first
segment that may not be touched: the active one, one that reaches beyond the high watermark or that
is not forced to the disk yet, or one with a record younger than `min.compaction.lag.ms`.

A cleaning is due when the dirty part is more than `min.cleanable.dirty.ratio` of both, or when the
first record of a dirty segment is older than `max.compaction.lag.ms` (KIP-354).

REF   Kafka's `LogCleanerManager.cleanableOffsets`, `LogToClean`; KIP-58, KIP-354.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kproof_impl.core.log_config import LogConfig
from kproof_impl.storage.names import INDEX, TIME_INDEX
from kproof_impl.storage.offset_index import OFFSET_MAX
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Segments


@dataclass(frozen=True, slots=True)
class Cleanable:
    """The dirty part that may be cleaned: offsets, the end exclusive."""

    first_dirty_offset: int
    end_offset: int
    dirty_ratio: float
    is_due: bool


def cleanable_part(
    segments: Segments,
    config: LogConfig,
    first_dirty_offset: int,
    bound_offset: int,
    now_ms: int,
) -> Cleanable:
    """What may be cleaned below `bound_offset`, the high watermark or where the disk has it."""
    closed = segments.all[:-1]
    end_offset = segments.all[0].base_offset
    for segment in closed:
        is_dirty = segment.next_offset > first_dirty_offset
        if segment.next_offset > bound_offset or (is_dirty and _is_young(segment, config, now_ms)):
            break
        end_offset = segment.next_offset
    dirty = [s for s in closed if first_dirty_offset < s.next_offset <= end_offset]
    clean_bytes = sum(s.size for s in closed if s.base_offset < first_dirty_offset)
    dirty_bytes = sum(segment.size for segment in dirty)
    if not dirty_bytes:
        return Cleanable(first_dirty_offset, max(first_dirty_offset, end_offset), 0.0, False)
    ratio = dirty_bytes / (clean_bytes + dirty_bytes)
    is_due = ratio > config.min_cleanable_dirty_ratio or any(
        0 < segment.first_timestamp() < now_ms - config.max_compaction_lag_ms for segment in dirty
    )
    return Cleanable(first_dirty_offset, end_offset, ratio, is_due)


def _is_young(segment: Segment, config: LogConfig, now_ms: int) -> bool:
    lag_ms = config.min_compaction_lag_ms
    if lag_ms <= 0:
        return False
    was_loaded = segment.is_loaded
    is_young = segment.largest_timestamp() > now_ms - lag_ms
    if not was_loaded:
        segment.unload()
    return is_young


def grouped(segments: Sequence[Segment], config: LogConfig) -> list[list[Segment]]:
    """Neighbours that become one segment: what they have now fits into one, and so do its indexes.

    Else each cleaning would leave more and smaller files.
    """
    groups: list[list[Segment]] = []
    size = index_bytes = time_index_bytes = 0
    for segment in segments:
        files = segment.files
        more = files.size(segment.path + INDEX), files.size(segment.path + TIME_INDEX)
        if (
            groups
            and size + segment.size <= config.segment_bytes
            and index_bytes + more[0] <= config.segment_index_bytes
            and time_index_bytes + more[1] <= config.segment_index_bytes
            and segment.next_offset - 1 - groups[-1][0].base_offset <= OFFSET_MAX
        ):
            groups[-1].append(segment)
            size += segment.size
            index_bytes += more[0]
            time_index_bytes += more[1]
        else:
            groups.append([segment])
            size, index_bytes, time_index_bytes = segment.size, *more
    return groups
