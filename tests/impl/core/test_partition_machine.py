"""Any sequence of produce, fetch, list offsets, delete records, retention, restart and crash does
to a partition what it does to a list."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from impl_support.batches import Sent, batch, read_batches
from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproof_impl.messages.list_offsets import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)

RETENTION_MS = 20_000
PARTITIONS = (0, 1)
OFFSETS = st.integers(-2, 40)
PARTITION = st.sampled_from(PARTITIONS)


@dataclass(frozen=True)
class Kept:
    """A record as the model has it."""

    offset: int
    value: bytes
    timestamp_ms: int
    epoch: int


@dataclass
class Model:
    """A partition as a list: its records from offset 0 on, and where it starts now."""

    records: list[Kept] = field(default_factory=list)
    batch_ends: list[int] = field(default_factory=list)
    """Exclusive, of each batch."""
    start: int = 0
    sequence: int = 0
    last_sent: tuple[bytes, int] | None = None
    """The last batch of the idempotent producer, and its base offset."""

    @property
    def end(self) -> int:
        return len(self.records)

    def visible(self) -> list[Kept]:
        return self.records[self.start :]


class PartitionMachine(RuleBasedStateMachine):
    """Two partitions of one topic with tiny segments, so that they roll and expire."""

    @initialize(retention_bytes=st.sampled_from(["-1", "600"]))
    def begin(self, retention_bytes: str) -> None:
        self.broker = Stepper(BrokerConfig(log_retention_check_interval_ms=5_000))
        self.is_size_limited = retention_bytes != "-1"
        configs = {
            "segment.bytes": "300",
            "index.interval.bytes": "100",
            "retention.ms": str(RETENTION_MS),
            "retention.bytes": retention_bytes,
            "file.delete.delay.ms": "1000",
        }
        self.broker.broker.topics.create("orders", len(PARTITIONS), configs)
        self.models = {index: Model() for index in PARTITIONS}
        self.epoch = 0
        self.number = 0

    # -- changes -----------------------------------------------------------------------------

    def append(self, index: int, ages: list[int], producer: bool = False) -> bytes:
        model = self.models[index]
        sent = []
        for age in ages:
            self.number += 1
            time = self.broker.now_ms - age
            value = b"%060d" % self.number
            sent.append(Sent(value, timestamp_ms=time))
            model.records.append(Kept(model.end, value, time, self.epoch))
        model.batch_ends.append(model.end)
        if not producer:
            return batch(*sent)
        data = batch(*sent, producer_id=7 + index, producer_epoch=0, sequence=model.sequence)
        model.sequence += len(ages)
        model.last_sent = (data, model.end - len(ages))
        return data

    @rule(
        index=PARTITION,
        ages=st.lists(st.integers(-1_000, 30_000), min_size=1, max_size=4),
        producer=st.booleans(),
    )
    def produce(self, index: int, ages: list[int], producer: bool) -> None:
        base_offset = self.models[index].end
        answer = self.broker.produce(
            "orders", data=self.append(index, ages, producer), partition=index
        )
        assert (answer.error_code, answer.base_offset) == (0, base_offset)
        assert answer.log_start_offset == self.models[index].start

    @rule(index=PARTITION)
    def repeat(self, index: int) -> None:
        """A producer whose answer was lost sends its last batch again."""
        model = self.models[index]
        if model.last_sent is not None and model.last_sent[1] >= model.start:
            data, base_offset = model.last_sent
            answer = self.broker.produce("orders", data=data, partition=index)
            assert (answer.error_code, answer.base_offset) == (0, base_offset)

    @rule(index=PARTITION)
    def send_rubbish(self, index: int) -> None:
        data = bytearray(batch(b"rubbish"))
        data[-2] ^= 0x55
        answer = self.broker.produce("orders", data=bytes(data), partition=index)
        assert answer.error_code == ErrorCode.CORRUPT_MESSAGE

    @rule(index=PARTITION, offset=OFFSETS)
    def delete_records(self, index: int, offset: int) -> None:
        model = self.models[index]
        wanted = DeleteRecordsTopic("orders", [DeleteRecordsPartition(index, offset)])
        result = self.broker.send(DeleteRecordsRequest([wanted])).topics[0].partitions[0]
        target = model.end if offset == -1 else offset
        if 0 <= target <= model.end:
            model.start = max(model.start, target)
            assert (result.error_code, result.low_watermark) == (0, model.start)
        else:
            assert result.error_code == ErrorCode.OFFSET_OUT_OF_RANGE

    @rule(milliseconds=st.sampled_from([1, 900, 5_000, 25_000]))
    def let_time_pass(self, milliseconds: int) -> None:
        self.broker.advance(milliseconds)
        self.expire()

    @rule()
    def restart(self) -> None:
        self.broker.restart()
        self.epoch += 1
        self.expire()

    @rule()
    def crash(self) -> None:
        self.broker.crash()
        self.epoch += 1
        self.expire()

    def expire(self) -> None:
        """Retention takes whole batches from the front, and only what is old or too much."""
        for index, model in self.models.items():
            start = self.broker.partition("orders", index).log_start_offset
            assert model.start <= start <= model.end
            if start != model.start:
                gone = model.records[model.start : start]
                assert start in model.batch_ends
                if not self.is_size_limited:
                    oldest_ms = self.broker.now_ms - RETENTION_MS
                    assert all(record.timestamp_ms < oldest_ms for record in gone)
                model.start = start

    # -- what is seen ------------------------------------------------------------------------

    @rule(index=PARTITION, offset=OFFSETS, max_bytes=st.sampled_from([0, 1, 150, 1 << 20]))
    def fetch(self, index: int, offset: int, max_bytes: int) -> None:
        model = self.models[index]
        wanted = FetchPartition(index, fetch_offset=offset, partition_max_bytes=max_bytes)
        request = FetchRequest(topics=[FetchTopic(partitions=[wanted], topic="orders")])
        answer = self.broker.send(request, 12).responses[0].partitions[0]
        if not model.start <= offset <= model.end:
            assert answer.error_code == ErrorCode.OFFSET_OUT_OF_RANGE
            return
        assert (answer.error_code, answer.high_watermark) == (0, model.end)
        assert answer.log_start_offset == model.start
        batches = read_batches(answer.records)
        assert bool(batches) == (offset < model.end)
        assert len(batches) <= 1 or len(answer.records) <= max_bytes
        got = [record for found in batches for record in found]
        assert not got or (got[0].offset <= offset <= batches[0][-1].offset)
        if got:
            expected = model.records[got[0].offset : got[-1].offset + 1]
            assert [(one.offset, one.value, one.timestamp_ms) for one in got] == [
                (one.offset, one.value, one.timestamp_ms) for one in expected
            ]

    @rule(index=PARTITION)
    def fetch_all(self, index: int) -> None:
        """One answer has the records of one segment, so it takes several."""
        model = self.models[index]
        got = self.broker.fetched("orders", index, model.start)
        assert [(one.offset, one.value) for one in got] == [
            (one.offset, one.value) for one in model.visible()
        ]

    @rule(index=PARTITION, age=st.integers(-2_000, 40_000))
    def find_time(self, index: int, age: int) -> None:
        time = self.broker.now_ms - age
        visible = self.models[index].visible()
        found = next((one for one in visible if one.timestamp_ms >= time), None)
        assert self.listed(index, time) == told(found)

    @rule(index=PARTITION)
    def find_largest_time(self, index: int) -> None:
        visible = self.models[index].visible()
        found = max(visible, key=lambda one: one.timestamp_ms, default=None)
        assert self.listed(index, -3) == told(found)

    @precondition(lambda self: hasattr(self, "models"))
    @invariant()
    def both_ends_are_known(self) -> None:
        for index, model in self.models.items():
            assert self.listed(index, -1) == (0, model.end, -1, self.epoch)
            visible = model.visible()
            epoch = visible[0].epoch if visible else self.epoch
            assert self.listed(index, -2) == (0, model.start, -1, epoch)

    def listed(self, index: int, timestamp: int) -> tuple[int, int, int, int]:
        wanted = ListOffsetsTopic("orders", [ListOffsetsPartition(index, -1, timestamp)])
        answer = self.broker.send(ListOffsetsRequest(-1, 0, [wanted])).topics[0].partitions[0]
        return answer.error_code, answer.offset, answer.timestamp, answer.leader_epoch


def told(found: Kept | None) -> tuple[int, int, int, int]:
    return (0, -1, -1, -1) if found is None else (0, found.offset, found.timestamp_ms, found.epoch)


TestPartitionMachine = PartitionMachine.TestCase
TestPartitionMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
