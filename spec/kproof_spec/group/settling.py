"""Does a group come to rest?  The cooperative protocol again, made for questions about the end.

`cooperative` counts generations, and a number that only grows can go round in no circle: a group
that rebalances for ever would run into the bound instead of being found out.  So generations have
no numbers here.  A member's is the group's present one or it is not (`is_current`).  Nothing is
lost by that: the coordinator asks of a generation only whether it is the present one, and refuses
all others alike, a member that is refused forgets the one it had, and no number comes twice.

**Causes are bounded, effects are not.**  Consumers die and are taken for dead, `max_failures` times
in all.  How often the group rebalances because of that is what is to be shown.

**What is left out, and why that is safe.**  Late heartbeats: what they can do wrong is in `eager`,
and a member that hears nothing learns the same a heartbeat later.  Failover of the coordinator: to
the members it is one rebalance more.  LeaveGroup: to those who stay, it is a death that is noticed
at once.  Balance is judged for as many members as there are partitions at most.
"""

from kproof_spec.lang import NONE, Fairness, Model, SetOf, each, require

from .settling_state import (
    State,
    all_is_kept_that_can_be,
    everything_is_assigned,
    forget,
    has_fewest,
    has_session,
    is_assigned,
    is_leading,
    max_failures,
    may_keep,
    remove_member,
)
from .state import GroupState, MemberId, MemberState, PartitionId, members, partitions

model = Model(
    "group_settling",
    State,
    constants=[members, partitions, max_failures],
    title="A consumer group that comes to rest after whatever happened to it",
)


# -- actions: what happens to a group ------------------------------------------------------------


@model.action
def consumer_die(s: State, member: MemberId) -> None:
    """A consumer dies, wherever it is in the protocol.

    WHO   a consumer.
    WHEN  it lives.
    THEN  it does nothing any more.  The coordinator does not know.
    """
    # WHEN
    require(member not in s.dead)
    require(s.failures < max_failures)  # Bound.
    # THEN
    s.failures += 1
    s.dead.add(member)


@model.action
def consumer_start_again(s: State, member: MemberId) -> None:
    """A consumer that died is started again.

    WHO   whoever runs it.
    WHEN  the coordinator has noticed its death.  (If it has not, the new one is another member.)
    THEN  it knows nothing.
    """
    # WHEN
    require(member in s.dead)
    require(member not in s.members)
    # THEN
    s.dead.remove(member)
    forget(s, member)


@model.action
def coordinator_expel_slow_member(s: State, member: MemberId) -> None:
    """A member that lives is taken for dead: it was slow, or cut off.

    WHO   the coordinator.
    WHEN  the member does not wait at the join barrier.
    THEN  it is no member any more, and is not told.
    REF   KIP-62: session.timeout.ms and max.poll.interval.ms.
    """
    # WHEN
    require(member in s.members)
    require(member not in s.dead)
    require(member not in s.joined)
    require(s.failures < max_failures)  # Bound.
    # THEN
    s.failures += 1
    remove_member(s, member)


@model.action(fairness=Fairness.WEAK)
def coordinator_expel_dead_member(s: State, member: MemberId) -> None:
    """The session of a dead member times out.

    WHO   the coordinator.
    WHEN  the member is dead, and it has a session.
    THEN  it is no member any more, and a rebalance begins or goes on without it.
    REF   session.timeout.ms; KAFKA-7610 for those that die at their first join barrier.
    """
    # WHEN
    require(member in s.members)
    require(member in s.dead)
    require(has_session(s, member))
    # THEN
    remove_member(s, member)


# -- actions: the protocol -------------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def member_join(s: State, member: MemberId) -> None:
    """A consumer sends its first JoinGroup.

    WHO   a live consumer that is in no group.
    WHEN  at any time.
    THEN  it is a member, and a rebalance begins, or goes on with one more.
    """
    me = s.member[member]
    # WHEN
    require(member not in s.dead)
    require(me.state == MemberState.UNJOINED)
    require(member not in s.members)
    # THEN
    me.state = MemberState.PREPARING_REBALANCE
    s.members.add(member)
    s.joined.add(member)
    s.state = GroupState.PREPARING_REBALANCE


