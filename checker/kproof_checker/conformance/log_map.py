"""A partition's log on the model `log`.

| the broker | the model |
|---|---|
| `append` | `leader_append` and `leader_raise_high_watermark` |
| `append_failed` | `leader_append_fails`, if the next `open` shows that the file held the batch |
| `roll` | `leader_roll` |
| `flush` up to the end | `leader_flush`; up to less: nothing, the model knows less |
| `delete_records` | `leader_delete_records` |
| `delete_segments` | for each, below the start, by age or by size, whichever it is |
| `clean` | nothing but the segments that became one: see `compaction_map` for the records |
| `open` of a log it knows | `broker_crash` with what is left, `broker_recover`; before it one |
| | `leader_append`, if the broker was killed between the batch and its event (`untold`) |
| `read` | `reader_fetch`, by a reader who stands there |
| `fetch` that is refused | `reader_reset`, by a reader who stands there |
| `answer_delete_records` | nothing: the log has to start where that was asked for |
| `delete` | nothing: its topic is deleted, and it is followed no more |

A batch is committed as soon as it is appended: a node alone is all its in-sync replicas.

**Offsets.**  The model's records have size 1 and offsets one by one; one of them stands for a whole
batch, or for several that can only go together (`log_counting`).

**Age and size.**  The model counts ages in ticks and sizes in records, and the broker has
timestamps and bytes.  So here the map does the arithmetic that the model's guards stand for: a
segment goes by age if its largest timestamp is older than `retention.ms`, and only then are its
records old for the model; it goes by size if what is left is not below `retention.bytes`, and the
model's retention size is 0.  What the model then still judges: whole segments, the oldest first,
never the active one, none above the high watermark.

**Contents.**  The model's records have none.  The map keeps the CRC of each batch, and holds
against it what readers are given.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_impl.messages.errors import ErrorCode
from kproof_spec.lang import max_
from kproof_spec.log.state import (
    Residue,
    active_base_offset,
    first_base_offset,
    second_base_offset,
)

from .log_counting import CountingFollower
from .log_units import Batches, Units

READER = "reader"


class LogFollower(CountingFollower):
    """The model of one partition's log, following the broker's."""

    def __init__(self) -> None:
        super().__init__()
        self._is_known = False
        self._failed_count = 0
        """Records of the last append, if the disk refused it: the file may hold them."""
        self._started_before: int | None = None
        """Where the log started before records were deleted by a request that is not answered."""
        self._rewritten_offset = 0
        """Below this, compaction may have removed any record."""

    def follow(self, event: Event) -> None:
        self.event = event
        step = getattr(self, f"_{event.action}", None)
        if step is None:
            raise self.diverged(f"no step of a log is called {event.action}")
        step(event.parameters, event.state)
        self._compare(event.state)
        self._tidy_if_due()

    def _compare(self, theirs: dict[str, Any]) -> None:
        s, offset = self.state, self._units.offset
        self.compare(
            theirs,
            log_start_offset=offset(s.log_start_offset),
            high_watermark=offset(s.high_watermark),
            log_end_offset=offset(s.log_end_offset),
        )
        if "segments" in theirs:
            self.compare(theirs, segments=self._segments())

    # -- steps -------------------------------------------------------------------------------

    def _append(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        base_offset, last_offset = parameters["base_offset"], parameters["last_offset"]
        end_offset = self._end_offset
        self.require(
            base_offset == end_offset,
            f"a batch was given base offset {base_offset}, and the log ended at {end_offset}",
        )
        self.require(
            last_offset >= base_offset, f"a batch has offsets {base_offset} to {last_offset}"
        )
        self._units.append(last_offset + 1)
        self._batches.append(last_offset, parameters["crc"])
        self.take("leader_append", age=0)
        self.take("leader_raise_high_watermark")
        self._failed_count = 0

    def _append_failed(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self._failed_count = parameters["records_count"]

    def _roll(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self.take("leader_roll")
        base_offset = self._units.offset(active_base_offset(self.state))
        self.require(
            parameters["base_offset"] == base_offset,
            f"a segment begins at {parameters['base_offset']}, and the log ends at {base_offset}",
        )

    def _flush(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        recovery_point, end_offset = parameters["recovery_point"], self._end_offset
        self.require(
            recovery_point <= end_offset,
            f"the recovery point {recovery_point} is beyond the end of the log, {end_offset}",
        )
        if recovery_point == end_offset and self.state.recovery_point < self.state.log_end_offset:
            self.take("leader_flush")

    def _delete_records(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self._started_before = self._units.offset(self.state.log_start_offset)
        self.take("leader_delete_records", offset=parameters["offset"])

    def _answer_delete_records(self, parameters: dict[str, Any], theirs: dict[str, Any]) -> None:
        """What was asked for is what has happened: no more is gone, and no less."""
        offset = parameters["offset"]
        if offset < 0:
            offset = theirs["high_watermark"]
        start_offset = self._units.offset(self.state.log_start_offset)
        before = start_offset if self._started_before is None else self._started_before
        self._started_before = None
        self.require(
            start_offset == max_(offset, before),
            f"a client asked for the records below {parameters['offset']} to be deleted, the log "
            f"started at {before}, and starts at {start_offset}",
        )
        self.compare(parameters, low_watermark=start_offset)

    def _delete(self, _: dict[str, Any], __: dict[str, Any]) -> None:
        """The log's topic is no more."""
        self.is_gone = True

    def _delete_segments(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        size_bytes = parameters["size_bytes"]
        for deleted in parameters["deleted"]:
            first = self._units.offset(first_base_offset(self.state))
            self.require(
                deleted["base_offset"] == first,
                f"the segment at {deleted['base_offset']} was deleted, and the oldest is {first}",
            )
            self._delete_segment(parameters, deleted, size_bytes)
            size_bytes -= deleted["size_bytes"]

    def _delete_segment(
        self, parameters: dict[str, Any], deleted: dict[str, Any], size_bytes: int
    ) -> None:
        retention_bytes, retention_ms = parameters["retention_bytes"], parameters["retention_ms"]
        age_ms = parameters["now_ms"] - deleted["timestamp_ms"]
        left_bytes = size_bytes - deleted["size_bytes"]
        if second_base_offset(self.state) <= self.state.log_start_offset:
            self.take("cleaner_delete_below_log_start")
        elif 0 <= retention_bytes <= left_bytes or not deleted["size_bytes"]:
            self.take("cleaner_delete_by_size")
        else:
            self.require(
                0 <= retention_ms < age_ms and deleted["timestamp_ms"] >= 0,
                f"the segment at {deleted['base_offset']} was deleted, and is neither below the "
                f"start of the log, nor too old ({age_ms} ms, retention.ms={retention_ms}), nor "
                f"too much ({left_bytes} bytes without it, retention.bytes={retention_bytes})",
            )
            for unit in range(first_base_offset(self.state), second_base_offset(self.state)):
                self.state.files[unit].age = 1  # Each by its own clock: `time_pass` for it.
            self.machine.store_of(self.state).commit()
            self.take("cleaner_delete_by_age")

    def _clean(self, parameters: dict[str, Any], theirs: dict[str, Any]) -> None:
        self._rewrite(parameters["end_offset"], theirs["segments"])

    def _rewrite(self, end_offset: int, segments: list[int]) -> None:
        """Compaction: records below an offset are fewer, and their segments may be one by now."""
        s, unit = self.state, self._units.unit
        for base_offset in self._segments():
            if segments[0] < base_offset < segments[-1] and base_offset not in segments:
                s.segments.remove(unit(base_offset))
        self.machine.store_of(s).commit()
        self._batches.rewritten(end_offset)
        self._rewritten_offset = max(self._rewritten_offset, end_offset)

    def _open(self, parameters: dict[str, Any], theirs: dict[str, Any]) -> None:
        self.is_of_groups = bool(parameters.get("is_of_groups"))
        if not self._is_known:
            self._is_known = True
            self._begin(theirs)
            return
        if parameters.get("is_compacted"):  # The last cleaning may have been finished by a start.
            self._rewrite(theirs["log_end_offset"], theirs["segments"])
        self._crash(theirs["segments"], theirs["log_start_offset"], theirs["log_end_offset"])
        self._tidy()
        while self.state.high_watermark < self.state.log_end_offset:
            self.take("leader_raise_high_watermark")
        self._flush(parameters, theirs)

    def _crash(self, segments: list[int], start_offset: int, end_offset: int) -> None:
        """What a killed or crashed process left: all that was flushed, and of the rest a prefix."""
        s, own_end_offset = self.state, self._end_offset
        if segments == [start_offset] == [end_offset] and start_offset not in self._segments():
            # The files ended below the start of the log, so it was begun anew: least is assumed.
            end_offset = self._units.offset(max_(s.flushed_offset, first_base_offset(s)))
        self.require(
            self._batches.ends(end_offset),
            f"the log ends at {end_offset}, and that is within the batch that begins at "
            f"{self._batches.base_of(end_offset)}",
        )
        if 0 < self._failed_count == end_offset - own_end_offset:
            # A batch that was refused is there, whole.
            self._units.append(end_offset)
            self.take("leader_append_fails", residue=Residue.WHOLE)
            self._batches = Batches(end_offset)  # The CRC of that one was not told.
        elif end_offset > own_end_offset and self._has_untold_batch():
            self._units.append(end_offset)
            self.take("leader_append", age=0)
            self.take("leader_raise_high_watermark")
            self.take("broker_crash", end=end_offset, torn=end_offset)
            self._batches = Batches(end_offset)
        else:
            self.take("broker_crash", end=end_offset, torn=end_offset)
            self._batches.truncate(end_offset)
        self._failed_count = 0
        self.take("broker_recover")
        s = self.state
        self._units.truncate(self._end_offset)
        if self._batches.end < self._end_offset:
            self._batches = Batches(self._end_offset)  # It was begun anew.
        last = self._units.unit(end_offset)
        if s.segments.size > 1 and last in s.segments and end_offset not in segments:
            # The model keeps the name of an empty last segment; a directory that was not forced to
            # the disk may have lost it, and with it nothing else.
            s.segments.remove(last)
            self.machine.store_of(s).commit()
        while second_base_offset(s) <= s.log_start_offset and self._segments()[0] not in segments:
            self.take("cleaner_delete_below_log_start")  # A start has no use for them.

    def _has_untold_batch(self) -> bool:
        return self.untold is not None and self.untold.take_batch(self.is_of_groups)

    def _begin(self, theirs: dict[str, Any]) -> None:
        """A log that was there before anybody looked: the model is brought to where it stands."""
        start_offset, end_offset = theirs["log_start_offset"], theirs["log_end_offset"]
        segments = theirs["segments"]
        self._units = Units([*segments, start_offset, end_offset])
        self._batches = Batches(end_offset)
        self._rewritten_offset = end_offset
        s, unit = self.state, self._units.unit
        s.log_start_offset = s.history_log_start_offset = unit(start_offset)
        s.durable_log_start_offset = unit(start_offset)
        s.high_watermark = s.log_end_offset = unit(end_offset)
        s.flushed_offset = s.recovery_point = unit(start_offset)
        s.segments.remove(0)
        for base_offset in segments:
            s.segments.add(unit(base_offset))
        for at in range(unit(segments[0]), s.log_end_offset):
            s.files[at].batches = 1
        self.machine.store_of(s).commit()

    def _truncate(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        raise self.diverged(
            f"the log was truncated to {parameters['offset']}, and the model of a leader's log "
            "has no such step"
        )

    def _read(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        offset, end_offset = parameters["offset"], parameters["end_offset"]
        base_offset, next_offset = parameters["base_offset"], parameters["next_offset"]
        self._stand_at(offset)
        self.take("reader_fetch", reader=READER)
        high_watermark = self._units.offset(self.state.high_watermark)
        self.require(
            max_(end_offset, next_offset) <= high_watermark,
            f"a reader may be given records up to {max_(end_offset, next_offset)}, and the high "
            f"watermark is {high_watermark}",
        )
        self._check_given(offset, base_offset, next_offset, parameters["checksum"])

    def _check_given(self, offset: int, base_offset: int, next_offset: int, checksum: int) -> None:
        """A reader gets whole batches from the one on that it stands in, as they were appended."""
        expected = self._batches.base_of(offset)
        is_known = offset >= self._batches.begin
        may_be_missing = offset < self._rewritten_offset
        self.require(
            offset < next_offset
            and (base_offset == expected if is_known else base_offset <= offset or may_be_missing),
            f"a reader at {offset} was given the records from {base_offset} up to {next_offset}, "
            f"and the batch with that offset begins at {expected}",
        )
        self.require(
            self._batches.ends(next_offset),
            f"a reader was given records up to {next_offset}, and that is within the batch that "
            f"begins at {self._batches.base_of(next_offset)}",
        )
        self.require(
            self._batches.checksum(base_offset, next_offset) in (None, checksum),
            f"a reader was given other bytes than were appended from {base_offset} up to "
            f"{next_offset}",
        )

    def _fetch(self, parameters: dict[str, Any], theirs: dict[str, Any]) -> None:
        offset, error = parameters["offset"], parameters["error"]
        self.require(
            error in (ErrorCode.NONE, ErrorCode.OFFSET_OUT_OF_RANGE),
            f"{error!r} is no answer of a log",
        )
        if error:
            if offset < 0:
                return  # Nobody can stand there.
            self._stand_at(offset)
            self.take("reader_reset", reader=READER)
            return
        start_offset, end_offset = theirs["log_start_offset"], theirs["high_watermark"]
        self.require(
            start_offset <= offset <= end_offset,
            f"a reader at {offset} was not refused, and the log has {start_offset} to {end_offset}",
        )
        for name in ("log_start_offset", "high_watermark"):
            self.compare(parameters, **{name: theirs[name]})
        self.require(
            parameters["last_stable_offset"] == end_offset,
            f"a reader was told that the last stable offset is {parameters['last_stable_offset']}, "
            f"and without transactions it is the high watermark, {end_offset}",
        )

        if "checksum" in parameters:
            self._check_given(
                offset,
                parameters["base_offset"],
                parameters["next_offset"],
                parameters["checksum"],
            )

    def _stand_at(self, offset: int) -> None:
        """Where a consumer stands is its own business."""
        if offset < self._units.bases[0]:
            self._unit(offset)
        self.state.reader[self._reader].position = self._units.unit(offset)
        self.machine.store_of(self.state).commit()

    @property
    def _reader(self) -> Any:
        sort = self.machine.model.actions["reader_fetch"].parameters["reader"]
        return self.machine._argument("reader", sort, READER)
