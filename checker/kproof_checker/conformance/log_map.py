"""A partition's log on the model `log`.

The model's records have size 1 and offsets one by one; a batch of n records is n of them, appended
one after the other with nothing in between, and committed at once: a node alone is all its in-sync
replicas.

| the broker | the model |
|---|---|
| `append` | `leader_append` and `leader_raise_high_watermark`, once a record |
| `append_failed` | `leader_append_fails`, if the next `open` shows that the file held the batch |
| `roll` | `leader_roll` |
| `flush` up to the end | `leader_flush`; up to less: nothing, the model knows less |
| `delete_records` | `leader_delete_records` |
| `delete_segments` | for each, below the start, by age or by size, whichever it is |
| `clean` | nothing but the segments that became one: see `compaction_map` for the records |
| `open` of a log it knows | `broker_crash` with what is left, `broker_recover` |
| `read` | `reader_fetch`, by a reader who stands there |

**Age and size.**  The model counts ages in ticks and sizes in records, and the broker has
timestamps and bytes.  So here the map does the arithmetic that the model's guards stand for: a
segment goes by age if its largest timestamp is older than `retention.ms`, and only then are its
records old for the model; it goes by size if what is left is not below `retention.bytes`, and the
model's retention size is 0.  What the model then still judges: whole segments, the oldest first,
never the active one, none above the high watermark.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_spec.lang import max_
from kproof_spec.log.partition import model
from kproof_spec.log.state import Residue, active_base_offset, first_base_offset, second_base_offset

from .lockstep import Follower

READER = "reader"


class LogFollower(Follower):
    """The model of one partition's log, following the broker's."""

    def __init__(self) -> None:
        super().__init__(model, retention_ms=0, retention_bytes=0)
        self._is_known = False
        self._failed_count = 0
        """Records of the last append, if the disk refused it: the file may hold them."""

    def summary(self) -> str:
        s = self.state
        return (
            f"log_start_offset = {s.log_start_offset}, high_watermark = {s.high_watermark}, "
            f"log_end_offset = {s.log_end_offset}, recovery_point = {s.recovery_point}, "
            f"segments = {sorted(s.segments)}"
        )

    def follow(self, event: Event) -> None:
        self.event = event
        step = getattr(self, f"_{event.action}", None)
        if step is None:
            raise self.diverged(f"no step of a log is called {event.action}")
        step(event.parameters, event.state)
        if event.action != "read":
            self._compare(event.state)

    def _compare(self, theirs: dict[str, Any]) -> None:
        s = self.state
        self.compare(
            theirs,
            log_start_offset=s.log_start_offset,
            high_watermark=s.high_watermark,
            log_end_offset=s.log_end_offset,
        )
        if "segments" in theirs:
            self.compare(theirs, segments=sorted(s.segments))

    # -- steps -------------------------------------------------------------------------------

    def _append(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        base_offset, last_offset = parameters["base_offset"], parameters["last_offset"]
        end_offset = self.state.log_end_offset
        self.require(
            base_offset == end_offset,
            f"a batch was given base offset {base_offset}, and the log ended at {end_offset}",
        )
        self._append_records(last_offset + 1 - base_offset)
        self._failed_count = 0

    def _append_failed(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self._failed_count = parameters["records_count"]

    def _append_records(self, number: int) -> None:
        for _ in range(number):
            self.take("leader_append", age=0)
            self.take("leader_raise_high_watermark")

    def _roll(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self.take("leader_roll")
        base_offset = active_base_offset(self.state)
        self.require(
            parameters["base_offset"] == base_offset,
            f"a segment begins at {parameters['base_offset']}, and the log ends at {base_offset}",
        )

    def _flush(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        recovery_point, end_offset = parameters["recovery_point"], self.state.log_end_offset
        self.require(
            recovery_point <= end_offset,
            f"the recovery point {recovery_point} is beyond the end of the log, {end_offset}",
        )
        if recovery_point == end_offset and self.state.recovery_point < end_offset:
            self.take("leader_flush")

    def _delete_records(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        self.take("leader_delete_records", offset=parameters["offset"])

    def _delete_segments(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        size_bytes = parameters["size_bytes"]
        for deleted in parameters["deleted"]:
            first = first_base_offset(self.state)
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
            for offset in range(first_base_offset(self.state), second_base_offset(self.state)):
                self.state.files[offset].age = 1  # Each by its own clock: `time_pass` for it.
            self.machine.store_of(self.state).commit()
            self.take("cleaner_delete_by_age")

    def _clean(self, _: dict[str, Any], theirs: dict[str, Any]) -> None:
        self._merge(theirs["segments"])

    def _merge(self, segments: list[int]) -> None:
        """Segments become one with those before them, by compaction."""
        s = self.state
        for base_offset in list(s.segments):
            if segments[0] < base_offset < segments[-1] and base_offset not in segments:
                s.segments.remove(base_offset)
        self.machine.store_of(s).commit()

    def _open(self, parameters: dict[str, Any], theirs: dict[str, Any]) -> None:
        if not self._is_known:
            self._is_known = True
            self._begin(theirs)
            return
        if parameters.get("is_compacted"):  # The last cleaning may have been finished by a start.
            self._merge(theirs["segments"])
        self._crash(theirs["segments"], theirs["log_start_offset"], theirs["log_end_offset"])
        while self.state.high_watermark < self.state.log_end_offset:
            self.take("leader_raise_high_watermark")
        self._flush(parameters, theirs)

    def _crash(self, segments: list[int], start_offset: int, end_offset: int) -> None:
        """What a killed or crashed process left: all that was flushed, and of the rest a prefix."""
        s = self.state
        if segments == [start_offset] == [end_offset] and start_offset not in s.segments:
            # The files ended below the start of the log, so it was begun anew: least is assumed.
            end_offset = max_(s.flushed_offset, first_base_offset(s))
        if 0 < self._failed_count == end_offset - s.log_end_offset:
            # A batch that was refused is there, whole: its last record stands for all of it.
            for _ in range(self._failed_count - 1):
                self.take("leader_append", age=0)
            self.take("leader_append_fails", residue=Residue.WHOLE)
        else:
            self.take("broker_crash", end=end_offset, torn=end_offset)
        self._failed_count = 0
        self.take("broker_recover")
        if s.segments.size > 1 and end_offset in s.segments and end_offset not in segments:
            # The model keeps the name of an empty last segment; a directory that was not forced to
            # the disk may have lost it, and with it nothing else.
            s.segments.remove(end_offset)
            self.machine.store_of(s).commit()

    def _begin(self, theirs: dict[str, Any]) -> None:
        """A log that was there before anybody looked: the model is brought to where it stands."""
        s = self.state
        s.log_start_offset = s.history_log_start_offset = theirs["log_start_offset"]
        s.durable_log_start_offset = theirs["log_start_offset"]
        s.high_watermark = s.log_end_offset = theirs["log_end_offset"]
        s.flushed_offset = s.recovery_point = theirs["log_start_offset"]
        s.segments.remove(0)
        for base_offset in theirs["segments"]:
            s.segments.add(base_offset)
        for offset in range(theirs["segments"][0], theirs["log_end_offset"]):
            s.files[offset].batches = 1
        self.machine.store_of(s).commit()

    def _truncate(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        raise self.diverged(
            f"the log was truncated to {parameters['offset']}, and the model of a leader's log "
            "has no such step"
        )

    def _read(self, parameters: dict[str, Any], _: dict[str, Any]) -> None:
        offset, end_offset = parameters["offset"], parameters["end_offset"]
        s = self.state
        s.reader[self._reader].position = offset  # Where a consumer stands is its own business.
        self.machine.store_of(s).commit()
        self.take("reader_fetch", reader=READER)
        self.require(
            end_offset <= s.high_watermark,
            f"a reader may be given records up to {end_offset}, and the high watermark is "
            f"{s.high_watermark}",
        )

    @property
    def _reader(self) -> Any:
        sort = self.machine.model.actions["reader_fetch"].parameters["reader"]
        return self.machine._argument("reader", sort, READER)
