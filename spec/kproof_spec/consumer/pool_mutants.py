"""The worker pool gone wrong: what people write, and what it costs."""

from kproof_spec.lang import NONE, each, max_over, require

from .pool_properties import (
    commits_stay_within_the_finished_prefix,
    committed_offsets_never_go_back,
    given_back_means_given_up,
    in_flight_is_bounded,
    keys_are_processed_in_order,
    nothing_is_skipped,
    nothing_stays_in_flight,
    one_thread_at_a_time,
    records_repeat_only_after_a_failure,
)
from .pool_state import (
    Offset,
    PartitionId,
    State,
    WorkerId,
    become_idle,
    end_of_finished_prefix,
    give_up,
    is_being_processed,
    is_revoking,
    may_dispatch_to,
    note_processed,
    take_commit,
)
from .state import Ownership
from .worker_pool import (
    consumer_assign,
    model,
    poll_thread_begin_revocation,
    poll_thread_commit,
    poll_thread_dispatch,
    poll_thread_finish_revocation,
    poll_thread_notice_loss,
    worker_finish,
)

__all__ = ["model"]

SMALL = {
    "partitions": 1,
    "log_size": 2,
    "workers": 2,
    "keys": 2,
    "max_in_flight": 2,
    "max_failures": 1,
}
QUIET = {**SMALL, "max_failures": 0}


# -- commits ---------------------------------------------------------------------------------------


