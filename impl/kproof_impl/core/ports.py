"""What the core asks of the world outside it, beside the time: logs and identifiers.

A log is asked and answers at once, like a variable: so the core stays deterministic, and the same
core runs on files, on memory and on a storage that fails on purpose.  When `append` has returned,
the record has been written; whether it is also forced to the disk is the log's `flush` settings'.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import BatchHeader


@dataclass(frozen=True, slots=True)
class TimestampOffset:
    """A record found by its time: its offset, its timestamp in milliseconds, and its epoch."""

    offset: int
    timestamp_ms: int
    leader_epoch: int


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """The largest epoch not above the one asked for, and where it ends.  -1, -1: none is known."""

    leader_epoch: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class ActiveProducer:
    """What a log remembers of a producer with an id (KIP-98)."""

    producer_id: int
    producer_epoch: int
    last_sequence: int
    last_offset: int
    last_timestamp_ms: int


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment: its offsets, the end exclusive, its largest timestamp (-1: none) and its size."""

    base_offset: int
    end_offset: int
    timestamp_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A part of a compacted log that was written anew; offsets, the ends exclusive."""

    base_offset: int
    end_offset: int
    map_end_offset: int
    """A record below this that has a later one of its key, also below this, is gone."""
    began_ms: int
    """When the writing began."""


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """What a slice of a cleaning has done."""

    is_done: bool
    """Whether the cleaning has ended, for good or not."""
    cleaned: Cleaned | None = None
    refusal: str = ""
    """Why it ended before it was through."""


class PartitionLog(Protocol):
    """The log of one partition.  Offsets count records; the high watermark is not kept here."""

    @property
    def log_start_offset(self) -> int: ...

    @property
    def log_end_offset(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def latest_epoch(self) -> int:
        """The epoch of the last `begin_epoch` or append; -1 before any."""
        ...

    @property
    def recovery_point(self) -> int:
        """Everything below this offset is known to be on the disk."""
        ...

    @property
    def active_base_offset(self) -> int:
        """The base offset of the segment that is written to."""
        ...

    def segment_facts(self) -> Sequence[SegmentFacts]:
        """All segments, oldest first; never none."""
        ...

    def begin_epoch(self, leader_epoch: int) -> None:
        """Epoch `leader_epoch` starts at the log's end; told before its first append."""
        ...

    def duplicate_of(self, batch: BatchHeader) -> int | None:
        """The base offset of the batch that this one repeats, if it repeats one of the last five.

        Raises `ProducerRefused`, with the error code, for a gap in the sequence or an old epoch.
        A batch without producer id repeats none.
        """
        ...

    def append(self, batch: BatchHeader, data: Buffer, leader_epoch: int, now_ms: int) -> int:
        """Writes one whole valid batch, with the offsets and epoch it gets here.

        Returns its base offset.  The 12 bytes of offset and length and the epoch are patched on the
        way; the rest is written as it is.  Raises `LogFailed` when the disk refuses.
        """
        ...

    def read(self, offset: int, max_bytes: int, end_offset: int, at_least_one: bool) -> Buffer:
        """Whole batches from the one that has `offset` on, none of which reaches `end_offset`.

        `offset` is between the start and the end.  At most `max_bytes`, but for the first batch if
        `at_least_one`; empty at the end.
        """
        ...

    def find_timestamp(self, timestamp_ms: int, end_offset: int) -> TimestampOffset | None:
        """The first record below `end_offset` whose timestamp is not below this one."""
        ...

    def find_max_timestamp(self, end_offset: int) -> TimestampOffset | None:
        """The first of the records below `end_offset` with the largest timestamp."""
        ...

    def end_offset_for_epoch(self, leader_epoch: int) -> EpochEnd:
        """Where the epoch ends, as KIP-101 and KIP-279 want it."""
        ...

    def active_producers(self) -> Sequence[ActiveProducer]: ...

    def advance_log_start_offset(self, offset: int) -> None:
        """Forgets records below `offset`, and every whole segment below it (DeleteRecords)."""
        ...

    def apply_retention(self, now_ms: int, high_watermark: int) -> int:
        """Deletes whole old segments by time and size, none above the high watermark.

        Returns how many.  Whether anyone has read them does not matter.
        """
        ...

    def dirty_ratio(self, now_ms: int, high_watermark: int) -> float:
        """How much of a compacted log has come since it was cleaned; 0 if no cleaning is due."""
        ...

    def clean(self, now_ms: int, high_watermark: int, map_bytes_max: int) -> CleaningStep:
        """Goes on with a cleaning for a slice, or begins one: what is superseded by a later record
        of its key goes, below the high watermark and never in the active segment."""
        ...

    def tick(self, now_ms: int) -> None:
        """Forces to the disk what is due by `flush_ms`, rolls what is due by `segment_ms`, removes
        files whose delay is over, forgets producers that are long silent."""
        ...

    def truncate_to(self, offset: int) -> None:
        """Cuts the log so that it ends at `offset` (a follower's duty; not for clients)."""
        ...

    def configure(self, config: LogConfig) -> None: ...

    def flush(self) -> None:
        """Forces everything written to the disk."""
        ...


class LogStore(Protocol):
    """All logs of a broker."""

    def open(self, topic_id: UUID, topic: str, partition: int, config: LogConfig) -> PartitionLog:
        """The log of a partition: recovered if it exists, made if not.

        The directory is named by the id, never by the client's string; the name goes into
        `partition.metadata` for people.
        """
        ...

    def existing(self) -> Iterator[tuple[UUID, int]]:
        """The partitions that have a directory."""
        ...

    def delete(self, topic_id: UUID, partitions: Iterable[int]) -> None:
        """Forgets logs; their files go at once or by and by, and never come back at a restart.

        Raises `LogFailed` at the end if one of them could not be deleted.
        """
        ...

    @property
    def log_dir(self) -> str:
        """The directory, as clients are told it by DescribeLogDirs."""
        ...

    def usable_bytes(self) -> tuple[int, int]:
        """Total and free bytes of the volume; -1 where there is none."""
        ...

    def tick(self, now_ms: int) -> None:
        """Removes deleted logs whose delay is over, writes what a restart reads first.

        The logs themselves are ticked by who opened them.
        """
        ...

    def close(self, is_clean: bool = True) -> None:
        """Gives back the files; forces all logs before, and leaves what a clean shutdown leaves:
        indexes, snapshots of the producers, the checkpoints and the marker."""
        ...


class Identifiers(Protocol):
    """Where new names come from: random for a server, counted or seeded for a test."""

    def topic_id(self) -> UUID: ...

    def member_id_suffix(self) -> str:
        """What follows the client id in a member id: a UUID's text for a server."""
        ...

    def session_id(self) -> int:
        """A number of 31 bits, above 0, for a fetch session."""
        ...
