"""Reading, rolling, retention, epochs and times of one log."""

from __future__ import annotations

import pytest

from impl_support.logs import (
    LOG_DIRECTORY,
    SMALL,
    append,
    batch_of_size,
    batches_in,
    open_log,
    open_store,
    whole,
)
from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.ports import EpochEnd
from kproof_impl.records.build import with_crc, with_log_append_time
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.partition_log import FilePartitionLog
from kproof_impl.storage.segment import TAIL_MAX

LARGE = LogConfig(index_interval_bytes=200)


def new_log(config: LogConfig = LARGE, files: MemoryFiles | None = None) -> FilePartitionLog:
    return open_log(open_store(files or MemoryFiles()), config)


def bases(files: MemoryFiles) -> list[int]:
    names = files.list_names(LOG_DIRECTORY)
    return [int(name[:20]) for name in names if name.endswith(".log")]


def test_a_read_begins_with_the_batch_that_has_the_offset() -> None:
    log = new_log()
    for _ in range(10):
        append(log, batch_of_size(3))
    for offset in range(30):
        (batch,) = batches_in(log.read(offset, 1, 30, True))
        assert batch.base_offset == offset - offset % 3


def test_a_read_ends_before_the_batch_that_reaches_the_end_offset() -> None:
    log = new_log()
    for _ in range(10):
        append(log, batch_of_size(3))
    for end_offset in range(31):
        found = batches_in(log.read(0, 1 << 20, end_offset, True))
        assert [batch.last_offset for batch in found] == list(range(2, end_offset, 3))


