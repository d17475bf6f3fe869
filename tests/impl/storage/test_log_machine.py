"""The log on failing files does what a list of batches does, whatever the order of the calls."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from impl_support.logs import append, batch_of_size, batches_in, open_log, open_store
from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import assign
from kproof_impl.storage.faulty_files import FaultyFiles

NEVER = (1 << 63) - 1


class LogMachine(RuleBasedStateMachine):
    """`stored` are all batches ever acknowledged and not truncated, as (base, last, bytes)."""

    flush_messages = 1

    @initialize(seed=st.integers(0, 1 << 32))
    def start(self, seed: int) -> None:
        self.random = Random(seed)
        self.files = FaultyFiles(self.random)
        self.config = LogConfig(
            segment_bytes=600,
            index_interval_bytes=100,
            retention_ms=1_000,
            flush_messages=self.flush_messages,
            file_delete_delay_ms=5_000,
        )
        self.stored: list[tuple[int, int, bytes]] = []
        self.start_offset = 0
        self.end_offset = 0
        self.now_ms = 10_000
        self.leader_epoch = 0
        self.sequences = {1: 0, 2: 0}
        self.last_sent: dict[int, tuple[bytes, int]] = {}
        self.open()

    def open(self) -> None:
        self.store = open_store(self.files)
        self.log = open_log(self.store, self.config)

    def write(self, batch: bytes) -> int:
        base = append(self.log, batch, leader_epoch=self.leader_epoch, now_ms=self.now_ms)
        placed = assign(batch, base, self.leader_epoch)
        assert base == self.end_offset
        self.stored.append((base, header_at(placed).last_offset, placed))
        self.end_offset = self.log.log_end_offset
        return base

    @rule(count=st.integers(1, 4), size=st.integers(0, 120), age_ms=st.integers(0, 2_000))
    def append_plain(self, count: int, size: int, age_ms: int) -> None:
        self.now_ms += 10
        self.write(batch_of_size(count, timestamp_ms=self.now_ms - age_ms, value=b"x" * size))

    @rule(producer_id=st.sampled_from([1, 2]), count=st.integers(1, 3))
    def append_idempotent(self, producer_id: int, count: int) -> None:
        self.now_ms += 10
        batch = batch_of_size(
            count,
            timestamp_ms=self.now_ms,
            producer_id=producer_id,
            producer_epoch=0,
            base_sequence=self.sequences[producer_id],
        )
        self.sequences[producer_id] += count
        self.last_sent[producer_id] = (batch, self.write(batch))

    @rule(producer_id=st.sampled_from([1, 2]))
    def send_again(self, producer_id: int) -> None:
        if producer_id in self.last_sent:
            batch, base = self.last_sent[producer_id]
            assert append(self.log, batch) == base

    @rule(data=st.data(), max_bytes=st.integers(0, 1500), at_least_one=st.booleans())
    def read(self, data: st.DataObject, max_bytes: int, at_least_one: bool) -> None:
        start, end = self.log.log_start_offset, self.log.log_end_offset
        offset = data.draw(st.integers(start, end))
        end_offset = data.draw(st.integers(offset, end))
        got = bytes(self.log.read(offset, max_bytes, end_offset, at_least_one))
        wanted = [row for row in self.stored if row[1] >= offset and row[1] < end_offset]
        whole = b"".join(row[2] for row in wanted)
        assert whole.startswith(got)
        if wanted and (at_least_one or len(wanted[0][2]) <= max_bytes):
            assert got
        if got:
            count = len(batches_in(got))
            assert len(got) <= max_bytes or (at_least_one and count == 1)

    @rule(data=st.data())
    def read_by_time(self, data: st.DataObject) -> None:
        time = data.draw(st.integers(5_000, self.now_ms + 10))
        end_offset = data.draw(st.integers(self.log.log_start_offset, self.log.log_end_offset))
        records = [
            (base + i, header_at(batch).base_timestamp + i)
            for base, last, batch in self.stored
            for i in range(last - base + 1)
            if self.log.log_start_offset <= base + i < end_offset
        ]
        later = [record for record in records if record[1] >= time]
        found = self.log.find_timestamp(time, end_offset)
        assert (found and (found.offset, found.timestamp_ms)) == (later[0] if later else None)
        largest = self.log.find_max_timestamp(end_offset)
        wanted = max(records, key=lambda record: (record[1], -record[0]), default=None)
        assert (largest and (largest.offset, largest.timestamp_ms)) == wanted

    @rule()
    def new_epoch(self) -> None:
        self.leader_epoch += 1
        self.log.begin_epoch(self.leader_epoch)
        assert self.log.latest_epoch == self.leader_epoch

    @invariant()
    def epochs_end_where_their_records_do(self) -> None:
        end = self.log.end_offset_for_epoch(self.leader_epoch - 1)
        if end.end_offset >= 0:
            later = [
                base
                for base, _, batch in self.stored
                if header_at(batch).partition_leader_epoch >= self.leader_epoch
            ]
            assert end.end_offset == (later[0] if later else self.log.log_end_offset) or (
                end.end_offset == self.log.log_start_offset
            )

    @rule(part=st.floats(0, 1))
    def delete_records(self, part: float) -> None:
        start, end = self.log.log_start_offset, self.log.log_end_offset
        offset = start + round((end - start) * part)
        self.log.advance_log_start_offset(offset)
        assert self.log.log_start_offset == offset
        self.start_offset = offset

    @rule(later_ms=st.integers(0, 3_000), part=st.floats(0, 1))
    def retain(self, later_ms: int, part: float) -> None:
        self.now_ms += later_ms
        start, end = self.log.log_start_offset, self.log.log_end_offset
        high_watermark = start + round((end - start) * part)
        self.log.apply_retention(self.now_ms, high_watermark)
        assert start <= self.log.log_start_offset <= max(start, high_watermark)
        self.start_offset = self.log.log_start_offset
        for _, last, batch in self.stored:
            if start <= last < self.log.log_start_offset:
                assert header_at(batch).max_timestamp < self.now_ms - 1_000

    @rule(later_ms=st.integers(0, 3_000))
    def tick(self, later_ms: int) -> None:
        self.now_ms += later_ms
        self.log.tick(self.now_ms)
        self.store.tick(self.now_ms)

    @rule(part=st.floats(0, 1))
    def truncate(self, part: float) -> None:
        start, end = self.log.log_start_offset, self.log.log_end_offset
        offset = start + round((end - start) * part)
        self.log.truncate_to(offset)
        kept = [row for row in self.stored if row[1] < offset]
        cut = self.log.log_end_offset
        assert not kept or cut == max(kept[-1][1] + 1, min(start, cut))
        self.stored = kept
        self.end_offset = cut
        self.start_offset = self.log.log_start_offset
        assert self.start_offset == min(start, cut)
        self.forget_unstored()

    def forget_unstored(self) -> None:
        """After truncation nobody knows what the log remembers of a producer."""
        self.last_sent.clear()
        self.sequences = {1: 0, 2: 0}
        for producer in self.log.active_producers():
            self.sequences[producer.producer_id] = producer.last_sequence + 1

    @rule()
    def flush(self) -> None:
        self.log.flush()
        assert self.log.recovery_point == self.log.log_end_offset

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()
        assert self.store.was_clean
        assert self.log.log_start_offset == self.start_offset

    @rule()
    def killed(self) -> None:
        """The process ends, the machine does not: nothing written is lost."""
        self.store.close(is_clean=False)
        self.open()
        assert self.log.log_end_offset == self.end_offset

    @rule()
    def crash(self) -> None:
        self.files.crash()
        self.open()
        assert not self.store.was_clean
        assert self.log.log_start_offset <= self.start_offset or self.flush_messages > 1
        self.start_offset = self.log.log_start_offset
        self.after_crash()

    def after_crash(self) -> None:
        assert self.log.log_end_offset == self.end_offset

    @invariant()
    def everything_stored_is_there(self) -> None:
        start, end = self.log.log_start_offset, self.log.log_end_offset
        wanted = [row for row in self.stored if start <= row[1]]
        if wanted:
            assert end == self.end_offset
        offset = start
        for base, last, batch in wanted:
            assert base <= offset <= last
            assert bytes(self.log.read(offset, 1, end, True)) == batch
            offset = last + 1
        assert bytes(self.log.read(start, 1 << 30, end, True)) == b"".join(
            row[2] for row in self.in_one_read(wanted)
        )

    def in_one_read(self, rows: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """What a read without limit returns: it ends with the segment."""
        if not rows:
            return []
        following = [base for base in self.segment_bases() if base > rows[0][1]]
        return [row for row in rows if not following or row[1] < following[0]]

    def segment_bases(self) -> list[int]:
        directory = "/data/" + next(
            name for name in self.files.list_names("/data") if name.endswith("-0")
        )
        names = self.files.list_names(directory)
        return sorted(int(name[:-4]) for name in names if name.endswith(".log"))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


class LazyLogMachine(LogMachine):
    """Nothing is forced but at a roll: after a crash, a prefix is there that one can go on with."""

    flush_messages = NEVER

    def after_crash(self) -> None:
        end = self.log.log_end_offset
        assert end <= self.end_offset
        self.end_offset = end
        self.stored = [row for row in self.stored if row[1] < end]
        if self.stored:
            assert end in (self.stored[-1][1] + 1, self.log.log_start_offset)
        self.forget_unstored()
        self.leader_epoch = max(self.leader_epoch, self.log.latest_epoch)


RULES = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_with_flush_on_every_append_a_crash_loses_nothing_acknowledged() -> None:
    run_state_machine_as_test(LogMachine, settings=RULES)


def test_without_flush_a_crash_leaves_a_valid_prefix() -> None:
    run_state_machine_as_test(LazyLogMachine, settings=RULES)
