"""The model `log` driven into the broker's core: one partition, records of one size.

| the model | the broker |
|---|---|
| `leader_append` | Produce, with a timestamp that is so many ticks old |
| `leader_append_fails` | Produce on a disk that writes a part of it and then refuses everything |
| `leader_raise_high_watermark` | nothing: a node alone has raised it already |
| `leader_roll` | `segment.ms` is over |
| `leader_flush` | the log is forced to the disk |
| `time_pass` | the clock goes on by a tick |
| `cleaner_delete_by_age`, `..._by_size` | retention, with the limit that takes one segment |
| `cleaner_delete_below_log_start` | retention without limits |
| `leader_delete_records` | DeleteRecords |
| `controller_recreate_topic` | DeleteTopics, CreateTopics |
| `broker_crash` | the power fails, and the disk keeps what the step says |
| `broker_recover` | the next life begins |
| `reader_fetch`, `reader_reset` | Fetch by topic id; Fetch, refused, and ListOffsets |
| `reader_learn_topic_id` | Metadata |

**What is compared.**  The high watermark is at the log's end at once, so it is compared where the
model's is there too.  Segments below the log start go with DeleteRecords at once, so they are left
out on both sides.  Each record between the log's start and end is read, and its CRC is looked at.
While the log is offline, what is compared is where a restart would find that it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_config import UNLIMITED
from kproof_impl.core.partition import Partition
from kproof_impl.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproof_impl.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from kproof_impl.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproof_impl.messages.list_offsets import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from kproof_impl.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproof_impl.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import batch_of, with_crc
from kproof_impl.storage.checkpoint_files import LOG_STARTS, read_offsets
from kproof_impl.storage.names import directory_name, id_text
from kproof_spec.log.state import (
    Residue,
    active_base_offset,
    first_base_offset,
    largest_timestamp_is_expired,
    second_base_offset,
)

from .disk_of_choice import DiskOfChoice, Forced
from .driven_broker import DATA_DIRECTORY, Parted, Undrivable
from .stepped_broker import SteppedBroker

TOPIC = "orders"
TICK_MS = 10_000
LONG_MS = 1_000_000_000
EARLIEST = -2
MAX_BYTES = 1 << 20
VALUE = b"a record"
COMMITS_AT_ONCE = "a node alone commits at once: it has no record that is not committed"
TAKES_ALL = "retention takes the segments behind it, which are too old as well, at the same time"
OF_COMMITTED = {
    "reader_fetch",
    "leader_delete_records",
    "cleaner_delete_by_age",
    "cleaner_delete_by_size",
}
"""Steps for which the high watermark matters."""


class LogDriver:
    """One log of a fresh broker, and its readers."""

    of_clients = frozenset({"reader_seek"})

    def __init__(self, machine: Any, observe: Any = None) -> None:
        values = {constant.name: value for constant, value in machine.scope.values.items()}
        self._machine = machine
        self._retention_ticks: int = values["retention_ms"]
        self._retention_records: int = values["retention_bytes"]
        self.disk = DiskOfChoice()
        config = BrokerConfig(
            log_flush_scheduler_interval_ms=LONG_MS, log_retention_check_interval_ms=LONG_MS
        )
        self._unlimited = replace(
            config.log, retention_ms=UNLIMITED, retention_bytes=UNLIMITED, file_delete_delay_ms=0
        )
        config.log = self._unlimited
        self.host = SteppedBroker(config, self.disk, observe)
        self.is_online = True
        self.readers: dict[str, tuple[int, int]] = {}
        """By name, the position and which topic it is in."""
        self._topic_ids: list[UUID] = []
        self._create_topic()
        self._record_bytes = len(self._batch(0))

    # -- what is asked for ---------------------------------------------------------------------

    def drive(
        self, s: Any, action: str, arguments: Mapping[str, Any], *, is_legal: bool = True
    ) -> None:
        """Brings the broker to take a step; `s` is the model's state before it.

        Raises `Undrivable` if it cannot be brought there, `Parted` if it does something else.
        """
        if not is_legal and action in OF_COMMITTED and s.high_watermark < s.log_end_offset:
            raise Undrivable(COMMITS_AT_ONCE)
        for reader in s.reader:
            me = s.reader[reader]
            self.readers.setdefault(str(reader), (me.position, me.topic_id))
        with self._machine.in_scope():
            getattr(self, f"_{action}")(s, is_legal, **arguments)

    def differences(self, s: Any) -> list[str]:
        """Where the broker, or what it told the readers, is not what the model has."""
        with self._machine.in_scope():
            mine = self._expected(s)
        theirs = self.projection(s)
        return [
            f"{name} is {theirs[name]}, and was to be {value}"
            for name, value in mine.items()
            if theirs[name] != value
        ]

    def projection(self, s: Any) -> dict[str, Any]:
        """The broker's state in the model's words."""
        found: dict[str, Any] = {"is_online": self.is_online}
        for name, (position, topic) in self.readers.items():
            found[f"reader {name}"] = f"at {position} in topic {topic}"
        found["durable_log_start_offset"] = self._durable_log_start_offset()
        if not (self.is_online and s.is_online):
            return found
        partition = self._partition
        start, end = partition.log_start_offset, partition.log_end_offset
        segments = [one.base_offset for one in partition.log.segment_facts()]
        return found | {
            "log_start_offset": start,
            "log_end_offset": end,
            "high_watermark": partition.high_watermark,
            "segments": _not_below(segments, start),
            "records": [offset for offset in range(start, end) if self._is_intact(offset)],
            "topic_id": self._topic_ids.index(partition.topic_id),
        }

    def _expected(self, s: Any) -> dict[str, Any]:
        mine: dict[str, Any] = {"is_online": s.is_online}
        for reader in s.reader:
            me = s.reader[reader]
            if str(reader) in self.readers:
                mine[f"reader {reader}"] = f"at {me.position} in topic {me.topic_id}"
        mine["durable_log_start_offset"] = s.durable_log_start_offset
        if not (self.is_online and s.is_online):
            return mine
        files = s.files
        mine |= {
            "log_start_offset": s.log_start_offset,
            "log_end_offset": s.log_end_offset,
            "segments": _not_below(sorted(s.segments), s.log_start_offset),
            "records": [
                offset
                for offset in range(s.log_start_offset, s.log_end_offset)
                if files[offset].batches == 1 and not files[offset].is_torn
            ],
            "topic_id": s.topic_id,
        }
        if s.high_watermark == s.log_end_offset:
            mine["high_watermark"] = s.high_watermark
        return mine

    @property
    def _partition(self) -> Partition:
        found = self.host.broker.topics.partition(TOPIC, 0)
        assert found is not None
        return found

    def _durable_log_start_offset(self) -> int:
        """What a restart would find."""
        starts = read_offsets(self.disk, f"{DATA_DIRECTORY}/{LOG_STARTS}")
        name = self._topic_ids[-1]
        return max(starts.get((id_text(name), 0), 0), self.disk.first_base_offset(self._directory))

    def _is_intact(self, offset: int) -> bool:
        partition = self._partition
        data = bytes(partition.log.read(offset, 1, partition.log_end_offset, True))
        return bool(data) and header_at(data).base_offset == offset and with_crc(data) == data

    # -- writing -------------------------------------------------------------------------------

    def _batch(self, age: int) -> bytes:
        return batch_of([(None, VALUE)], self.host.now_ms - age * TICK_MS)

    def _produce(self, age: int) -> ErrorCode:
        data = [PartitionProduceData(0, self._batch(age))]
        topic = TopicProduceData(name=TOPIC, partition_data=data)
        answer = self.host.ask(ProduceRequest(None, -1, 30_000, [topic]), 9)
        return ErrorCode(answer.responses[0].partition_responses[0].error_code)

    def _leader_append(self, _: Any, is_legal: bool, age: int) -> None:
        _check("Produce", self._produce(age), ErrorCode.NONE)

    def _leader_append_fails(self, _: Any, is_legal: bool, residue: Residue) -> None:
        sizes = {Residue.NOTHING: 0, Residue.TORN: self._record_bytes - 1}
        self.disk.residue_bytes = sizes.get(residue, self._record_bytes)
        self.disk.fail_after("append", 0)
        self.disk.fail_after("truncate", 0)
        for what in ("Produce on a disk that fails", "the next Produce"):
            _check(what, self._produce(0), ErrorCode.KAFKA_STORAGE_ERROR)
        self.is_online = False
        self.disk.lose_power(self._directory, self._record_bytes, MAX_BYTES, MAX_BYTES)

    def _leader_raise_high_watermark(self, _: Any, is_legal: bool) -> None:
        """It is there."""

    def _leader_roll(self, _: Any, is_legal: bool) -> None:
        self._partition.log.configure(replace(self._unlimited, segment_ms=-1))
        self._partition.log.tick(self.host.now_ms)
        self._partition.log.configure(self._unlimited)

    def _leader_flush(self, _: Any, is_legal: bool) -> None:
        self._partition.log.flush()

    # -- deleting ------------------------------------------------------------------------------

    def _time_pass(self, _: Any, is_legal: bool) -> None:
        self.host.advance(TICK_MS)

    def _retain(self, age_ms: int = UNLIMITED, size_bytes: int = UNLIMITED) -> None:
        config = replace(self._unlimited, retention_ms=age_ms, retention_bytes=size_bytes)
        self._partition.log.configure(config)
        self._partition.apply_retention(self.host.now_ms)
        self._partition.log.configure(self._unlimited)

    def _cleaner_delete_by_age(self, s: Any, is_legal: bool) -> None:
        if is_legal and largest_timestamp_is_expired(_without_first(s, self._machine)):
            raise Undrivable(TAKES_ALL)
        self._retain(age_ms=self._retention_ticks * TICK_MS + TICK_MS // 2)

    def _cleaner_delete_by_size(self, s: Any, is_legal: bool) -> None:
        left = s.log_end_offset - second_base_offset(s)
        records = max(self._retention_records, left)
        self._retain(size_bytes=records * self._record_bytes)

    def _cleaner_delete_below_log_start(self, _: Any, is_legal: bool) -> None:
        self._retain()

    def _leader_delete_records(self, _: Any, is_legal: bool, offset: int) -> None:
        topic = DeleteRecordsTopic(TOPIC, [DeleteRecordsPartition(0, offset)])
        answer = self.host.ask(DeleteRecordsRequest([topic], 30_000))
        _check("DeleteRecords", answer.topics[0].partitions[0].error_code, ErrorCode.NONE)

    def _create_topic(self) -> None:
        answer = self.host.ask(CreateTopicsRequest([CreatableTopic(TOPIC, 1, 1)]))
        _check("CreateTopics", answer.topics[0].error_code, ErrorCode.NONE)
        self._topic_ids.append(self._partition.topic_id)

    def _controller_recreate_topic(self, _: Any, is_legal: bool) -> None:
        answer = self.host.ask(DeleteTopicsRequest([DeleteTopicState(name=TOPIC)], 30_000))
        _check("DeleteTopics", answer.responses[0].error_code, ErrorCode.NONE)
        self._create_topic()

    # -- crashing ------------------------------------------------------------------------------

    @property
    def _directory(self) -> str:
        return f"{DATA_DIRECTORY}/{directory_name(self._topic_ids[-1], 0)}"

    def _broker_crash(self, _: Any, is_legal: bool, end: int, torn: int) -> None:
        try:
            self.disk.lose_power(self._directory, self._record_bytes, end, torn)
        except Forced as error:
            raise (Undrivable if is_legal else Parted)(str(error)) from error
        self.is_online = False

    def _broker_recover(self, _: Any, is_legal: bool) -> None:
        self.host.begin_life()
        self.is_online = True

    # -- reading -------------------------------------------------------------------------------

    def _fetch(self, reader: str) -> tuple[ErrorCode, bytes]:
        position, topic = self.readers[reader]
        one = FetchPartition(0, fetch_offset=position, partition_max_bytes=MAX_BYTES)
        topics = [FetchTopic(topic_id=self._topic_ids[topic], partitions=[one])]
        answer = self.host.ask(FetchRequest(topics=topics, max_bytes=MAX_BYTES, min_bytes=0))
        if answer.error_code:
            return ErrorCode(answer.error_code), b""
        found = answer.responses[0].partitions[0]
        return ErrorCode(found.error_code), bytes(found.records or b"")

    def _reader_fetch(self, _: Any, is_legal: bool, reader: object) -> None:
        name = str(reader)
        error, data = self._fetch(name)
        _check("Fetch", error, ErrorCode.NONE)
        position, topic = self.readers[name]
        if not data or header_at(data).base_offset != position:
            raise Parted(f"Fetch at offset {position} was answered with no such record")
        self.readers[name] = (position + 1, topic)

    def _reader_reset(self, _: Any, is_legal: bool, reader: object) -> None:
        error, _data = self._fetch(str(reader))
        _check("Fetch", error, ErrorCode.OFFSET_OUT_OF_RANGE)
        asked = [ListOffsetsTopic(TOPIC, [ListOffsetsPartition(0, timestamp=EARLIEST)])]
        answer = self.host.ask(ListOffsetsRequest(-1, 0, asked))
        found = answer.topics[0].partitions[0]
        _check("ListOffsets", found.error_code, ErrorCode.NONE)
        self.readers[str(reader)] = (found.offset, self.readers[str(reader)][1])

    def _reader_seek(self, _: Any, is_legal: bool, reader: object, offset: int) -> None:
        self.readers[str(reader)] = (int(offset), self.readers[str(reader)][1])

    def _reader_learn_topic_id(self, _: Any, is_legal: bool, reader: object) -> None:
        answer = self.host.ask(MetadataRequest([MetadataRequestTopic(name=TOPIC)]))
        self.readers[str(reader)] = (0, self._topic_ids.index(answer.topics[0].topic_id))


def _not_below(segments: list[int], log_start_offset: int) -> list[int]:
    """The base offsets without those of segments that end at or below the log start."""
    kept = [base for base, following in pairwise(segments) if following > log_start_offset]
    return [*kept, *segments[-1:]]


def _without_first(s: Any, machine: Any) -> Any:
    """The state without its first segment: what retention would look at next."""
    rest = machine.load(machine.codes(s))
    rest.segments.remove(first_base_offset(rest))
    if active_base_offset(rest) == rest.log_end_offset == first_base_offset(rest):
        rest.segments.add(0)  # The active segment is empty, and never goes.
        rest.files[0].age = 0
    return rest


def _check(what: str, error_code: int, expected: ErrorCode) -> None:
    if error_code != expected:
        raise Parted(
            f"{what} was answered with {ErrorCode(error_code).name}, expected {expected.name}"
        )
