"""The log of one partition on a file system: `core.ports.PartitionLog`.

A batch is in the file when `append` returns, so a killed process loses none; it is forced to the
disk after `flush.messages` records, after `flush.ms`, and at the end.  `recovery_point` is the
offset up to which everything is forced: what comes after it is looked at again if the broker did
not stop cleanly.

A write that fails is undone by cutting the file back.  If that fails too, or if forcing fails, then
nobody knows what is on the disk, and the log refuses everything until it is opened again.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import (
    ActiveProducer,
    CleaningStep,
    EpochEnd,
    SegmentFacts,
    TimestampOffset,
)
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import LENGTH_END, NO_PRODUCER_ID, BatchHeader
from kproof_impl.records.build import PATCH
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage import time_lookup
from kproof_impl.storage.cleanable import Cleanable
from kproof_impl.storage.epoch_checkpoint import EpochCheckpoint
from kproof_impl.storage.log_cleaning import LogCleaning
from kproof_impl.storage.names import LOG
from kproof_impl.storage.offset_index import ENTRY_BYTES, OFFSET_MAX
from kproof_impl.storage.producer_snapshot import write_snapshot
from kproof_impl.storage.producer_state import ProducerState
from kproof_impl.storage.recovery import Loaded, load_producers, prune_snapshots
from kproof_impl.storage.retention import expired_count
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Notify, Segments, snapshot_path
from kproof_impl.storage.time_index import ENTRY
from kproof_impl.storage.truncation import truncate_files
from kproof_impl.storage.unforced import Unforced

PRODUCER_CHECK_MS = 600_000  # So often silent producers are looked for.
_NEVER = -1


class FilePartitionLog:
    """A log on files.  `on_checkpoint` is called when a checkpoint of the directory must be written
    at once: when the log start is moved into a segment, the log is truncated or was cleaned.
    `make_directory` is called before the first record, if the log has no directory yet."""

    def __init__(
        self,
        loaded: Loaded,
        config: LogConfig,
        producer_expiration_ms: int,
        on_checkpoint: Notify,
        make_directory: Notify | None = None,
    ) -> None:
        self._segments: Segments = loaded.segments
        self._files = loaded.segments.files
        self._directory = loaded.segments.directory
        self._active: Segment = loaded.segments.active
        self._cleaning = LogCleaning(loaded.segments, loaded.first_dirty_offset)
        self._epochs: EpochCheckpoint = loaded.epochs
        self._latest_epoch = loaded.epochs.latest_epoch
        self._producers: ProducerState = loaded.producers
        self._producer_expiration_ms = producer_expiration_ms
        self._producer_check_ms = _NEVER
        self._on_checkpoint = on_checkpoint
        self._make_directory = make_directory
        self.log_start_offset: int = loaded.log_start_offset
        self.log_end_offset: int = loaded.segments.active.next_offset
        self.recovery_point: int = loaded.recovery_point
        self._unforced = Unforced(self._files, self._directory, self._epochs.path)
        self._unforced_since_ms = _NEVER
        self._clean_offset = loaded.clean_offset
        """Where the log ended when its clean state was last written; -1 if it is not."""
        self._failure = ""
        self.last_refusal = ""
        """Why the last attempt of `tick` or `apply_retention` came to nothing."""
        self._closed_bytes = sum(segment.size for segment in loaded.segments.all[:-1])
        self.configure(config)
        for segment in loaded.unforced:
            self._unforced.add(segment)

    @property
    def size_bytes(self) -> int:
        return self._closed_bytes + self._active.size

    @property
    def latest_epoch(self) -> int:
        return self._latest_epoch

    @property
    def active_base_offset(self) -> int:
        return self._active.base_offset

    def segment_facts(self) -> Sequence[SegmentFacts]:
        return self._segments.facts()

    @property
    def first_dirty_offset(self) -> int:
        """Up to where it has been cleaned; -1: it has not."""
        return self._cleaning.first_dirty_offset

    @property
    def file_delete_delay_ms(self) -> int:
        return self._config.file_delete_delay_ms

    @property
    def is_failed(self) -> bool:
        return bool(self._failure)

    def configure(self, config: LogConfig) -> None:
        self._config = config
        self._roll_ms = config.roll_ms
        if not config.is_compacted:
            self._cleaning.give_up()
        self._active.index_interval_bytes = config.index_interval_bytes
        self._index_entries_max = config.segment_index_bytes // max(ENTRY_BYTES, ENTRY.size)

    def begin_epoch(self, leader_epoch: int) -> None:
        self._check_usable()
        self._epochs.assign(leader_epoch, self.log_end_offset)
        self._latest_epoch = self._epochs.latest_epoch

    def duplicate_of(self, batch: BatchHeader) -> int | None:
        if batch.producer_id < 0:
            return None
        return self._producers.duplicate_of(batch)

    def append(self, batch: BatchHeader, data: Buffer, leader_epoch: int, now_ms: int) -> int:
        if self._failure:
            raise LogFailed(self._failure)
        segment = self._active
        config = self._config
        batch_length = batch.batch_length
        size = batch_length + LENGTH_END
        base_offset = self.log_end_offset
        last_offset = base_offset + batch.last_offset_delta
        max_timestamp = batch.max_timestamp
        if segment.size:
            if (
                segment.size + size > config.segment_bytes
                or max_timestamp - segment.first_timestamp_ms > self._roll_ms
                or last_offset - segment.base_offset > OFFSET_MAX
                or len(segment.offset_index.offsets) >= self._index_entries_max
            ):
                segment = self._roll()
        else:
            self._begin(segment, now_ms)
        if leader_epoch != self._latest_epoch:
            self.begin_epoch(leader_epoch)
        parts = (PATCH.pack(base_offset, batch_length, leader_epoch), memoryview(data)[16:])
        try:
            segment.append(base_offset, last_offset, max_timestamp, parts, size)
        except LogFailed:
            self._undo_append(segment)
            raise
        self.log_end_offset = last_offset + 1
        if batch.producer_id != NO_PRODUCER_ID:
            self._producers.note(batch, base_offset)
        if last_offset - self.recovery_point >= config.flush_messages - 1:
            self.flush()
        elif self._unforced_since_ms < 0:
            self._unforced_since_ms = now_ms
        return base_offset

    def _begin(self, segment: Segment, now_ms: int) -> None:
        """The first batch of a segment is about to come."""
        if segment.created_ms < 0:
            segment.created_ms = now_ms
        if self._make_directory is not None:
            self._make_directory()
            self._make_directory = None
            segment.file = self._files.open(segment.path + LOG)

    def read(self, offset: int, max_bytes: int, end_offset: int, at_least_one: bool) -> Buffer:
        log_end_offset = self.log_end_offset
        if offset >= log_end_offset or offset >= end_offset:
            return b""
        segment = self._active
        tail = segment.tail_offsets
        if tail and offset >= tail[0]:
            start = segment.tail_positions[bisect_right(tail, offset) - 1]
        else:
            for segment in self._segments.from_offset(offset):
                start = segment.locate(offset)
                if start < segment.size:
                    break
        return segment.batches_from(start, max_bytes, end_offset, at_least_one)

    def find_timestamp(self, timestamp_ms: int, end_offset: int) -> TimestampOffset | None:
        return time_lookup.find_timestamp(
            self._segments, timestamp_ms, self.log_start_offset, end_offset
        )

    def find_max_timestamp(self, end_offset: int) -> TimestampOffset | None:
        return time_lookup.find_max_timestamp(self._segments, self.log_start_offset, end_offset)

    def end_offset_for_epoch(self, leader_epoch: int) -> EpochEnd:
        return self._epochs.end_offset(leader_epoch, self.log_end_offset)

    def active_producers(self) -> Sequence[ActiveProducer]:
        return self._producers.active()

    def advance_log_start_offset(self, offset: int) -> None:
        self._check_usable()
        if offset <= self.log_start_offset:
            return
        self.log_start_offset = min(offset, self.log_end_offset)
        count = max(0, self._segments.floor(self.log_start_offset))
        self._delete_first(count, _NEVER)
        self._epochs.truncate_start(self.log_start_offset)
        self._on_checkpoint()

    def apply_retention(self, now_ms: int, high_watermark: int) -> int:
        """What the disk refuses to delete stays until the next time."""
        if self._failure:
            return 0
        segments, config = self._segments, self._config
        before = list(segments.all)
        try:
            start_offset = self.log_start_offset
            count = expired_count(segments, config, now_ms, high_watermark, start_offset)
            if count == len(before):
                self._roll()
            self._delete_first(count, now_ms)
            self._epochs.truncate_start(self.log_start_offset)
            if count:  # The files' names may come back with a loss of power; their records do not.
                self._on_checkpoint()
        except LogFailed as error:
            self.last_refusal = str(error)
        return len(set(before) - set(segments.all))

    def dirty_ratio(self, now_ms: int, high_watermark: int) -> float:
        part = self._cleanable_part(now_ms, high_watermark)
        is_cleaned = self._config.is_compacted and not self._failure
        return part.dirty_ratio if is_cleaned and part.is_due else 0.0

    def clean(self, now_ms: int, high_watermark: int, map_bytes_max: int) -> CleaningStep:
        if self._failure or not self._config.is_compacted:
            return CleaningStep(is_done=True)
        part = self._cleanable_part(now_ms, high_watermark)
        try:
            step = self._cleaning.step(self._config, part, self._producers, map_bytes_max, now_ms)
            if step.is_done and not step.refusal:
                self._on_checkpoint()
        except LogFailed as error:
            self._fail(error)
            return CleaningStep(is_done=True, refusal=self._failure)
        self._segments_changed()
        return step

    def _cleanable_part(self, now_ms: int, high_watermark: int) -> Cleanable:
        bound_offset = min(high_watermark, self.recovery_point)
        return self._cleaning.part(self._config, self.log_start_offset, bound_offset, now_ms)

    def _segments_changed(self) -> None:
        self._closed_bytes = sum(segment.size for segment in self._segments.all[:-1])
        self._unforced.keep_only(self._segments.all)

    def tick(self, now_ms: int) -> None:
        """What the disk refuses is tried again the next time, unless the log has failed by it."""
        try:
            self._segments.remove_doomed(now_ms)
            if not self._failure:
                self._keep(now_ms)
        except LogFailed as error:
            self.last_refusal = str(error)

    def _keep(self, now_ms: int) -> None:
        segment = self._active
        if 0 <= self._unforced_since_ms <= now_ms - self._config.flush_ms:
            self.flush()
        try:  # To move the recovery point over the closed segments that are on the disk now.
            self.recovery_point = self._unforced.forced_end(self.recovery_point)
        except LogFailed as error:
            self._fail(error)
            raise
        if segment.size:
            if segment.created_ms < 0:
                segment.created_ms = now_ms
            elif now_ms - segment.created_ms > self._roll_ms:
                self._roll()
        if now_ms - self._producer_check_ms >= PRODUCER_CHECK_MS:
            self._producer_check_ms = now_ms
            self._producers.forget_silent(now_ms - self._producer_expiration_ms)

    def truncate_to(self, offset: int) -> None:
        """Cuts the log at `offset`, or before the batch that has it: batches stay whole."""
        self._check_usable()
        if offset >= self.log_end_offset:
            return
        self._clean_offset = _NEVER
        self._cleaning.give_up()
        try:
            truncate_files(self._segments, self._config, offset, self._unforced.directories)
        except LogFailed as error:
            self._fail(error)
            raise
        segments = self._segments
        self._active = segments.active
        self._segments_changed()
        self.log_end_offset = self._active.next_offset
        self.log_start_offset = min(self.log_start_offset, self.log_end_offset)
        self.recovery_point = min(self.recovery_point, self.log_end_offset)
        self._epochs.truncate_end(self.log_end_offset)
        self._latest_epoch = self._epochs.latest_epoch
        self._producers = load_producers(segments, self.log_end_offset)
        prune_snapshots(segments, self.log_end_offset)
        self._on_checkpoint()

    def flush(self) -> None:
        self._check_usable()
        try:
            file = self._active.file if self.log_end_offset > self.recovery_point else None
            if self._make_directory is None:  # Else there is nothing.
                self._unforced.force_all(file, self._epochs)
        except LogFailed as error:
            self._fail(error)
            raise
        self.recovery_point = self.log_end_offset
        self._unforced_since_ms = _NEVER

    def prepare_close(self) -> Sequence[str]:
        """Writes what a clean shutdown leaves.  Returns what is to be forced to the disk then.

        Nothing, if the log has failed, or is as the last clean shutdown left it.
        """
        self._cleaning.give_up()
        is_as_it_was = self._clean_offset == self.log_end_offset
        if self._failure or is_as_it_was or self._make_directory is not None:
            return ()
        self._active.close_indexes()
        self._snapshot()
        prune_snapshots(self._segments, self.log_end_offset)
        return self._unforced.paths_at_close(self._active)

    def finish_close(self) -> None:
        """What `prepare_close` returned has been forced."""
        if not self._failure:
            self._unforced.clear()
            self.recovery_point = self._clean_offset = self.log_end_offset

    def abandon(self) -> None:
        """Gives back the files and writes nothing, as a broker does that is killed."""
        self._segments.close()

    def _check_usable(self) -> None:
        if self._failure:
            raise LogFailed(self._failure)

    def _undo_append(self, segment: Segment) -> None:
        try:
            segment.file.truncate(segment.size)
        except LogFailed as error:
            self._fail(error)

    def _roll(self) -> Segment:
        """Closes the active segment and begins another at the end of the log."""
        closed = self._active
        closed.close_indexes()
        self._snapshot()
        try:
            self._active = self._segments.create(self.log_end_offset, self._config)
        except LogFailed as error:
            # A file of that name would tell a wrong end of the log.
            self._fail(error)
            raise
        closed.tail_offsets, closed.tail_positions = array("q"), array("q")
        self._closed_bytes += closed.size
        self._segments.keep_few_loaded(closed)
        self._unforced.add(closed)
        return self._active

    def _snapshot(self) -> None:
        path = snapshot_path(self._directory, self.log_end_offset)
        write_snapshot(self._files, path, self._producers)

    def _delete_first(self, count: int, now_ms: int) -> None:
        if count == 0:
            return
        segments = self._segments
        self._cleaning.give_up()
        # What it tells of the producers will not be in the log any more.
        snapshot = snapshot_path(self._directory, segments.all[count - 1].next_offset)
        self._files.fsync_path(snapshot)
        try:
            segments.doom_first(count, now_ms + self._config.file_delete_delay_ms)
        finally:
            self._segments_changed()
            self.log_start_offset = max(self.log_start_offset, segments.base_offsets[0])

    def _fail(self, reason: object) -> None:
        self._failure = f"{reason} What is on the disk is unknown: restart the broker."
