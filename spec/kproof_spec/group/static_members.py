"""Static members: a restarted consumer takes its old place, and no rebalance is needed (KIP-345).

A consumer with a `group.instance.id` is known by it.  When its process is started again, it comes
without a member id but with the same instance id: the coordinator gives it a new member id in the
place of the old one, its assignment stays, and there is no rebalance.  Whoever still uses the old
member id is told FENCED_INSTANCE_ID and stops; that may be the process before, which is not quite
dead, or another one with the same instance id by mistake.

All consumers here have the same instance id: they are the processes that were started, one after
the other or at once, in one place.  A static member needs no MEMBER_ID_REQUIRED: a retry only
replaces once more.  It is not removed when it stops, only when its session ends.
"""

from kproof_spec.lang import NONE, Model, pure, require

from .member_ids import (
    ConsumerId,
    MemberId,
    State,
    consumer_lose_patience,
    consumer_receive_id,
    consumers,
    coordinator_complete_join,
    member_ids,
)

model = Model(
    "group_member_ids",
    State,
    constants=[consumers, member_ids],
    title="Static members: one member for each group.instance.id (KIP-345)",
    variant="static",
)
for _as_before in (consumer_receive_id, consumer_lose_patience, coordinator_complete_join):
    model.action(_as_before)


@pure
def is_replaced(s: State, member: MemberId) -> bool:
    """Whether a newcomer with its instance id takes this member's place."""
    is_present: bool = s.static_member == member
    return is_present


@model.action
def consumer_ask_for_id(s: State, consumer: ConsumerId, fresh: MemberId) -> None:
    """A process starts, and sends JoinGroup with its instance id and no member id.

    WHO   a consumer that has no member id, waits for no answer, and was not fenced.
    WHEN  at any time; `fresh` is the id that the coordinator makes.
    THEN  the new id takes the old one's place, whatever state the group is in.  A rebalance
          begins only if there was none to replace.
    REF   KIP-345, "Proposed Changes"; KAFKA-8500 for "whatever state".
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id == NONE)
    require(me.answer == NONE)
    require(not me.is_fenced)
    require(fresh not in s.used)
    # THEN
    s.used.add(fresh)
    if s.static_member == NONE:
        s.is_rebalancing = True
    elif is_replaced(s, s.static_member):
        s.members.remove(s.static_member)
    s.members.add(fresh)
    s.static_member = fresh
    me.answer = fresh


@model.action
def consumer_join(s: State, consumer: ConsumerId) -> None:
    """A consumer uses its member id, in any request.

    WHO   a consumer that was told its id.
    WHEN  the id is not the one that goes with the instance id.
    THEN  FENCED_INSTANCE_ID: it stops for good.
    REF   KIP-345, "Public Interfaces".
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id != NONE)
    require(me.member_id not in s.members)
    # THEN
    me.member_id = NONE
    me.is_fenced = True


@model.invariant
def one_member_for_an_instance(s: State) -> bool:
    """A group.instance.id has one member at most.

    With two, both are assigned partitions as if they were different consumers, and two processes
    that should take turns do the same work.

    REF   GR10, KAFKA-8500.
    """
    return s.members.size <= 1


@model.invariant
def replaced_members_are_fenced(s: State, member: MemberId) -> bool:
    """A member id that was replaced is a member no more.

    REF   GR10.
    """
    return member not in s.members or s.static_member == member


@model.sometimes
def a_process_is_fenced(s: State, old: ConsumerId, new: ConsumerId) -> bool:
    """An old process was fenced, and a new one is the member."""
    return s.consumer[old].is_fenced and s.consumer[new].member_id in s.members


@model.mutant(replaces=is_replaced, breaks=one_member_for_an_instance)
def is_replaced_when_stable(s: State, member: MemberId) -> bool:
    """The old member id is replaced in a stable group only.

    Two processes start at once with the same instance id and meet in the same rebalance: both
    become members, and both are assigned partitions.  REF: KAFKA-8500.
    """
    return s.static_member == member and not s.is_rebalancing
