"""A poll thread that hands its records to a pool of workers.

**What is modelled.**  One thread polls and commits; the records go to workers, each with a queue of
its own, and the workers finish in any order.  The position is past everything that was dispatched,
so it says nothing about progress, and automatic commits are out of the question.  What may be
committed is the *finished prefix*: the longest run of finished records from where the tenure began.
A record that finished beyond a gap waits for the gap.

**Rules.**

1. The poll thread commits the end of the finished prefix and nothing higher.
2. Records in flight are bounded.  When the window is full, the poll thread pauses its partitions
   and goes on polling, so that it stays a member; when there is room, it resumes them.
3. While a record of a key is in flight, later ones of that key go to the same worker.
4. On revocation: no more records are dispatched, those in flight are awaited, and the prefix is
   committed before the partition is given back.  After a loss, waiting records are dropped and
   nothing is committed; a worker in the middle of one cannot be stopped, and its result is ignored.
5. The consumer belongs to the poll thread.  A worker never calls it: workers report, and the poll
   thread commits.  (Only `wakeup` may be called from elsewhere.)

**What is left out, and why that is safe.**  Fetching, resets, the rest of the group: as in
`poll_loop`.  All records are there from the beginning: one that is appended later is one that poll
has not returned so far.  Poll returns one record at a time: a batch is several such polls without a
turn of anyone else.  Offsets have no gaps, since only fetched records count.  Which record has
which key: offsets take the keys in turn, so with two keys every second one is of the same.

What must hold is in `pool_properties`, what goes wrong in `pool_mutants`.
"""

from kproof_spec.lang import NONE, Fairness, Model, each, exists, require

from .pool_state import (
    Offset,
    PartitionId,
    State,
    WorkerId,
    become_idle,
    end_of_finished_prefix,
    give_up,
    is_in_use,
    is_revoking,
    is_window_full,
    keys,
    log_size,
    max_failures,
    max_in_flight,
    may_dispatch_to,
    next_of,
    note_processed,
    partitions,
    take_commit,
    workers,
)
from .state import NIL, Ownership

model = Model(
    "worker_pool",
    State,
    constants=[partitions, log_size, workers, keys, max_in_flight, max_failures],
    title="A consumer with a poll thread and a pool of workers",
)


@model.init
def nothing_is_assigned(s: State) -> None:
    """A topic full of records, of which none is read, and idle workers."""
    for worker in each(WorkerId):
        s.worker[worker].offset = NIL


# -- the group -------------------------------------------------------------------------------------


@model.action(fairness=Fairness.STRONG)
def consumer_assign(s: State, partition: PartitionId) -> None:
    """The consumer gets a partition.

    WHO   the consumer, at the end of a rebalance.
    WHEN  nobody else is told that it owns it, the consumer knows that it does not, and it is not
          in the middle of giving another one back.
    THEN  it begins at the committed offset, paused if the window is full (rule 2).
    """
    it = s.partition[partition]
    # WHEN
    require(not it.is_assigned)
    require(it.ownership == Ownership.NOT_OWNED)
    require(not is_revoking(s))  # A rebalance gives only after what it takes is given back.
    # THEN
    it.is_paused = is_window_full(s)
    it.is_assigned = True
    it.ownership = Ownership.OWNED
    it.base = it.committed
    it.position = it.committed


@model.action
def coordinator_expel(s: State) -> None:
    """The session expires, or poll was not called for too long.

    WHO   the group coordinator.
    WHEN  something is assigned to the consumer.
    THEN  it is assigned to others.  The consumer does not know yet.
    REF   KIP-62, `max.poll.interval.ms` and `session.timeout.ms`.
    """
    # WHEN
    require(s.failures < max_failures)  # Bound.
    require(exists(PartitionId, lambda p: s.partition[p].is_assigned))
    # THEN
    s.failures += 1
    for partition in each(PartitionId):
        s.partition[partition].is_assigned = False


@model.action
def others_process(s: State, partition: PartitionId) -> None:
    """Another member processes the next record and commits it.

    WHO   any other member of the group.
    WHEN  the partition is not assigned to this consumer, and there is a record for the group.
    THEN  it is processed, and the committed offset is past it.
    """
    it = s.partition[partition]
    # WHEN
    require(not it.is_assigned)
    require(it.committed < log_size)
    # THEN
    note_processed(s, partition, it.committed)
    take_commit(s, partition, it.committed + 1)


# -- the poll thread -------------------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def poll_thread_enter(s: State) -> None:
    """The poll thread calls poll.

    WHO   the poll thread.
    WHEN  it is not inside the consumer, and owns something.
    THEN  it is inside.
    """
    # WHEN
    require(not s.is_polling)
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    # THEN
    s.is_polling = True


