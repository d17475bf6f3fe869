"""Automatic commits, as they really are: Kafka's default, and at least once with one thread.

With `enable.auto.commit=true` the client commits by itself, but only inside calls of its user: in a
poll, if `auto.commit.interval.ms` has passed, before that poll returns anything new; when a
partition is revoked; and on close.  What it commits is its *position*.  It does not know what was
processed.  It is right because of rule 2 of the loop alone: whoever polls has processed all that
was returned before.  Hand the records to another thread, poll on, and the same commit loses them.

Closing is a call like poll, and rule 2 is for both: whoever closes has processed all that was
returned.  The client does not look.  An application whose processing fails, and that closes its
consumer on the way out, in a `finally`, commits the record that failed.  It has to seek back to
that record first, or to end without closing, or to commit by hand.

In a poll the commit is asynchronous: it is sent, and may be answered later, or fail and not be
tried again before the next interval.  On revocation and on close it is awaited.
"""

from kproof_spec.lang import each, exists, pure, require

from . import loop_properties
from .loop_properties import (
    a_reset_follows_the_policy,
    a_reset_has_its_reason,
    committed_offsets_never_go_back,
    log_bounds,
    poll_returns_each_record_in_turn,
    poll_returns_what_is_owned,
    position_follows_what_poll_returned,
    records_repeat_only_after_a_failure,
)
from .poll_loop import consumer_assign, consumer_fetch, consumer_notice_loss, retention_delete
from .state import (
    NIL,
    Offset,
    Ownership,
    PartitionId,
    RecordCount,
    ResetPolicy,
    State,
    begin_at,
    end_assignment,
    excuse_below,
    give_up,
    has_nothing_in_hand,
    is_fetch_current,
    is_fetchable,
    log_size,
    note_processed,
    reset_offset,
    return_records,
    take_commit,
)

model = loop_properties.model.extend(
    "auto_commit", title="A consumer that commits automatically: at least once"
)


def send_commits(s: State) -> None:
    """The client sends its positions to the coordinator, which takes those of its own member."""
    for partition in each(PartitionId):
        it = s.partition[partition]
        if it.is_assigned:
            if it.position > it.committed:
                it.commit_sent = it.position


def close(s: State) -> None:
    """The client commits its positions, as far as they are its to commit, and leaves the group."""
    for partition in each(PartitionId):
        it = s.partition[partition]
        if it.is_assigned:
            take_commit(s, partition, it.position)
        if it.ownership != Ownership.NOT_OWNED:
            end_assignment(s, partition)
        give_up(s, partition)
        it.fetch_start = 0
        it.fetch_end = 0


@pure
def may_poll(s: State) -> bool:
    """Whether the application calls poll: one thread does, when nothing is in hand (rule 2)."""
    return has_nothing_in_hand(s)


@model.action
def consumer_poll(
    s: State, partition: PartitionId, count: RecordCount, is_commit_due: bool
) -> None:
    """Poll commits what earlier polls returned, if it is time, and returns records.

    WHO   the application's thread.
    WHEN  it has processed what it had, and fetched records of a fetchable partition wait that
          begin at its position.
    THEN  the positions of before this poll are on their way to the coordinator, if the interval has
          passed; some records are in hand.
    REF   `enable.auto.commit` and `auto.commit.interval.ms` in Kafka's consumer configuration.
    """
    it = s.partition[partition]
    # WHEN
    require(may_poll(s))
    require(is_fetchable(s, partition))
    require(is_fetch_current(s, partition))
    require(count <= it.fetch_end - it.fetch_start)
    # THEN
    if is_commit_due:
        send_commits(s)
    return_records(s, partition, count)


@model.action
def application_process(s: State, partition: PartitionId) -> None:
    """The application processes the next record in hand.

    WHO   the application.
    WHEN  it has one.
    THEN  the record is processed.  A zombie does not know better.
    """
    it = s.partition[partition]
    # WHEN
    require(it.processed_end < it.position)
    # THEN
    note_processed(s, partition, it.processed_end)
    it.processed_end += 1


@model.action
def coordinator_take_commit(s: State, partition: PartitionId) -> None:
    """A commit arrives.

    WHO   the group coordinator.
    WHEN  one is on its way, from a tenure that has not ended.
    THEN  the committed offset is stored.
    """
    it = s.partition[partition]
    # WHEN
    require(it.commit_sent != NIL)
    # THEN
    take_commit(s, partition, it.commit_sent)
    it.commit_sent = NIL


