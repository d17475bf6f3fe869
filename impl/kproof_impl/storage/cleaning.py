"""One cleaning of a compacted log, in slices: a broker serves its clients in between.

It reads the dirty part into a map of the last offset of each key, then writes each group of
segments anew without what is superseded, forces that to the disk beside, and swaps it in.  The
rules are in `records.compaction`, the swap is in `storage.swap`.  Appends may come between two
slices: they go to the active segment, which no cleaning touches.

A slice ends after `SLICE_BYTES`, at the end of a batch.  The map has at most the memory it is
given; where the keys are more, it ends earlier, and the next cleaning goes on from there.

REF   Kafka's `Cleaner.doClean`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import Cleaned
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import header_at
from kproof_impl.records.compaction import CleaningRules, OffsetMap, cleaned_batch
from kproof_impl.records.errors import BatchRefused, LogDamaged, LogFailed
from kproof_impl.records.read import records_of
from kproof_impl.storage import swap
from kproof_impl.storage.batch_scan import whole_batches
from kproof_impl.storage.cleanable import Cleanable, grouped
from kproof_impl.storage.names import LOG
from kproof_impl.storage.producer_state import ProducerState
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Segments


class SwapFailed(LogFailed):
    """It is not known which files are there: the next start finds out."""


SLICE_BYTES = 128 << 10
"""So much of a log is read between two looks at what clients want; or a batch that is larger."""
RECORD_COST_BYTES = 100
"""A record counts as so many bytes more: small and compressed ones take their time too."""


@dataclass(slots=True)
class Cleaning:
    """What is cleaned, and how far it has come."""

    segments: Segments
    config: LogConfig
    part: Cleanable
    producers: ProducerState
    map_bytes_max: int
    now_ms: int
    """The time of the present slice."""
    _slice_bytes: int = 0
    _output: Segment | None = None

    def slices(self) -> Iterator[Cleaned | None]:
        """Each step is a slice; what it yields is what it has swapped in, if it has.

        Raises `LogDamaged` where a batch cannot be read, `LogFailed` where the disk refuses.
        """
        offset_map = OffsetMap(self.part.first_dirty_offset, self.map_bytes_max)
        yield from self._read_dirty(offset_map)
        sources = [s for s in self.segments.all[:-1] if s.base_offset < offset_map.end_offset]
        for group in grouped(sources, self.config):
            began_ms = self.now_ms
            yield from self._write(group, offset_map)
            end_offset = self._swap(group)
            yield Cleaned(group[0].base_offset, end_offset, offset_map.end_offset, began_ms)
        self.part = replace(self.part, first_dirty_offset=offset_map.end_offset)

    def abandon(self) -> None:
        """Removes what was written for a swap that does not come."""
        if self._output is not None:
            output, self._output = self._output, None
            swap.discard(self.segments.files, output)

    # -- parts ---------------------------------------------------------------------------------

    def _read_dirty(self, offset_map: OffsetMap) -> Iterator[None]:
        for segment in list(self.segments.all[:-1]):
            if offset_map.is_full or segment.base_offset >= self.part.end_offset:
                break
            if segment.next_offset <= offset_map.end_offset:
                continue
            start = segment.locate(offset_map.end_offset)
            for position, header, data in whole_batches(segment.file, start, segment.size):
                try:
                    if not header.is_control:
                        offset_map.note(header, records_of(header, data, may_have_gaps=True))
                except BatchRefused as refused:
                    raise _unreadable(segment, position, refused) from refused
                offset_map.end_offset = max(offset_map.end_offset, header.last_offset + 1)
                if offset_map.is_full:
                    break
                yield from self._rest(header.size_bytes, header.records_count)
            else:
                offset_map.end_offset = segment.next_offset

    def _write(self, group: Sequence[Segment], offset_map: OffsetMap) -> Iterator[None]:
        """Writes what survives of some segments into one, and waits until it is on the disk."""
        files = self.segments.files
        output = self._output = swap.cleaned_segment(
            files,
            self.segments.directory,
            group[0].base_offset,
            self.config.index_interval_bytes,
        )
        rules = self._rules()
        for segment in group:
            for position, header, data in whole_batches(segment.file, 0, segment.size):
                if rules.now_ms != self.now_ms:
                    rules = replace(rules, now_ms=self.now_ms)
                try:
                    kept = cleaned_batch(header, data, offset_map, rules)
                except BatchRefused as refused:
                    raise _unreadable(segment, position, refused) from refused
                if kept is not None:
                    self._append(output, kept)
                yield from self._rest(header.size_bytes, header.records_count)
        output.close_indexes()
        forcing = files.fsync_later((*swap.cleaned_paths(output), self.segments.directory))
        while not forcing.is_done:
            self._slice_bytes = 0
            yield None
        if forcing.failure:
            raise LogFailed(forcing.failure)

    def _append(self, output: Segment, data: Buffer) -> None:
        header = header_at(data)
        output.append(
            header.base_offset, header.last_offset, header.max_timestamp, (data,), len(data)
        )

    def _swap(self, group: Sequence[Segment]) -> int:
        """Returns where the segment ends that is there now."""
        assert self._output is not None
        output, self._output = self._output, None
        end_offset = group[-1].next_offset
        remove_at_ms = self.now_ms + self.config.file_delete_delay_ms
        try:
            swap.swap_in(self.segments, group, output, remove_at_ms)
        except LogFailed as error:
            raise SwapFailed(str(error)) from error
        return end_offset

    def _rules(self) -> CleaningRules:
        entries = self.producers.entries
        return CleaningRules(
            self.now_ms,
            self.config.delete_retention_ms,
            self.part.end_offset,
            {key: entry.batches[-1].last_offset for key, entry in entries.items()},
        )

    def _rest(self, size_bytes: int, records_count: int) -> Iterator[None]:
        """Ends the slice, if enough was done."""
        self._slice_bytes += size_bytes + RECORD_COST_BYTES * records_count
        if self._slice_bytes >= SLICE_BYTES:
            self._slice_bytes = 0
            yield None


def _unreadable(segment: Segment, position: int, refused: BatchRefused) -> LogDamaged:
    return LogDamaged(f"{segment.path}{LOG}, the batch at byte {position}: {refused.reason}")
