"""Who is in the group: JoinGroup and the join barrier, LeaveGroup, Heartbeat and the timeouts.

**The join barrier.**  Whenever somebody comes or goes, the coordinator wants JoinGroup of every
member again, and answers none until it has them all.  Then the next generation begins, with
exactly those that joined; who does not come in time is expelled.  So whoever is in a generation
has, before it began, stopped what it did in the one before (under the eager protocol).

**Timers.**  The session timeout (no heartbeat) and the rebalance timeout (no JoinGroup) may fire
at any time: nothing in the protocol depends on how long they are, only on the fact that a member
which waits at the barrier is not expelled.  `group.initial.rebalance.delay.ms` only makes the
first barrier wait for more members, which here may come before it is passed anyway.
"""

from kproof_spec.lang import NONE, Model, SetOf, min_, require

from .state import (
    GroupState,
    MemberId,
    MemberState,
    State,
    clear_assignment,
    everyone_has_joined,
    is_current,
    max_failovers,
    max_generation,
    members,
    partitions,
    prepare_rebalance,
    remove_member,
    reset,
)

model = Model(
    "group",
    State,
    constants=[members, partitions, max_generation, max_failovers],
    title="A consumer group that gives up everything at each rebalance",
    variant="eager",
)


@model.action
def member_join(s: State, member: MemberId) -> None:
    """A consumer sends its first JoinGroup.

    WHO   a consumer that is in no group, and that the coordinator does not know.
    WHEN  at any time.
    THEN  it is a member, and a rebalance begins, or goes on with one more.
    REF   KIP-394: the step before, in which it gets its member id, is in `member_ids`.
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.UNJOINED)
    require(member not in s.members)
    require(s.generation_id < max_generation)  # Bound: a barrier that can never be passed.
    # THEN
    me.state = MemberState.PREPARING_REBALANCE
    s.members.add(member)
    s.joined.add(member)
    s.history_rebalances = 0
    prepare_rebalance(s)


@model.action
def member_rejoin(s: State, member: MemberId) -> None:
    """A member that hears of a rebalance gives up what it owns and joins again.

    WHO   a member in a generation; a heartbeat, or whatever it asked, was answered with
          REBALANCE_IN_PROGRESS.
    WHEN  the coordinator waits at the join barrier and still counts the member.
    THEN  it owns nothing, *before* JoinGroup is sent: `onPartitionsRevoked` comes first.
    REF   Kafka protocol guide, "JoinGroup"; ConsumerCoordinator.onJoinPrepare.
    """
    me = s.member[member]
    # WHEN
    require(me.state != MemberState.UNJOINED)
    require(member in s.members)
    require(member not in s.joined)
    require(s.state == GroupState.PREPARING_REBALANCE)
    # THEN
    me.owned = SetOf()
    me.state = MemberState.PREPARING_REBALANCE
    s.joined.add(member)


@model.action
def member_ask_for_rebalance(s: State, member: MemberId) -> None:
    """A member sees that its subscription, or the topic, is not what the assignment went by.

    WHO   a member with an assignment.
    WHEN  the group is stable.
    THEN  a rebalance begins, in which this member joins like the others.
    REF   ConsumerCoordinator.rejoinNeededOrPending.
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.STABLE)
    require(is_current(s, member, me.generation_id))
    require(s.state == GroupState.STABLE)
    require(s.generation_id < max_generation)  # Bound: a barrier that can never be passed.
    # THEN
    s.history_rebalances = 0
    prepare_rebalance(s)


@model.action
def coordinator_complete_join(s: State, leader: MemberId) -> None:
    """Everyone is at the join barrier: the next generation begins.

    WHO   the coordinator.
    WHEN  every member has joined.
    THEN  the generation is one higher, and its leader is the one before if that is still there.
          Answers to JoinGroup are on their way; the leader's has the list of members.
    REF   GroupCoordinator.onCompleteJoin.
    """
    # WHEN
    require(s.state == GroupState.PREPARING_REBALANCE)
    require(everyone_has_joined(s))
    require(leader in s.joined)
    require(leader == s.leader or s.leader == NONE)
    require(s.generation_id < max_generation)  # Bound.
    # THEN
    s.generation_id += 1
    s.leader = leader
    s.joined = SetOf()
    clear_assignment(s)
    s.state = GroupState.COMPLETING_REBALANCE
    s.history_rebalances = min_(s.history_rebalances + 1, max_generation)