@model.action(fairness=Fairness.WEAK)
def member_rejoin(s: State, member: MemberId) -> None:
    """A member joins again, and keeps what it owns.

    WHO   a live member in a generation.
    WHEN  the coordinator waits at the join barrier; or the member has given up partitions, so
          that the next rebalance can give them to others.
    THEN  it waits at the join barrier.  In the second case a rebalance begins.
    REF   KIP-429, "Proposed Changes".
    """
    me = s.member[member]
    # WHEN
    require(member not in s.dead)
    require(me.state != MemberState.UNJOINED)
    require(member in s.members)
    require(member not in s.joined)
    require(
        s.state == GroupState.PREPARING_REBALANCE
        or (s.state == GroupState.STABLE and me.is_rejoin_needed)
    )
    # THEN
    me.state = MemberState.PREPARING_REBALANCE
    me.is_rejoin_needed = False
    s.joined.add(member)
    s.state = GroupState.PREPARING_REBALANCE


@model.action(fairness=Fairness.WEAK)
def coordinator_complete_join(s: State, leader: MemberId) -> None:
    """Everyone is at the join barrier: the next generation begins.

    WHO   the coordinator.
    WHEN  every member has joined.
    THEN  nobody is in the present generation until it is told; the leader before leads again if
          it is still there.
    """
    # WHEN
    require(s.state == GroupState.PREPARING_REBALANCE)
    require(s.members <= s.joined)
    require(leader in s.joined)
    require(leader == s.leader or s.leader == NONE)
    # THEN
    s.leader = leader
    s.joined = SetOf()
    for member in each(MemberId):
        s.member[member].is_current = False
        s.assignment[member] = SetOf()
    s.state = GroupState.COMPLETING_REBALANCE


@model.action(fairness=Fairness.WEAK)
def member_receive_join(s: State, member: MemberId) -> None:
    """A member learns its generation, and sends SyncGroup.

    WHO   a live member that waits for the answer to JoinGroup.
    WHEN  the barrier was passed with it.
    THEN  it is in the present generation, and waits for its assignment.
    """
    me = s.member[member]
    # WHEN
    require(member not in s.dead)
    require(me.state == MemberState.PREPARING_REBALANCE)
    require(member in s.members)
    require(member not in s.joined)
    # THEN
    me.state = MemberState.COMPLETING_REBALANCE
    me.is_current = True


@model.action(fairness=Fairness.WEAK)
def leader_assign_partition(s: State, leader: MemberId, member: MemberId, p: PartitionId) -> None:
    """The leader deals one partition out: to its owner, if balance allows.

    WHO   the leader.
    WHEN  the member owns the partition and may keep it; or all is kept that can be, and the
          member has no more than any other.
    THEN  the partition is for the member, in the end: it may have to wait for it.
    REF   KIP-429, "Cooperative Sticky Assignor".
    """
    # WHEN
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(is_leading(s, leader))
    require(member in s.members)
    require(not is_assigned(s, p))
    require(may_keep(s, member, p) or (all_is_kept_that_can_be(s) and has_fewest(s, member)))
    # THEN
    s.assignment[member].add(p)


@model.action(fairness=Fairness.WEAK)
def leader_sync(s: State, leader: MemberId) -> None:
    """The leader sends the assignment without what has to be given up first.

    WHO   the leader; the coordinator.
    WHEN  everything is dealt out.
    THEN  a partition that another member owns is in nobody's assignment; the rest is sent.
    """
    # WHEN
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(is_leading(s, leader))
    require(everything_is_assigned(s))
    # THEN
    for member in each(MemberId):
        for other in s.members:
            if other != member:
                s.assignment[member] = s.assignment[member] - s.member[other].owned
    s.state = GroupState.STABLE


@model.action(fairness=Fairness.WEAK)
def member_receive_assignment(s: State, member: MemberId) -> None:
    """A member takes what is new to it, and gives up what is not its own any more.

    WHO   a live member that waits for the answer to SyncGroup.
    WHEN  the generation is complete, and is the one it asked for.
    THEN  it owns what it was assigned.  If it had to give something up, it will join again.
    """
    me = s.member[member]
    # WHEN
    require(member not in s.dead)
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(me.is_current)
    require(member in s.members)
    require(s.state == GroupState.STABLE)
    # THEN
    me.state = MemberState.STABLE
    me.is_rejoin_needed = not me.owned <= s.assignment[member]
    me.owned = s.assignment[member]


@model.action(fairness=Fairness.WEAK)
def member_is_unknown(s: State, member: MemberId) -> None:
    """A member learns that it was expelled.

    WHO   a live consumer that believes to be a member.
    WHEN  it is none: whatever it asks is answered with UNKNOWN_MEMBER_ID.
    THEN  it has lost all it owned, and is in no group.
    REF   KAFKA-12983.
    """
    # WHEN
    require(member not in s.dead)
    require(s.member[member].state != MemberState.UNJOINED)
    require(member not in s.members)
    # THEN
    forget(s, member)
