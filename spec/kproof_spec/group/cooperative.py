"""The cooperative protocol: members keep what they own through a rebalance (KIP-429).

Under the eager protocol all reading stops at each rebalance, although most partitions stay where
they are.  Here a member goes on with what it owns, and says in JoinGroup what that is.  The leader
lets each keep as much as balance allows.  A partition that has to move is, in this generation,
nobody's: its owner gives it up when it sees that it is not in its assignment, and then *it* asks
for another rebalance, in which the partition is free.

Three rules differ from the eager protocol, and each has a mutant.

1. A partition that another member owns is withheld from the assignment (`leader_sync`).
2. What one kept through the rebalance is given up before one joins again (`is_rejoin_needed`).
3. Whoever is expelled has lost everything, and says so when it comes back (KAFKA-12983).

The leader reads the members' `owned` where the protocol has them in JoinGroup: between JoinGroup
and the assignment a member changes it only by being refused, and then it is in no deal.  Failover
of the coordinator is left out: with it, a second JoinGroup whose owned partitions differ begins a
rebalance even in a stable group, and the eager variant shows what there is to see.
"""

from kproof_spec.lang import each, exists, forall, max_, max_over, min_over, pure, require

from . import eager
from .eager import is_up_to_date, one_owner_among_members
from .membership import member_is_unknown
from .state import (
    GroupState,
    MemberId,
    MemberState,
    PartitionId,
    State,
    everything_is_assigned,
    has_fewest,
    has_room_to_keep,
    is_assigned,
    is_current,
    max_generation,
    members,
    partitions,
    prepare_rebalance,
    reset,
)

model = eager.model.extend(
    "cooperative",
    title="A consumer group whose members keep what they own through a rebalance (KIP-429)",
    without=["coordinator_fail_over"],
)
model.mutants = {}  # What is wrong in the eager protocol is not always wrong here.


# -- definitions ---------------------------------------------------------------------------------


@pure
def may_keep(s: State, member: MemberId, p: PartitionId) -> bool:
    """Whether a member owns a partition that is not dealt out, and may have it again."""
    return (
        member in s.members
        and p in s.member[member].owned
        and not is_assigned(s, p)
        and has_room_to_keep(s, member)
    )


@pure
def all_is_kept_that_can_be(s: State) -> bool:
    """Whether the leader has let everyone keep what it may."""
    return not exists(PartitionId, lambda p: exists(MemberId, lambda m: may_keep(s, m, p)))


@pure
def is_settled(s: State) -> bool:
    """Whether all members have their assignments and nobody has to join again."""
    return s.state == GroupState.STABLE and forall(
        s.members, lambda m: is_up_to_date(s, m) and not s.member[m].is_rejoin_needed
    )


# -- actions -------------------------------------------------------------------------------------


@model.action
def member_rejoin(s: State, member: MemberId) -> None:
    """A member joins again, and keeps what it owns.

    WHO   a member in a generation.
    WHEN  the coordinator waits at the join barrier; or the member has given up partitions, so
          that the next rebalance can give them to others.
    THEN  JoinGroup names what it owns.  In the second case it begins a rebalance.
    REF   KIP-429, "Proposed Changes".
    """
    me = s.member[member]
    # WHEN
    require(me.state != MemberState.UNJOINED)
    require(member in s.members)
    require(member not in s.joined)
    require(
        s.state == GroupState.PREPARING_REBALANCE
        or (s.state == GroupState.STABLE and me.is_rejoin_needed)
    )
    require(s.generation_id < max_generation)  # Bound: a barrier that can never be passed.
    # THEN
    me.state = MemberState.PREPARING_REBALANCE
    me.is_rejoin_needed = False
    s.joined.add(member)
    prepare_rebalance(s)


@model.action
def leader_assign_partition(s: State, leader: MemberId, member: MemberId, p: PartitionId) -> None:
    """The leader deals one partition out: to its owner, if balance allows.

    WHO   the leader.
    WHEN  the member owns the partition and may keep it; or all is kept that can be, and the
          member has no more than any other.
    THEN  the partition is for the member, in the end: it may have to wait for it.
    REF   KIP-429, "Cooperative Sticky Assignor".
    """
    # WHEN
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(member in s.members)
    require(not is_assigned(s, p))
    require(may_keep(s, member, p) or (all_is_kept_that_can_be(s) and has_fewest(s, member)))
    # THEN
    s.assignment[member].add(p)


@model.action
def leader_sync(s: State, leader: MemberId) -> None:
    """The leader sends the assignment without what has to be given up first.

    WHO   the leader; the coordinator.
    WHEN  everything is dealt out.
    THEN  a partition that another member owns is in nobody's assignment; the rest is sent.
    REF   KIP-429, "Cooperative Sticky Assignor", the last step.
    """
    # WHEN
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(everything_is_assigned(s))
    # THEN
    for member in each(MemberId):
        for other in s.members:
            if other != member:
                s.assignment[member] = s.assignment[member] - s.member[other].owned
    s.state = GroupState.STABLE


