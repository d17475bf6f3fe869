"""What a group does in the end, what must be seen on the way, and two ways never to arrive."""

from kproof_spec.lang import each, exists, forall, require

from .settling import leader_sync, model
from .settling_state import State, has_session, is_assigned, is_at_rest, is_leading, may_keep
from .state import GroupState, MemberId, MemberState, PartitionId

SCOPE = {"members": 2, "partitions": 2, "max_failures": 1}


def is_unsettled(s: State) -> bool:
    """Whether somebody has to do something before the group is at rest."""
    return not is_at_rest(s)


# -- liveness --------------------------------------------------------------------------------------


@model.leads_to(is_unsettled)
def the_group_comes_to_rest(s: State) -> bool:
    """Whatever happened to the group, it settles once nothing more happens.

    Every live consumer is then a member with its assignment, and nobody else is counted.  For
    finitely many failures, all of which may strike at the worst time.

    REF   GRL1; GRL3, for any number of rebalances.
    """
    return is_at_rest(s)


# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def a_group_at_rest_reads_everything(s: State) -> bool:
    """At rest, every partition has an owner who knows it: rest is not standing still.

    REF   GR2.
    """
    if not is_at_rest(s) or s.members.is_empty:
        return True
    return forall(PartitionId, lambda p: exists(s.members, lambda m: p in s.member[m].owned))


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def the_group_rests_again(s: State, member: MemberId) -> bool:
    """A consumer died, and the others have settled without it."""
    return is_at_rest(s) and member in s.dead and not s.members.is_empty


@model.sometimes
def a_member_dies_at_the_barrier(s: State, member: MemberId) -> bool:
    """A consumer died while its first JoinGroup waited: the group counts on nobody."""
    return member in s.dead and member in s.joined


@model.sometimes
def a_partition_changes_hands(s: State, member: MemberId) -> bool:
    """A member gave something up for another and has to join again."""
    return s.state == GroupState.STABLE and s.member[member].is_rejoin_needed


# -- mutants ---------------------------------------------------------------------------------------


@model.mutant(replaces=has_session, breaks=the_group_comes_to_rest, scope=SCOPE)
def has_session_after_the_first_heartbeat(s: State, member: MemberId) -> bool:
    """The session of a member begins with its first heartbeat: a phantom stays for ever.

    Members send heartbeats once they have the answer to JoinGroup.  One that dies before has none,
    so nothing times out.  The others wait for its part of every barrier, or for the assignment that
    it should send as their leader.  REF: KAFKA-7610; KIP-394.
    """
    return member in s.members and s.member[member].state != MemberState.PREPARING_REBALANCE


@model.mutant(replaces=may_keep, breaks=the_group_comes_to_rest, scope=SCOPE)
def may_keep_nothing(s: State, member: MemberId, p: PartitionId) -> bool:
    """The leader deals as if nobody owned anything: members chase each other's revocations.

    What one gives up is dealt to another, who has to give up something else for it.  Each rebalance
    gives the reason for the next, though nobody comes or goes.  `cooperative` has the same slip as
    a broken bound on the number of rebalances.
    REF: KIP-429, "Motivation".
    """
    return p in s.assignment[member] and not is_assigned(s, p)


@model.mutant(replaces=leader_sync, breaks=a_group_at_rest_reads_everything, scope=SCOPE)
def leader_sync_before_all_is_dealt(s: State, leader: MemberId) -> None:
    """The leader sends what it has dealt so far, and nobody asks for the rest."""
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(is_leading(s, leader))
    for member in each(MemberId):
        for other in s.members:
            if other != member:
                s.assignment[member] = s.assignment[member] - s.member[other].owned
    s.state = GroupState.STABLE
