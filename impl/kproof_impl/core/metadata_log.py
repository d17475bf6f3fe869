"""The metadata log: every change of topics and settings, in order, each durable before it is seen.

A log of Kafka's segment format like any other, under the topic id that Kafka gives its own.  One
change is one batch of records, so that it is there wholly or not at all; a record's value is a
small JSON object with the fields of Kafka's metadata records under Kafka's names.  What the broker
knows of its topics is the fold of this log: `fold` in `metadata_image`.

Kafka's own metadata records are binary, and a quorum of controllers writes them: its tools can read
the batches here, not the values.

REF   KIP-631 for the records; KIP-500.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from kproof_impl.core.log_config import UNLIMITED, LogConfig
from kproof_impl.core.ports import LogStore
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import batch_of
from kproof_impl.records.errors import BatchRefused, LogFailed
from kproof_impl.records.read import records_of

CLUSTER_METADATA = "__cluster_metadata"
CLUSTER_METADATA_ID = UUID(int=1)
"""Kafka's METADATA_TOPIC_ID."""

MetadataRecord = dict[str, Any]
"""One record: its `type`, a name of Kafka's metadata records, and its fields."""

METADATA_LOG_CONFIG = LogConfig(
    segment_bytes=16 << 20,
    retention_bytes=UNLIMITED,
    retention_ms=UNLIMITED,
    flush_messages=1,
    max_message_bytes=(1 << 31) - 1,
)
_READ_BYTES = 1 << 20


class MetadataLog:
    """The log, opened."""

    def __init__(self, store: LogStore) -> None:
        self._log = store.open(CLUSTER_METADATA_ID, CLUSTER_METADATA, 0, METADATA_LOG_CONFIG)

    @property
    def records_count(self) -> int:
        return self._log.log_end_offset - self._log.log_start_offset

    def records(self) -> Iterator[MetadataRecord]:
        """All records, the oldest first.  Raises `LogFailed` for one that cannot be read."""
        offset, end_offset = self._log.log_start_offset, self._log.log_end_offset
        while offset < end_offset:
            data = memoryview(self._log.read(offset, _READ_BYTES, end_offset, at_least_one=True))
            position = 0
            while position < len(data):
                header = header_at(data, position)
                batch = data[position : position + header.size_bytes]
                try:
                    records = list(records_of(header, batch))
                except BatchRefused as refused:
                    raise LogFailed(
                        f"the batch at offset {header.base_offset} of the metadata log cannot be "
                        f"read: {refused.reason}"
                    ) from refused
                for record in records:
                    if record.offset >= offset:
                        yield _decoded(record.offset, record.value or b"")
                position += header.size_bytes
                offset = header.last_offset + 1

    def append(self, records: Sequence[MetadataRecord], now_ms: int) -> None:
        """One change, durable on return.

        Raises `LogFailed`; then the change has not happened, unless the disk failed to force what
        it had taken: then the log takes no more, and only a restart shows which it was.
        """
        data = batch_of(((None, _encoded(record)) for record in records), now_ms)
        self._log.append(header_at(data), data, 0, now_ms)

    def start_anew(self, records: Sequence[MetadataRecord], now_ms: int) -> None:
        """Replaces all records by these, which say the same in fewer.

        They begin with one that says so, hence it does not matter when the old ones go.
        """
        base_offset = self._log.log_end_offset
        self.append(records, now_ms)
        self._log.advance_log_start_offset(base_offset)

    def tick(self, now_ms: int) -> None:
        self._log.tick(now_ms)


def _encoded(record: MetadataRecord) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def _decoded(offset: int, value: bytes) -> MetadataRecord:
    try:
        record = json.loads(value)
    except ValueError as error:
        raise LogFailed(f"record {offset} of the metadata log is not JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        raise LogFailed(f"record {offset} of the metadata log has no type: {value[:80]!r}")
    return record
