"""Brokers whose logs go wrong on purpose: what a slip in the code would do, from the outside.

Each fault replaces a part of the broker for one test, and has a program that makes it show.  The
program is one that a sound broker goes through.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.fetch_reading import Reading
from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.core.partition import Partition
from kproof_impl.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproof_impl.storage import partition_log
from kproof_impl.storage.partition_log import FilePartitionLog as Log

CONFIGS = {"segment.bytes": "300", "retention.ms": "5000", "file.delete.delay.ms": "0"}

Install = Callable[[pytest.MonkeyPatch], None]
Program = Callable[[Stepper], None]


@dataclass(frozen=True, slots=True)
class LogFault:
    """`says` is a part of what the specification says to it."""

    name: str
    install: Install
    program: Program
    says: str


# -- programs ----------------------------------------------------------------------------------


def produce_and_read(broker: Stepper) -> None:
    broker.topic("orders", configs=CONFIGS)
    for _ in range(3):
        broker.produce("orders", b"a", b"b")
    broker.fetched("orders")


def fill_segments(broker: Stepper) -> None:
    broker.topic("orders", configs=CONFIGS)
    for _ in range(12):
        broker.produce("orders", b"x" * 20)
        broker.advance(100)


def grow_old(broker: Stepper) -> None:
    fill_segments(broker)
    broker.partition("orders").apply_retention(broker.now_ms)
    broker.produce("orders", b"after retention")
    broker.partition("orders").apply_retention(broker.now_ms + 60_000)
    broker.produce("orders", b"after more of it")


def grow_all_old(broker: Stepper) -> None:
    fill_segments(broker)
    broker.partition("orders").apply_retention(broker.now_ms + 60_000)
    broker.produce("orders", b"after retention")


def delete_and_delete_less(broker: Stepper) -> None:
    produce_and_read(broker)
    broker.partition("orders").delete_records(4)
    broker.partition("orders").delete_records(2)
    broker.produce("orders", b"c")


def delete_and_ask_for_it(broker: Stepper) -> None:
    produce_and_read(broker)
    broker.partition("orders").delete_records(3)
    broker.fetch_partition("orders", offset=1)


def delete_and_crash(broker: Stepper) -> None:
    produce_and_read(broker)
    broker.partition("orders").delete_records(3)
    broker.crash()


def flush_and_crash(broker: Stepper) -> None:
    produce_and_read(broker)
    broker.partition("orders").log.flush()
    broker.crash()


def produce_and_stop(broker: Stepper) -> None:
    produce_and_read(broker)
    broker.restart()


def delete_by_request(broker: Stepper) -> None:
    produce_and_read(broker)
    for offset in (2, -1):
        wanted = DeleteRecordsPartition(0, offset)
        broker.send(DeleteRecordsRequest([DeleteRecordsTopic("orders", [wanted])]), 2)


def read_two_partitions(broker: Stepper) -> None:
    broker.topic("orders", partitions=2, configs=CONFIGS)
    broker.produce("orders", b"a", partition=0)
    broker.produce("orders", b"b", partition=1)
    wanted = [FetchPartition(index, partition_max_bytes=1000) for index in range(2)]
    broker.send(FetchRequest(topics=[FetchTopic(partitions=wanted, topic="orders")]), 12)


# -- faults ------------------------------------------------------------------------------------


def _around(patch: pytest.MonkeyPatch, name: str, wrap: Callable[[Any], Any]) -> None:
    patch.setattr(Log, name, wrap(getattr(Log, name)))


def skip_an_offset(patch: pytest.MonkeyPatch) -> None:
    def wrap(append: Any) -> Any:
        def skipping(log: Any, *arguments: Any) -> int:
            log.log_end_offset += log.log_end_offset == 2
            return int(append(log, *arguments))

        return skipping

    _around(patch, "append", wrap)


def count_one_record_a_batch(patch: pytest.MonkeyPatch) -> None:
    def wrap(append: Any) -> Any:
        def counting(log: Any, *arguments: Any) -> int:
            base_offset = int(append(log, *arguments))
            log.log_end_offset = base_offset + 1
            return base_offset

        return counting

    _around(patch, "append", wrap)


def answer_the_next_offset(patch: pytest.MonkeyPatch) -> None:
    _around(patch, "append", lambda append: lambda log, *rest: append(log, *rest) + 1)


def read_past_the_high_watermark(patch: pytest.MonkeyPatch) -> None:
    """Whoever reads gives a bound that is one too far."""
    read = ObservedLog.read
    patch.setattr(
        ObservedLog,
        "read",
        lambda log, offset, size, end, at_least_one: read(log, offset, size, end + 1, at_least_one),
    )


def read_what_was_deleted(patch: pytest.MonkeyPatch) -> None:
    """Whoever reads does not see where the log starts by now."""
    patch.setattr(ObservedLog, "log_start_offset", property(lambda _: 0))


def move_the_start_back(patch: pytest.MonkeyPatch) -> None:
    def wrap(advance: Any) -> Any:
        def moving(log: Any, offset: int) -> None:
            advance(log, offset)
            log.log_start_offset = offset

        return moving

    _around(patch, "advance_log_start_offset", wrap)


def forget_the_start(patch: pytest.MonkeyPatch) -> None:
    def forgetting(log: Any, offset: int) -> None:
        log.log_start_offset = offset  # And no checkpoint says so.

    patch.setattr(Log, "advance_log_start_offset", forgetting)


def delete_a_young_segment(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(partition_log, "expired_count", lambda segments, *_: len(segments.all) - 1)


def delete_the_active_segment(patch: pytest.MonkeyPatch) -> None:
    """Its segment goes with the records in it, and none takes its place: offsets start anew."""

    def wrap(apply_retention: Any) -> Any:
        def deleting(log: Any, now_ms: int, high_watermark: int) -> int:
            active = log.active_base_offset
            patch.setattr(partition_log, "expired_count", lambda segments, *_: len(segments.all))
            patch.setattr(Log, "active_base_offset", active)
            return int(apply_retention(log, now_ms, high_watermark))

        return deleting

    _around(patch, "apply_retention", wrap)


def call_a_segment_by_the_wrong_offset(patch: pytest.MonkeyPatch) -> None:
    right = Log.active_base_offset
    assert isinstance(right, property)
    assert right.fget is not None
    of = right.fget
    patch.setattr(Log, "active_base_offset", property(lambda log: of(log) and of(log) - 1))


def claim_more_than_was_forced(patch: pytest.MonkeyPatch) -> None:
    def wrap(flush: Any) -> Any:
        def claiming(log: Any) -> None:
            flush(log)
            log.recovery_point += 1

        return claiming

    _around(patch, "flush", wrap)


def lose_what_was_forced(patch: pytest.MonkeyPatch) -> None:
    def wrap(begin: Any) -> Any:
        def losing(log: Any, *arguments: Any, **named: Any) -> None:
            begin(log, *arguments, **named)
            if log.log_end_offset == 6:  # Where the program's ends; the metadata log does not.
                log.truncate_to(log.log_end_offset - 1)

        return losing

    _around(patch, "__init__", wrap)


def delete_more_than_asked(patch: pytest.MonkeyPatch) -> None:
    delete_records = Partition.delete_records

    def deleting(partition: Partition, offset: int) -> None:
        delete_records(partition, min(offset + 1, partition.high_watermark))

    patch.setattr(Partition, "delete_records", deleting)


def answer_with_anothers_records(patch: pytest.MonkeyPatch) -> None:
    """What was read of a partition is answered as of another."""
    read = Reading.read

    def swapping(reading: Reading) -> None:
        read(reading)
        found = [one for _, one in reading._results if one.records]
        if len(found) == 2:
            one, other = found
            one.records, other.records = other.records, one.records

    patch.setattr(Reading, "read", swapping)


FAULTS = (
    LogFault("an offset is skipped", skip_an_offset, produce_and_read, "base offset 3"),
    LogFault(
        "a batch counts as one", count_one_record_a_batch, produce_and_read, "high_watermark = 1"
    ),
    LogFault("an answer is off by one", answer_the_next_offset, produce_and_read, "base offset 1"),
    LogFault(
        "a reader gets what is not committed",
        read_past_the_high_watermark,
        produce_and_read,
        "the high watermark is 6",
    ),
    LogFault(
        "a reader gets what was deleted",
        read_what_was_deleted,
        delete_and_ask_for_it,
        "reader_fetch",
    ),
    LogFault(
        "the start of the log moves back",
        move_the_start_back,
        delete_and_delete_less,
        "log_start_offset = 2",
    ),
    LogFault(
        "deleted records come back", forget_the_start, delete_and_crash, "log_start_offset = 0"
    ),
    LogFault("retention deletes a young segment", delete_a_young_segment, grow_old, "nor too old"),
    LogFault(
        "retention deletes the active segment",
        delete_the_active_segment,
        grow_all_old,
        "cleaner_delete",
    ),
    LogFault(
        "a segment has the wrong base offset",
        call_a_segment_by_the_wrong_offset,
        fill_segments,
        "a segment begins at",
    ),
    LogFault(
        "more is claimed to be on disk than there is",
        claim_more_than_was_forced,
        flush_and_crash,
        "beyond the end of the log",
    ),
    LogFault(
        "more records are deleted than was asked for",
        delete_more_than_asked,
        delete_by_request,
        "asked for the records below 2 to be deleted, the log started at 0, and starts at 3",
    ),
    LogFault(
        "an answer has another partition's records",
        answer_with_anothers_records,
        read_two_partitions,
        "other bytes than were appended",
    ),
    LogFault("what was on disk is lost", lose_what_was_forced, flush_and_crash, "broker_crash"),
    LogFault("a clean stop loses a record", lose_what_was_forced, produce_and_stop, "broker_crash"),
)
