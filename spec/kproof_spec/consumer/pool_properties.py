"""What must hold of a consumer with a pool of workers, and what must be reachable.

At least once, from the group's side: nothing below a commit is unprocessed.  From the application's
side: per-key order of first processing.  A zombie that repeats a record may repeat it late, after
the new owner is past it; no client can rule that out, and nothing here does.
"""

from kproof_spec.lang import NONE

from .pool_state import (
    Offset,
    PartitionId,
    State,
    WorkerId,
    end_of_finished_prefix,
    has_same_key,
    in_flight,
    is_in_use,
    is_window_full,
    log_size,
    max_in_flight,
)
from .state import Ownership
from .worker_pool import model

__all__ = ["model"]

# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def nothing_is_skipped(s: State, partition: PartitionId, offset: Offset) -> bool:
    """Every record below a committed offset is processed: at least once.  CC3."""
    it = s.partition[partition]
    return offset >= it.committed or offset in it.history_processed


@model.invariant
def commits_stay_within_the_finished_prefix(s: State, partition: PartitionId) -> bool:
    """What is committed of a partition of ours is at most the finished prefix.  CC4.

    Stronger than that nothing is skipped: the record in the gap might be finished in time, and
    mostly is.
    """
    it = s.partition[partition]
    return not it.is_assigned or it.committed <= end_of_finished_prefix(s, partition)


@model.invariant
def in_flight_is_bounded(s: State) -> bool:
    """Never more records are in flight than the window allows.  CC4."""
    return in_flight(s) <= max_in_flight


@model.invariant
def keys_are_processed_in_order(s: State) -> bool:
    """No record is processed before an earlier one of its key was.  CC4."""
    return not s.history_key_order_broken


@model.invariant
def committed_offsets_never_go_back(s: State) -> bool:
    """No commit replaces a higher one: nobody undoes the progress of another owner.  CC5."""
    return not s.history_commit_went_back


@model.invariant
def given_back_means_given_up(s: State, worker: WorkerId, partition: PartitionId) -> bool:
    """When a partition was given back or lost, no worker has a record of it, but one that was in
    the middle of it when it was lost.  CC5."""
    it, me = s.partition[partition], s.worker[worker]
    return it.ownership != Ownership.NOT_OWNED or me.partition != partition or me.is_orphan


@model.invariant
def records_repeat_only_after_a_failure(s: State) -> bool:
    """While nothing crashes or expires, no record is processed twice, however often the
    partition moves.  CC5."""
    return s.failures > 0 or not s.history_processed_twice


@model.invariant
def one_thread_at_a_time(s: State, worker: WorkerId) -> bool:
    """No worker is inside the consumer while the poll thread is: it is not thread-safe.

    Kafka's client throws ConcurrentModificationException if it notices.
    """
    return not (s.is_polling and worker in s.workers_inside)


# -- liveness --------------------------------------------------------------------------------------


@model.eventually
def every_record_is_processed(s: State, partition: PartitionId, offset: Offset) -> bool:
    """Every record is processed at some time, however often the partition moves.

    Finitely many failures are allowed for (`max_failures`), any number of rebalances.  Each thread
    does what it can at last: where a rebalance may disable a step again and again, that is strong
    fairness.  With two partitions it takes the timeout of poll (`poll_thread_return`): rebalances
    of one that follow each other within a poll would else keep the other one paused for ever.
    """
    return offset in s.partition[partition].history_processed


def is_dispatched(s: State, partition: PartitionId, offset: Offset) -> bool:
    """Whether a record is in flight."""
    is_in_flight: bool = s.partition[partition].worker_of[offset] != NONE
    return is_in_flight


@model.leads_to(is_dispatched)
def nothing_stays_in_flight(s: State, partition: PartitionId, offset: Offset) -> bool:
    """The pool drains: what is dispatched is finished, or dropped because of a failure."""
    is_settled: bool = s.partition[partition].worker_of[offset] == NONE
    return is_settled


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def workers_finish_out_of_order(s: State, partition: PartitionId, offset: Offset) -> bool:
    """A record is finished, the one before it is not, and the prefix waits for that."""
    it = s.partition[partition]
    return (
        offset in it.done
        and it.committed < offset
        and end_of_finished_prefix(s, partition) < offset
    )


@model.sometimes
def two_workers_are_at_work(s: State, a: WorkerId, b: WorkerId, partition: PartitionId) -> bool:
    """Two workers process records of one partition at once: more than partitions allow without."""
    are_both_at_work: bool = (
        s.worker[a].partition == partition and s.worker[b].partition == partition
    )
    return a != b and are_both_at_work


@model.sometimes
def records_of_a_key_queue_at_one_worker(
    s: State, partition: PartitionId, a: Offset, b: Offset, worker: WorkerId
) -> bool:
    """Two records of a key are in flight, one after the other at the same worker."""
    it = s.partition[partition]
    has_both: bool = it.worker_of[a] == worker and it.worker_of[b] == worker
    return a < b and has_same_key(a, b) and has_both


@model.sometimes
def everything_is_read_and_committed(s: State, partition: PartitionId) -> bool:
    """The consumer itself gets through a log."""
    it = s.partition[partition]
    return it.is_assigned and it.base == 0 and it.committed == log_size


@model.sometimes
def a_record_is_processed_twice(s: State) -> bool:
    """At least once is not exactly once: a failure between processing and commit repeats."""
    return s.history_processed_twice


@model.sometimes
def an_orphan_is_at_work(s: State, worker: WorkerId, partition: PartitionId) -> bool:
    """A worker processes a record that the new owner has processed and committed already."""
    me = s.worker[worker]
    return (
        me.is_orphan
        and me.partition == partition
        and s.partition[partition].committed > (me.offset)
    )


@model.sometimes
def the_window_is_full(s: State, partition: PartitionId) -> bool:
    """The poll thread has paused, and goes on polling."""
    return s.is_polling and s.partition[partition].is_paused and is_window_full(s)


@model.sometimes
def a_partition_is_given_back(s: State, partition: PartitionId) -> bool:
    """In good order, while workers are busy with it: nothing has failed."""
    it = s.partition[partition]
    return s.failures == 0 and it.ownership == Ownership.REVOKING and is_in_use(s, partition)
