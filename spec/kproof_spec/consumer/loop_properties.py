"""What must hold of the single-threaded loop, in all variants, and what must be reachable.

Each variant adds what it promises for delivery.  One property says *only after a failure*:
at-least-once allows repetition, but one without any crash or lost session is a fault all the same.
"""

from .poll_loop import model
from .state import (
    Offset,
    Ownership,
    PartitionId,
    State,
    has_in_hand,
    is_fetch_current,
    log_size,
)

__all__ = ["model"]

# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def position_follows_what_poll_returned(s: State, partition: PartitionId) -> bool:
    """The position is one past the last record that poll returned, or where the tenure began.

    CC1.  Else a commit of the position covers records that the application never saw.
    """
    it = s.partition[partition]
    return it.position == it.history_expected


@model.invariant
def poll_returns_what_is_owned(s: State) -> bool:
    """Poll returns records only of partitions that are owned and not paused.  CC2."""
    return not s.history_returned_unowned


@model.invariant
def poll_returns_each_record_in_turn(s: State) -> bool:
    """Within a tenure poll returns every record once, in order.  CC2."""
    return not s.history_returned_out_of_turn


@model.invariant
def a_reset_has_its_reason(s: State) -> bool:
    """Reading begins at the committed offset, unless that is not valid or the position is out of
    range.  CC6."""
    return not s.history_reset_without_reason


@model.invariant
def a_reset_follows_the_policy(s: State) -> bool:
    """A reset leads to the log start with `earliest`, and to the log end with `latest`.  CC6.

    The wrong end either skips all that is there, or brings years of it to who wanted only news.
    """
    return not s.history_reset_against_policy


@model.invariant
def committed_offsets_never_go_back(s: State) -> bool:
    """No commit replaces a higher one: nobody undoes the progress of another owner.

    CC5 and GR7, for a group in which nobody seeks.
    """
    return not s.history_commit_went_back


@model.invariant
def records_repeat_only_after_a_failure(s: State) -> bool:
    """While nothing crashes or expires, no record is processed twice, however often the
    partition moves.  CC5."""
    return s.failures > 0 or not s.history_processed_twice


@model.invariant
def log_bounds(s: State, partition: PartitionId) -> bool:
    """A log ends where it begins or later, and no offset was committed beyond its end."""
    it = s.partition[partition]
    return it.log_start <= it.log_end and it.committed <= it.log_end


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def everything_is_read_and_committed(s: State, partition: PartitionId) -> bool:
    """The consumer itself gets through a full log."""
    it = s.partition[partition]
    return (
        it.ownership == Ownership.OWNED
        and it.log_start == 0
        and it.log_end == log_size
        and it.processed_end == log_size
        and it.committed == log_size
    )


@model.sometimes
def a_zombie_has_records_in_hand(s: State, partition: PartitionId, offset: Offset) -> bool:
    """The consumer is about to process a record that another member has processed already."""
    it = s.partition[partition]
    return (
        has_in_hand(s, partition, offset)
        and not it.is_assigned
        and it.committed > offset
        and offset in it.history_processed
    )


@model.sometimes
def stale_records_wait_in_memory(s: State, partition: PartitionId) -> bool:
    """Records of a former tenure are in memory, behind the position of this one."""
    it = s.partition[partition]
    return it.fetch_start < it.fetch_end and it.fetch_start < it.position


@model.sometimes
def a_reset_passes_over_a_record(s: State, partition: PartitionId, offset: Offset) -> bool:
    """With `latest` and no commit yet, a record that is still there is never processed."""
    it = s.partition[partition]
    return (
        it.log_start <= offset < it.position
        and it.history_expected > offset
        and offset in it.history_excused
        and offset not in it.history_processed
    )


@model.sometimes
def fetched_records_wait_while_paused(s: State, partition: PartitionId) -> bool:
    """A paused partition has fetched records that poll could return."""
    it = s.partition[partition]
    return it.is_paused and is_fetch_current(s, partition) and it.fetch_start < it.fetch_end


@model.sometimes
def a_partition_is_given_back(s: State, partition: PartitionId) -> bool:
    """In good order, after this consumer alone committed: nothing has failed."""
    it = s.partition[partition]
    return s.failures == 0 and it.ownership == Ownership.REVOKING and it.committed > 0