@model.action
def coordinator_fail_commit(s: State, partition: PartitionId) -> None:
    """A commit fails: the coordinator moves, or the request times out.

    WHO   the client, when it learns of it.
    WHEN  one is on its way, and the partition is not being revoked: then it is tried again.
    THEN  nothing is stored; the next interval will cover it.
    """
    it = s.partition[partition]
    # WHEN
    require(it.commit_sent != NIL)
    require(it.ownership != Ownership.REVOKING)
    # THEN
    it.commit_sent = NIL


@model.action
def consumer_begin_revocation(s: State, partition: PartitionId) -> None:
    """The group wants a partition back: the client commits before it lets go.

    WHO   the consumer, inside poll.
    WHEN  it owns the partition and has nothing in hand.
    THEN  the position is on its way to the coordinator, and poll returns nothing more of it.
    REF   KAFKA-14196.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    # THEN
    it.ownership = Ownership.REVOKING
    it.is_paused = False
    it.commit_sent = it.position


@model.action
def consumer_close(s: State) -> None:
    """The application closes the consumer.

    WHO   the application's thread.
    WHEN  it owns something, and has processed what it had.
    THEN  the positions are committed, as far as they are its to commit; it has left the group.
    REF   ConsumerCoordinator.close.  That the records are processed is the application's part.
    """
    # WHEN
    require(has_nothing_in_hand(s))
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    # THEN
    close(s)


# -- safety and reachable --------------------------------------------------------------------------


@model.invariant
def nothing_is_skipped(s: State, partition: PartitionId, offset: Offset) -> bool:
    """Every record below a committed offset is processed: at least once.  CC3.

    Whoever begins at a committed offset never sees what is below.
    """
    it = s.partition[partition]
    return offset >= it.committed or offset in it.history_processed or offset in it.history_excused


@model.sometimes
def a_record_is_processed_twice(s: State) -> bool:
    """At least once is not exactly once: a crash between processing and commit repeats a record."""
    return s.history_processed_twice


# -- mutants ---------------------------------------------------------------------------------------

SMALL = {"partitions": 1, "log_size": 1, "max_poll_records": 1, "max_failures": 1}
QUIET = {**SMALL, "max_failures": 0}


@model.mutant(replaces=may_poll, breaks=nothing_is_skipped, scope={**SMALL, "log_size": 2})
def may_poll_while_others_process(s: State) -> bool:
    """The application hands its records to another thread and polls on, with automatic commits.

    The most common way to lose records with Kafka: the next poll commits the position, the process
    ends before the other thread got to the record, and the successor begins after it.
    REF: the documentation of `KafkaConsumer`, "Decouple Consumption and Processing".
    """
    return s.failures >= 0


@model.mutant(replaces=consumer_close, breaks=nothing_is_skipped, scope=QUIET)
def consumer_close_with_records_in_hand(s: State) -> None:
    """Processing raises an exception, and `finally` closes the consumer.

    Kafka's client does not ask why it is closed: it commits its positions and leaves.  The record
    that failed, and all of that poll behind it, are covered by the commit, and whoever gets the
    partition next begins after them.  REF: ConsumerCoordinator.close, which calls
    maybeAutoCommitOffsetsSync whatever is in hand.
    """
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    close(s)


@model.mutant(
    replaces=is_fetchable,
    breaks=records_repeat_only_after_a_failure,
    scope={**QUIET, "log_size": 2},
)
def is_fetchable_while_revoking(s: State, partition: PartitionId) -> bool:
    """The commit before a revocation is asynchronous, and meanwhile poll goes on returning records.

    They are processed, nothing covers them, the partition is given back, and its next owner
    processes them again, although nothing has failed.  REF: KAFKA-14196, KAFKA-14024.
    """
    it = s.partition[partition]
    return it.ownership != Ownership.NOT_OWNED and not it.is_paused


@model.mutant(replaces=consumer_poll, breaks=poll_returns_what_is_owned, scope=QUIET)
def consumer_poll_what_is_in_memory(
    s: State, partition: PartitionId, count: RecordCount, is_commit_due: bool
) -> None:
    """Poll returns what it finds in memory, and nobody asks whose partition that is by now.

    Records that were fetched before a revocation come out after it.  Kafka's client asks when a
    batch is drained, not only when it is fetched: "Not returning fetched records for partition ...
    since it is no longer assigned".
    """
    it = s.partition[partition]
    require(may_poll(s))
    require(count <= it.fetch_end - it.fetch_start)
    if is_commit_due:
        send_commits(s)
    return_records(s, partition, count)


@model.mutant(replaces=is_fetchable, breaks=poll_returns_what_is_owned, scope=QUIET)
def is_fetchable_while_paused(s: State, partition: PartitionId) -> bool:
    """Pausing stops new fetches, and poll returns what was fetched before all the same.

    The application paused because it has no room, and gets more.  REF: KAFKA-7548 keeps such
    records in memory, where they wait for the resume.
    """
    return s.partition[partition].ownership == Ownership.OWNED


@model.mutant(
    replaces=is_fetch_current,
    breaks=poll_returns_each_record_in_turn,
    scope=QUIET,
)
def is_fetch_current_always(s: State, partition: PartitionId) -> bool:
    """Poll does not compare where the fetched records begin with the position.

    A partition was given back and came again; meanwhile others got further.  Poll returns what it
    had fetched in the former tenure, and the position goes back.  Kafka's client compares, and
    drops "stale" batches.
    """
    return s.partition[partition].position != NIL


@model.mutant(replaces=consumer_fetch, breaks=position_follows_what_poll_returned, scope=SMALL)
def consumer_fetch_and_move_position(s: State, partition: PartitionId) -> None:
    """The position moves when records arrive, not when poll returns them.

    So it is past records that nobody has seen, and the next automatic commit, or a change of
    owner, skips them.
    """
    it = s.partition[partition]
    require(is_fetchable(s, partition))
    require(it.log_start <= it.position)
    require(it.position < it.log_end)
    it.fetch_start = it.position
    it.fetch_end = it.log_end
    it.position = it.log_end
    it.processed_end = it.log_end


@model.mutant(replaces=consumer_assign, breaks=a_reset_has_its_reason, scope=SMALL)
def consumer_assign_and_reset(s: State, partition: PartitionId) -> None:
    """A new owner begins at the end of the log although the group has a committed offset.

    The offset could not be read in time, and the client takes that for "there is none".  What was
    appended since the commit is skipped.  REF: KAFKA-4682 is the same seen from the coordinator,
    which drops the offset of a quiet group.
    """
    it = s.partition[partition]
    require(not it.is_assigned)
    require(it.ownership == Ownership.NOT_OWNED)
    it.is_assigned = True
    it.ownership = Ownership.OWNED
    begin_at(s, partition, it.log_end)


@model.mutant(replaces=reset_offset, breaks=a_reset_follows_the_policy, scope=SMALL)
def reset_offset_by_the_wrong_timestamp(s: State, partition: PartitionId) -> int:
    """The client asks for the end it was not told.

    ListOffsets has a number for each end, -1 for the latest and -2 for the earliest, and somebody
    took the lower number for the later end.  A group that is new skips all that is in the log, or
    begins with what is years old.  REF: our own.
    """
    it = s.partition[partition]
    return it.log_end if s.reset_policy == ResetPolicy.EARLIEST else it.log_start


@model.mutant(
    replaces=consumer_notice_loss,
    breaks=committed_offsets_never_go_back,
    scope=SMALL,
)
def consumer_notice_loss_and_commit(s: State, partition: PartitionId) -> None:
    """A consumer that lost a partition commits its position, as it would on revocation.

    It has joined again by now, so its generation is good, and the coordinator does not compare a
    commit with the assignment.  The new owner is further already: its offset goes back, and its
    successor repeats.  Before KIP-429 there was one callback for both cases.
    """
    it = s.partition[partition]
    require(has_nothing_in_hand(s))
    require(it.ownership != Ownership.NOT_OWNED)
    require(not it.is_assigned)
    take_commit(s, partition, it.position)
    give_up(s, partition)


@model.mutant(replaces=retention_delete, breaks=log_bounds, scope=SMALL)
def retention_delete_past_the_end(s: State, partition: PartitionId) -> None:
    """Retention moves the log start by the clock alone, and does not look where the log ends.

    In an idle partition the log then begins beyond its end, and whoever reads from the beginning is
    sent to an offset that was never written.
    """
    it = s.partition[partition]
    require(it.log_start < log_size)
    it.log_start += 1
    excuse_below(s, partition, it.log_start)
