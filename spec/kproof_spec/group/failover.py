"""The coordinator is replaced: another broker reads the group from the offsets log.

What was stored is the last complete generation.  A rebalance that was under way is not in the log:
the group is stable again in the generation before, with its members of then.  Those that know of
the newer generation have no assignment in it, and are refused; the number may be used once more,
and no harm is done, since nobody ever owned anything in it.  That is why an assignment is stored
*before* anyone is told of it.

A member that waited at a barrier sends JoinGroup again, to the new coordinator.  That finds the
group stable, so it answers with the present generation, and SyncGroup brings the assignment that
was stored: the actions for it are the usual ones.  (A leader's JoinGroup would begin a rebalance.
Here it is answered like a follower's, and may ask for the rebalance afterwards.)

Sessions begin anew with the new coordinator; a timeout may fire at any time here anyway.
"""

from kproof_spec.lang import SetOf, require

from .membership import model
from .state import GroupState, State, max_failovers


@model.action
def coordinator_fail_over(s: State) -> None:
    """Another broker becomes the coordinator.

    WHO   the broker that now leads the group's partition of the offsets log.
    WHEN  at any time.
    THEN  the group is as it was stored; who waits at a barrier waits in vain and will ask again.
    REF   GroupMetadataManager.loadGroup.
    """
    # WHEN
    require(s.failovers < max_failovers)  # Bound.
    # THEN
    s.failovers += 1
    s.generation_id = s.stored.generation_id
    s.members = s.stored.members
    s.leader = s.stored.leader
    s.assignment = s.stored.assignment
    s.joined = SetOf()
    s.history_rebalances = 0
    if s.members.is_empty:
        s.state = GroupState.EMPTY
    else:
        s.state = GroupState.STABLE
