"""A log whose steps are told: around each call to the real one, what it changed.

It stands in for the real log while somebody observes the broker, so that nothing is told, asked or
slowed down while nobody does.

| action | parameters |
|---|---|
| `open` | `recovery_point`: what an earlier life had forced to the disk; `is_compacted`, and |
| | `is_of_groups` for a log of `__consumer_offsets`, if it is so |
| `append` | `base_offset`, `last_offset`, `crc`: the batch's own |
| `append_failed` | `records_count` of the batch: the disk refused it, and the file may hold it |
| `roll` | `base_offset` of the segment that is active from now on |
| `flush` | `recovery_point` |
| `delete_records` | `offset` |
| `delete_segments` | `deleted`: `base_offset`, `end_offset`, `timestamp_ms`, `size_bytes` of each |
| | and what it went by: `size_bytes` before, `now_ms`, `retention_ms`, `retention_bytes` |
| `truncate` | `offset` |
| `clean` | `base_offset`, `end_offset` of the segment that has taken the place of others |
| `read` | `offset`, `end_offset` (exclusive: readers are given nothing from there on), and of |
| | what was found `base_offset`, `next_offset`, `checksum`: the CRC-32 of the CRC-32Cs of all |
| | batches, reckoned from the bytes that were found, four bytes each, the highest first |
| `fetch` | `offset`, and what the answer says: `error`, `log_start_offset`, `high_watermark`, |
| | `last_stable_offset`; of records in it the same as of those of `read` |
| `answer_delete_records` | `offset` as asked for, `low_watermark` as about to be answered |
| `delete` | none: the partition's topic is deleted |

The state is `log_start_offset`, `high_watermark` and `log_end_offset`; where a log is opened or
segments are deleted or cleaned also `segments`: the base offsets of all.  A compacted log tells
more, as of the model `compaction`: see `told_compaction`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from kproof_impl.core import told_compaction
from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import (
    ActiveProducer,
    CleaningStep,
    EpochEnd,
    PartitionLog,
    SegmentFacts,
    TimestampOffset,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import PartitionData
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import CRC_START, BatchHeader, header_at
from kproof_impl.records.crc import crc32c
from kproof_impl.records.errors import LogFailed

Tell = Callable[[str, str, str, dict[str, Any], dict[str, Any]], None]
"""Model, subject, action, parameters, state."""


class ObservedLog:
    """A `PartitionLog` that tells what the one inside it does."""

    def __init__(
        self,
        log: PartitionLog,
        config: LogConfig,
        subject: str,
        tell: Tell,
        *,
        is_of_groups: bool = False,
    ) -> None:
        self._log = log
        self._config = config
        self._subject = subject
        self._tell = tell
        self._recovery_point = log.recovery_point
        parameters: dict[str, Any] = {"recovery_point": log.recovery_point}
        if config.is_compacted:
            parameters["is_compacted"] = True
        if is_of_groups:
            parameters["is_of_groups"] = True
        self._told("open", parameters, has_segments=True)
        self._tell_compacted()

    # -- what is told --------------------------------------------------------------------------

    def _told(
        self,
        action: str,
        parameters: dict[str, Any],
        end_offset: int | None = None,
        *,
        has_segments: bool = False,
    ) -> None:
        end_offset = self._log.log_end_offset if end_offset is None else end_offset
        state: dict[str, Any] = {
            "log_start_offset": self._log.log_start_offset,
            "high_watermark": end_offset,
            "log_end_offset": end_offset,
        }
        if has_segments:
            state["segments"] = [facts.base_offset for facts in self._log.segment_facts()]
        self._tell("log", self._subject, action, parameters, state)

    def _tell_compacted(self) -> None:
        """What stands in a log that is compacted from now on."""
        if self._config.is_compacted:
            self._told_compaction("open", told_compaction.found(self._log))

    def _told_compaction(
        self, action: str, parameters: dict[str, Any], end_offset: int | None = None
    ) -> None:
        if self._config.is_compacted:
            end_offset = self._log.log_end_offset if end_offset is None else end_offset
            state = {"log_end_offset": end_offset}
            self._tell("compaction", self._subject, action, parameters, state)

    def _tell_roll(self, active_base_offset: int) -> None:
        """If the active segment is another by now: it began where the log ended then."""
        base_offset = self._log.active_base_offset
        if base_offset != active_base_offset:
            self._told("roll", {"base_offset": base_offset}, base_offset)
            self._told_compaction("roll", {"base_offset": base_offset}, base_offset)

    def _tell_forced(self) -> None:
        if self._log.recovery_point > self._recovery_point:
            self._recovery_point = self._log.recovery_point
            self._told("flush", {"recovery_point": self._recovery_point})

    def tell_closed(self) -> None:
        """The store has closed the log cleanly, and so forced all of it to the disk."""
        self._tell_forced()

    def _tell_deleted(self, before: Sequence[SegmentFacts], now_ms: int) -> None:
        first = self._log.segment_facts()[0].base_offset
        deleted = [facts for facts in before if facts.base_offset < first]
        if not deleted:
            return
        parameters = {
            "deleted": [
                {
                    "base_offset": facts.base_offset,
                    "end_offset": facts.end_offset,
                    "timestamp_ms": facts.timestamp_ms,
                    "size_bytes": facts.size_bytes,
                }
                for facts in deleted
            ],
            "size_bytes": sum(facts.size_bytes for facts in before),
            "now_ms": now_ms,
            "retention_ms": self._config.retention_ms,
            "retention_bytes": self._config.retention_bytes,
        }
        self._told("delete_segments", parameters, has_segments=True)

    # -- steps -------------------------------------------------------------------------------

    def append(self, batch: BatchHeader, data: Buffer, leader_epoch: int, now_ms: int) -> int:
        active_base_offset = self._log.active_base_offset
        end_offset = self._log.log_end_offset
        try:
            base_offset = self._log.append(batch, data, leader_epoch, now_ms)
        except LogFailed:
            self._tell_roll(active_base_offset)
            if self._log.log_end_offset > end_offset:  # It is written, and could not be forced.
                self._tell_append(end_offset, batch, data)
            else:
                self._told("append_failed", {"records_count": batch.last_offset_delta + 1})
            raise
        self._tell_roll(active_base_offset)
        self._tell_append(base_offset, batch, data)
        self._tell_forced()
        return base_offset

    def _tell_append(self, base_offset: int, batch: BatchHeader, data: Buffer) -> None:
        last_offset = base_offset + batch.last_offset_delta
        parameters = {"base_offset": base_offset, "last_offset": last_offset, "crc": batch.crc}
        self._told("append", parameters)
        if self._config.is_compacted:
            self._told_compaction("append", told_compaction.appended(batch, data, base_offset))

    def read(self, offset: int, max_bytes: int, end_offset: int, at_least_one: bool) -> Buffer:
        found = self._log.read(offset, max_bytes, end_offset, at_least_one)
        if found:
            self._told("read", {"offset": offset, "end_offset": end_offset, **_contents(found)})
        return found

    def tell_fetch(self, offset: int, answer: PartitionData) -> None:
        """A Fetch is about to be answered; in an error of another kind no log has a part."""
        code = answer.error_code
        if code in (ErrorCode.NONE, ErrorCode.OFFSET_OUT_OF_RANGE):
            parameters = {
                "offset": offset,
                "error": code,
                "log_start_offset": answer.log_start_offset,
                "high_watermark": answer.high_watermark,
                "last_stable_offset": answer.last_stable_offset,
            }
            if answer.records:
                parameters |= _contents(answer.records)
            self._told("fetch", parameters)

    def tell_deleted_records(self, offset: int, low_watermark: int) -> None:
        """DeleteRecords is about to be answered: the offset is as the client asked for it."""
        parameters = {"offset": offset, "low_watermark": low_watermark}
        self._told("answer_delete_records", parameters)

    def tell_deleted(self) -> None:
        """The partition's topic is no more."""
        self._told("delete", {})
        self._told_compaction("delete", {})

    def advance_log_start_offset(self, offset: int) -> None:
        before = self._log.segment_facts()
        before_offset = self._log.log_start_offset
        self._log.advance_log_start_offset(offset)
        if self._log.log_start_offset > before_offset:
            self._told("delete_records", {"offset": offset})
        self._tell_deleted(before, -1)

    def apply_retention(self, now_ms: int, high_watermark: int) -> int:
        before = self._log.segment_facts()
        active_base_offset = self._log.active_base_offset
        log_start_offset = self._log.log_start_offset
        count = self._log.apply_retention(now_ms, high_watermark)
        if self._log.active_base_offset != active_base_offset:
            self._tell_roll_before(log_start_offset)
        self._tell_deleted(before, now_ms)
        self._tell_forced()
        return count

    def _tell_roll_before(self, log_start_offset: int) -> None:
        """A roll that was followed by deletions, with the start that the log had in between."""
        base_offset = self._log.active_base_offset
        end_offset = self._log.log_end_offset
        state = {
            "log_start_offset": log_start_offset,
            "high_watermark": end_offset,
            "log_end_offset": end_offset,
        }
        self._tell("log", self._subject, "roll", {"base_offset": base_offset}, state)
        self._told_compaction("roll", {"base_offset": base_offset}, end_offset)

    def dirty_ratio(self, now_ms: int, high_watermark: int) -> float:
        return self._log.dirty_ratio(now_ms, high_watermark)

    def clean(self, now_ms: int, high_watermark: int, map_bytes_max: int) -> CleaningStep:
        step = self._log.clean(now_ms, high_watermark, map_bytes_max)
        part = step.cleaned
        if part is not None:
            parameters = {"base_offset": part.base_offset, "end_offset": part.end_offset}
            self._told("clean", parameters, has_segments=True)
            retention_ms = self._config.delete_retention_ms
            self._told_compaction("clean", told_compaction.cleaned(self._log, part, retention_ms))
        return step

    def tick(self, now_ms: int) -> None:
        active_base_offset = self._log.active_base_offset
        self._log.tick(now_ms)
        self._tell_roll(active_base_offset)
        self._tell_forced()

    def truncate_to(self, offset: int) -> None:
        self._log.truncate_to(offset)
        self._recovery_point = self._log.recovery_point
        self._told("truncate", {"offset": offset}, has_segments=True)

    def configure(self, config: LogConfig) -> None:
        was_compacted = self._config.is_compacted
        self._config = config
        self._log.configure(config)
        if not was_compacted:
            self._tell_compacted()

    def flush(self) -> None:
        self._log.flush()
        self._tell_forced()

    # -- what changes nothing ------------------------------------------------------------------

    @property
    def log_start_offset(self) -> int:
        return self._log.log_start_offset

    @property
    def log_end_offset(self) -> int:
        return self._log.log_end_offset

    @property
    def size_bytes(self) -> int:
        return self._log.size_bytes

    @property
    def latest_epoch(self) -> int:
        return self._log.latest_epoch

    @property
    def recovery_point(self) -> int:
        return self._log.recovery_point

    @property
    def active_base_offset(self) -> int:
        return self._log.active_base_offset

    def segment_facts(self) -> Sequence[SegmentFacts]:
        return self._log.segment_facts()

    def begin_epoch(self, leader_epoch: int) -> None:
        self._log.begin_epoch(leader_epoch)

    def duplicate_of(self, batch: BatchHeader) -> int | None:
        return self._log.duplicate_of(batch)

    def find_timestamp(self, timestamp_ms: int, end_offset: int) -> TimestampOffset | None:
        return self._log.find_timestamp(timestamp_ms, end_offset)

    def find_max_timestamp(self, end_offset: int) -> TimestampOffset | None:
        return self._log.find_max_timestamp(end_offset)

    def end_offset_for_epoch(self, leader_epoch: int) -> EpochEnd:
        return self._log.end_offset_for_epoch(leader_epoch)

    def active_producers(self) -> Sequence[ActiveProducer]:
        return self._log.active_producers()


def _contents(batches: Buffer) -> dict[str, int]:
    """Of whole batches that were found: where they begin and end, and their checksum."""
    data = memoryview(batches)
    crcs = bytearray()
    position = 0
    while position < len(data):
        header = header_at(data, position)
        end = position + header.size_bytes
        crcs += crc32c(data[position + CRC_START : end]).to_bytes(4, "big")
        position = end
    return {
        "base_offset": header_at(data).base_offset,
        "next_offset": header.last_offset + 1,
        "checksum": crc32(crcs),
    }
