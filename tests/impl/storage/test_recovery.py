"""After an unclean stop a log ends after its last sound batch; a clean one is taken over."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from impl_support.logs import (
    DIRECTORY,
    LOG_DIRECTORY,
    SMALL,
    append,
    batch_of_size,
    open_log,
    open_store,
    whole,
)
from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.memory_files import MemoryFiles

FIRST_LOG = f"{LOG_DIRECTORY}/{0:020d}.log"


def written(count: int = 3, *, is_clean: bool = False) -> tuple[MemoryFiles, list[int]]:
    """A log of batches of two records, and the size of its file after each."""
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    sizes = []
    for i in range(count):
        append(
            log,
            batch_of_size(2, producer_id=9, producer_epoch=0, base_sequence=2 * i),
            leader_epoch=i,
        )
        sizes.append(log.size_bytes)
    store.close(is_clean=is_clean)
    return files, sizes


def cut(files: MemoryFiles, path: str, size: int, tail: bytes = b"") -> None:
    files.write(path, files.read_all(path)[:size] + tail)


def test_a_log_torn_at_any_byte_of_its_last_batch_ends_before_that_batch() -> None:
    files, sizes = written()
    original = files.read_all(FIRST_LOG)
    for size in range(sizes[1], sizes[2]):
        for tail in (b"", b"\0" * (sizes[2] - size), b"\xff" * 7):
            if original[size:] == tail:
                continue
            files, _ = written()
            cut(files, FIRST_LOG, size, tail)
            store = open_store(files)
            log = open_log(store)

            assert log.log_end_offset == 4
            assert files.size(FIRST_LOG) == sizes[1]
            assert log.latest_epoch == 1
            assert [p.last_sequence for p in log.active_producers()] == [3]
            assert append(log, batch_of_size(), leader_epoch=8) == 4
            store.close()


def test_a_flipped_bit_anywhere_behind_the_epoch_ends_the_log_there() -> None:
    files, sizes = written()
    data = files.read_all(FIRST_LOG)
    for place in (*range(sizes[0], sizes[0] + 12), *range(sizes[0] + 16, sizes[1])):
        files, _ = written()
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        files.write(FIRST_LOG, bytes(damaged))
        store = open_store(files)
        end = open_log(store).log_end_offset
        store.close()

        # A base offset that leaps forward is no damage that can be seen.
        assert end == 2 or place < sizes[0] + 8


def test_after_a_hole_later_segments_are_dropped() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    for _ in range(30):
        append(log, batch_of_size(2))
    store.close(is_clean=False)
    logs = [name for name in files.list_names(LOG_DIRECTORY) if name.endswith(".log")]
    assert len(logs) > 3
    files.remove(f"{LOG_DIRECTORY}/{logs[1]}")

    store = open_store(files)
    log = open_log(store)
    assert log.log_end_offset == int(logs[1][:20])
    store.close()
    logs_left = [name for name in files.list_names(LOG_DIRECTORY) if name.endswith(".log")]
    assert logs_left == logs[:1]


def test_below_the_recovery_point_nothing_is_looked_at_again() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    for _ in range(30):
        append(log, batch_of_size(2))
    log.flush()
    store.write_checkpoints()
    store.close(is_clean=False)
    data = bytearray(files.read_all(FIRST_LOG))
    data[-1] ^= 1
    files.write(FIRST_LOG, bytes(data))

    store = open_store(files)
    assert open_log(store).log_end_offset == 60
    store.close()


def test_a_clean_start_does_not_check_the_batches_and_an_unclean_one_does() -> None:
    for is_clean, end_offset in ((True, 6), (False, 4)):
        files, _ = written(is_clean=True)
        data = bytearray(files.read_all(FIRST_LOG))
        data[-1] ^= 1
        files.write(FIRST_LOG, bytes(data))
        if not is_clean:
            files.remove(f"{DIRECTORY}/.kafka_cleanshutdown")
            files.remove(f"{DIRECTORY}/recovery-point-offset-checkpoint")
        store = open_store(files)
        assert open_log(store).log_end_offset == end_offset
        store.close()


@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
@pytest.mark.parametrize("content", [None, b"", b"\1\2\3", b"\xff" * 24, bytes(48), b"\x7f" * 24])
def test_a_damaged_index_is_made_anew(suffix: str, content: bytes | None) -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    for i in range(30):
        append(log, batch_of_size(2, timestamp_ms=1000 + 10 * i))
    everything = whole(log)
    found = [log.find_timestamp(time, 60) for time in range(1000, 1300, 7)]
    store.close()
    for name in files.list_names(LOG_DIRECTORY):
        if name.endswith(suffix):
            files.remove(f"{LOG_DIRECTORY}/{name}")
            if content is not None:
                files.write(f"{LOG_DIRECTORY}/{name}", content)

    store = open_store(files)
    log = open_log(store)
    assert whole(log) == everything
    if content is None or len(content) % 12 or suffix == ".index":
        assert [log.find_timestamp(time, 60) for time in range(1000, 1300, 7)] == found
    store.close()


def test_a_damaged_epoch_checkpoint_is_made_from_the_log() -> None:
    for content in (b"", b"0\n9\n0 0\n", b"nonsense", b"0\n2\n5 9\n1 2\n", b"\xff\xfe"):
        files, _ = written(is_clean=True)
        files.write(f"{LOG_DIRECTORY}/leader-epoch-checkpoint", content)
        store = open_store(files)
        log = open_log(store)
        assert [log.end_offset_for_epoch(epoch).end_offset for epoch in range(3)] == [2, 4, 6]
        store.close()


def test_a_damaged_snapshot_is_made_from_the_log() -> None:
    for content in (b"", b"\0\1", bytes(52), b"\xff" * 52):
        files, _ = written(is_clean=True)
        files.write(f"{LOG_DIRECTORY}/{6:020d}.snapshot", content)
        store = open_store(files)
        log = open_log(store)
        assert [producer.last_sequence for producer in log.active_producers()] == [5]
        store.close()


def test_a_log_that_was_never_opened_in_an_unclean_session_is_not_called_clean() -> None:
    files, sizes = written()
    cut(files, FIRST_LOG, sizes[2] - 1)
    store = open_store(files)
    store.close()

    store = open_store(files)
    assert not store.was_clean
    assert open_log(store).log_end_offset == 4
    store.close()


def test_a_deleted_segment_that_is_there_again_is_of_no_use() -> None:
    """As after a loss of power; what the producers were by then is not in it."""
    files = MemoryFiles()
    store = open_store(files)
    config = LogConfig(segment_bytes=200, retention_bytes=200)
    log = open_log(store, config)
    of_producer = batch_of_size(1, producer_id=9, producer_epoch=0, base_sequence=0)
    append(log, of_producer)
    for _ in range(3):
        append(log, batch_of_size(1, value=b"x" * 100))
    deleted = f"{LOG_DIRECTORY}/{1:020d}.log"
    content = files.read_all(deleted)
    log.apply_retention(2000, log.log_end_offset)
    assert log.log_start_offset == 2
    store.close(is_clean=False)
    files.write(deleted, content[:-1])

    log = open_log(open_store(files), config)

    assert (log.log_start_offset, log.log_end_offset) == (2, 4)
    assert files.size(deleted) == -1
    assert append(log, of_producer) == 0  # A duplicate.


def test_a_start_offset_beyond_the_end_begins_an_empty_log_there() -> None:
    files, sizes = written()
    cut(files, FIRST_LOG, sizes[0])
    name = LOG_DIRECTORY.rpartition("/")[2].removesuffix("-0")
    text = f"0\n1\n{name} 0 5\n".encode()
    files.write(f"{DIRECTORY}/log-start-offset-checkpoint", text)

    store = open_store(files)
    log = open_log(store)
    assert (log.log_start_offset, log.log_end_offset) == (5, 5)
    assert append(log, batch_of_size(), leader_epoch=9) == 5
    store.close()


def test_whatever_is_damaged_a_log_opens_or_says_why_not() -> None:
    random = Random(7)
    opened = 0
    for _ in range(400):
        files, _ = damaged_log(random)
        with suppress(LogFailed):
            store = open_store(files)
            with suppress(LogFailed):
                log = open_log(store)
                opened += 1
                for offset in range(log.log_start_offset, min(log.log_end_offset, 60)):
                    log.read(offset, 500, log.log_end_offset, True)
                log.find_timestamp(1010, log.log_end_offset)
                log.find_max_timestamp(log.log_end_offset)
                append(log, batch_of_size(), leader_epoch=99)
                log.apply_retention(1 << 50, log.log_end_offset)
            store.close(is_clean=random.random() < 0.5)
    assert opened > 200


def damaged_log(random: Random) -> tuple[MemoryFiles, str]:
    """A log of several segments of which one file has been changed."""
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, SMALL)
    for i in range(25):
        append(
            log,
            batch_of_size(
                2, timestamp_ms=1000 + i, producer_id=1, producer_epoch=0, base_sequence=2 * i
            ),
            leader_epoch=i // 5,
        )
    log.advance_log_start_offset(3)
    store.close(is_clean=random.random() < 0.7)
    directory = random.choice((DIRECTORY, LOG_DIRECTORY, LOG_DIRECTORY))
    names = [name for name in files.list_names(directory) if not name.endswith("-0")]
    path = f"{directory}/{random.choice(names)}"
    data = bytearray(files.read_all(path))
    match random.randrange(5):
        case 0:
            files.remove(path)
            return files, path
        case 1:
            del data[random.randrange(len(data) + 1) :]
        case 2:
            data += random.randbytes(random.randrange(1, 60))
        case 3:
            for _ in range(random.randrange(1, 4)):
                if data:
                    data[random.randrange(len(data))] = random.randrange(256)
        case 4:
            data = bytearray(random.randbytes(len(data)))
    files.write(path, bytes(data))
    return files, path
