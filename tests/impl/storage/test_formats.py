"""Every file is, byte for byte, what Kafka writes."""

from __future__ import annotations

import struct
from uuid import UUID

from crc32c import crc32c

from impl_support.logs import (
    DIRECTORY,
    LOG_DIRECTORY,
    SMALL,
    TOPIC,
    append,
    batch_of_size,
    open_log,
    open_store,
)
from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import assign
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.names import directory_name, parse_directory_name


def test_the_log_file_is_the_batches_with_their_offsets_and_epoch() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    first, second = batch_of_size(2), batch_of_size(3, timestamp_ms=5, codec=1)
    append(log, first, leader_epoch=4)
    append(log, second, leader_epoch=7)
    store.close()

    data = files.read_all(f"{LOG_DIRECTORY}/{0:020d}.log")
    assert data == assign(first, 0, 4) + assign(second, 2, 7)
    assert data[: len(first)][16:] == first[16:]


def test_the_offset_index_has_last_offset_and_position_of_each_batch_after_the_interval() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, LogConfig(index_interval_bytes=150))
    batch = batch_of_size(2)
    assert len(batch) == 83
    for _ in range(7):
        append(log, batch)
    store.close()

    data = files.read_all(f"{LOG_DIRECTORY}/{0:020d}.index")
    # 166 bytes exceed the interval: so the third batch has an entry, and then every second.
    assert data == struct.pack(">iiiiii", 5, 166, 9, 332, 13, 498)


def test_the_time_index_has_growing_timestamps_and_one_more_entry_at_the_close() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, LogConfig(index_interval_bytes=150))
    for timestamp_ms in (10, 50, 20, 30, 60, 70, 65):
        append(log, batch_of_size(2, timestamp_ms=timestamp_ms))
    store.close()

    data = files.read_all(f"{LOG_DIRECTORY}/{0:020d}.timeindex")
    # Entries at the third, fifth and seventh batch; at the close nothing is later than 71.
    assert data == struct.pack(">qiqiqi", 51, 3, 61, 9, 71, 11)


def test_the_epochs_are_a_checkpoint_of_version_0() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    log.begin_epoch(2)
    append(log, batch_of_size(3), leader_epoch=2)
    log.begin_epoch(5)
    store.close()

    assert files.read_all(f"{LOG_DIRECTORY}/leader-epoch-checkpoint") == b"0\n2\n2 0\n5 3\n"


def test_the_snapshot_has_a_crc_and_42_bytes_a_producer() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    append(log, batch_of_size(1, producer_id=77, producer_epoch=2, base_sequence=0))
    append(log, batch_of_size(3, timestamp_ms=9, producer_id=77, producer_epoch=2, base_sequence=1))
    store.close()

    data = files.read_all(f"{LOG_DIRECTORY}/{4:020d}.snapshot")
    body = struct.pack(">iqhiqiqiq", 1, 77, 2, 3, 3, 2, 11, -1, -1)
    assert data == struct.pack(">hI", 1, crc32c(body)) + body


def test_a_snapshot_without_producers_has_10_bytes() -> None:
    files = MemoryFiles()
    store = open_store(files)
    append(open_log(store), batch_of_size())
    store.close()

    assert files.size(f"{LOG_DIRECTORY}/{1:020d}.snapshot") == 10


def test_the_checkpoints_of_the_directory_have_topic_partition_and_offset() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    for _ in range(3):
        append(log, batch_of_size())
    log.advance_log_start_offset(2)
    store.write_high_watermarks({(TOPIC, 0): 3})
    store.close()

    name = directory_name(TOPIC, 0).rpartition("-")[0].encode()
    for file_name, offset in (
        ("recovery-point-offset-checkpoint", 3),
        ("log-start-offset-checkpoint", 2),
        ("replication-offset-checkpoint", 3),
    ):
        wanted = b"0\n1\n%s 0 %d\n" % (name, offset)
        assert files.read_all(f"{DIRECTORY}/{file_name}") == wanted


def test_a_clean_shutdown_leaves_its_marker_and_a_running_broker_has_none() -> None:
    files = MemoryFiles()
    store = open_store(files)
    assert files.size(f"{DIRECTORY}/.kafka_cleanshutdown") == -1
    store.close()

    marker = files.read_all(f"{DIRECTORY}/.kafka_cleanshutdown")
    assert marker == b'{"version":0,"brokerEpoch":-1}'


def test_meta_properties_and_partition_metadata_tell_whose_the_files_are() -> None:
    files = MemoryFiles()
    store = open_store(files)
    append(open_log(store), batch_of_size())
    store.close()

    properties = files.read_all(f"{DIRECTORY}/meta.properties").decode().splitlines()
    assert {"version=1", "cluster.id=kproof", "node.id=0"} <= set(properties)
    metadata = files.read_all(f"{LOG_DIRECTORY}/partition.metadata").decode().splitlines()
    assert metadata[:2] == ["version: 0", "topic_id: e17Z1ywvTzyeWAwfbB4qEA"]


def test_a_directory_is_named_by_the_topics_id_in_22_characters() -> None:
    for topic_id in (TOPIC, UUID(int=0), UUID(int=(1 << 128) - 1)):
        name = directory_name(topic_id, 12)
        assert len(name) == 25
        assert parse_directory_name(name) == (topic_id, 12)
    for name in ("", "-0", "orders-0", "a" * 22 + "-01", "a" * 22 + "-x", "\u00e9" * 22 + "-0"):
        assert parse_directory_name(name) is None


def test_segment_files_are_named_by_their_first_offset_in_20_digits() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store, SMALL)
    while len(files.list_names(LOG_DIRECTORY)) < 6:
        append(log, batch_of_size(5))
    store.close()

    logs = [name for name in files.list_names(LOG_DIRECTORY) if name.endswith(".log")]
    bases = [int(name[:20]) for name in logs]
    assert [len(name) for name in logs] == [24] * len(logs)
    for base, name in zip(bases, logs, strict=True):
        data = files.read_all(f"{LOG_DIRECTORY}/{name}")
        assert not data or header_at(data).base_offset == base
