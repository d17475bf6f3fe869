"""The directory of a broker: whose it is, which logs it has, and what happens to deleted ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from impl_support.logs import SMALL, TOPIC, append, batch_of_size, open_log, open_store, whole
from kproof_impl.core.ports import LogStore, PartitionLog
from kproof_impl.records.build import assign
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.faulty_files import FaultyFiles
from kproof_impl.storage.log_store import (
    CHECKPOINT_INTERVAL_MS,
    REMOVED_AT_ONCE,
    FileLogStore,
    memory_log_store,
)
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.names import directory_name
from kproof_impl.storage.real_files import RealFiles

OTHER = UUID(int=5)


def test_the_store_and_its_logs_are_what_the_core_asks_for() -> None:
    store: LogStore = memory_log_store()
    log: PartitionLog = store.open(TOPIC, "orders", 3, SMALL)
    assert log.log_end_offset == 0
    assert store.usable_bytes() == (-1, -1)
    store.close()


def test_a_log_opened_twice_is_the_same() -> None:
    store = open_store(MemoryFiles())
    assert open_log(store) is open_log(store)


def test_existing_names_the_partitions_whether_open_or_not() -> None:
    files = MemoryFiles()
    store = open_store(files)
    for topic_id, partition in ((TOPIC, 0), (TOPIC, 11), (OTHER, 2)):
        append(store.open(topic_id, "t", partition, SMALL), batch_of_size())
    store.close()
    files.make_directory("/data/lost+found")
    store = open_store(files)
    assert sorted(store.existing()) == sorted([(TOPIC, 0), (TOPIC, 11), (OTHER, 2)])


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_log_has_a_directory_from_its_first_record_on(is_clean: bool) -> None:
    files = MemoryFiles()
    store = open_store(files)
    logs = [store.open(TOPIC, "orders", partition, SMALL) for partition in range(3)]
    logs[2].begin_epoch(4)
    logs[2].flush()
    assert list(store.existing()) == []
    store.close(is_clean)

    store = open_store(files)
    logs = [store.open(TOPIC, "orders", partition, SMALL) for partition in range(3)]
    batch = batch_of_size()
    append(logs[1], batch, leader_epoch=7)
    assert list(store.existing()) == [(TOPIC, 1)]
    store.close(is_clean)

    store = open_store(files)
    log = store.open(TOPIC, "orders", 1, SMALL)
    assert (log.log_end_offset, log.latest_epoch) == (1, 7)
    assert whole(log) == assign(batch, 0, 7)
    store.close()


def test_a_log_whose_directory_the_disk_refuses_takes_the_record_when_it_is_sent_again() -> None:
    files = FaultyFiles(Random(1))
    log = open_log(open_store(files))
    for calls in range(4):
        files.fail_after("write", calls)
        with pytest.raises(LogFailed):
            append(log, batch_of_size())
        assert (log.log_end_offset, log.is_failed) == (0, False)
    append(log, batch_of_size())
    assert log.log_end_offset == 1
    assert len(whole(log)) > 0


def test_a_hostile_topic_name_names_no_file() -> None:
    files = MemoryFiles()
    store = open_store(files)
    append(store.open(TOPIC, "../../etc/passwd\n", 0, SMALL), batch_of_size())
    assert directory_name(TOPIC, 0) in files.list_names("/data")
    assert files.list_names("/") == ["data"]


def test_a_deleted_log_goes_by_and_by_and_never_comes_back() -> None:
    files = MemoryFiles()
    store = open_store(files)
    store.tick(1000)
    append(open_log(store), batch_of_size())
    store.delete(TOPIC, [0])
    assert list(store.existing()) == []
    store.tick(1000 + SMALL.file_delete_delay_ms - 1)
    assert [name for name in files.list_names("/data") if name.endswith("-delete")]
    store.tick(1000 + SMALL.file_delete_delay_ms)
    assert not [name for name in files.list_names("/data") if name.endswith("-delete")]
    assert open_log(store).log_end_offset == 0


def test_a_deleted_log_is_gone_at_a_restart() -> None:
    files = MemoryFiles()
    store = open_store(files)
    append(open_log(store), batch_of_size())
    store.delete(TOPIC, [0])
    store.close(is_clean=False)
    store = open_store(files)
    assert list(store.existing()) == []
    assert not [name for name in files.list_names("/data") if name.endswith("-delete")]


def test_a_log_may_be_deleted_made_and_deleted_again() -> None:
    store = open_store(MemoryFiles())
    for _ in range(3):
        append(open_log(store), batch_of_size())
        store.delete(TOPIC, [0])
    store.delete(TOPIC, [0])
    assert open_log(store).log_end_offset == 0


def test_the_recovery_points_are_written_once_a_minute() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    append(log, batch_of_size())
    log.flush()
    store.tick(1000)
    store.tick(999 + CHECKPOINT_INTERVAL_MS)
    assert files.size("/data/recovery-point-offset-checkpoint") == -1
    store.tick(1000 + CHECKPOINT_INTERVAL_MS)
    assert files.read_all("/data/recovery-point-offset-checkpoint").endswith(b" 0 1\n")


def test_high_watermarks_are_kept_for_whoever_replicates() -> None:
    files = MemoryFiles()
    store = open_store(files)
    store.write_high_watermarks({(TOPIC, 0): 7, (OTHER, 1): 9})
    assert store.read_high_watermarks() == {(TOPIC, 0): 7, (OTHER, 1): 9}


def test_a_directory_of_another_cluster_or_node_is_refused() -> None:
    files = MemoryFiles()
    FileLogStore(files, "/data", cluster_id="mine", node_id=1).close()
    with pytest.raises(LogFailed, match=r"cluster\.id=mine and this broker has other"):
        FileLogStore(files, "/data", cluster_id="other", node_id=1)
    with pytest.raises(LogFailed, match=r"node\.id=1 and this broker has 2"):
        FileLogStore(files, "/data", cluster_id="mine", node_id=2)


def test_two_brokers_cannot_have_one_directory(tmp_path: Path) -> None:
    store = FileLogStore(RealFiles(), str(tmp_path))
    with pytest.raises(LogFailed, match="Another broker uses"):
        FileLogStore(RealFiles(), str(tmp_path))
    store.close()
    FileLogStore(RealFiles(), str(tmp_path)).close()


def test_a_directory_that_cannot_be_used_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogFailed, match="Cannot make"):
        FileLogStore(RealFiles(), str(tmp_path / "file"))


def test_many_logs_need_few_open_files(tmp_path: Path) -> None:
    files = RealFiles(open_max=10)
    store = FileLogStore(files, str(tmp_path))
    logs = [store.open(TOPIC, "t", partition, SMALL) for partition in range(60)]
    for _ in range(3):
        for partition, log in enumerate(logs):
            append(log, batch_of_size(2, value=b"%d" % partition))
    before = [whole(log) for log in logs]
    assert files.open_count <= 10
    store.close()

    store = FileLogStore(RealFiles(open_max=10), str(tmp_path))
    logs = [store.open(TOPIC, "t", partition, SMALL) for partition in range(60)]
    assert [whole(log) for log in logs] == before
    store.close()


def test_rolled_segments_are_forced_while_the_broker_goes_on(tmp_path: Path) -> None:
    store = FileLogStore(RealFiles(), str(tmp_path))
    log = store.open(TOPIC, "t", 0, SMALL)
    while log.recovery_point == 0:
        append(log, batch_of_size(5))
        log.tick(0)
        assert log.log_end_offset < 1_000_000
    assert log.recovery_point < log.log_end_offset
    store.close()


def test_the_same_log_on_real_files_is_the_same_bytes(tmp_path: Path) -> None:
    logs = []
    for files, directory in ((RealFiles(), str(tmp_path)), (MemoryFiles(), "/data")):
        store = FileLogStore(files, directory)
        log = store.open(TOPIC, "t", 0, SMALL)
        for i in range(40):
            append(log, batch_of_size(i % 5 + 1, timestamp_ms=i))
        log.advance_log_start_offset(20)
        log.truncate_to(90)
        store.close()
        place = f"{directory}/{directory_name(TOPIC, 0)}"
        names = files.list_names(place)
        logs.append({name: files.read_all(f"{place}/{name}") for name in names})
    assert logs[0] == logs[1]


class CountingFiles(MemoryFiles):
    """Counts how often directories are read and forced."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = self.forced = 0

    def list_names(self, path: str) -> list[str]:
        self.listed += 1
        return super().list_names(path)

    def fsync_directory(self, path: str) -> None:
        self.forced += 1
        super().fsync_directory(path)


def test_a_topic_of_many_partitions_is_deleted_by_one_look_at_the_directory() -> None:
    """4,097 partitions took more than five seconds when each looked by itself."""
    files = CountingFiles()
    store = open_store(files)
    for partition in range(250):
        append(store.open(TOPIC, "orders", partition, SMALL), batch_of_size())
    files.listed = files.forced = 0

    store.delete(TOPIC, range(250))

    assert (files.listed, files.forced) == (1, 1)
    assert list(store.existing()) == []
    left = []
    for _ in range(4):
        left.append(sum(name.endswith("-delete") for name in files.list_names("/data")))
        store.tick(SMALL.file_delete_delay_ms)
    assert left == [250, 250 - REMOVED_AT_ONCE, 250 - 2 * REMOVED_AT_ONCE, 0]
