"""A disk that refuses: the log says so, keeps what it had, and never pretends."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from impl_support.logs import (
    LOG_DIRECTORY,
    append,
    batch_of_size,
    open_log,
    open_store,
    whole,
)
from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.faulty_files import FaultyFiles

EACH = LogConfig(flush_messages=1)


@pytest.mark.parametrize("seed", range(20))
def test_a_full_disk_loses_the_batch_and_nothing_else(seed: int) -> None:
    files = FaultyFiles(Random(seed))
    store = open_store(files)
    log = open_log(store)
    append(log, batch_of_size(2))
    before = whole(log)
    files.fail_after("append", 0)

    with pytest.raises(LogFailed, match=r"Cannot append .*No space left"):
        append(log, batch_of_size(2))

    assert whole(log) == before
    assert files.size(f"{LOG_DIRECTORY}/{0:020d}.log") == len(before)
    assert append(log, batch_of_size(2)) == 2
    store.close()
    log = open_log(open_store(files))
    assert log.log_end_offset == 4


def test_a_batch_that_was_not_written_is_no_repeat_later() -> None:
    files = FaultyFiles(Random(1))
    log = open_log(open_store(files))
    batch = batch_of_size(producer_id=1, producer_epoch=0, base_sequence=0)
    files.fail_after("append", 0)
    with pytest.raises(LogFailed):
        append(log, batch)
    append(log, batch_of_size())
    assert append(log, batch) == 1


def test_a_log_whose_undoing_fails_too_refuses_everything_until_it_is_opened_again() -> None:
    files = FaultyFiles(Random(1))
    store = open_store(files)
    log = open_log(store)
    append(log, batch_of_size(2))
    files.fail_after("append", 0)
    files.fail_after("truncate", 0, "Input/output error")
    with pytest.raises(LogFailed):
        append(log, batch_of_size(2))

    with pytest.raises(LogFailed, match="unknown: restart"):
        append(log, batch_of_size(2))
    assert log.is_failed
    store.close()

    store = open_store(files)
    assert not store.was_clean
    assert open_log(store).log_end_offset == 2


def test_after_a_failed_fsync_nothing_is_acknowledged() -> None:
    files = FaultyFiles(Random(1))
    store = open_store(files)
    log = open_log(store, EACH)
    append(log, batch_of_size())
    files.fail_after("fsync", 0, "Input/output error")
    with pytest.raises(LogFailed):
        append(log, batch_of_size())
    for act in (
        lambda: append(log, batch_of_size()),
        log.flush,
        lambda: log.begin_epoch(7),
        lambda: log.truncate_to(0),
        lambda: log.advance_log_start_offset(1),
    ):
        with pytest.raises(LogFailed, match="restart the broker"):
            act()
    assert len(whole(log)) > 0
    store.close()


def test_a_failed_read_says_which_file() -> None:
    files = FaultyFiles(Random(1))
    log = open_log(open_store(files))
    append(log, batch_of_size())
    files.fail_after("read", 0, "Input/output error")
    with pytest.raises(LogFailed, match=r"Cannot read /data/.*\.log: Input/output error"):
        log.read(0, 100, 1, True)
    assert log.read(0, 100, 1, True)


def test_what_a_tick_is_refused_is_done_by_a_later_one() -> None:
    files = FaultyFiles(Random(1))
    store = open_store(files)
    log = open_log(store, LogConfig(retention_ms=100, segment_ms=500))
    append(log, batch_of_size(), now_ms=1000)
    files.fail_after("rename", 0)
    assert log.apply_retention(9000, 1) == 0
    assert "No space left" in log.last_refusal
    assert log.apply_retention(9000, 1) == 1

    files.fail_after("remove", 0)
    log.tick(1 << 40)
    assert [name for name in files.list_names(LOG_DIRECTORY) if "deleted" in name]
    log.tick(1 << 40)
    assert not [name for name in files.list_names(LOG_DIRECTORY) if "deleted" in name]


def test_a_failure_at_any_call_of_any_kind_is_reported_and_survived() -> None:
    for action in ("append", "fsync", "write", "rename", "remove", "truncate"):
        for calls in range(25):
            files = FaultyFiles(Random(calls))
            acknowledged = work_until_failure(files, action, calls)
            files.crash()
            log = open_log(open_store(files), EACH)
            assert log.log_end_offset >= acknowledged
            assert append(log, batch_of_size()) == log.log_end_offset - 1


def work_until_failure(files: FaultyFiles, action: str, calls: int) -> int:
    """Appends and deletes with a failure on the way; how many records were acknowledged."""
    acknowledged = 0
    config = LogConfig(flush_messages=1, segment_bytes=300, retention_bytes=600)
    store = open_store(files)
    log = open_log(store, config)
    files.fail_after(action, calls)
    for _ in range(20):
        with suppress(LogFailed):
            acknowledged = append(log, batch_of_size()) + 1
            log.apply_retention(1000, acknowledged)
            store.tick(1 << 40)
    return acknowledged


def test_power_loss_while_a_log_is_made_leaves_nothing_that_cannot_be_opened() -> None:
    for seed in range(200):
        files = FaultyFiles(Random(seed))
        store = open_store(files)
        log = open_log(store)
        for _ in range(seed % 30):
            append(log, batch_of_size(2))
        files.crash()
        store = open_store(files)
        log = open_log(store)
        assert log.log_end_offset % 2 == 0
        assert append(log, batch_of_size()) == log.log_end_offset - 1
        store.close()