@model.action
def member_receive_assignment(s: State, member: MemberId) -> None:
    """A member takes what is new to it, and gives up what is not its own any more.

    WHO   a member that waits for the answer to SyncGroup.
    WHEN  the generation is complete, and is the one it asked for.
    THEN  it owns what it was assigned.  If it had to give something up, it will join again.
    REF   KIP-429, "Consumer": `onPartitionsRevoked`, then `onPartitionsAssigned`.
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, member, me.generation_id))
    require(s.state == GroupState.STABLE)
    # THEN
    me.state = MemberState.STABLE
    me.is_rejoin_needed = not me.owned <= s.assignment[member]
    me.owned = s.assignment[member]


# -- safety: what is different ---------------------------------------------------------------------


@model.invariant
def every_partition_is_assigned(s: State) -> bool:
    """Once a group has settled each partition has an owner.

    REF   GR2.
    """
    return not is_settled(s) or everything_is_assigned(s)


@model.invariant
def assignment_is_balanced(s: State) -> bool:
    """Once a group has settled no member has two partitions more than another.

    REF   GR3, GR4.
    """
    most = max_over(s.members, lambda m: s.assignment[m].size, start=0)
    least = min_over(s.members, lambda m: s.assignment[m].size, start=most)
    return not is_settled(s) or most - least <= 1


@model.invariant
def rebalances_end(s: State) -> bool:
    """After somebody came or went, the rebalances come to an end.

    One finds what has to move, one moves it.  If several members have to give something up and one
    of them is late, it does so only in the next; but at least one has done with each.  Members that
    give up nothing need none, and one at least does not: so never more than there are members.

    REF   GRL3, as safety.
    """
    return s.history_rebalances <= max_(members, 2)


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def a_member_reads_through_a_rebalance(s: State, member: MemberId, p: PartitionId) -> bool:
    """A member that has joined the next generation still reads."""
    return s.state == GroupState.COMPLETING_REBALANCE and p in s.member[member].owned


@model.sometimes
def a_partition_waits(s: State, p: PartitionId) -> bool:
    """A partition was given up and is not assigned yet: the pause that is left."""
    return (
        s.state == GroupState.STABLE
        and not is_assigned(s, p)
        and not exists(MemberId, lambda m: p in s.member[m].owned)
    )


# -- mutants ---------------------------------------------------------------------------------------

SCOPE = {"members": 2, "partitions": 2, "max_generation": 3, "max_failovers": 0}
REMAINDER = {"members": 2, "partitions": 3, "max_generation": 4, "max_failovers": 0}
"""Partitions that cannot be shared out evenly: one member has one more."""


@model.mutant(replaces=leader_sync, breaks=one_owner_among_members, scope=SCOPE)
def leader_sync_at_once(s: State, leader: MemberId) -> None:
    """A leader with an eager assignor gives a partition to its new owner at once (rule 1).

    The group was switched to the cooperative protocol and one member not to the cooperative
    assignor.  The new owner begins before the old one hears.  REF: KIP-429, "Compatibility".
    """
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(everything_is_assigned(s))
    s.state = GroupState.STABLE


@model.mutant(replaces=member_receive_assignment, breaks=every_partition_is_assigned, scope=SCOPE)
def member_receive_assignment_and_rest(s: State, member: MemberId) -> None:
    """A member gives partitions up and does not join again (rule 2).

    Nobody knows that they are free.  They have no reader until somebody else comes or goes.
    """
    me = s.member[member]
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, member, me.generation_id))
    require(s.state == GroupState.STABLE)
    me.state = MemberState.STABLE
    me.owned = s.assignment[member]


@model.mutant(
    replaces=member_is_unknown,
    breaks=one_owner_among_members,
    scope={"members": 2, "partitions": 2, "max_generation": 4, "max_failovers": 0},
)
def member_is_unknown_and_reads_on(s: State, member: MemberId) -> None:
    """A member that lost its member id joins again with what it owned before (rule 3).

    It was expelled while it waited, and its partitions were given to others.  It hears of the
    first only, forgets its generation, and keeps its partitions.  REF: KAFKA-12983, KAFKA-13406.
    """
    me = s.member[member]
    require(me.state in (MemberState.PREPARING_REBALANCE, MemberState.COMPLETING_REBALANCE))
    require(member not in s.members)
    owned = me.owned
    reset(s, member, me.generation_id)
    me.owned = owned


@model.mutant(
    replaces=has_room_to_keep,
    breaks=rebalances_end,
    scope={"members": 2, "partitions": 2, "max_generation": 4, "max_failovers": 0},
)
def has_no_room_to_keep(s: State, member: MemberId) -> bool:
    """The leader deals as if nobody owned anything: a rebalance storm.

    Each rebalance moves partitions that need not move, so each has somebody give something up and
    join again.  The group is never done, although nobody comes or goes.
    REF: KIP-429, "Motivation".
    """
    return s.assignment[member].size < 0


@model.mutant(replaces=has_room_to_keep, breaks=rebalances_end, scope=REMAINDER)
def has_room_to_keep_an_even_share(s: State, member: MemberId) -> bool:
    """The leader lets a member keep its even share, and takes the odd partition from it each time.

    Two members share three partitions.  Whoever has two may keep one; the other one is dealt, goes
    to the second member as well as not, and then that one has two.  All is balanced all the time,
    and the odd partition goes to and fro, with a rebalance for each time.  REF: our own.
    """
    for n in range(1, members + 1):
        if s.members.size == n:
            return s.assignment[member].size < partitions // n
    return False


@model.mutant(replaces=has_room_to_keep, breaks=assignment_is_balanced, scope=SCOPE)
def has_room_to_keep_everything(s: State, member: MemberId) -> bool:
    """The leader lets all keep what they have and deals only what is free.

    Nothing ever moves, as it should be, until somebody new comes: for it there is nothing left.
    It is idle as long as nobody else goes, however much the others have to do.  REF: our own.
    """
    return s.assignment[member].size < partitions
