"""The single-threaded consumer: its steps and what must hold, whatever its commits are like.

**What is modelled.**  One thread runs `while True: for record in poll(): process(record)`.  The
client fetches ahead into memory; poll returns some of that and moves the *position* past it.  A
partition is assigned, paused and resumed, revoked in good order (inside poll, so with nothing in
hand), or lost: the session expires while the thread is busy, the group goes on without it, and it
learns of that in its next poll.  Until then it is a zombie: it still processes, and its commits are
refused.  The process may crash at any moment, and whoever gets the partition then, itself perhaps,
begins at the committed offset.  Producers append, retention deletes.

**Rules.**

1. Poll returns records of partitions that are owned, not paused and not being revoked; from the
   position on, each once, in order.
2. Poll is called when the records of the last one are processed: only so is the position the same
   as progress, and that is what automatic commits rely on.
3. `auto.offset.reset` is asked only if there is no committed offset, or it is out of range.
4. Before a partition is given back, what was processed of it is committed, and nothing more of it
   is returned in between.  After it is lost, nothing is committed.

**What is left out, and why that is safe.**  The other members: while the partition is theirs, they
are one member that processes and commits record by record; how they fail is how this one fails.
The coordinator's generations: it refuses the commits of a tenure that it has ended, which the
`group` models show in detail.  Offsets and membership are never lost (their model again).  Fetched
data of a compacted or transactional log, which has gaps: the position steps over them, and nothing
here compares offsets with counts.  Seeking: an application that seeks repeats or skips because it
wants to.  Truncated logs (KIP-320's LogTruncationException): no log is truncated here.

What must hold is in `loop_properties`.
"""

from kproof_spec.lang import Model, each, exists, require

from .state import (
    NIL,
    Ownership,
    PartitionId,
    ResetPolicy,
    State,
    begin_at,
    end_assignment,
    excuse_below,
    give_up,
    has_nothing_in_hand,
    has_valid_commit,
    is_fetchable,
    is_out_of_range,
    log_size,
    max_failures,
    max_poll_records,
    note_processed,
    partitions,
    reset_offset,
    starting_offset,
    take_commit,
)

model = Model(
    "consumer",
    State,
    constants=[partitions, log_size, max_poll_records, max_failures],
    title="A consumer with one thread",
)


@model.init
def nothing_is_assigned(s: State, policy: ResetPolicy) -> None:
    """An empty topic, no committed offset, and a consumer that has just started."""
    s.reset_policy = policy
    for partition in each(PartitionId):
        s.partition[partition].position = NIL
        s.partition[partition].processed_end = NIL
        s.partition[partition].committed = NIL
        s.partition[partition].commit_sent = NIL
        s.partition[partition].commit_answered = NIL
        s.partition[partition].history_expected = NIL


# -- the brokers -----------------------------------------------------------------------------------


@model.action
def producer_append(s: State, partition: PartitionId) -> None:
    """A record is appended.

    WHO   a producer.
    WHEN  at any time.
    THEN  the log is longer by one committed record.
    """
    it = s.partition[partition]
    # WHEN
    require(it.log_end < log_size)  # Bound.
    # THEN
    it.log_end += 1


@model.action
def retention_delete(s: State, partition: PartitionId) -> None:
    """Retention deletes the oldest record, read or not.

    WHO   the broker.
    WHEN  the log has a record.
    THEN  it begins one later.  A reader below that is out of range.
    REF   KIP-107, for the log start offset.
    """
    it = s.partition[partition]
    # WHEN
    require(it.log_start < it.log_end)
    # THEN
    it.log_start += 1
    excuse_below(s, partition, it.log_start)


# -- the group -------------------------------------------------------------------------------------


@model.action
def consumer_assign(s: State, partition: PartitionId) -> None:
    """The consumer gets a partition.

    WHO   the consumer, at the end of a rebalance.
    WHEN  nobody else is told that it owns it, and the consumer knows that it does not.
    THEN  it begins at the committed offset, or, without a valid one, where the reset policy says.
    REF   `auto.offset.reset` in Kafka's consumer configuration.
    """
    it = s.partition[partition]
    # WHEN
    require(not it.is_assigned)
    require(it.ownership == Ownership.NOT_OWNED)
    # THEN
    it.is_assigned = True
    it.ownership = Ownership.OWNED
    begin_at(s, partition, starting_offset(s, partition))


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
        end_assignment(s, partition)


