"""The eager protocol as a whole: what must hold, and what must be seen.

The promise is one owner for each partition.  It is kept in three places, and there is a property
for each: the leader's assignment names one owner; of the members that are counted, no two own the
same; and no generation ever has two assignments, even if its coordinator fails.

A member that was expelled and does not know may go on reading what is somebody else's by now.
That is no error of the protocol, and a witness shows that it happens (`a_zombie_reads_on`).
"""

from kproof_spec.lang import (
    NONE,
    exists,
    forall,
    max_,
    max_over,
    min_over,
    pure,
)

from . import assignment, clients, failover, membership
from .state import (
    GroupState,
    MemberId,
    MemberState,
    PartitionId,
    State,
    idle_members,
    is_current,
    members,
    partitions,
)

PARTS = (membership, assignment, clients, failover)
"""The modules whose actions make up the protocol; they share one model."""

model = membership.model


# -- definitions ---------------------------------------------------------------------------------


@pure
def is_up_to_date(s: State, member: MemberId) -> bool:
    """Whether a member has the assignment of the present generation and is counted."""
    me = s.member[member]
    return me.state == MemberState.STABLE and is_current(s, member, me.generation_id)


# -- safety --------------------------------------------------------------------------------------


@model.invariant
def one_owner_in_the_assignment(s: State, a: MemberId, b: MemberId, p: PartitionId) -> bool:
    """No assignment gives a partition to two members.

    Two readers of one partition process each record twice and overwrite each other's commits.

    REF   GR1.
    """
    return a == b or not (p in s.assignment[a] and p in s.assignment[b])


@model.invariant
def one_owner_among_members(s: State, a: MemberId, b: MemberId, p: PartitionId) -> bool:
    """No two members of the group own the same partition, by their own word.

    What an assignment says is worth little if its members act on different ones.  Whoever the
    coordinator counts, in whatever generation it believes to be, shares no partition with another.

    REF   GR1'.
    """
    if a == b or a not in s.members or b not in s.members:
        return True
    return not (p in s.member[a].owned and p in s.member[b].owned)


@model.invariant
def one_owner_in_a_generation(s: State, a: MemberId, b: MemberId, p: PartitionId) -> bool:
    """No two consumers own the same partition in the same generation, counted or not.

    A commit is fenced by its generation, so a generation must name one owner, once and for all.

    REF   GR1, GR6.
    """
    ours, theirs = s.member[a], s.member[b]
    if a == b or ours.generation_id != theirs.generation_id:
        return True
    return not (p in ours.owned and p in theirs.owned)


@model.invariant
def nobody_is_ahead_of_the_coordinator(s: State, member: MemberId) -> bool:
    """No member has an assignment of a generation that the coordinator has not reached.

    Generations only go up, as far as anyone has owned anything in them.  Else an old one would
    come again, and what was fenced would be let through.

    REF   GR6.
    """
    me = s.member[member]
    return me.state != MemberState.STABLE or me.generation_id <= s.generation_id


@model.invariant
def every_partition_is_assigned(s: State) -> bool:
    """In a stable group each partition has an owner.

    Else nobody reads it, and nobody notices: the group looks healthy and its lag grows.

    REF   GR2.
    """
    if s.state != GroupState.STABLE:
        return True
    return forall(PartitionId, lambda p: exists(s.members, lambda m: p in s.assignment[m]))


@model.invariant
def assignment_is_balanced(s: State) -> bool:
    """In a stable group no member has two partitions more than another.

    So with more members than partitions exactly the surplus is idle, and otherwise nobody is.

    REF   GR3, GR4.
    """
    most = max_over(s.members, lambda m: s.assignment[m].size, start=0)
    least = min_over(s.members, lambda m: s.assignment[m].size, start=most)
    if s.state != GroupState.STABLE:
        return True
    return most - least <= 1 and idle_members(s) == max_(s.members.size - partitions, 0)


@model.invariant
def assignment_waits_for_the_leader(s: State, member: MemberId) -> bool:
    """Nobody has an assignment of a generation before its leader has sent one.

    REF   GR9, SyncBarrier.
    """
    me = s.member[member]
    if s.state != GroupState.COMPLETING_REBALANCE or me.state != MemberState.STABLE:
        return True
    return me.generation_id < s.generation_id


@model.invariant
def leader_is_a_member(s: State, member: MemberId) -> bool:
    """Once a generation has begun it has one leader, which is in it.

    Else all wait at the sync barrier for somebody who will never come.

    REF   GR9.
    """
    has_begun = s.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE)
    return not has_begun or (s.leader != NONE and (s.leader != member or member in s.members))


@model.invariant
def late_refusals_change_nothing(s: State) -> bool:
    """No member gives up a generation because it was refused in another one.

    Else a healthy member throws away its work, and the whole group rebalances for nothing.

    REF   KAFKA-9823.
    """
    return not s.history_wrongly_reset


@model.invariant
def refusals_are_heard(s: State) -> bool:
    """Who hears that it is refused in the generation it is in gives up what it owns.

    An expelled member cannot help reading on until it hears.  If it did so afterwards, its
    partitions would have two readers for as long as it lives.

    REF   GR5; ConsumerCoordinator, `onPartitionsLost`.
    """
    return not s.history_read_on_when_refused


@model.invariant
def rebalances_end(s: State) -> bool:
    """After somebody came or went there is one rebalance; then the group is left in peace.

    REF   GRL3, as safety.
    """
    return s.history_rebalances <= 1


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def everyone_is_up_to_date(s: State) -> bool:
    """All consumers are in the group, and each has its assignment."""
    return s.members.size == members and forall(MemberId, lambda m: is_up_to_date(s, m))


@model.sometimes
def a_member_is_idle(s: State, member: MemberId) -> bool:
    """A member is up to date and has nothing to do: there are more members than partitions."""
    return is_up_to_date(s, member) and s.member[member].owned.is_empty


@model.sometimes
def a_zombie_reads_on(s: State, zombie: MemberId, owner: MemberId, p: PartitionId) -> bool:
    """An expelled consumer still reads a partition that a member owns by now."""
    return (
        zombie not in s.members
        and p in s.member[zombie].owned
        and is_up_to_date(s, owner)
        and p in s.member[owner].owned
    )


@model.sometimes
def a_refusal_comes_late(s: State, member: MemberId) -> bool:
    """A heartbeat was refused, and the member is up to date in a later generation."""
    return s.heartbeat.member == member and s.heartbeat.is_refused and is_up_to_date(s, member)


@model.sometimes
def a_group_outlives_its_coordinator(s: State, member: MemberId) -> bool:
    """After a failover, a member is up to date in a generation that began after it."""
    return s.failovers > 0 and is_up_to_date(s, member) and s.history_rebalances > 0


@model.sometimes
def a_generation_is_lost(s: State, member: MemberId) -> bool:
    """After a failover, a member waits for an assignment of a generation that was never stored."""
    me = s.member[member]
    return (
        s.failovers > 0
        and me.state == MemberState.COMPLETING_REBALANCE
        and me.generation_id > s.generation_id
    )
