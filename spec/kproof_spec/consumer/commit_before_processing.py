"""The application commits what it is about to process, with `commitSync`: at most once.

`enable.auto.commit=false`.  The commit comes between poll and the first record, and no record is
processed before its answer is there.  If it is refused, the records belong to somebody else and are
dropped.  A crash between the commit and a record loses the record.
"""

from kproof_spec.lang import pure, require

from . import loop_properties
from .commit_after_processing import consumer_poll
from .state import (
    Offset,
    Ownership,
    PartitionId,
    State,
    give_up,
    has_in_hand,
    has_nothing_in_hand,
    note_processed,
    take_commit,
)

model = loop_properties.model.extend(
    "commit_before_processing", title="A consumer that commits before it processes: at most once"
)
model.action(consumer_poll)


@pure
def is_committed_in_hand(s: State, partition: PartitionId) -> bool:
    """Whether the commit that covers the records in hand was answered."""
    it = s.partition[partition]
    return it.commit_answered >= it.position


@pure
def is_lost(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a record is covered by a commit and nobody will ever process it."""
    it = s.partition[partition]
    return (
        offset < it.committed
        and offset not in it.history_processed
        and offset not in it.history_excused
        and not has_in_hand(s, partition, offset)
    )


@model.action
def application_commit(s: State, partition: PartitionId) -> None:
    """The application commits the records in hand before it begins with them.

    WHO   the application's thread.
    WHEN  the coordinator takes its commits, and the records are not covered yet.
    THEN  the position is committed.
    """
    it = s.partition[partition]
    # WHEN
    require(it.is_assigned)
    require(it.commit_answered < it.position)
    # THEN
    take_commit(s, partition, it.position)
    it.commit_answered = it.position


@model.action
def application_drop(s: State, partition: PartitionId) -> None:
    """The commit is refused, so the application drops the records.

    WHO   the application's thread, on CommitFailedException.
    WHEN  it has records in hand whose commit the coordinator does not take.
    THEN  it gives up the partition.
    """
    it = s.partition[partition]
    # WHEN
    require(it.ownership != Ownership.NOT_OWNED)
    require(not it.is_assigned)
    require(it.processed_end < it.position)
    # THEN
    give_up(s, partition)


@model.action
def application_process(s: State, partition: PartitionId) -> None:
    """The application processes the next record in hand.

    WHO   the application's thread.
    WHEN  it has one, and the commit that covers it was answered.
    THEN  the record is processed.
    """
    it = s.partition[partition]
    # WHEN
    require(it.processed_end < it.position)
    require(is_committed_in_hand(s, partition))
    # THEN
    note_processed(s, partition, it.processed_end)
    it.processed_end += 1


@model.action
def consumer_begin_revocation(s: State, partition: PartitionId) -> None:
    """The group wants a partition back: all that was returned is committed already.

    WHO   the consumer, inside poll.
    WHEN  it owns the partition and has nothing in hand.
    THEN  poll returns nothing more of it.
    """
    it = s.partition[partition]
    # WHEN
    require(has_nothing_in_hand(s))
    require(it.ownership == Ownership.OWNED)
    require(it.is_assigned)
    # THEN
    it.ownership = Ownership.REVOKING
    it.is_paused = False


# -- safety and reachable --------------------------------------------------------------------------


@model.invariant
def nothing_is_processed_twice(s: State) -> bool:
    """No record is processed twice: at most once.  CC3."""
    return not s.history_processed_twice


@model.invariant
def records_are_lost_only_after_a_failure(s: State, partition: PartitionId, offset: Offset) -> bool:
    """While nothing crashes or expires, every record that a commit covers will be processed."""
    return s.failures > 0 or not is_lost(s, partition, offset)


@model.sometimes
def a_record_is_lost(s: State, partition: PartitionId, offset: Offset) -> bool:
    """At most once is not exactly once: a crash between commit and processing loses a record."""
    return is_lost(s, partition, offset)


# -- mutants ---------------------------------------------------------------------------------------

SMALL = {"partitions": 1, "log_size": 1, "max_poll_records": 1, "max_failures": 1}


@model.mutant(replaces=is_committed_in_hand, breaks=nothing_is_processed_twice, scope=SMALL)
def is_committed_in_hand_when_sent(s: State, partition: PartitionId) -> bool:
    """The commit is sent with `commitAsync`, and the application begins without the answer.

    The answer would have been that the partition is somebody else's.  So two consumers process the
    record.  Found while writing this model, whose first draft took the new owner's commit for its
    own.
    """
    return s.partition[partition].position >= 0


@model.mutant(
    replaces=application_drop,
    breaks=records_are_lost_only_after_a_failure,
    scope={**SMALL, "max_failures": 0},
)
def application_drop_committed(s: State, partition: PartitionId) -> None:
    """A rebalance begins between the commit and the records, and the application drops them.

    It was told that records of a revoked partition must not be processed.  These are covered by its
    own commit: nobody else will ever see them.
    """
    it = s.partition[partition]
    require(it.is_assigned)
    require(it.ownership == Ownership.OWNED)
    require(it.processed_end < it.position)
    require(is_committed_in_hand(s, partition))
    it.processed_end = it.position