@model.action
def others_process(s: State, partition: PartitionId) -> None:
    """Another member processes the next record and commits it.

    WHO   any other member of the group.
    WHEN  the partition is not assigned to this consumer, and there is a record for the group.
    THEN  it is processed, and the committed offset is past it.
    """
    it = s.partition[partition]
    offset = starting_offset(s, partition)
    # WHEN
    require(not it.is_assigned)
    require(offset < it.log_end)
    # THEN
    if not has_valid_commit(s, partition):
        excuse_below(s, partition, offset)
    note_processed(s, partition, offset)
    take_commit(s, partition, offset + 1)


@model.action
def consumer_notice_loss(s: State, partition: PartitionId) -> None:
    """The consumer learns that it lost a partition: `onPartitionsLost`.

    WHO   the consumer, inside poll.
    WHEN  the partition is somebody else's by now.
    THEN  it gives up the partition and commits nothing: the offset is the new owner's to commit.
    REF   KIP-429, `onPartitionsLost`.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership != Ownership.NOT_OWNED)
    require(not it.is_assigned)
    # THEN
    give_up(s, partition)


@model.action
def consumer_finish_revocation(s: State, partition: PartitionId) -> None:
    """The consumer gives a partition back: it rejoins the group without it.

    WHO   the consumer, inside poll.
    WHEN  it was told to, and no commit of it is on its way.
    THEN  the partition is somebody else's.
    REF   KIP-429, for the incremental form; KAFKA-14196.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.REVOKING)
    require(it.is_assigned)
    require(it.commit_sent == NIL)
    # THEN
    end_assignment(s, partition)
    give_up(s, partition)


# -- the client ------------------------------------------------------------------------------------


@model.action
def consumer_fetch(s: State, partition: PartitionId) -> None:
    """Records arrive in the client's memory, ahead of the poll that will return them.

    WHO   the client, in the background.
    WHEN  the partition is fetchable and there are records at the position.
    THEN  they wait in memory; the position stays.
    """
    it = s.partition[partition]
    # WHEN
    require(is_fetchable(s, partition))
    require(it.log_start <= it.position)
    require(it.position < it.log_end)
    # THEN
    it.fetch_start = it.position
    it.fetch_end = it.log_end


@model.action
def consumer_reset(s: State, partition: PartitionId) -> None:
    """The position is out of range: retention was faster than the consumer.

    WHO   the consumer, inside poll, after OFFSET_OUT_OF_RANGE.
    WHEN  the log begins after the position.
    THEN  the position is where the reset policy says.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.OWNED)
    require(is_out_of_range(s, partition))
    # THEN
    begin_at(s, partition, reset_offset(s, partition))


@model.action
def application_pause(s: State, partition: PartitionId) -> None:
    """The application pauses a partition that it owns: poll returns nothing of it.

    WHO   the application's thread.
    WHEN  it owns the partition.
    THEN  the partition is paused; what was fetched stays in memory.
    REF   KIP-41, "pause" while records take long.
    """
    it = s.partition[partition]
    # WHEN
    require(it.ownership == Ownership.OWNED)
    require(not it.is_paused)
    # THEN
    it.is_paused = True


@model.action
def application_resume(s: State, partition: PartitionId) -> None:
    """The application resumes a partition.

    WHO   the application's thread.
    WHEN  the partition is paused.
    THEN  poll returns its records again.
    """
    it = s.partition[partition]
    # WHEN
    require(it.is_paused)
    # THEN
    it.is_paused = False


@model.action
def consumer_crash(s: State) -> None:
    """The process ends, at any moment; later it starts again with nothing in memory.

    WHO   the consumer.
    WHEN  it owns something.
    THEN  what it had in memory is gone, and its session with it.  A commit on its way was either
          taken before or never will be.
    """
    # WHEN
    require(s.failures < max_failures)  # Bound.
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    # THEN
    s.failures += 1
    for partition in each(PartitionId):
        end_assignment(s, partition)
        give_up(s, partition)
        s.partition[partition].fetch_start = 0
        s.partition[partition].fetch_end = 0