@model.action
def coordinator_complete_join_empty(s: State) -> None:
    """The last member is gone: the group is empty.

    WHO   the coordinator.
    WHEN  a rebalance began and there are no members.
    THEN  that is a generation too, and it is stored, so that no later one has its number.
    REF   GroupCoordinator.onCompleteJoin.
    """
    # WHEN
    require(s.state == GroupState.PREPARING_REBALANCE)
    require(s.members.is_empty)
    require(s.generation_id < max_generation)  # Bound.
    # THEN
    s.generation_id += 1
    clear_assignment(s)
    s.state = GroupState.EMPTY
    s.stored.generation_id = s.generation_id
    s.stored.members = s.members
    s.stored.leader = NONE
    s.stored.assignment = s.assignment


@model.action
def member_receive_join(s: State, member: MemberId) -> None:
    """A member learns its generation, and sends SyncGroup.

    WHO   a member that waits for the answer to JoinGroup.
    WHEN  the barrier was passed with it.
    THEN  it is in the new generation, and waits for its assignment.
    REF   Kafka protocol guide, "JoinGroup".
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.PREPARING_REBALANCE)
    require(member in s.members)
    require(member not in s.joined)
    # THEN
    me.state = MemberState.COMPLETING_REBALANCE
    me.generation_id = s.generation_id


@model.action
def member_leave(s: State, member: MemberId) -> None:
    """A consumer is closed and says so.

    WHO   a member.
    WHEN  it has its assignment.
    THEN  it owns nothing, and the others share out what it had.
    REF   Kafka protocol guide, "LeaveGroup".
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.STABLE)
    require(is_current(s, member, me.generation_id))
    # THEN
    remove_member(s, member)
    reset(s, member, me.generation_id)


@model.action
def coordinator_expel_member(s: State, member: MemberId) -> None:
    """A session or rebalance timeout fires.

    WHO   the coordinator.  The member is not told: it may be slow, cut off or dead.
    WHEN  the member does not wait at the join barrier: while it does it is taken to be alive.
    THEN  it is no member any more, and a rebalance begins or goes on without it.
    REF   KIP-62, "Proposed Changes": session.timeout.ms, and max.poll.interval.ms for the barrier.
    """
    # WHEN
    require(member in s.members)
    require(member not in s.joined)
    # THEN
    remove_member(s, member)


@model.action
def member_send_heartbeat(s: State, member: MemberId) -> None:
    """A member tells the coordinator that it is alive and in which generation.

    WHO   a member, from its background thread.
    WHEN  it has its assignment, and no other heartbeat is on its way.
    THEN  one is.  It may take arbitrarily long; only one that is refused matters.
    REF   Kafka protocol guide, "Heartbeat".
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.STABLE)
    require(s.heartbeat.member == NONE)
    # THEN
    s.heartbeat.member = member
    s.heartbeat.generation_id = me.generation_id


@model.action
def coordinator_answer_heartbeat(s: State, member: MemberId) -> None:
    """The coordinator answers a heartbeat.

    WHO   the coordinator.
    WHEN  a heartbeat has come.
    THEN  UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION, and the answer is on its way; or all is well,
          and nobody needs to know.  The group stays as it is.
    REF   Kafka protocol guide, "Heartbeat".
    """
    # WHEN
    require(s.heartbeat.member == member)
    require(not s.heartbeat.is_refused)
    # THEN
    if is_current(s, member, s.heartbeat.generation_id):
        s.heartbeat.member = NONE
        s.heartbeat.generation_id = 0
    else:
        s.heartbeat.is_refused = True


@model.action
def member_is_unknown(s: State, member: MemberId) -> None:
    """A member is told that the coordinator does not know it, or not in this generation.

    WHO   a member that waits for JoinGroup or SyncGroup.
    WHEN  it was expelled meanwhile, or its generation did not outlive a coordinator.
    THEN  it begins anew.
    REF   Kafka protocol guide, UNKNOWN_MEMBER_ID and ILLEGAL_GENERATION.
    """
    me = s.member[member]
    # WHEN
    require(me.state in (MemberState.PREPARING_REBALANCE, MemberState.COMPLETING_REBALANCE))
    require(
        member not in s.members
        or (me.state == MemberState.COMPLETING_REBALANCE and me.generation_id != s.generation_id)
    )
    # THEN
    reset(s, member, me.generation_id)