@model.action(fairness=Fairness.STRONG)
def poll_thread_dispatch(
    s: State, partition: PartitionId, offset: Offset, worker: WorkerId
) -> None:
    """Poll returns a record, and the poll thread puts it into a worker's queue.

    WHO   the poll thread.
    WHEN  it is polling, the partition is owned and not paused, and no other worker has a record of
          the same key in flight.
    THEN  the record is in flight; if the window is full now, all partitions are paused.
    REF   KIP-41 for pausing instead of not polling; KIP-62.
    """
    it = s.partition[partition]
    # WHEN
    require(s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(not is_revoking(s))
    require(not it.is_paused)
    require(it.position == offset)
    require(may_dispatch_to(s, partition, offset, worker))
    # THEN
    s.is_polling = False
    it.position += 1
    it.worker_of[offset] = worker
    if is_window_full(s):
        for other in each(PartitionId):
            if s.partition[other].ownership == Ownership.OWNED:
                s.partition[other].is_paused = True


@model.action(fairness=Fairness.STRONG)
def poll_thread_return(s: State) -> None:
    """Poll returns nothing: its timeout has passed, however many rebalances came in between.

    WHO   the poll thread.
    WHEN  it is polling, and is not in the middle of giving a partition back.
    THEN  it is outside the consumer.
    """
    # WHEN
    require(s.is_polling)
    require(not is_revoking(s))
    # THEN
    s.is_polling = False


@model.action(fairness=Fairness.STRONG)
def poll_thread_resume(s: State, partition: PartitionId) -> None:
    """There is room again, and the poll thread resumes a partition.

    WHO   the poll thread, between two polls.
    WHEN  the partition is paused, and the window is not full.
    THEN  poll returns its records again.
    """
    it = s.partition[partition]
    # WHEN
    require(not s.is_polling)
    require(it.is_paused)
    require(not is_window_full(s))
    # THEN
    it.is_paused = False


@model.action(fairness=Fairness.STRONG)
def poll_thread_commit(s: State, partition: PartitionId) -> None:
    """The poll thread commits the finished prefix.

    WHO   the poll thread, between two polls.
    WHEN  the prefix is longer than what is committed, and the coordinator takes it.
    THEN  the committed offset is the end of the prefix (rule 1).
    """
    it = s.partition[partition]
    # WHEN
    require(not s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    require(it.committed < end_of_finished_prefix(s, partition))
    # THEN
    take_commit(s, partition, end_of_finished_prefix(s, partition))


@model.action
def poll_thread_begin_revocation(s: State, partition: PartitionId) -> None:
    """The group wants a partition back: nothing more of it is dispatched.

    WHO   the poll thread, in `onPartitionsRevoked`, inside poll.
    WHEN  it owns the partition.
    THEN  the workers go on with what is in flight, and the poll thread waits.
    REF   KIP-429; KAFKA-14196.
    """
    it = s.partition[partition]
    # WHEN
    require(s.is_polling)
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    # THEN
    it.ownership = Ownership.REVOKING
    it.is_paused = False


@model.action(fairness=Fairness.WEAK)
def poll_thread_finish_revocation(s: State, partition: PartitionId) -> None:
    """The workers are done with the partition: it is committed and given back.

    WHO   the poll thread, in `onPartitionsRevoked`, inside poll.
    WHEN  nothing of it is in flight, and it is still its to commit.
    THEN  the finished prefix is committed, and the partition is somebody else's.
    """
    it = s.partition[partition]
    # WHEN
    require(s.is_polling)
    require(it.ownership == Ownership.REVOKING)
    require(it.is_assigned)
    require(not is_in_use(s, partition))
    # THEN
    take_commit(s, partition, end_of_finished_prefix(s, partition))
    it.is_assigned = False
    give_up(s, partition)


@model.action(fairness=Fairness.STRONG)
def poll_thread_notice_loss(s: State, partition: PartitionId) -> None:
    """The poll thread learns that it lost a partition: `onPartitionsLost`.

    WHO   the poll thread, inside poll.
    WHEN  the partition is somebody else's by now.
    THEN  records that wait are dropped, results of those that are being processed will be ignored,
          and nothing is committed.
    REF   KIP-429, `onPartitionsLost`.
    """
    it = s.partition[partition]
    # WHEN
    require(s.is_polling)
    require(it.ownership != Ownership.NOT_OWNED)
    require(not it.is_assigned)
    # THEN
    for worker in each(WorkerId):
        if s.worker[worker].partition == partition:
            s.worker[worker].is_orphan = True
    give_up(s, partition)


# -- the workers -----------------------------------------------------------------------------------


@model.action(fairness=Fairness.STRONG)
def worker_start(s: State, worker: WorkerId, partition: PartitionId) -> None:
    """A worker begins with the first record that it has of a partition.

    WHO   the worker.
    WHEN  it is idle and has one.
    THEN  it is processing the record.
    """
    me = s.worker[worker]
    # WHEN
    require(me.partition == NONE)
    require(next_of(s, worker, partition) < log_size)
    # THEN
    me.partition = partition
    me.offset = next_of(s, worker, partition)


@model.action(fairness=Fairness.WEAK)
def worker_finish(s: State, worker: WorkerId, partition: PartitionId, offset: Offset) -> None:
    """A worker has processed a record, and reports it.

    WHO   the worker.
    WHEN  it is processing the record.
    THEN  the record is processed, and finished if the tenure is still the same; the worker is idle.
    """
    me, it = s.worker[worker], s.partition[partition]
    # WHEN
    require(me.partition == partition)
    require(me.offset == offset)
    # THEN
    note_processed(s, partition, offset)
    if not me.is_orphan:
        it.worker_of[offset] = NONE
        it.done.add(offset)
    become_idle(s, worker)


@model.action
def consumer_crash(s: State) -> None:
    """The process ends, with all its threads, at any moment.

    WHO   the consumer.
    WHEN  it owns something.
    THEN  what it had in memory is gone, and its session with it.
    """
    # WHEN
    require(s.failures < max_failures)  # Bound.
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    # THEN
    s.failures += 1
    s.is_polling = False
    for worker in each(WorkerId):
        s.workers_inside.remove(worker)
        become_idle(s, worker)
    for partition in each(PartitionId):
        s.partition[partition].is_assigned = False
        give_up(s, partition)