@model.mutant(replaces=poll_thread_commit, breaks=nothing_is_skipped, scope=SMALL)
def poll_thread_commit_highest_finished(s: State, partition: PartitionId) -> None:
    """The poll thread commits one past the highest finished record, whatever is missing below.

    The second record was quick, the first is still being processed.  The process ends, and the
    successor begins after both.  The first worker-pool consumer that anyone writes does this: each
    result is committed as it comes in, and it works until the first restart under load.
    """
    it = s.partition[partition]
    end = max_over(it.done, lambda o: o + 1, start=it.base)
    require(not s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    require(it.committed < end)
    take_commit(s, partition, end)


@model.mutant(
    replaces=poll_thread_commit, breaks=commits_stay_within_the_finished_prefix, scope=SMALL
)
def poll_thread_commit_position(s: State, partition: PartitionId) -> None:
    """Automatic commits are left on: the poll thread commits its position.

    The position is past all that was dispatched, finished or not.  REF: the documentation of
    `KafkaConsumer`, "Decouple Consumption and Processing"; `enable.auto.commit` is true by default.
    """
    it = s.partition[partition]
    require(not s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    require(it.committed < it.position)
    take_commit(s, partition, it.position)


@model.mutant(replaces=poll_thread_notice_loss, breaks=committed_offsets_never_go_back, scope=SMALL)
def poll_thread_notice_loss_and_commit(s: State, partition: PartitionId) -> None:
    """The poll thread treats a lost partition like a revoked one, and commits its prefix.

    It has joined again, so its generation is good, and the coordinator does not compare commits
    with the assignment.  The new owner is further: its offset goes back.  REF: KIP-429, which gave
    the lost partition a callback of its own.
    """
    it = s.partition[partition]
    require(s.is_polling)
    require(it.ownership != Ownership.NOT_OWNED)
    require(not it.is_assigned)
    for worker in each(WorkerId):
        if s.worker[worker].partition == partition:
            s.worker[worker].is_orphan = True
    take_commit(s, partition, end_of_finished_prefix(s, partition))
    give_up(s, partition)


# -- the pool --------------------------------------------------------------------------------------


@model.mutant(
    replaces=may_dispatch_to,
    breaks=keys_are_processed_in_order,
    scope={**QUIET, "keys": 1},
)
def may_dispatch_in_turn(
    s: State, partition: PartitionId, offset: Offset, worker: WorkerId
) -> bool:
    """Records go to the workers in turn, or to whichever is idle.

    Two records of one key are at two workers, and the second is processed first: "pay" comes before
    "create", though the partition has them in order.
    """
    me, it = s.worker[worker], s.partition[partition]
    return me.offset == offset or it.position == offset  # Always so, for whomever it is asked.


@model.mutant(
    replaces=poll_thread_dispatch,
    breaks=in_flight_is_bounded,
    scope={**QUIET, "max_in_flight": 1},
)
def poll_thread_dispatch_without_pausing(
    s: State, partition: PartitionId, offset: Offset, worker: WorkerId
) -> None:
    """The poll thread never pauses: the queues take what poll returns.

    Processing is slower than reading, so the queues grow until memory ends, and all that is in them
    is repeated.
    """
    it = s.partition[partition]
    require(s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(not is_revoking(s))
    require(it.position == offset)
    require(may_dispatch_to(s, partition, offset, worker))
    s.is_polling = False
    it.position += 1
    it.worker_of[offset] = worker


@model.mutant(
    replaces=consumer_assign,
    breaks=in_flight_is_bounded,
    scope={**QUIET, "partitions": 2, "log_size": 1, "max_in_flight": 1},
)
def consumer_assign_unpaused(s: State, partition: PartitionId) -> None:
    """A partition that is assigned while the window is full is not paused.

    The poll thread paused what it owned when the window filled, and a rebalance brings one more.
    Found while writing this model; it needs two partitions.
    """
    it = s.partition[partition]
    require(not it.is_assigned)
    require(it.ownership == Ownership.NOT_OWNED)
    require(not is_revoking(s))
    it.is_assigned = True
    it.ownership = Ownership.OWNED
    it.base = it.committed
    it.position = it.committed


@model.mutant(replaces=worker_finish, breaks=one_thread_at_a_time, scope={**QUIET, "log_size": 1})
def worker_finish_and_commit(
    s: State, worker: WorkerId, partition: PartitionId, offset: Offset
) -> None:
    """A worker that has finished a record calls `commitSync` itself, while the poll thread polls.

    `KafkaConsumer` is not safe for use by several threads.  If it notices it throws
    ConcurrentModificationException; its check is a help, not a lock.  REF: "Multi-threaded
    Processing" in its documentation.
    """
    me, it = s.worker[worker], s.partition[partition]
    require(me.partition == partition)
    require(me.offset == offset)
    note_processed(s, partition, offset)
    if not me.is_orphan:
        it.worker_of[offset] = NONE
        it.done.add(offset)
    become_idle(s, worker)
    s.workers_inside.add(worker)


@model.mutant(replaces=worker_finish, breaks=nothing_stays_in_flight, scope=SMALL)
def worker_finish_and_report_nothing(
    s: State, worker: WorkerId, partition: PartitionId, offset: Offset
) -> None:
    """Processing throws, and the worker goes on with its next record without a word.

    Nobody will ever report this record, so the prefix ends before it and the window never empties:
    the pool stands still, though every thread is alive and the session is kept.
    """
    me = s.worker[worker]
    require(me.partition == partition)
    require(me.offset == offset)
    become_idle(s, worker)


# -- revocation ------------------------------------------------------------------------------------


@model.mutant(replaces=poll_thread_finish_revocation, breaks=given_back_means_given_up, scope=QUIET)
def poll_thread_finish_revocation_at_once(s: State, partition: PartitionId) -> None:
    """The poll thread gives a partition back while a worker is in the middle of a record.

    The prefix is committed, so nothing is lost; but the worker goes on, and the new owner processes
    the same record at the same time, although nothing has failed.
    """
    it = s.partition[partition]
    require(s.is_polling)
    require(it.ownership == Ownership.REVOKING)
    require(it.is_assigned)
    take_commit(s, partition, end_of_finished_prefix(s, partition))
    it.is_assigned = False
    give_up(s, partition)


@model.mutant(
    replaces=poll_thread_begin_revocation, breaks=records_repeat_only_after_a_failure, scope=QUIET
)
def poll_thread_begin_revocation_and_drop(s: State, partition: PartitionId) -> None:
    """On revocation, records that no worker has begun are dropped, to be quick about it.

    It is at least once: the prefix ends before the first dropped record.  But a record beyond that
    may be finished already, and the next owner repeats it, although nothing has failed.  Found
    while writing this model, whose first draft did so.  An application may choose it knowingly.
    """
    it = s.partition[partition]
    require(s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    it.ownership = Ownership.REVOKING
    it.is_paused = False
    for offset in each(Offset):
        if not is_being_processed(s, partition, offset):
            it.worker_of[offset] = NONE


@model.mutant(
    replaces=poll_thread_finish_revocation,
    breaks=nothing_is_skipped,
    scope={**QUIET, "log_size": 1},
)
def poll_thread_finish_revocation_with_position(s: State, partition: PartitionId) -> None:
    """In the callback the poll thread calls `commitSync()` without offsets, and waits for nobody.

    That commits the position.  What is in flight is finished by nobody, if the process ends next,
    and no new owner begins there.
    """
    it = s.partition[partition]
    require(s.is_polling)
    require(it.ownership == Ownership.REVOKING)
    require(it.is_assigned)
    take_commit(s, partition, it.position)
    it.is_assigned = False
    give_up(s, partition)
