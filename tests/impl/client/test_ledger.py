"""The books of a worker pool: never a commit above an unfinished record, and nothing is lost."""

from random import Random

import pytest
from hypothesis import settings

from impl_support.pool_machine import PoolBench, PoolMachine
from kproof_impl.client.errors import LedgerMisused
from kproof_impl.client.ledger import Ledger
from kproof_impl.client.tenure import Order, TopicPartition

HERE = TopicPartition("orders", 0)
THERE = TopicPartition("orders", 1)

TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


def with_records(number: int, *, order: Order = Order.NONE, max_in_flight: int = 10) -> Ledger:
    """A ledger that was given the first records of a partition."""
    ledger = Ledger(max_in_flight, order)
    ledger.consumer_assign(HERE)
    for offset in range(number):
        ledger.poll_thread_enter()
        ledger.poll_thread_dispatch(HERE, offset, b"%d" % (offset % 2), offset)
    return ledger


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("seed", range(8))
def test_random_walks_with_rebalances_lose_nothing(order: Order, seed: int) -> None:
    bench = PoolBench(order=order, log=(0, 1, 2, 5, 6, 7, 8, 20, *range(30, 60)))
    bench.walk(Random(seed), 400)


def test_the_prefix_ends_at_the_first_gap() -> None:
    ledger = with_records(3)
    first, second, third = (ledger.worker_start() for _ in range(3))
    assert first
    assert second
    assert third

    ledger.worker_finish(third)
    assert ledger.poll_thread_commit() == {}
    ledger.worker_finish(first)
    assert ledger.poll_thread_commit() == {HERE: 1}
    ledger.commit_taken({HERE: 1})
    ledger.worker_finish(second)
    assert ledger.poll_thread_commit() == {HERE: 3}


def test_offsets_that_are_missing_from_the_log_hold_nothing_up() -> None:
    ledger = with_records(1)
    ticket = ledger.worker_start()
    assert ticket
    ledger.worker_finish(ticket)
    ledger.poll_thread_enter()
    ledger.poll_thread_dispatch(HERE, 7, None, 7)

    assert ledger.poll_thread_commit() == {HERE: 7}


def test_a_refused_commit_is_sent_again() -> None:
    ledger = with_records(1)
    ticket = ledger.worker_start()
    assert ticket
    ledger.worker_finish(ticket)

    ledger.commit_refused(ledger.poll_thread_commit())
    assert ledger.poll_thread_commit() == {HERE: 1}


def test_a_key_is_processed_one_record_at_a_time_and_other_keys_go_on() -> None:
    ledger = with_records(4, order=Order.KEY)
    first, second = ledger.worker_start(), ledger.worker_start()
    assert first
    assert second
    assert (first.offset, second.offset) == (0, 1)
    assert ledger.worker_start() is None

    ledger.worker_finish(second)
    third = ledger.worker_start()
    assert third
    assert third.offset == 3


def test_an_order_by_partitions_starts_one_record_of_each() -> None:
    ledger = with_records(3, order=Order.PARTITION)

    assert ledger.worker_start()
    assert ledger.worker_start() is None


def test_records_without_a_key_do_not_wait_for_each_other() -> None:
    ledger = Ledger(5, Order.KEY)
    ledger.consumer_assign(HERE)
    for offset in range(3):
        ledger.poll_thread_enter()
        ledger.poll_thread_dispatch(HERE, offset, None, offset)

    assert all(ledger.worker_start() for _ in range(3))


def test_a_full_window_pauses_every_partition_and_half_of_it_resumes_them() -> None:
    ledger = Ledger(4, Order.NONE)
    ledger.consumer_assign(HERE)
    ledger.consumer_assign(THERE)
    for offset in range(4):
        ledger.poll_thread_enter()
        ledger.poll_thread_dispatch(HERE, offset, None, offset)
    assert ledger.paused == [HERE, THERE]

    tickets = [ledger.worker_start() for _ in range(4)]
    for ticket, resumed in zip(tickets, [[], [HERE, THERE], [], []], strict=True):
        assert ticket
        ledger.worker_finish(ticket)
        assert ledger.poll_thread_resume() == resumed


def test_a_partition_that_is_assigned_to_a_full_pool_is_paused() -> None:
    ledger = with_records(2, max_in_flight=2)
    ledger.consumer_assign(THERE)

    assert not ledger.may_dispatch(THERE)


def test_a_record_that_failed_holds_its_key_and_the_prefix_and_nothing_else() -> None:
    ledger = with_records(4, order=Order.KEY)
    first, second = ledger.worker_start(), ledger.worker_start()
    assert first
    assert second
    ledger.worker_fail(first)
    ledger.worker_finish(second)
    fourth = ledger.worker_start()
    assert fourth
    assert fourth.offset == 3
    assert ledger.is_awaited(HERE)
    ledger.worker_finish(fourth)

    assert ledger.worker_start() is None
    assert ledger.is_in_use(HERE)
    assert not ledger.is_awaited(HERE)
    assert ledger.poll_thread_commit() == {}


def test_a_partition_that_comes_back_waits_for_the_orphan_of_its_key() -> None:
    ledger = with_records(1, order=Order.KEY)
    orphan = ledger.worker_start()
    assert orphan
    ledger.poll_thread_enter()
    ledger.poll_thread_notice_loss(HERE)
    ledger.consumer_assign(HERE)
    ledger.poll_thread_dispatch(HERE, 0, b"0", 0)

    assert ledger.worker_start() is None
    ledger.worker_finish(orphan)
    assert ledger.end_of_finished_prefix(HERE) == 0
    again = ledger.worker_start()
    assert again
    ledger.worker_finish(again)
    assert ledger.poll_thread_commit() == {HERE: 1}


def test_a_consumer_that_goes_back_begins_a_tenure_anew() -> None:
    ledger = with_records(5)
    ledger.poll_thread_enter()
    ledger.poll_thread_rewind(HERE)
    ledger.poll_thread_dispatch(HERE, 2, None, 2)

    assert ledger.in_flight_count == 1
    assert ledger.end_of_finished_prefix(HERE) == 2


def test_what_cannot_be_is_refused() -> None:
    ledger = with_records(1)
    with pytest.raises(LedgerMisused, match="assigned twice"):
        ledger.consumer_assign(HERE)
    with pytest.raises(LedgerMisused, match="outside poll"):
        ledger.poll_thread_dispatch(HERE, 1, None, 1)
    with pytest.raises(LedgerMisused, match="not owned"):
        ledger.end_of_finished_prefix(THERE)
    ledger.poll_thread_enter()
    with pytest.raises(LedgerMisused, match="after offset 0"):
        ledger.poll_thread_dispatch(HERE, 0, None, 0)
    with pytest.raises(LedgerMisused, match="within poll"):
        ledger.poll_thread_commit()
    ledger.poll_thread_begin_revocation(HERE)
    with pytest.raises(LedgerMisused, match="in flight"):
        ledger.poll_thread_finish_revocation(HERE)
    with pytest.raises(ValueError, match="at least 1"):
        Ledger(0)
