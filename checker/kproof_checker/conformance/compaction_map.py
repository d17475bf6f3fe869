"""A compacted log on the model `compaction`: is what a cleaning has removed what may go?

The broker tells the keys of what it appends, and after each cleaning what stands in the log.  The
rules are the model's, in the form of `compacted_twin`:

| property | what is looked at in a `clean` |
|---|---|
| CP1 | what is there was there before, at the same offset, with the same key |
| CP2, CP7 | what is gone has a later record of its key below the map's end, or was a tombstone |
| CP3 | nothing above the log's end or in the active segment was written anew |
| CP4 | a tombstone that is gone has had its time, from the cleaning that first met it |
| CP6, CP8 | the last batch of each known producer, and the last before the active one, stay |

And what is superseded is gone, else a tombstone would go before what it deletes.

A log that is opened again may have lost its end in a crash, which is the model `log`'s affair, and
its start may have finished a cleaning that nobody was told of: what is gone then has to be
superseded, or a tombstone.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_spec.compaction.cleaner import model

from .compacted_twin import CompactedTwin, Told
from .lockstep import Follower


class CompactionFollower(Follower):
    """One compacted log, as it was told."""

    def __init__(self) -> None:
        super().__init__(model, delete_retention_ms=1)
        self.twin = CompactedTwin()
        self._is_known = False

    def summary(self) -> str:
        twin = self.twin
        return (
            f"{len(twin.records)} records, log_end_offset = {twin.log_end_offset}, "
            f"active_base_offset = {twin.active_base_offset}"
        )

    def follow(self, event: Event) -> None:
        self.event = event
        step = getattr(self, f"_{event.action}", None)
        if step is None:
            raise self.diverged(f"no step of a compacted log is called {event.action}")
        step(event.parameters)
        self.compare(event.state, log_end_offset=self.twin.log_end_offset)

    def _open(self, parameters: dict[str, Any]) -> None:
        assert self.event is not None
        twin = self.twin
        there = {row[0]: row for row in parameters["records"]}
        end_offset = self.event.state["log_end_offset"]
        start_offset = parameters["log_start_offset"]
        if self._is_known:
            latest: dict[str | None, int] = {row[1]: row[0] for row in parameters["records"]}
            for offset, record in twin.records.items():
                is_closed = start_offset <= offset < min(end_offset, twin.active_base_offset)
                if is_closed and offset not in there:
                    self.require(
                        record.is_tombstone
                        or record.key is None
                        or latest.get(record.key, -1) > offset
                        or self._is_deleted(record, offset),
                        f"the record at {offset} is gone, and no later one has its key",
                    )
        producers = {offset: record.producer_id for offset, record in twin.records.items()}
        twin.records = {
            offset: Told(row[1], row[2], producers.get(offset, -1), row[3])
            for offset, row in there.items()
        }
        lasts = twin.last_of_producer.items()
        twin.last_of_producer = {key: offset for key, offset in lasts if offset < end_offset}
        twin.log_end_offset = end_offset
        twin.active_base_offset = parameters["active_base_offset"]
        self._is_known = True

    def _is_deleted(self, record: Told, offset: int) -> bool:
        """Whether a tombstone that may be gone itself had superseded a record."""
        return any(
            later > offset and other.key == record.key and other.is_tombstone
            for later, other in self.twin.records.items()
        )

    def _delete(self, _: dict[str, Any]) -> None:
        self.is_gone = True

    def _append(self, parameters: dict[str, Any]) -> None:
        self.compare(parameters, base_offset=self.twin.log_end_offset)
        for key, is_tombstone in parameters["records"]:
            self.twin.append(key, is_tombstone, parameters["producer_id"])

    def _roll(self, parameters: dict[str, Any]) -> None:
        self.compare(parameters, base_offset=self.twin.log_end_offset)
        self.twin.active_base_offset = parameters["base_offset"]

    def _clean(self, parameters: dict[str, Any]) -> None:
        assert self.event is not None
        twin = self.twin
        base_offset, end_offset = parameters["base_offset"], parameters["end_offset"]
        self.require(
            end_offset <= twin.active_base_offset,
            f"the log was cleaned up to {end_offset}, and its active segment begins at "
            f"{twin.active_base_offset}",
        )
        map_end_offset = parameters["map_end_offset"]
        self.require(
            map_end_offset <= twin.active_base_offset,
            f"records up to {map_end_offset} were taken to supersede others, and the active "
            f"segment begins at {twin.active_base_offset}",
        )
        kept = {row[0]: row for row in parameters["kept"]}
        latest = twin.latest(map_end_offset)
        for offset in [o for o in twin.records if base_offset <= o < end_offset]:
            self._judge(offset, kept.pop(offset, None), latest, parameters)
        self.require(
            not kept, f"after the cleaning there are records that were not there: {sorted(kept)}"
        )
        missing = twin.needed(base_offset, end_offset, set(parameters["producers"]))
        missing -= set(parameters["batches"])
        self.require(
            not missing,
            f"no batch ends at {sorted(missing)}: the last of a producer, or of the log that is "
            "cleaned, has to stay, be it without records",
        )

    def _judge(
        self,
        offset: int,
        row: list[Any] | None,
        latest: dict[str | None, int],
        parameters: dict[str, Any],
    ) -> None:
        """Looks at one record that was there before; `row` is what is told of it, if it stays."""
        assert self.event is not None
        twin, record = self.twin, self.twin.records[offset]
        is_mapped = offset < parameters["map_end_offset"]
        if row is None:
            self.require(
                is_mapped and twin.goes(offset, latest, self.event.time_ms),
                f"the record at {offset} is gone: it is the last of its key below "
                f"{parameters['map_end_offset']}"
                + (f", and may not go before {record.not_before_ms} ms" * record.is_tombstone),
            )
            del twin.records[offset]
            return
        self.require(
            [row[1], row[2]] == [record.key, record.is_tombstone],
            f"the record at {offset} is another one than before",
        )
        self.require(
            not is_mapped or not twin.goes(offset, latest, parameters["began_ms"]),
            f"the record at {offset} is still there, and is superseded or a tombstone whose time "
            "is over",
        )
        if record.is_tombstone and is_mapped and record.not_before_ms is None:
            earliest_ms = parameters["began_ms"] + parameters["delete_retention_ms"]
            self.require(
                row[3] is not None and row[3] >= earliest_ms,
                f"the tombstone at {offset} was given until {row[3]}, and has time until "
                f"{earliest_ms}",
            )
            record.not_before_ms = row[3]
