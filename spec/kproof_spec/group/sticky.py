"""The sticky assignor under the eager protocol: members remember what they had (KIP-54).

Members give everything up at each rebalance, but each names in JoinGroup what it was assigned last,
and the leader gives it back as far as balance allows: caches and open files stay of use.

What a member remembers may be old.  One that was in a generation and did not get its assignment
(it was late with SyncGroup) remembers an older one, in which it had partitions that are another's
by now; so two members may claim the same partition.  Therefore a claim says in which generation it
was true: the higher one wins, and of two from the same generation none does (KIP-341).

Failover of the coordinator is left out, as in `cooperative`.
"""

from kproof_spec.lang import exists, forall, pure, require

from . import eager
from .eager import one_owner_in_the_assignment
from .state import (
    GroupState,
    MemberId,
    MemberState,
    PartitionId,
    State,
    has_fewest,
    has_room_to_keep,
    is_assigned,
    is_current,
    members,
    partitions,
)

model = eager.model.extend(
    "sticky",
    title="A consumer group whose leader gives back what members remember (KIP-54, KIP-341)",
    without=["coordinator_fail_over"],
)
model.mutants = {}  # What is wrong in the eager protocol is told there.


# -- definitions ---------------------------------------------------------------------------------


@pure
def claims(s: State, member: MemberId, p: PartitionId) -> bool:
    """Whether a member names a partition in JoinGroup as its own."""
    return member in s.members and p in s.member[member].remembered


@pure
def has_better_claim(s: State, other: MemberId, member: MemberId, p: PartitionId) -> bool:
    """Whether another member's claim is as new as this one's, or newer."""
    return (
        other != member
        and claims(s, other, p)
        and s.member[other].remembered_in >= s.member[member].remembered_in
    )


@pure
def may_keep(s: State, member: MemberId, p: PartitionId) -> bool:
    """Whether a member is to be given a partition back."""
    return (
        claims(s, member, p)
        and not exists(MemberId, lambda other: has_better_claim(s, other, member, p))
        and not is_assigned(s, p)
        and has_room_to_keep(s, member)
    )


@pure
def all_is_kept_that_can_be(s: State) -> bool:
    """Whether the leader has given everything back that it may."""
    return not exists(PartitionId, lambda p: exists(MemberId, lambda m: may_keep(s, m, p)))


# -- actions -------------------------------------------------------------------------------------


@model.action
def leader_assign_partition(s: State, leader: MemberId, member: MemberId, p: PartitionId) -> None:
    """The leader gives one partition back, or deals it out.

    WHO   the leader.
    WHEN  the member is to be given it back; or all that can be is given back, the partition has
          nobody, and the member has no more than any other.
    THEN  the partition is for the member.
    REF   KIP-54, "Sticky Assignor"; KIP-341, "Proposed Changes".
    """
    # WHEN
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(member in s.members)
    require(p not in s.assignment[member])
    require(
        may_keep(s, member, p)
        or (all_is_kept_that_can_be(s) and not is_assigned(s, p) and has_fewest(s, member))
    )
    # THEN
    s.assignment[member].add(p)


@model.action
def member_receive_assignment(s: State, member: MemberId) -> None:
    """A member takes what it was assigned, and remembers it with its generation.

    WHO   a member that waits for the answer to SyncGroup.
    WHEN  the generation is complete, and is the one it asked for.
    THEN  it owns what it was assigned.  What it remembers it names in its next JoinGroup.
    REF   KIP-341, "Proposed Changes".
    """
    me = s.member[member]
    # WHEN
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, member, me.generation_id))
    require(s.state == GroupState.STABLE)
    # THEN
    me.state = MemberState.STABLE
    me.owned = s.assignment[member]
    me.remembered = s.assignment[member]
    me.remembered_in = me.generation_id


# -- safety: what is different ---------------------------------------------------------------------


@pure
def has_the_last_claim(s: State, member: MemberId, p: PartitionId) -> bool:
    """Whether nobody else claims a partition from the same generation or a later one."""
    me = s.member[member]
    return claims(s, member, p) and not exists(
        s.members,
        lambda m: m != member and claims(s, m, p) and s.member[m].remembered_in >= me.remembered_in,
    )