def test_a_read_takes_whole_batches_up_to_its_bytes_and_the_first_whatever_its_size() -> None:
    log = new_log()
    size = len(batch_of_size(3))
    for _ in range(10):
        append(log, batch_of_size(3))
    for max_bytes in range(4 * size):
        assert len(log.read(4, max_bytes, 30, False)) == max_bytes // size * size
        assert len(log.read(4, max_bytes, 30, True)) == max(size, max_bytes // size * size)


def test_reads_far_behind_the_end_find_the_same_as_reads_at_the_end() -> None:
    log = new_log()
    size = len(batch_of_size())
    for _ in range(2 * TAIL_MAX):
        append(log, batch_of_size())
    end = log.log_end_offset
    for offset in range(0, end, 37):
        found = batches_in(log.read(offset, 7 * size, end, True))
        assert [batch.base_offset for batch in found] == list(range(offset, min(offset + 7, end)))
        assert not log.read(offset, size - 1, end, False)
        assert len(log.read(offset, 1 << 20, min(offset + 2, end), True)) <= 2 * size


def test_the_end_of_the_log_reads_as_nothing() -> None:
    log = new_log()
    assert log.read(0, 100, 0, True) == b""
    append(log, batch_of_size(3))
    assert log.read(3, 100, 3, True) == b""
    assert log.read(2, 100, 2, True) == b""


def test_a_segment_rolls_before_it_grows_beyond_its_bytes() -> None:
    files = MemoryFiles()
    size = len(batch_of_size())
    log = new_log(LogConfig(segment_bytes=3 * size), files)
    for _ in range(7):
        append(log, batch_of_size())
    assert bases(files) == [0, 3, 6]
    assert log.size_bytes == 7 * size


def test_a_segment_rolls_when_a_record_is_much_later_than_its_first() -> None:
    files = MemoryFiles()
    log = new_log(LogConfig(segment_ms=100), files)
    for timestamp_ms in (1000, 1100, 1101, 1000, 1202):
        append(log, batch_of_size(timestamp_ms=timestamp_ms))
    assert bases(files) == [0, 2, 4]


def test_a_segment_rolls_when_its_index_is_full() -> None:
    files = MemoryFiles()
    log = new_log(LogConfig(index_interval_bytes=1, segment_index_bytes=24), files)
    for _ in range(7):
        append(log, batch_of_size())
    assert bases(files) == [0, 3, 6]


def test_a_segment_rolls_with_the_clock_though_nobody_writes() -> None:
    files = MemoryFiles()
    log = new_log(LogConfig(segment_ms=100), files)
    append(log, batch_of_size(timestamp_ms=5), now_ms=2000)
    log.tick(2100)
    assert bases(files) == [0]
    log.tick(2101)
    assert bases(files) == [0, 1]
    log.tick(9999)
    assert bases(files) == [0, 1]


def test_a_relative_offset_never_exceeds_31_bits() -> None:
    files = MemoryFiles()
    log = new_log(files=files)
    append(log, batch_of_size())
    log.log_end_offset = (1 << 31) - 1
    append(log, batch_of_size())
    append(log, batch_of_size())
    assert bases(files) == [0, 1 << 31]


def test_retention_by_size_leaves_at_least_that_much() -> None:
    size = len(batch_of_size())
    log = new_log(LogConfig(segment_bytes=2 * size, retention_bytes=5 * size, retention_ms=-1))
    for _ in range(12):
        append(log, batch_of_size())
    assert log.apply_retention(0, 12) == 3
    assert (log.log_start_offset, log.size_bytes) == (6, 6 * size)
    assert log.apply_retention(0, 12) == 0


def test_retention_by_time_counts_from_the_latest_record_of_a_segment() -> None:
    size = len(batch_of_size())
    log = new_log(LogConfig(segment_bytes=2 * size, retention_ms=100))
    for timestamp_ms in (1000, 1300, 1100, 1200, 1400, 1500):
        append(log, batch_of_size(timestamp_ms=timestamp_ms))
    assert log.apply_retention(1400, 6) == 0
    assert log.apply_retention(1401, 6) == 2
    assert log.log_start_offset == 4


def test_retention_stops_at_the_high_watermark() -> None:
    size = len(batch_of_size())
    log = new_log(LogConfig(segment_bytes=2 * size, retention_ms=100))
    for _ in range(6):
        append(log, batch_of_size())
    assert log.apply_retention(1 << 40, 3) == 1
    assert log.log_start_offset == 2


def test_an_active_segment_that_is_too_old_is_rolled_and_goes_too() -> None:
    files = MemoryFiles()
    log = new_log(LogConfig(retention_ms=100), files)
    append(log, batch_of_size(3))
    assert log.apply_retention(5000, 3) == 1
    assert (log.log_start_offset, log.log_end_offset, log.size_bytes) == (3, 3, 0)
    assert log.apply_retention(5000, 3) == 0
    assert append(log, batch_of_size()) == 3


def test_records_without_time_are_never_too_old() -> None:
    log = new_log(LogConfig(retention_ms=100))
    append(log, batch_of_size(timestamp_ms=-1))
    assert log.apply_retention(1 << 40, 1) == 0


def test_a_compacted_topic_keeps_what_is_old() -> None:
    log = new_log(LogConfig(retention_ms=1, retention_bytes=1, cleanup_policy="compact"))
    append(log, batch_of_size())
    assert log.apply_retention(1 << 40, 1) == 0


def test_deleted_files_get_another_name_and_go_after_their_delay() -> None:
    files = MemoryFiles()
    log = new_log(LogConfig(retention_ms=100, file_delete_delay_ms=1000), files)
    append(log, batch_of_size())
    log.apply_retention(5000, 1)
    assert f"{0:020d}.log.deleted" in files.list_names(LOG_DIRECTORY)
    log.tick(5999)
    assert f"{0:020d}.log.deleted" in files.list_names(LOG_DIRECTORY)
    log.tick(6000)
    assert not [name for name in files.list_names(LOG_DIRECTORY) if "deleted" in name]


def test_deleted_files_do_not_come_back_at_a_restart() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, LogConfig(retention_ms=100))
    append(log, batch_of_size())
    log.apply_retention(5000, 1)
    store.close(is_clean=False)

    log = open_log(open_store(files))
    assert (log.log_start_offset, log.log_end_offset) == (1, 1)
    assert not [name for name in files.list_names(LOG_DIRECTORY) if "deleted" in name]


def test_delete_records_moves_the_start_into_a_batch_and_drops_whole_segments() -> None:
    files = MemoryFiles()
    size = len(batch_of_size(2))
    store = open_store(files)
    log = open_log(store, LogConfig(segment_bytes=2 * size))
    for _ in range(6):
        append(log, batch_of_size(2))
    log.advance_log_start_offset(5)
    assert (log.log_start_offset, log.size_bytes) == (5, 4 * size)
    log.advance_log_start_offset(3)
    assert log.log_start_offset == 5
    store.close(is_clean=False)

    log = open_log(open_store(files))
    assert log.log_start_offset == 5
    assert batches_in(log.read(5, 1, 12, True))[0].base_offset == 4


