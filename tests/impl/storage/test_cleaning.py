"""A compacted log: what is superseded goes, and nothing that a reader counts on."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl_support.compacted import COMPACTED, clean, fold, put, records, records_in
from impl_support.logs import (
    DIRECTORY,
    LOG_DIRECTORY,
    TOPIC_TEXT,
    batches_in,
    open_log,
    open_store,
    whole,
)
from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.batch import header_at
from kproof_impl.storage.batch_scan import headers
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.partition_log import FilePartitionLog


def new_log(config: LogConfig = COMPACTED) -> FilePartitionLog:
    return open_log(open_store(MemoryFiles()), config)


def filled(log: FilePartitionLog, count: int = 30, keys: int = 3) -> None:
    for number in range(count):
        put(log, (f"k{number % keys}", f"v{number}"))


def ends(log: FilePartitionLog) -> list[tuple[int, int]]:
    return [(facts.base_offset, facts.end_offset) for facts in log.segment_facts()]


def test_of_each_key_the_last_value_stays_and_offsets_do_not_change() -> None:
    log = new_log()
    filled(log)
    before = records(log)
    bound = log.active_base_offset

    clean(log)

    after = records(log)
    assert fold(after) == fold(before)
    assert set(after) <= set(before)
    assert len([record for record in after if record.offset < bound]) == 3
    assert [r for r in after if r.offset >= bound] == [r for r in before if r.offset >= bound]


def test_the_active_segment_and_what_is_above_the_high_watermark_are_not_touched() -> None:
    log = new_log()
    filled(log)
    log.tick(2000)
    before = records(log)
    second = log.segment_facts()[1].base_offset
    while not log.clean(2000, second, 1 << 30).is_done:
        pass
    after = records(log)
    assert len(after) < len(before)
    assert [r for r in after if r.offset >= second] == [r for r in before if r.offset >= second]
    assert log.first_dirty_offset == second


def test_small_segments_are_merged_up_to_the_size_of_one() -> None:
    log = new_log()
    filled(log, 60)
    old = ends(log)

    clean(log)
    clean(log)

    assert len(log.segment_facts()) == 2
    assert ends(log) == [(0, log.active_base_offset), old[-1]]
    assert log.size_bytes == sum(facts.size_bytes for facts in log.segment_facts())
    assert all(facts.size_bytes <= COMPACTED.segment_bytes for facts in log.segment_facts())


def test_a_reader_is_given_the_next_batch_where_one_was_cleaned_away() -> None:
    log = new_log()
    filled(log)
    everything = records(log)
    clean(log)
    left = records(log)
    for offset in range(log.log_end_offset):
        data = log.read(offset, 1, log.log_end_offset, True)
        following = [record for record in left if record.offset >= offset]
        assert records_in(data)[-1].offset >= offset or not batches_in(data)[-1].records_count
        if following:
            until = [r.offset for r in records_in(log.read(offset, 1 << 20, len(everything), True))]
            assert [o for o in until if o >= offset] == [
                r.offset for r in following if r.offset <= until[-1]
            ]


def test_times_are_found_among_what_is_left() -> None:
    log = new_log()
    for number in range(30):
        put(log, (f"k{number % 3}", "v"), now_ms=1000 + number)
    clean(log)
    left = records(log)
    for timestamp_ms in range(1000, 1031):
        wanted = [record.offset for record in left if record.timestamp_ms >= timestamp_ms]
        found = log.find_timestamp(timestamp_ms, log.log_end_offset)
        assert (found.offset if found else None) == (wanted[0] if wanted else None)
    latest = log.find_max_timestamp(log.log_end_offset)
    assert latest is not None
    assert latest.offset == 29


def test_the_largest_time_is_not_looked_for_in_a_batch_without_records() -> None:
    log = new_log()
    put(log, ("a", "v"), now_ms=9000, producer=(7, 0))
    filled(log, 20)
    put(log, ("a", "w"))
    filled(log, 10)
    clean(log)
    left = records(log)
    assert batches_in(log.read(0, 1, log.log_end_offset, True))[0].records_count == 0
    found = log.find_max_timestamp(log.log_end_offset)
    assert found is not None
    assert found.timestamp_ms == max(record.timestamp_ms for record in left) == 1000


def test_the_epochs_end_where_they_ended() -> None:
    log = new_log()
    for epoch in range(5):
        log.begin_epoch(epoch)
        filled(log, 7)
    before = [log.end_offset_for_epoch(epoch) for epoch in range(5)]
    clean(log)
    assert [log.end_offset_for_epoch(epoch) for epoch in range(5)] == before


def test_a_tombstone_goes_when_its_time_is_over_and_not_before() -> None:
    log = new_log()
    put(log, ("gone", "value"))
    put(log, ("gone", None))
    filled(log, 20)
    clean(log, 2000)
    assert [record.value for record in records(log) if record.key == b"gone"] == [None]

    filled(log, 10)
    clean(log, 2999)
    assert [record.value for record in records(log) if record.key == b"gone"] == [None]

    filled(log, 10)
    clean(log, 3000)
    assert b"gone" not in {record.key for record in records(log)}


def test_the_last_batch_of_each_producer_is_known_after_the_snapshots_are_lost() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    for sequence in range(10):
        put(log, ("a", f"{sequence}"), producer=(1, sequence))
    put(log, ("a", "other"), producer=(2, 0))
    filled(log, 30)
    put(log, ("a", "last"))
    filled(log, 30)
    clean(log)
    producers = log.active_producers()
    headers_left = batches_in(whole(log))
    assert [h.records_count for h in headers_left if h.producer_id >= 0] == [0, 0]
    store.close()
    for name in files.list_names(LOG_DIRECTORY):
        if name.endswith(".snapshot"):
            files.remove(f"{LOG_DIRECTORY}/{name}")

    log = open_log(open_store(files), COMPACTED)

    assert log.active_producers() == producers
    assert put(log, ("a", "9"), producer=(1, 9)) == 9


def test_the_end_of_the_log_is_known_though_all_closed_segments_lost_their_records() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    put(log, ("a", None))
    put(log, ("b", None))
    log.tick(1 << 40)  # Rolls by age.
    end_offset = log.log_end_offset
    assert log.active_base_offset == end_offset
    clean(log, 1 << 40)
    filled(log, 20)
    clean(log, 1 << 41)
    store.close()

    log = open_log(open_store(files), COMPACTED)
    assert log.log_end_offset == end_offset + 20


def test_the_checkpoint_tells_how_far_the_log_is_clean_and_is_believed_after_a_restart() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    filled(log)
    clean(log)
    bound = log.active_base_offset
    assert files.read_all(f"{DIRECTORY}/cleaner-offset-checkpoint") == (
        f"0\n1\n{TOPIC_TEXT} 0 {bound}\n".encode()
    )
    assert log.dirty_ratio(2000, log.log_end_offset) == 0
    store.close(is_clean=False)

    log = open_log(open_store(files), COMPACTED)
    assert log.first_dirty_offset == bound
    assert log.dirty_ratio(2000, log.log_end_offset) == 0


def test_a_checkpoint_beyond_the_log_is_not_believed() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    filled(log)
    store.close()
    files.write(f"{DIRECTORY}/cleaner-offset-checkpoint", f"0\n1\n{TOPIC_TEXT} 0 9999\n".encode())
    log = open_log(open_store(files), COMPACTED)
    clean(log)
    assert len(records(log)) < 30


def test_holes_are_no_damage_after_a_crash() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    for number in range(40):
        put(log, (f"k{number}" if number < 20 else f"k{number - 20}", "v"))
    clean(log)
    left = records(log)
    store.close(is_clean=False)
    for name in ("recovery-point-offset-checkpoint", "cleaner-offset-checkpoint"):
        files.remove(f"{DIRECTORY}/{name}")

    log = open_log(open_store(files), COMPACTED)

    assert records(log) == left


@pytest.mark.parametrize(
    ("change", "ratio"),
    [
        ({}, 1.0),
        ({"min_compaction_lag_ms": 500}, 1.0),
        ({"min_compaction_lag_ms": 2000}, 0.0),
        ({"min_cleanable_dirty_ratio": 1.0}, 0.0),
        ({"min_cleanable_dirty_ratio": 1.0, "max_compaction_lag_ms": 500}, 1.0),
        ({"cleanup_policy": "delete"}, 0.0),
        ({"cleanup_policy": "compact,delete"}, 1.0),
    ],
)
def test_when_a_cleaning_is_due(change: dict[str, object], ratio: float) -> None:
    log = new_log(dataclasses.replace(COMPACTED, **change))  # type: ignore[arg-type] # By name.
    filled(log)
    log.tick(2000)
    assert log.dirty_ratio(2000, log.log_end_offset) == ratio


def test_segments_close_early_where_records_must_be_compacted_soon() -> None:
    log = new_log(dataclasses.replace(COMPACTED, max_compaction_lag_ms=500))
    put(log, ("a", "1"))
    log.tick(1500)
    assert log.active_base_offset == 0
    log.tick(1501)
    assert log.active_base_offset == 1


def test_both_policies_delete_and_compact() -> None:
    config = dataclasses.replace(COMPACTED, cleanup_policy="compact,delete", retention_ms=5000)
    log = new_log(config)
    filled(log)
    clean(log)
    left = records(log)
    log.apply_retention(9000, log.log_end_offset)
    assert records(log) == []
    assert left
    assert log.log_start_offset == log.log_end_offset == 30


def test_a_map_too_small_for_all_keys_takes_several_cleanings() -> None:
    log = new_log()
    filled(log, 60, keys=12)
    before = fold(records(log))
    rounds = 0
    while log.dirty_ratio(2000, log.log_end_offset) or not rounds:
        dirty = log.first_dirty_offset
        clean(log, map_bytes_max=1)
        assert log.first_dirty_offset > dirty
        assert fold(records(log)) == before
        rounds += 1
    assert rounds > 3
    assert len([r for r in records(log) if r.offset < log.active_base_offset]) == 12


def test_appends_between_two_slices_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kproof_impl.storage.cleaning.SLICE_BYTES", 1)
    log = new_log()
    filled(log)
    log.tick(2000)
    slices = 0
    while not log.clean(2000, log.log_end_offset, 1 << 30).is_done:
        put(log, (f"k{slices % 3}", f"new {slices}"))
        slices += 1
    assert slices > 50
    assert fold(records(log))[b"k0"].startswith(b"new")
    assert log.log_end_offset == 30 + slices


@pytest.mark.parametrize("what", ["delete_records", "retention", "truncate", "policy", "close"])
def test_a_cleaning_is_given_up_when_its_segments_go(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kproof_impl.storage.cleaning.SLICE_BYTES", 1)
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, dataclasses.replace(COMPACTED, cleanup_policy="compact,delete"))
    filled(log)
    log.tick(2000)
    while not any(name.endswith(".cleaned") for name in files.list_names(LOG_DIRECTORY)):
        assert not log.clean(2000, log.log_end_offset, 1 << 30).is_done
    if what == "delete_records":
        log.advance_log_start_offset(25)
    elif what == "retention":
        log.apply_retention(1 << 50, log.log_end_offset)
    elif what == "truncate":
        log.truncate_to(3)
    elif what == "policy":
        log.configure(dataclasses.replace(COMPACTED, cleanup_policy="delete"))
    else:
        store.close()

    assert not [name for name in files.list_names(LOG_DIRECTORY) if name.endswith(".cleaned")]
    if what != "close":
        store.close()
    log = open_log(open_store(files), COMPACTED)
    clean(log, 3000)


def test_the_indexes_of_a_cleaned_segment_lead_to_batches() -> None:
    log = new_log(dataclasses.replace(COMPACTED, segment_bytes=4000))
    filled(log, 200, keys=150)
    clean(log)
    segment = log._segments.all[0]
    segment.load()
    starts = dict(headers(segment.file, 0, segment.size))
    assert len(segment.offset_index.offsets) > 3
    for offset, position in zip(
        segment.offset_index.offsets, segment.offset_index.positions, strict=True
    ):
        assert starts[position].last_offset == offset


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60), st.data())
def test_any_run_of_writes_and_cleanings_keeps_the_fold(
    writes: list[tuple[int, int]], data: st.DataObject
) -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    state: dict[bytes, bytes] = {}
    now_ms = 1000
    for key, value in writes:
        put(log, (f"k{key}", f"v{value}" if value else None), codec=value, now_ms=now_ms)
        state.pop(b"k%d" % key, None)
        if value:
            state[b"k%d" % key] = b"v%d" % value
        match data.draw(st.integers(0, 9)):
            case 0:
                now_ms += 700
                clean(log, now_ms)
            case 1:
                store.close(is_clean=data.draw(st.booleans()))
                store = open_store(files)
                log = open_log(store, COMPACTED)
    assert log.log_end_offset == len(writes)
    assert fold(records(log)) == state
    store.close()


def test_a_batch_is_written_anew_only_if_it_changes() -> None:
    log = new_log()
    put(log, ("once", "only"), codec=1)
    before = bytes(log.read(0, 1, 1, True))
    filled(log)
    clean(log)
    assert bytes(log.read(0, 1, 1, True)) == before
    assert header_at(before).codec == 1