@pure
def has_nothing_new(s: State, member: MemberId) -> bool:
    """Whether a member was assigned nothing but what it claims."""
    return s.assignment[member] <= s.member[member].remembered


@model.invariant
def claims_are_honoured(s: State, member: MemberId, p: PartitionId) -> bool:
    """Who has the last claim to a partition gets it back, unless balance forbids.

    Balance forbids it to a member that got its share of what it claims: nothing new has come to it
    instead, and to no member that has more.  Else caches are thrown away at each rebalance, or
    a claim from before wins over the true one, and the assignor is sticky by name only.

    REF   KIP-54, KIP-341.
    """
    if s.state != GroupState.STABLE or p in s.assignment[member]:
        return True
    share = s.assignment[member].size
    return not has_the_last_claim(s, member, p) or (
        has_nothing_new(s, member)
        and forall(s.members, lambda m: s.assignment[m].size <= share or has_nothing_new(s, m))
    )


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def two_members_claim_one_partition(s: State, a: MemberId, b: MemberId, p: PartitionId) -> bool:
    """Two members that have joined remember the same partition: why claims have generations."""
    return (
        a != b
        and s.state == GroupState.COMPLETING_REBALANCE
        and s.member[a].state == MemberState.COMPLETING_REBALANCE
        and s.member[b].state == MemberState.COMPLETING_REBALANCE
        and claims(s, a, p)
        and claims(s, b, p)
    )


# -- mutants ---------------------------------------------------------------------------------------

SCOPE = {"members": 2, "partitions": 2, "max_generation": 4, "max_failovers": 0}
REMAINDER = {"members": 2, "partitions": 3, "max_generation": 3, "max_failovers": 0}
"""Partitions that cannot be shared out evenly: one member has one more."""


@model.mutant(replaces=may_keep, breaks=one_owner_in_the_assignment, scope=SCOPE)
def may_keep_what_it_remembers(s: State, member: MemberId, p: PartitionId) -> bool:
    """The leader gives back to each member what it claims, whatever the others claim.

    One member had both partitions; a second came and got one of them, but the first did not hear
    of that generation: its SyncGroup was late and was answered with REBALANCE_IN_PROGRESS.  In the
    next generation both claim the partition, each as its last assignment, and both are given it.
    REF: KAFKA-7026 and KIP-341; the same claim without generation came back in KAFKA-12984.
    """
    return claims(s, member, p) and p not in s.assignment[member] and has_room_to_keep(s, member)


@model.mutant(replaces=has_better_claim, breaks=claims_are_honoured, scope=SCOPE)
def has_older_claim(s: State, other: MemberId, member: MemberId, p: PartitionId) -> bool:
    """Of two claims to a partition the older one wins.

    One sign is wrong in the comparison of generations.  A member that missed a generation gets back
    what it had before, and the one that has it now, warm caches and all, loses it.  Nothing is
    unbalanced and no partition has two owners, so nobody notices.  REF: KIP-341.
    """
    return (
        other != member
        and claims(s, other, p)
        and s.member[other].remembered_in <= s.member[member].remembered_in
    )


@model.mutant(
    replaces=may_keep,
    breaks=claims_are_honoured,
    scope={"members": 2, "partitions": 2, "max_generation": 2, "max_failovers": 0},
)
def may_keep_without_user_data(s: State, member: MemberId, p: PartitionId) -> bool:
    """The leader cannot read what the members remember, and gives nothing back.

    The claims are in bytes that only the assignor knows, and a newer version of it has written
    them.  An assignor that reads none takes everyone for new: each assignment is as balanced as
    before and has nothing to do with the last one.  REF: our own.
    """
    return claims(s, member, p) and s.assignment[member].size < 0


@model.mutant(replaces=has_room_to_keep, breaks=claims_are_honoured, scope=REMAINDER)
def has_room_to_get_back_an_even_share(s: State, member: MemberId) -> bool:
    """The leader gives back an even share, and deals the odd partition out each time.

    Two members share three partitions.  Whoever had two gets one of them back, and the odd one goes
    to the second member as well as not.  REF: our own.
    """
    for n in range(1, members + 1):
        if s.members.size == n:
            return s.assignment[member].size < partitions // n
    return False
