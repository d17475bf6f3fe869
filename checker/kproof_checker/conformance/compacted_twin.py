"""The rules of the model `compaction` by a dictionary: linear, where the model looks at all pairs.

For each record the model looks through all later ones; a broker's log has a hundred thousand.  This
says the same, record for record, and `tests/conformance/test_compaction_map.py` holds the two
against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """One record that is in the log."""

    key: str | None
    is_tombstone: bool
    producer_id: int
    not_before_ms: int | None = None
    """Of a tombstone that a cleaning has met: it may not go before this."""


@dataclass(slots=True)
class CompactedTwin:
    """A compacted log: its records by offset, and how far it may be cleaned."""

    records: dict[int, Told] = field(default_factory=dict)
    log_end_offset: int = 0
    active_base_offset: int = 0
    last_of_producer: dict[int, int] = field(default_factory=dict)

    def append(self, key: str | None, is_tombstone: bool, producer_id: int = -1) -> None:
        self.records[self.log_end_offset] = Told(key, is_tombstone, producer_id)
        if producer_id >= 0:
            self.last_of_producer[producer_id] = self.log_end_offset
        self.log_end_offset += 1

    def latest(self, end_offset: int) -> dict[str | None, int]:
        """Of each key the last record below an offset."""
        offsets = sorted(offset for offset in self.records if offset < end_offset)
        return {self.records[offset].key: offset for offset in offsets}

    def goes(self, offset: int, latest: dict[str | None, int], now_ms: int) -> bool:
        """Whether a cleaning removes a record, at a time.  One without key always goes."""
        record = self.records[offset]
        if record.key is None or latest[record.key] > offset:
            return True
        not_before_ms = record.not_before_ms
        return record.is_tombstone and not_before_ms is not None and not_before_ms <= now_ms

    def needed(self, base_offset: int, end_offset: int, producers: set[int]) -> set[int]:
        """The last offsets of batches between two offsets that stay, with records or without."""
        found = {
            offset
            for producer_id, offset in self.last_of_producer.items()
            if producer_id in producers and base_offset <= offset < end_offset
        }
        return found | ({end_offset - 1} if end_offset == self.active_base_offset else set())
