"""What the coordinator knows, what the members believe, and the words to speak of it.

First the sizes of the world, then the state, then definitions (which change nothing), then what
the THEN of several actions has in common (which changes the state and refuses nothing).

**The coordinator** is one broker.  It knows who is a member, in which generation the group is, and
what the leader of that generation has assigned.  A copy of the last complete generation, `stored`,
is in the offsets log, and a coordinator that takes over reads it from there.

**A member** is a consumer process.  What it believes may be old news: it may act on a generation
that is over, and own partitions that were given to others.  Member and member id are one thing
here: that a consumer which lost its id comes back under another one shows as `reset`, which
forgets all it believed.  Where ids come from is the matter of `member_ids`.

**Messages.**  A request and its answer are one step wherever a late answer is as good as a late
request: an answer to JoinGroup or SyncGroup waits in the coordinator's own state until the member
takes it, and one that comes too late finds the member expelled.  Not so with Heartbeat: while one
is on its way the member may have moved on to another generation, so a heartbeat has a slot, tagged
with the generation it was sent in.  One slot serves the whole group, not one per member: members
look at heartbeats of their own only, so a second slow one does nothing that the first could not.
"""

from enum import Enum

from kproof_spec.lang import (
    NONE,
    Id,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    count,
    exists,
    flag,
    forall,
    history,
    integer,
    maybe,
    min_over,
    nested,
    pure,
    subset,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

members = bound("members", default=2, low=1, doc="Consumers that may be in the group.")
partitions = bound("partitions", default=2, low=1, doc="Partitions of the topic they all read.")
max_generation = bound("max_generation", default=3, doc="The last generation; 0 is before any.")
max_failovers = bound("max_failovers", default=1, doc="How often the coordinator is replaced.")


class MemberId(Id, size=members, symmetric=True, prefix="m"):
    """A consumer of the group, by its member_id."""


class PartitionId(Id, size=partitions, symmetric=True, prefix="p"):
    """A partition of the topic that every member subscribes to."""


class GroupState(Enum):
    """Where the coordinator is with a group.

    `DEAD` comes after `EMPTY`: nothing is left of the group but the refusal of all its member ids.
    The models here stop before it, except `group_offsets`, which has a word on what makes it die.
    """

    EMPTY = 0
    """No members."""
    PREPARING_REBALANCE = 1
    """The join barrier: every member has to send JoinGroup, or is expelled."""
    COMPLETING_REBALANCE = 2
    """The sync barrier: the leader has to send the assignment."""
    STABLE = 3
    """Every member may have its assignment."""


class MemberState(Enum):
    """Where a member is, as it sees it.  The names are those of the Java client."""

    UNJOINED = 0
    """It is in no group, or knows that it was expelled."""
    PREPARING_REBALANCE = 1
    """It has sent JoinGroup and waits for the answer."""
    COMPLETING_REBALANCE = 2
    """It is in a generation, has sent SyncGroup (or will, if it leads), and has no assignment."""
    STABLE = 3
    """It has its assignment and reads."""


# -- state ---------------------------------------------------------------------------------------


class Member(Struct):
    """What a consumer believes."""

    state: MemberState = choice(MemberState)
    generation_id: int = integer(0, max_generation)
    """The generation it was told of last; 0 if none."""
    owned: SetOf[PartitionId] = subset(PartitionId)
    """What it reads, by its own word."""
    is_rejoin_needed: bool = flag()
    """Whether it gave partitions up that others wait for.  Used by `cooperative` only."""
    remembered: SetOf[PartitionId] = subset(PartitionId)
    """What it names in JoinGroup as its last assignment.  Used by the variant `sticky` only."""
    remembered_in: int = integer(0, max_generation)
    """The generation of that assignment."""


class StoredGroup(Struct):
    """The last record of the group in the offsets log: what survives its coordinator."""

    generation_id: int = integer(0, max_generation)
    members: SetOf[MemberId] = subset(MemberId)
    leader: MemberId = maybe(MemberId)
    assignment: Table[MemberId, SetOf[PartitionId]] = table(MemberId, subset(PartitionId))


class Heartbeat(Struct):
    """A Heartbeat request on its way, then its answer."""

    member: MemberId = maybe(MemberId)
    """Who sent it; NONE while none is on its way."""
    generation_id: int = integer(0, max_generation)
    """The generation that the sender was in."""
    is_refused: bool = flag()
    """Answered with UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION.  Other answers leave no trace."""


class State(Struct):
    """One group that reads one topic."""

    state: GroupState = choice(GroupState)
    generation_id: int = integer(0, max_generation)
    """The generation of the group: one more each time a join barrier is passed."""
    members: SetOf[MemberId] = subset(MemberId)
    """Whom the coordinator counts."""
    joined: SetOf[MemberId] = subset(MemberId)
    """Whose JoinGroup waits at the join barrier."""
    leader: MemberId = maybe(MemberId)
    """The member that assigns."""
    assignment: Table[MemberId, SetOf[PartitionId]] = table(MemberId, subset(PartitionId))
    """What the leader has dealt out so far; from STABLE on, what it has sent.

    A table of sets, although no partition should have two owners: that is to be shown.
    """
    stored: StoredGroup = nested(StoredGroup)
    member: Table[MemberId, Member] = table(MemberId, Member)
    heartbeat: Heartbeat = nested(Heartbeat)
    failovers: int = integer(0, max_failovers)
    history_wrongly_reset: bool = history(flag())
    """Whether a member ever gave up one generation because it was refused in another."""
    history_read_on_when_refused: bool = history(flag())
    """Whether a member ever heard that it was refused in its generation, and went on in it."""
    history_rebalances: int = history(integer(0, max_generation))
    """Join barriers passed since a member came, went or asked, or the coordinator failed."""


# -- definitions ---------------------------------------------------------------------------------


@pure
def is_current(s: State, member: MemberId, generation_id: int) -> bool:
    """Whether the coordinator accepts a request of this member and generation."""
    return member in s.members and generation_id == s.generation_id


@pure
def is_assigned(s: State, partition: PartitionId) -> bool:
    """Whether the leader has dealt out a partition."""
    return exists(MemberId, lambda member: partition in s.assignment[member])


@pure
def has_fewest(s: State, member: MemberId) -> bool:
    """Whether no member of the group has been dealt less than this one."""
    least = min_over(s.members, lambda other: s.assignment[other].size, start=partitions)
    return s.assignment[member].size == least


@pure
def have_more(s: State, number: int) -> int:
    """How many members have been dealt more than a number of partitions."""
    return count(s.members, lambda member: s.assignment[member].size > number)


@pure
def has_room_to_keep(s: State, member: MemberId) -> bool:
    """Whether a member may keep one more of what it had, and the assignment stay balanced.

    Each of n members gets `partitions // n`, and `partitions % n` of them one more.
    """
    size = s.assignment[member].size
    for n in range(1, members + 1):
        if s.members.size == n:
            least = partitions // n
            return size < least or (size == least and have_more(s, least) < partitions % n)
    return False


@pure
def everyone_has_joined(s: State) -> bool:
    """Whether nobody is missing at the join barrier."""
    return s.members <= s.joined


@pure
def idle_members(s: State) -> int:
    """How many members were assigned nothing."""
    return count(s.members, lambda member: s.assignment[member].is_empty)


@pure
def everything_is_assigned(s: State) -> bool:
    """Whether no partition is left to deal out."""
    return forall(PartitionId, lambda partition: is_assigned(s, partition))


# -- changes ---------------------------------------------------------------------------------------


def prepare_rebalance(s: State) -> None:
    """The coordinator opens the join barrier, unless it is open."""
    s.state = GroupState.PREPARING_REBALANCE


def clear_assignment(s: State) -> None:
    """Nothing is dealt out."""
    for member in s.assignment:
        s.assignment[member] = SetOf()


def remove_member(s: State, member: MemberId) -> None:
    """The coordinator forgets a member, and the others have to share out what it had."""
    s.members.remove(member)
    s.joined.remove(member)
    if s.leader == member:
        s.leader = NONE
    s.history_rebalances = 0
    prepare_rebalance(s)


def reset(s: State, member: MemberId, refused_in: int) -> None:
    """A member refused in a generation gives up all it owned, with `onPartitionsLost`."""
    me = s.member[member]
    if me.state == MemberState.STABLE and me.generation_id != refused_in:
        s.history_wrongly_reset = True
    me.state = MemberState.UNJOINED
    me.generation_id = 0
    me.owned = SetOf()
    me.is_rejoin_needed = False
    me.remembered = SetOf()
    me.remembered_in = 0
