"""The application commits what it has processed, with `commitSync`: at least once.

`enable.auto.commit=false`.  A commit covers what is processed and no more, so it may come between
any two records, and it does not matter who processes.  On revocation the application commits in
its `onPartitionsRevoked`; on close, before.  A crash between a record and its commit repeats it.
"""

from kproof_spec.lang import each, exists, require

from . import loop_properties
from .auto_commit import (
    SMALL,
    a_record_is_processed_twice,
    application_process,
    nothing_is_skipped,
)
from .loop_properties import records_repeat_only_after_a_failure
from .state import (
    Ownership,
    PartitionId,
    RecordCount,
    State,
    end_assignment,
    give_up,
    has_nothing_in_hand,
    is_fetch_current,
    is_fetchable,
    return_records,
    take_commit,
)

model = loop_properties.model.extend(
    "commit_after_processing", title="A consumer that commits what it has processed: at least once"
)
model.action(application_process)
model.invariant(nothing_is_skipped)
model.sometimes(a_record_is_processed_twice)


@model.action
def consumer_poll(s: State, partition: PartitionId, count: RecordCount) -> None:
    """Poll returns records, and commits nothing.

    WHO   the application's thread.
    WHEN  it has processed what it had, and fetched records of a fetchable partition wait that
          begin at its position.
    THEN  some records are in hand.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(is_fetchable(s, partition))
    require(is_fetch_current(s, partition))
    require(count <= it.fetch_end - it.fetch_start)
    # THEN
    return_records(s, partition, count)


@model.action
def application_commit(s: State, partition: PartitionId) -> None:
    """The application commits what it has processed, and waits for the answer.

    WHO   the application's thread, between any two records.
    WHEN  the coordinator still takes its commits.
    THEN  all that is processed is committed, and no more.
    """
    it = s.partition[partition]
    # WHEN
    require(it.is_assigned)
    require(it.committed < it.processed_end)
    # THEN
    take_commit(s, partition, it.processed_end)


@model.action
def consumer_begin_revocation(s: State, partition: PartitionId) -> None:
    """The group wants a partition back: `onPartitionsRevoked` commits first.

    WHO   the application, in a callback inside poll.
    WHEN  it owns the partition and has nothing in hand.
    THEN  what it has processed is committed, and poll returns nothing more of it.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    # THEN
    it.ownership = Ownership.REVOKING
    it.is_paused = False
    take_commit(s, partition, it.processed_end)


@model.action
def consumer_close(s: State) -> None:
    """The application commits and closes the consumer, perhaps with records in hand.

    WHO   the application's thread.
    WHEN  it owns something.
    THEN  what it has processed is committed, as far as that is its to commit; it has left.
    """
    # WHEN
    require(exists(PartitionId, lambda p: s.partition[p].ownership != Ownership.NOT_OWNED))
    # THEN
    for partition in each(PartitionId):
        it = s.partition[partition]
        if it.is_assigned:
            take_commit(s, partition, it.processed_end)
        if it.ownership != Ownership.NOT_OWNED:
            end_assignment(s, partition)
        give_up(s, partition)
        it.fetch_start = 0
        it.fetch_end = 0


# -- mutants ---------------------------------------------------------------------------------------


@model.mutant(replaces=application_commit, breaks=nothing_is_skipped, scope=SMALL)
def application_commit_position(s: State, partition: PartitionId) -> None:
    """`commitSync()` without arguments in the middle of a batch commits the position.

    That is the end of what poll returned, so it covers the records that are still in hand.  The
    offsets to commit have to be named: `commitSync(offsets)`.
    """
    it = s.partition[partition]
    require(it.is_assigned)
    require(it.committed < it.position)
    take_commit(s, partition, it.position)


@model.mutant(
    replaces=consumer_begin_revocation,
    breaks=records_repeat_only_after_a_failure,
    scope={**SMALL, "max_failures": 0},
)
def consumer_begin_revocation_without_commit(s: State, partition: PartitionId) -> None:
    """The application has no `onPartitionsRevoked`: it commits every so often, and that is all.

    Each rebalance then repeats what was processed since the last commit, although nothing failed.
    """
    it = s.partition[partition]
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    it.ownership = Ownership.REVOKING
    it.is_paused = False
