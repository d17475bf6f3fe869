"""Compaction, the pure part: which records of a batch survive a cleaning, and the batch they make.

A cleaning first reads the dirty part of a log and notes of each key the last offset that it has
there, in an `OffsetMap`.  Then it goes through the log from its start:

| a record | |
|---|---|
| at the map's end or beyond it | stays |
| without key | goes |
| whose key has a later offset in the map | goes |
| that is a tombstone, in a batch whose delete horizon has passed | goes |
| any other | stays |

A tombstone is needed for as long as somebody may be on the way who has read what it deletes, so the
first cleaning that meets it writes into its batch from when on it may go, `delete.retention.ms`
later: the delete horizon (KIP-534).

A batch keeps its offsets, first and last, whatever it loses: a record's offset never changes, and
a producer's last sequence number follows from its batch's.  A batch that has lost all its records
goes itself, unless it is the last of a producer that the log still knows (KAFKA-8335), or the last
of the part that is cleaned: then it stays as a header without records.  A batch that loses nothing
stays as it is, byte for byte.

A batch behind the map is not looked at.  (Kafka gives its tombstones a horizon all the same; a
later cleaning may then remove one together with the value that it deletes, which a reader has.)

Control batches stay: there are no transactions here whose end they could be.

REF   Kafka's `Cleaner` and `MemoryRecords.filterTo`; KIP-534; KAFKA-8335.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import (
    CODEC_MASK,
    DELETE_HORIZON,
    HEADER,
    HEADER_BYTES,
    LENGTH_END,
    BatchHeader,
)
from kproof_impl.records.build import record_bytes, with_crc
from kproof_impl.records.compression import compress
from kproof_impl.records.read import Record, records_of

ENTRY_BYTES = 144
"""What a key costs in the map beside its own bytes: its object, its offset and its place."""


class OffsetMap:
    """Of each key the last offset that it has from a first offset on, up to an end, exclusive.

    It is full when its keys take `bytes_max`, as far as that can be told from outside.  One batch
    more is always noted as a whole, so that a cleaning gets on in any case.
    """

    __slots__ = ("_bytes", "_bytes_max", "_offsets", "end_offset")

    def __init__(self, first_offset: int, bytes_max: int) -> None:
        self.end_offset = first_offset
        self._offsets: dict[bytes, int] = {}
        self._bytes = 0
        self._bytes_max = bytes_max

    @property
    def is_full(self) -> bool:
        return self._bytes >= self._bytes_max

    def __len__(self) -> int:
        return len(self._offsets)

    def note(self, header: BatchHeader, records: Iterable[Record]) -> None:
        """Notes a batch, which begins at the end of the map or reaches beyond it."""
        offsets = self._offsets
        start = self.end_offset
        for record in records:
            key = record.key
            if key is not None and record.offset >= start:
                if key not in offsets:
                    self._bytes += len(key) + ENTRY_BYTES
                offsets[key] = record.offset
        self.end_offset = max(start, header.last_offset + 1)

    def is_superseded(self, key: bytes, offset: int) -> bool:
        return self._offsets.get(key, -1) > offset


@dataclass(frozen=True, slots=True)
class CleaningRules:
    """What a cleaning goes by, beside its map."""

    now_ms: int
    delete_retention_ms: int
    end_offset: int
    """Exclusive: where the part that may be cleaned ends.  The batch before it stays."""
    last_offsets: Mapping[int, int] = field(default_factory=dict)
    """By the id of each producer that the log knows, the last offset of its last batch."""


def survives(
    record: Record, header: BatchHeader, offset_map: OffsetMap, rules: CleaningRules
) -> bool:
    """Whether a record of a batch is there after the cleaning."""
    if record.offset >= offset_map.end_offset:
        return True
    if record.key is None or offset_map.is_superseded(record.key, record.offset):
        return False
    horizon_ms = header.delete_horizon_ms
    return record.value is not None or horizon_ms is None or rules.now_ms < horizon_ms


def cleaned_batch(
    header: BatchHeader, data: Buffer, offset_map: OffsetMap, rules: CleaningRules
) -> Buffer | None:
    """What a batch is after the cleaning: `data` itself where nothing changes, None if it goes.

    Raises `BatchRefused` if its records cannot be read.
    """
    if header.is_control or header.base_offset >= offset_map.end_offset:
        return data
    records = list(records_of(header, data, may_have_gaps=True))
    kept = [record for record in records if survives(record, header, offset_map, rules)]
    if not kept:
        return _without_records(header, data) if _is_needed(header, rules) else None
    horizon_ms = header.delete_horizon_ms
    if horizon_ms is None and any(record.value is None for record in kept):
        return _with_records(header, kept, rules.now_ms + rules.delete_retention_ms)
    return data if len(kept) == len(records) else _with_records(header, kept, horizon_ms)


def _is_needed(header: BatchHeader, rules: CleaningRules) -> bool:
    """Whether a batch has to stay for its header alone."""
    last_offset = header.last_offset
    return (
        last_offset + 1 == rules.end_offset
        or rules.last_offsets.get(header.producer_id, -1) == last_offset
    )


def _with_records(header: BatchHeader, kept: Sequence[Record], horizon_ms: int | None) -> bytes:
    """The batch with fewer records, or with another delete horizon, packed by the same codec."""
    base_timestamp = kept[0].timestamp_ms if horizon_ms is None else horizon_ms
    payload = b"".join(
        record_bytes(
            record.timestamp_ms - base_timestamp,
            record.offset - header.base_offset,
            record.key,
            record.value,
            record.headers,
        )
        for record in kept
    )
    packed = compress(header.codec, payload)
    changed = header._replace(
        batch_length=HEADER_BYTES - LENGTH_END + len(packed),
        attributes=header.attributes | (0 if horizon_ms is None else DELETE_HORIZON),
        base_timestamp=base_timestamp,
        max_timestamp=max(record.timestamp_ms for record in kept),
        records_count=len(kept),
    )
    return with_crc(HEADER.pack(*changed) + packed)


def _without_records(header: BatchHeader, data: Buffer) -> Buffer:
    """The header alone; it tells its largest timestamp still, by which the producer is known."""
    if not header.records_count:
        return data
    changed = header._replace(
        batch_length=HEADER_BYTES - LENGTH_END,
        attributes=header.attributes & ~(CODEC_MASK | DELETE_HORIZON),
        base_timestamp=-1,
        records_count=0,
    )
    return with_crc(HEADER.pack(*changed))
