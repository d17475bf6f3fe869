"""Who gets what: the leader's assignment and the sync barrier.

The coordinator does not assign: the leader, a member like the others, does, so that new ways to
assign need no new brokers.  It deals the partitions out, one at a time, each to one of those that
have fewest: any outcome of the range and round-robin assignors on one topic is such a deal (the
assignors themselves, for any subscriptions, are in `kproof_spec.assignors`).  Nobody sees the
deal before it is complete and sent.

**The sync barrier.**  Every member sends SyncGroup at once, the leader with the whole assignment.
The coordinator stores that in the offsets log and only then answers.
"""

from kproof_spec.lang import require

from .membership import model
from .state import (
    GroupState,
    MemberId,
    MemberState,
    PartitionId,
    State,
    everything_is_assigned,
    has_fewest,
    is_assigned,
    is_current,
)


@model.action
def leader_assign_partition(s: State, leader: MemberId, member: MemberId, p: PartitionId) -> None:
    """The leader deals one partition out.

    WHO   the member that knows, from the answer to JoinGroup, that it leads.
    WHEN  the partition has nobody yet, and the member has no more than any other.
    THEN  the partition is for the member.
    REF   KIP-54: any assignor may be used; this one is balanced and remembers nothing.
    """
    # WHEN
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(member in s.members)
    require(not is_assigned(s, p))
    require(has_fewest(s, member))
    # THEN
    s.assignment[member].add(p)


@model.action
def leader_sync(s: State, leader: MemberId) -> None:
    """The leader sends the assignment, and the coordinator stores it.

    WHO   the leader of this generation; the coordinator.
    WHEN  everything is dealt out, and the coordinator waits for it.
    THEN  the generation is complete: in the offsets log, and ready to be asked for.
    REF   Kafka protocol guide, "SyncGroup"; GroupMetadataManager.storeGroup.
    """
    # WHEN
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(everything_is_assigned(s))
    # THEN
    s.state = GroupState.STABLE
    s.stored.generation_id = s.generation_id
    s.stored.members = s.members
    s.stored.leader = leader
    s.stored.assignment = s.assignment


@model.action
def member_receive_assignment(s: State, member: MemberId) -> None:
    """A member takes what it was assigned.

    WHO   a member that waits for the answer to SyncGroup.
    WHEN  the generation is complete, and is the one it asked for.
    THEN  it owns what it was assigned and begins to read.
    REF   Kafka protocol guide, "SyncGroup"; `onPartitionsAssigned`.
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, member, me.generation_id))
    require(s.state == GroupState.STABLE)
    # THEN
    me.state = MemberState.STABLE
    me.owned = s.assignment[member]