def test_delete_records_up_to_the_end_leaves_an_empty_log_that_goes_on() -> None:
    log = new_log()
    append(log, batch_of_size(2))
    log.advance_log_start_offset(2)
    assert log.find_timestamp(0, 2) is None
    assert log.find_max_timestamp(2) is None
    assert append(log, batch_of_size()) == 2


def test_kip101_an_epoch_ends_where_the_next_known_one_begins() -> None:
    log = new_log()
    append(log, batch_of_size(3), leader_epoch=1)
    log.begin_epoch(4)
    append(log, batch_of_size(2), leader_epoch=4)
    log.begin_epoch(6)

    ends = {epoch: log.end_offset_for_epoch(epoch) for epoch in range(-1, 8)}
    assert ends == {
        -1: EpochEnd(-1, -1),
        0: EpochEnd(0, 0),
        1: EpochEnd(1, 3),
        2: EpochEnd(1, 3),
        3: EpochEnd(1, 3),
        4: EpochEnd(4, 5),
        5: EpochEnd(4, 5),
        6: EpochEnd(6, 5),
        7: EpochEnd(-1, -1),
    }


def test_an_epoch_without_records_is_dropped_when_the_next_begins_at_the_same_offset() -> None:
    log = new_log()
    log.begin_epoch(1)
    log.begin_epoch(2)
    assert log.end_offset_for_epoch(1) == EpochEnd(1, 0)
    assert log.latest_epoch == 2


def test_a_new_log_has_no_epoch() -> None:
    assert new_log().latest_epoch == -1


def test_epochs_follow_the_start_of_the_log() -> None:
    log = new_log()
    for epoch in range(4):
        append(log, batch_of_size(2), leader_epoch=epoch)
    log.advance_log_start_offset(5)
    assert log.end_offset_for_epoch(0) == EpochEnd(0, 5)
    assert log.end_offset_for_epoch(2) == EpochEnd(2, 6)


def test_truncation_forgets_records_epochs_and_times() -> None:
    log = new_log(SMALL)
    for epoch in range(20):
        append(log, batch_of_size(2, timestamp_ms=1000 + epoch), leader_epoch=epoch)
    before = whole(log)
    log.truncate_to(21)
    assert (log.log_end_offset, log.latest_epoch) == (20, 9)
    assert before.startswith(whole(log))
    assert log.find_timestamp(1011, 20) is None
    found = log.find_max_timestamp(20)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (19, 1010)
    log.truncate_to(0)
    assert (log.log_end_offset, log.size_bytes, log.latest_epoch) == (0, 0, -1)


@pytest.mark.parametrize("codec", range(5))
def test_a_time_is_found_inside_a_batch_of_any_codec(codec: int) -> None:
    log = new_log()
    for start in (1000, 1010, 1020):
        append(log, batch_of_size(5, timestamp_ms=start, codec=codec), leader_epoch=3)
    found = log.find_timestamp(1012, 15)
    assert found is not None
    assert (found.offset, found.timestamp_ms, found.leader_epoch) == (7, 1012, 3)
    found = log.find_timestamp(1005, 15)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (5, 1010)
    assert log.find_timestamp(1012, 7) is None
    assert log.find_timestamp(1025, 15) is None


def test_the_time_of_the_broker_is_the_time_of_each_record_of_its_batch() -> None:
    log = new_log()
    append(log, with_log_append_time(batch_of_size(3, timestamp_ms=7), 9000))
    found = log.find_timestamp(8000, 3)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (0, 9000)


def test_a_batch_whose_records_cannot_be_read_is_found_as_one_record() -> None:
    log = new_log()
    batch = bytearray(batch_of_size(3, codec=4, timestamp_ms=50))
    batch[61:] = b"\xaa" * (len(batch) - 61)
    append(log, with_crc(batch))
    found = log.find_timestamp(51, 3)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (0, 52)


def test_configure_changes_the_size_of_segments_from_the_next_batch_on() -> None:
    files = MemoryFiles()
    log = new_log(LARGE, files)
    append(log, batch_of_size())
    log.configure(LogConfig(segment_bytes=50))
    append(log, batch_of_size())
    assert bases(files) == [0, 1]
