"""What a group has that comes to rest, and the words to speak of it: see `settling`."""

from kproof_spec.lang import (
    NONE,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    count,
    each,
    exists,
    flag,
    forall,
    integer,
    maybe,
    pure,
    subset,
    table,
)

from .state import GroupState, MemberId, MemberState, PartitionId

max_failures = bound(
    "max_failures", default=1, doc="How often a consumer dies or is taken for dead."
)


# -- state ---------------------------------------------------------------------------------------


class Consumer(Struct):
    """What a consumer believes."""

    state: MemberState = choice(MemberState)
    is_current: bool = flag()
    """Whether the generation it was told of last is the group's present one."""
    owned: SetOf[PartitionId] = subset(PartitionId)
    is_rejoin_needed: bool = flag()
    """Whether it gave partitions up that others wait for."""


class State(Struct):
    """One group that reads one topic."""

    state: GroupState = choice(GroupState)
    members: SetOf[MemberId] = subset(MemberId)
    """Whom the coordinator counts."""
    joined: SetOf[MemberId] = subset(MemberId)
    """Whose JoinGroup waits at the join barrier."""
    leader: MemberId = maybe(MemberId)
    assignment: Table[MemberId, SetOf[PartitionId]] = table(MemberId, subset(PartitionId))
    member: Table[MemberId, Consumer] = table(MemberId, Consumer)
    dead: SetOf[MemberId] = subset(MemberId)
    """Consumers that are gone, whatever the coordinator thinks of them."""
    failures: int = integer(0, max_failures)


# -- definitions ---------------------------------------------------------------------------------


@pure
def is_assigned(s: State, p: PartitionId) -> bool:
    """Whether the leader has dealt out a partition."""
    return exists(MemberId, lambda member: p in s.assignment[member])


@pure
def everything_is_assigned(s: State) -> bool:
    """Whether no partition is left to deal out."""
    return forall(PartitionId, lambda p: is_assigned(s, p))


@pure
def has_fewest(s: State, member: MemberId) -> bool:
    """Whether no member of the group has been dealt less than this one."""
    return forall(s.members, lambda other: s.assignment[member].size <= s.assignment[other].size)


@pure
def have_more(s: State, number: int) -> int:
    """How many members have been dealt more than a number of partitions."""
    return count(s.members, lambda member: s.assignment[member].size > number)


@pure
def may_keep(s: State, member: MemberId, p: PartitionId) -> bool:
    """Whether a member owns a partition and may have it again without upsetting the balance.

    Each of n members gets `partitions // n`, and `partitions % n` of them one more.  Both numbers
    are counted, for a bound has no value where liveness asks what would happen without bounds.
    """
    if member not in s.members or p not in s.member[member].owned or is_assigned(s, p):
        return False
    size = s.assignment[member].size
    number = len(list(each(PartitionId)))
    for n, _ in enumerate(each(MemberId), start=1):
        if s.members.size == n:
            least = number // n
            return size < least or (size == least and have_more(s, least) < number % n)
    return False


@pure
def all_is_kept_that_can_be(s: State) -> bool:
    """Whether the leader has let everyone keep what it may."""
    return not exists(PartitionId, lambda p: exists(MemberId, lambda m: may_keep(s, m, p)))


@pure
def is_leading(s: State, leader: MemberId) -> bool:
    """Whether a live member has been told that it leads the present generation."""
    return (
        s.leader == leader
        and leader not in s.dead
        and s.member[leader].state == MemberState.COMPLETING_REBALANCE
        and s.member[leader].is_current
    )


@pure
def has_session(s: State, member: MemberId) -> bool:
    """Whether the coordinator waits for heartbeats of a member: for those of every member."""
    return member in s.members


@pure
def is_at_rest(s: State) -> bool:
    """Whether every live consumer has its assignment, and the coordinator counts no other."""
    return (s.state == GroupState.STABLE or s.members.is_empty) and forall(
        MemberId,
        lambda m: (
            m not in s.members
            if m in s.dead
            else (
                m in s.members
                and s.member[m].state == MemberState.STABLE
                and s.member[m].is_current
                and not s.member[m].is_rejoin_needed
            )
        ),
    )


# -- changes ---------------------------------------------------------------------------------------


def remove_member(s: State, member: MemberId) -> None:
    """The coordinator forgets a member, and the others have to share out what it had."""
    s.members.remove(member)
    s.joined.remove(member)
    s.assignment[member] = SetOf()
    if s.leader == member:
        s.leader = NONE
    s.state = GroupState.PREPARING_REBALANCE
    if s.members.is_empty:
        s.state = GroupState.EMPTY


def forget(s: State, member: MemberId) -> None:
    """A consumer knows of no group and owns nothing."""
    me = s.member[member]
    me.state = MemberState.UNJOINED
    me.is_current = False
    me.owned = SetOf()
    me.is_rejoin_needed = False
