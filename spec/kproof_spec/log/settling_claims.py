"""That what may go goes in the end, what must be seen on the way, and ways never to get there."""

from kproof_spec.lang import require

from . import partition
from .settling import (
    broker_recover,
    cleaner_delete_below_log_start,
    cleaner_delete_by_age,
    cleaner_delete_by_size,
    model,
)
from .settling_state import (
    State,
    is_below_log_start,
    is_closed,
    is_committed,
    is_eligible,
)
from .state import (
    EndOffset,
    delete_first_segment,
    first_base_offset,
    largest_timestamp_is_expired,
    log_size,
    recovered_end_offset,
    retention_bytes,
    second_base_offset,
    size_exceeds_retention,
)

TWO = {"log_size": 2, "max_failures": 1}
"""Two offsets and a failure are enough."""


def may_go(s: State, base: EndOffset) -> bool:
    """Whether the segment of this base offset is the first, closed, committed and eligible."""
    return s.is_online and first_base_offset(s) == base and is_eligible(s) and is_committed(s)


# -- liveness --------------------------------------------------------------------------------------


@model.leads_to(may_go)
def what_may_go_goes_in_the_end(s: State, base: EndOffset) -> bool:
    """A segment that is closed, committed and eligible is deleted in the end.

    By its age, by the log's size, or because it is below the log start; one reason is enough, and
    nothing has to happen to the log any more.  It is the first segment that is spoken of: once it
    is gone, the next one is the first.

    A failure may come in between.  Then the broker has to find out anew what is committed, and the
    segment goes all the same, unless the crash has taken what made it eligible: the records behind
    it, so that it is active again or the log is too small.  Nothing else makes it stay.

    REF   RT5.
    """
    return first_base_offset(s) != base or not is_eligible(s)


# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def nothing_is_deleted_early(s: State) -> bool:
    """Retention keeps what is young if the log is not too large: haste is not what is asked for.

    REF   RT3.
    """
    return not s.history_deleted_early


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def a_segment_may_go_by_age_alone(s: State, base: EndOffset) -> bool:
    """A segment is old; it may be read, and the log is too small without it."""
    return may_go(s, base) and not size_exceeds_retention(s) and not is_below_log_start(s)


@model.sometimes
def a_segment_may_go_by_size_alone(s: State, base: EndOffset) -> bool:
    """The log is large enough without a segment that is young, and may be read."""
    return may_go(s, base) and not largest_timestamp_is_expired(s) and not is_below_log_start(s)


@model.sometimes
def a_segment_may_go_by_log_start_alone(s: State, base: EndOffset) -> bool:
    """Records were deleted on request, young ones, and the log is too small without them."""
    return may_go(s, base) and not largest_timestamp_is_expired(s) and not size_exceeds_retention(s)


@model.sometimes
def a_failure_makes_the_cleaner_wait(s: State, base: EndOffset) -> bool:
    """After a failure a segment is eligible, and not known to be committed yet."""
    return (
        s.is_online
        and s.failures > 0
        and first_base_offset(s) == base
        and is_eligible(s)
        and not is_committed(s)
    )


@model.sometimes
def a_full_log_is_deleted_to_its_end(s: State) -> bool:
    """Every offset was given, in spite of a failure, and nothing is left to delete."""
    return s.is_online and s.failures > 0 and first_base_offset(s) == log_size


# -- mutants ---------------------------------------------------------------------------------------


@model.mutant(replaces=cleaner_delete_by_age, breaks=what_may_go_goes_in_the_end, scope=TWO)
def cleaner_delete_by_age_and_size(s: State) -> None:
    """Old segments go only where the log is too large as well.

    `retention.ms` and `retention.bytes` are two promises, and whichever is used up first is enough.
    Here both have to be: a topic that nobody writes to keeps its old records for ever, whatever was
    promised about their deletion.  REF: our own.
    """
    require(s.is_online)
    require(is_closed(s))
    require(is_committed(s))
    require(largest_timestamp_is_expired(s))
    require(size_exceeds_retention(s))
    delete_first_segment(s)


@model.mutant(replaces=cleaner_delete_by_age, breaks=nothing_is_deleted_early, scope=TWO)
def cleaner_delete_whatever_is_closed(s: State) -> None:
    """The cleaner asks for no reason: then what may go goes indeed, and everything else too.

    That something is deleted in the end says little if nothing says what is kept.  REF: our own.
    """
    require(s.is_online)
    require(is_closed(s))
    require(is_committed(s))
    delete_first_segment(s)


@model.mutant(replaces=cleaner_delete_by_size, breaks=what_may_go_goes_in_the_end, scope=TWO)
def cleaner_delete_by_size_if_more_is_left(s: State) -> None:
    """The log has to be larger than `retention.bytes` without the segment, not as large.

    With segments that are as large as what is kept, a log keeps one too many.  REF: our own.
    """
    require(s.is_online)
    require(is_closed(s))
    require(is_committed(s))
    require(s.log_end_offset - second_base_offset(s) > retention_bytes)
    delete_first_segment(s)


@model.mutant(
    replaces=cleaner_delete_below_log_start, breaks=what_may_go_goes_in_the_end, scope=TWO
)
def cleaner_delete_up_to_the_segment_before(s: State) -> None:
    """A segment goes if it ends before the log start, and stays if it ends there.

    An operator has deleted whole segments by DeleteRecords, perhaps because somebody's data was in
    them.  Nobody can read the last of them any more, and it is on the disk until it is old.
    REF: our own; KIP-107.
    """
    require(s.is_online)
    require(is_closed(s))
    require(second_base_offset(s) < s.log_start_offset)
    delete_first_segment(s)


@model.mutant(replaces=broker_recover, breaks=what_may_go_goes_in_the_end, scope=TWO)
def broker_recover_if_log_reaches_its_start(s: State) -> None:
    """A broker refuses a log that ends below its log start, as if it was broken.

    Records were deleted by DeleteRecords and the crash took all that came after.  The log is sound,
    it is only empty; but it stays offline, and its files where they are.
    REF: our own; KAFKA-10101 is about what to do instead.
    """
    require(recovered_end_offset(s) >= s.durable_log_start_offset)
    partition.broker_recover(s)
