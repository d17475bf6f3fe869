"""Idempotent producers (KIP-98): repeats are recognised, gaps and old epochs refused."""

from __future__ import annotations

import pytest

from impl_support.logs import SMALL, append, batch_of_size, open_log, open_store
from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.errors import ProducerRefused
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.partition_log import PRODUCER_CHECK_MS, FilePartitionLog

SEQUENCE_MAX = (1 << 31) - 1


def new_log(config: LogConfig = SMALL) -> FilePartitionLog:
    return open_log(open_store(MemoryFiles()), config)


def send(
    log: FilePartitionLog,
    sequence: int,
    count: int = 1,
    *,
    epoch: int = 0,
    producer_id: int = 5,
    timestamp_ms: int = 1000,
) -> int:
    batch = batch_of_size(
        count,
        timestamp_ms=timestamp_ms,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
    )
    return append(log, batch, now_ms=timestamp_ms)


def refused(log: FilePartitionLog, sequence: int, count: int = 1, *, epoch: int = 0) -> int:
    with pytest.raises(ProducerRefused) as caught:
        send(log, sequence, count, epoch=epoch)
    return caught.value.error_code


def test_each_of_the_last_five_batches_is_answered_with_its_first_offset() -> None:
    log = new_log()
    offsets = [send(log, sequence, 2) for sequence in range(0, 14, 2)]
    assert offsets == [0, 2, 4, 6, 8, 10, 12]

    assert [send(log, sequence, 2) for sequence in range(4, 14, 2)] == offsets[2:]
    assert log.log_end_offset == 14
    assert refused(log, 2, 2) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_repeat_with_another_length_is_no_repeat() -> None:
    log = new_log()
    send(log, 0, 2)
    assert refused(log, 0, 1) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(log, 1, 1) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_gap_is_refused_and_leaves_the_log_as_it_was() -> None:
    log = new_log()
    send(log, 0)
    assert refused(log, 2) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert log.log_end_offset == 1
    assert send(log, 1) == 1


def test_an_unknown_producer_may_begin_anywhere() -> None:
    log = new_log()
    assert send(log, 17) == 0
    assert send(log, 18) == 1


def test_after_the_largest_sequence_comes_zero() -> None:
    log = new_log()
    send(log, SEQUENCE_MAX)
    assert send(log, 0) == 1
    assert send(log, SEQUENCE_MAX) == 0


def test_a_batch_may_wrap_around_in_its_middle() -> None:
    log = new_log()
    send(log, SEQUENCE_MAX - 1, 4)
    assert [producer.last_sequence for producer in log.active_producers()] == [1]
    assert send(log, SEQUENCE_MAX - 1, 4) == 0
    assert send(log, 2) == 4


def test_an_old_epoch_is_refused_even_for_a_batch_that_was_written() -> None:
    log = new_log()
    send(log, 0)
    send(log, 0, epoch=1)
    assert refused(log, 0) == ErrorCode.INVALID_PRODUCER_EPOCH
    assert refused(log, 1) == ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_new_epoch_begins_with_zero() -> None:
    log = new_log()
    send(log, 0)
    assert refused(log, 1, epoch=1) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert send(log, 0, epoch=1) == 1


def test_producers_do_not_know_of_each_other_and_a_batch_without_id_is_never_a_repeat() -> None:
    log = new_log()
    send(log, 0, producer_id=1)
    assert send(log, 0, producer_id=2) == 1
    batch = batch_of_size()
    assert [append(log, batch), append(log, batch)] == [2, 3]
    assert [producer.producer_id for producer in log.active_producers()] == [1, 2]


@pytest.mark.parametrize("is_clean", [True, False])
def test_the_last_batch_is_recognised_after_a_restart(is_clean: bool) -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    for sequence in range(40):
        send(log, sequence)
    store.close(is_clean=is_clean)

    store = open_store(files)
    log = open_log(store)
    assert send(log, 39) == 39
    assert send(log, 40) == 40
    store.close()


def test_producers_outlive_their_records() -> None:
    files = MemoryFiles()
    store = open_store(files)
    log = open_log(store)
    send(log, 0)
    for _ in range(40):
        append(log, batch_of_size())
    log.advance_log_start_offset(40)
    store.close()

    log = open_log(open_store(files))
    assert refused(log, 2) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_producer_silent_for_a_day_is_forgotten() -> None:
    log = new_log()
    send(log, 0, producer_id=1, timestamp_ms=1000)
    send(log, 0, producer_id=2, timestamp_ms=2000 + PRODUCER_CHECK_MS)
    log.tick(86_400_000 + 999)
    assert [producer.producer_id for producer in log.active_producers()] == [1, 2]
    log.tick(86_400_000 + 999 + PRODUCER_CHECK_MS)
    assert [producer.producer_id for producer in log.active_producers()] == [2]


def test_truncation_takes_back_what_the_log_knew() -> None:
    log = new_log()
    for sequence in range(30):
        send(log, sequence)
    log.truncate_to(11)
    assert [producer.last_sequence for producer in log.active_producers()] == [10]
    assert send(log, 11) == 11
