"""What survives a cleaning, held against a list and a dictionary."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_impl.records.batch import HEADER_BYTES, NO_PRODUCER_ID, header_at
from kproof_impl.records.build import assign, build_batch, with_log_append_time
from kproof_impl.records.compaction import CleaningRules, OffsetMap, cleaned_batch
from kproof_impl.records.read import Record, records_of

NOW = 1_000_000
RETENTION = 5_000
PLENTY = 1 << 30
KEYS = st.sampled_from([b"a", b"b", b"c"])
VALUES = st.sampled_from([None, b"x", b"y"])
RECORDS = st.lists(st.tuples(st.integers(0, 99), KEYS, VALUES), min_size=1, max_size=4)
BATCHES = st.lists(st.tuples(RECORDS, st.integers(0, 4), st.integers(-1, 1)), max_size=8)


def laid_out(batches: list[tuple[list[tuple[int, bytes, bytes | None]], int, int]]) -> list[bytes]:
    """Batches of records, codec and producer, one after the other from offset 0 on."""
    found = []
    offset = 0
    for records, codec, producer_id in batches:
        data = build_batch(records, codec=codec, producer_id=producer_id)
        found.append(assign(data, offset, 3))
        offset += len(records)
    return found


def read(data: bytes) -> list[Record]:
    return list(records_of(header_at(data), data, may_have_gaps=True))


def cleaned(log: list[bytes], rules: CleaningRules, first_dirty: int = 0) -> list[bytes]:
    offset_map = OffsetMap(first_dirty, PLENTY)
    for data in log:
        header = header_at(data)
        if first_dirty <= header.last_offset < rules.end_offset:
            offset_map.note(header, read(data))
    found = (cleaned_batch(header_at(data), data, offset_map, rules) for data in log)
    return [bytes(data) for data in found if data is not None]


def end_of(log: list[bytes]) -> int:
    return header_at(log[-1]).last_offset + 1 if log else 0


def rules_for(log: list[bytes], end_offset: int, now_ms: int = NOW) -> CleaningRules:
    last = {header_at(data).producer_id: header_at(data).last_offset for data in log}
    last.pop(NO_PRODUCER_ID, None)
    return CleaningRules(now_ms, RETENTION, end_offset, last)


@dataclass
class Twin:
    """A log as a dictionary from offsets to records: what a cleaning should leave of it."""

    records: dict[int, Record]
    horizons: dict[int, int]

    def clean(self, end_offset: int, now_ms: int) -> None:
        latest = {r.key: o for o, r in sorted(self.records.items()) if o < end_offset}
        for offset, record in list(self.records.items()):
            if offset >= end_offset:
                continue
            is_over = self.horizons.get(offset, now_ms + 1) <= now_ms and record.value is None
            if latest[record.key] != offset or is_over:
                del self.records[offset]


@given(BATCHES, st.data())
def test_what_survives_is_what_a_dictionary_says(
    batches: list[tuple[list[tuple[int, bytes, bytes | None]], int, int]], data: st.DataObject
) -> None:
    log = laid_out(batches)
    twin = Twin({record.offset: record for batch in log for record in read(batch)}, {})
    now_ms = NOW
    for _ in range(3):
        ends = [0, *(header_at(batch).last_offset + 1 for batch in log)]
        end_offset = data.draw(st.sampled_from(ends))
        log = cleaned(log, rules_for(log, end_offset, now_ms))
        twin.clean(end_offset, now_ms)
        assert {r.offset: r for batch in log for r in read(batch)} == twin.records
        for batch in log:
            header = header_at(batch)
            tombstones = [r.offset for r in read(batch) if r.value is None]
            if tombstones and header.last_offset < end_offset:
                assert header.delete_horizon_ms is not None
            if header.delete_horizon_ms is not None:
                twin.horizons.update(dict.fromkeys(tombstones, header.delete_horizon_ms))
        now_ms += data.draw(st.sampled_from([1, RETENTION - 1, RETENTION]))


@given(BATCHES)
def test_each_key_has_the_last_value_it_had_and_nothing_else(
    batches: list[tuple[list[tuple[int, bytes, bytes | None]], int, int]],
) -> None:
    log = laid_out(batches)
    fold: dict[bytes | None, Record] = {r.key: r for batch in log for r in read(batch)}

    log = cleaned(log, rules_for(log, end_of(log)))

    assert [r for batch in log for r in read(batch)] == sorted(fold.values())


@given(BATCHES)
def test_a_second_cleaning_at_the_same_time_changes_nothing(
    batches: list[tuple[list[tuple[int, bytes, bytes | None]], int, int]],
) -> None:
    log = laid_out(batches)
    once = cleaned(log, rules_for(log, end_of(log)))
    assert cleaned(once, rules_for(once, end_of(log))) == once


@given(BATCHES)
def test_batches_keep_their_offsets_and_the_last_of_each_producer_stays(
    batches: list[tuple[list[tuple[int, bytes, bytes | None]], int, int]],
) -> None:
    log = laid_out(batches)
    before = {header_at(batch).base_offset: header_at(batch) for batch in log}
    rules = rules_for(log, end_of(log))

    after = [header_at(batch) for batch in cleaned(log, rules)]

    unchanged = ("last_offset_delta", "producer_id", "producer_epoch", "base_sequence")
    for header in after:
        old = before[header.base_offset]
        assert [getattr(header, name) for name in unchanged] == [
            getattr(old, name) for name in unchanged
        ]
        assert header.partition_leader_epoch == 3
    lasts = {header.last_offset for header in after}
    assert lasts >= set(rules.last_offsets.values())
    assert not log or end_of(log) - 1 in lasts


def one(*records: tuple[int, bytes | None, bytes | None], codec: int = 0) -> bytes:
    return build_batch(records, codec=codec)


def map_of(*batches: bytes) -> OffsetMap:
    found = OffsetMap(0, PLENTY)
    for batch in batches:
        found.note(header_at(batch), read(batch))
    return found


@pytest.mark.parametrize("codec", range(5))
def test_a_batch_that_loses_some_is_packed_by_its_codec_and_checked_by_its_crc(codec: int) -> None:
    batch = one((5, b"a", b"1"), (9, b"b", b"2"), (7, b"a", b"3"), codec=codec)
    found = cleaned_batch(header_at(batch), batch, map_of(batch), CleaningRules(NOW, RETENTION, 99))
    assert found is not None
    header = header_at(found)
    assert header.codec == codec
    assert header.last_offset_delta == 2
    assert header.max_timestamp == 9
    assert header.records_count == 2
    assert [(r.offset, r.timestamp_ms, r.value) for r in read(bytes(found))] == [
        (1, 9, b"2"),
        (2, 7, b"3"),
    ]


def test_a_batch_that_loses_nothing_is_the_same_bytes() -> None:
    batch = one((5, b"a", b"1"), (9, b"b", b"2"), codec=2)
    rules = CleaningRules(NOW, RETENTION, 99)
    assert cleaned_batch(header_at(batch), batch, map_of(batch), rules) is batch


def test_headers_and_the_time_of_the_broker_survive() -> None:
    batch = with_log_append_time(
        build_batch([(5, b"a", b"1"), (6, b"a", b"2", [("trace", b"7"), ("none", None)])]), 77
    )
    rules = CleaningRules(NOW, RETENTION, 99)
    found = cleaned_batch(header_at(batch), batch, map_of(batch), rules)
    assert found is not None
    assert read(bytes(found)) == [Record(1, 77, b"a", b"2", (("trace", b"7"), ("none", None)))]


def test_a_tombstone_gets_a_horizon_once_and_goes_when_it_has_passed() -> None:
    batch = one((5, b"a", None), (6, b"b", b"2"))
    offset_map = map_of(batch)

    first = cleaned_batch(header_at(batch), batch, offset_map, CleaningRules(NOW, RETENTION, 99))
    assert first is not None
    assert header_at(first).delete_horizon_ms == NOW + RETENTION
    assert read(bytes(first)) == read(batch)

    almost = CleaningRules(NOW + RETENTION - 1, RETENTION, 99)
    assert cleaned_batch(header_at(first), first, offset_map, almost) is first

    over = CleaningRules(NOW + RETENTION, RETENTION, 99)
    last = cleaned_batch(header_at(first), first, offset_map, over)
    assert last is not None
    assert [record.key for record in read(bytes(last))] == [b"b"]


def test_a_record_beyond_the_map_stays_whatever_is_behind_it() -> None:
    early, late = one((5, b"a", b"1")), assign(one((6, b"a", b"2")), 1, 0)
    rules = CleaningRules(NOW, RETENTION, 99)
    only_early = map_of(early)
    assert cleaned_batch(header_at(early), early, only_early, rules) is early
    assert cleaned_batch(header_at(late), late, only_early, rules) is late


def test_a_record_without_key_goes() -> None:
    batch = one((5, None, b"1"), (6, b"a", b"2"))
    rules = CleaningRules(NOW, RETENTION, 99)
    found = cleaned_batch(header_at(batch), batch, map_of(batch), rules)
    assert found is not None
    assert [record.offset for record in read(bytes(found))] == [1]


def test_a_control_batch_stays() -> None:
    batch = build_batch([(5, b"\0\0\0\1", b"")], is_control=True, is_transactional=True)
    rules = CleaningRules(NOW, RETENTION, 99)
    later = assign(batch, 5, 0)
    assert cleaned_batch(header_at(batch), batch, map_of(batch, later), rules) is batch


def test_an_empty_batch_has_a_header_only_and_stays_as_it_is() -> None:
    batch = build_batch(
        [(5, b"a", b"1")], codec=4, producer_id=9, producer_epoch=1, base_sequence=7
    )
    later = assign(one((6, b"a", b"2")), 1, 0)
    rules = CleaningRules(NOW, RETENTION, 99, {9: 0})

    found = cleaned_batch(header_at(batch), batch, map_of(batch, later), rules)

    assert found is not None
    assert len(found) == HEADER_BYTES
    header = header_at(found)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (9, 1, 7)
    assert (header.records_count, header.codec, header.max_timestamp) == (0, 0, 5)
    assert cleaned_batch(header, found, map_of(later), rules) is found
    gone = CleaningRules(NOW, RETENTION, 99, {9: 1})
    assert cleaned_batch(header, found, map_of(later), gone) is None


def test_a_map_is_full_by_bytes_and_takes_one_batch_more() -> None:
    offset_map = OffsetMap(0, 1)
    batch = one((5, b"a", b"1"), (5, b"b", b"1"))
    assert not offset_map.is_full
    offset_map.note(header_at(batch), read(batch))
    assert offset_map.is_full
    assert len(offset_map) == 2
    assert offset_map.end_offset == 2
