"""A cleaning that is cut off anywhere, or meets a damage, loses nothing and stops nobody."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import pytest

from impl_support.compacted import COMPACTED, PLENTY, clean, fold, put, records
from impl_support.logs import LOG_DIRECTORY, open_log, open_store
from kproof_impl.records.batch import CRC_START, HEADER_BYTES
from kproof_impl.records.build import with_crc
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.faulty_files import FaultyFiles
from kproof_impl.storage.files import Files, Forcing
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.partition_log import FilePartitionLog

COUNT = 30


class PromptFiles(FaultyFiles):
    """Files whose thread is quick: what is to be forced later is forced at once."""

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        forcing = Forcing()
        forcing.is_done = True
        try:
            for path in paths:
                self.fsync_path(path)
        except LogFailed as error:
            forcing.failure = str(error)
        return forcing


class StoppingFiles(PromptFiles):
    """Files whose process is killed before a call that changes something: what was done stays."""

    def __init__(self) -> None:
        super().__init__(Random(0))
        self.calls_left = -1

    def _count(self) -> None:
        if self.calls_left == 0:
            raise KilledError
        self.calls_left -= 1

    def write(self, path: str, data: bytes) -> None:
        self._count()
        super().write(path, data)

    def replace(self, path: str, data: bytes) -> None:
        self._count()
        super().replace(path, data)

    def rename(self, path: str, new_path: str) -> None:
        self._count()
        super().rename(path, new_path)

    def remove(self, path: str) -> None:
        self._count()
        super().remove(path)

    def fsync_directory(self, path: str) -> None:
        self._count()
        super().fsync_directory(path)

    def fsync_later(self, paths: Sequence[str]) -> Forcing:
        self._count()
        return super().fsync_later(paths)


class KilledError(Exception):
    """The process is no more."""


def filled(files: Files) -> tuple[FileLogStore, FilePartitionLog]:
    store = open_store(files)
    log = open_log(store, COMPACTED)
    for number in range(COUNT):
        put(log, (f"k{number % 3}", f"v{number}" if number % 4 else None))
    log.flush()
    return store, log


def check_recovered(files: Files, before: dict[bytes | None, bytes]) -> None:
    """The next life has the same end and the same values, goes on, and can be cleaned."""
    store = open_store(files)
    log = open_log(store, COMPACTED)
    assert log.log_end_offset == COUNT
    assert fold(records(log)) == before
    left = files.list_names(LOG_DIRECTORY)
    assert not [name for name in left if name.endswith((".cleaned", ".swap", ".deleted"))]
    assert put(log, ("k0", "after")) == COUNT
    clean(log, 5000)
    assert fold(records(log)) == {**before, b"k0": b"after"}
    store.close()


def test_a_kill_at_any_call_of_a_cleaning_loses_nothing() -> None:
    kills = 0
    for calls in range(200):
        files = StoppingFiles()
        _, log = filled(files)
        before = fold(records(log))
        files.calls_left = calls
        try:
            clean(log, 2000)
            log.tick(9000)
        except KilledError:
            kills += 1
            files.calls_left = -1
            files._locked.clear()
            check_recovered(files, before)
        else:
            break
    assert kills > 20


def stopped_in_the_swap() -> tuple[StoppingFiles, dict[bytes | None, bytes]]:
    """A log that was killed right after the first file of it got the suffix `.swap`."""
    for calls in range(50):
        files = StoppingFiles()
        _, log = filled(files)
        before = fold(records(log))
        files.calls_left = calls
        with suppress(KilledError):
            clean(log, 2000)
        if any(name.endswith(".swap") for name in files.list_names(LOG_DIRECTORY)):
            files._locked.clear()
            return files, before
    raise AssertionError("no cleaning comes to its swap")


def test_a_kill_while_a_start_finishes_a_swap_loses_nothing() -> None:
    for calls in range(100):
        files, before = stopped_in_the_swap()
        files.calls_left = calls
        try:
            open_log(open_store(files), COMPACTED)
        except KilledError:
            files.calls_left = -1
            files._locked.clear()
            check_recovered(files, before)
        else:
            break
    assert calls > 5


@pytest.mark.parametrize("seed", range(60))
def test_power_loss_at_any_moment_of_a_cleaning_loses_nothing(seed: int) -> None:
    random = Random(seed)
    files = PromptFiles(random)
    _, log = filled(files)
    before = fold(records(log))
    action = random.choice(("append", "fsync", "write", "rename", "remove", "none"))
    files.fail_after(action, random.randrange(12))
    log.tick(2000)
    for _ in range(random.randrange(1, 12)):
        step = log.clean(2000, log.log_end_offset, PLENTY)
        if step.is_done:
            break
    files.crash()
    check_recovered(files, before)


@pytest.mark.parametrize("action", ["append", "fsync", "write", "rename", "read"])
def test_a_disk_that_refuses_is_told_and_the_log_is_as_before_or_refuses_all(action: str) -> None:
    for calls in range(12):
        files = PromptFiles(Random(calls))
        store, log = filled(files)
        before = fold(records(log))
        log.tick(2000)
        files.fail_after(action, calls, "Input/output error")
        refusal = ""
        while True:
            step = log.clean(2000, log.log_end_offset, PLENTY)
            refusal = refusal or step.refusal
            if step.is_done:
                break
        files.fail_after(action, -1)  # No more.
        if refusal:
            assert "Input/output error" in refusal
        if not log.is_failed:
            assert fold(records(log)) == before
            clean(log, 2000)
        with suppress(LogFailed):
            store.close()
        files._locked.clear()
        check_recovered(files, before)


def damaged(files: MemoryFiles, change: bytes, at: int) -> None:
    path = f"{LOG_DIRECTORY}/{0:020d}.log"
    data = bytearray(files.read_all(path))
    data[at : at + len(change)] = change
    files.write(path, bytes(data))


def opened_clean(files: MemoryFiles) -> FilePartitionLog:
    store, _ = filled(files)
    store.close()
    return open_log(open_store(files), COMPACTED)


@pytest.mark.parametrize("at", [16, CRC_START + 30, HEADER_BYTES + 3])
def test_a_damaged_batch_stops_the_cleaning_of_its_log_until_a_restart(at: int) -> None:
    files = MemoryFiles()
    opened_clean(files).abandon()
    files._contents.pop("/data/.lock", None)
    damaged(files, b"\x7f\x7f", at)
    files.write("/data/.kafka_cleanshutdown", b"")
    log = open_log(open_store(files), COMPACTED)

    step = log.clean(2000, log.log_end_offset, PLENTY)

    assert step.is_done
    assert "is damaged at byte 0" in step.refusal
    assert log.dirty_ratio(2000, log.log_end_offset) == 0
    assert put(log, ("k0", "more")) == COUNT
    assert not log.is_failed


def test_a_batch_that_grows_beyond_all_bounds_stops_the_cleaning_of_its_log() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, COMPACTED)
    put(log, ("a", "x"), codec=1)
    bomb = bytearray(bytes(log.read(0, 1, 1, True))[:HEADER_BYTES])
    packer = zlib.compressobj(9, wbits=31)
    bomb += packer.compress(bytes(40 << 20)) + packer.flush()
    bomb[8:12] = (len(bomb) - 12).to_bytes(4, "big")
    store.close()
    path = f"{LOG_DIRECTORY}/{0:020d}.log"
    files.write(path, with_crc(bomb))
    log = open_log(open_store(files), COMPACTED)
    for number in range(10):
        put(log, (f"k{number % 3}", f"v{number}"))
    log.flush()

    step = log.clean(2000, log.log_end_offset, PLENTY)

    assert step.is_done
    assert "grows beyond" in step.refusal
    assert f"{path}, the batch at byte 0" in step.refusal
    assert log.dirty_ratio(2000, log.log_end_offset) == 0
