"""Ways to get the eager protocol wrong, each with its story and the property that it breaks."""

from kproof_spec.lang import NONE, SetOf, exists, min_, require

from .assignment import leader_sync, member_receive_assignment
from .clients import member_receive_heartbeat, note_who_reads_on
from .eager import (
    assignment_is_balanced,
    assignment_waits_for_the_leader,
    every_partition_is_assigned,
    late_refusals_change_nothing,
    leader_is_a_member,
    nobody_is_ahead_of_the_coordinator,
    one_owner_among_members,
    one_owner_in_a_generation,
    one_owner_in_the_assignment,
    rebalances_end,
    refusals_are_heard,
)
from .failover import coordinator_fail_over
from .membership import coordinator_complete_join, member_receive_join, member_rejoin, model
from .state import (
    GroupState,
    MemberId,
    MemberState,
    PartitionId,
    State,
    clear_assignment,
    everyone_has_joined,
    everything_is_assigned,
    has_fewest,
    is_assigned,
    is_current,
    max_failovers,
    max_generation,
    prepare_rebalance,
    reset,
)

TWO_GENERATIONS = {"members": 2, "partitions": 2, "max_generation": 2, "max_failovers": 0}
THREE_GENERATIONS = {"members": 2, "partitions": 2, "max_generation": 3, "max_failovers": 0}
ONE_FAILOVER = {"members": 2, "partitions": 2, "max_generation": 2, "max_failovers": 1}


@model.mutant(replaces=member_rejoin, breaks=one_owner_among_members, scope=TWO_GENERATIONS)
def member_rejoin_and_read_on(s: State, member: MemberId) -> None:
    """A member joins the next generation and goes on reading what the last one gave it.

    It saves the pause in which nobody reads; but a leader that remembers nothing gives the
    partition to another, which may begin before the former owner hears that it has lost it.  To
    keep what one has through a rebalance takes another protocol.  REF: KIP-429, "Motivation".
    """
    me = s.member[member]
    require(me.state != MemberState.UNJOINED)
    require(member in s.members)
    require(member not in s.joined)
    require(s.state == GroupState.PREPARING_REBALANCE)
    me.state = MemberState.PREPARING_REBALANCE
    s.joined.add(member)


@model.mutant(replaces=everyone_has_joined, breaks=one_owner_among_members, scope=TWO_GENERATIONS)
def someone_has_joined(s: State) -> bool:
    """The coordinator begins the next generation without waiting for everyone, nor expelling.

    The member that did not join is still counted and still reads what it had; the leader, which
    sees it in the list of members, deals as if it had given that up.
    """
    return not s.joined.is_empty


@model.mutant(replaces=is_assigned, breaks=one_owner_in_the_assignment, scope=TWO_GENERATIONS)
def is_assigned_to_the_leader(s: State, partition: PartitionId) -> bool:
    """A leader looks only at its own share to see what is dealt out already.

    An assignor is client code, and anyone may write one: the coordinator passes on what it says
    without a look.  So a wrong assignor gives one partition to two.
    """
    return s.leader != NONE and partition in s.assignment[s.leader]


@model.mutant(
    replaces=everything_is_assigned, breaks=every_partition_is_assigned, scope=TWO_GENERATIONS
)
def something_is_assigned(s: State) -> bool:
    """A leader sends an assignment that leaves a partition out.

    It went by metadata from before the topic had its last partitions.  Nobody reads those until
    the next rebalance, and nothing looks wrong.  Kafka's leader begins a rebalance as soon as its
    metadata differ from those it assigned by.
    """
    return exists(PartitionId, lambda partition: is_assigned(s, partition))


@model.mutant(replaces=has_fewest, breaks=assignment_is_balanced, scope=TWO_GENERATIONS)
def has_anything(s: State, member: MemberId) -> bool:
    """A leader deals to whomever it likes: one member does all the work and the others idle."""
    return s.assignment[member].size >= 0


@model.mutant(
    replaces=member_receive_assignment,
    breaks=assignment_waits_for_the_leader,
    scope=TWO_GENERATIONS,
)
def member_receive_assignment_early(s: State, member: MemberId) -> None:
    """The coordinator answers SyncGroup at once, with what it has, before the leader.

    The member takes the empty answer for its assignment, and never asks again.
    """
    me = s.member[member]
    require(me.state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, member, me.generation_id))
    require(s.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE))
    me.state = MemberState.STABLE
    me.owned = s.assignment[member]


@model.mutant(replaces=coordinator_complete_join, breaks=leader_is_a_member, scope=TWO_GENERATIONS)
def coordinator_complete_join_without_leader(s: State, leader: MemberId) -> None:
    """The coordinator keeps the leader it had, and forgets to choose one if that has gone.

    All who joined wait at the sync barrier for an assignment that nobody makes, until their
    sessions end.
    """
    require(s.state == GroupState.PREPARING_REBALANCE)
    require(everyone_has_joined(s))
    require(leader in s.joined)
    require(s.generation_id < max_generation)
    if s.generation_id == 0:
        s.leader = leader
    s.generation_id += 1
    s.joined = SetOf()
    clear_assignment(s)
    s.state = GroupState.COMPLETING_REBALANCE
    s.history_rebalances = min_(s.history_rebalances + 1, max_generation)


@model.mutant(
    replaces=member_receive_heartbeat,
    breaks=late_refusals_change_nothing,
    scope=THREE_GENERATIONS,
)
def member_receive_heartbeat_of_any_generation(s: State, member: MemberId) -> None:
    """A member takes a late refusal for news.

    A heartbeat is slow; meanwhile the member joins the next generation and gets its assignment.
    Now the answer comes, ILLEGAL_GENERATION, true of the generation that the heartbeat was sent in.
    The member gives up the generation it is in, in which nothing was wrong, and joins again.
    REF: KAFKA-9823.
    """
    me = s.member[member]
    require(s.heartbeat.member == member)
    require(s.heartbeat.is_refused)
    if me.state == MemberState.STABLE:
        reset(s, member, s.heartbeat.generation_id)
    note_who_reads_on(s, member)
    s.heartbeat.member = NONE
    s.heartbeat.generation_id = 0
    s.heartbeat.is_refused = False


@model.mutant(replaces=member_receive_heartbeat, breaks=refusals_are_heard, scope=TWO_GENERATIONS)
def member_receive_heartbeat_and_read_on(s: State, member: MemberId) -> None:
    """A member's background thread notes the refusal, and its reading thread is never told.

    It was expelled while it was slow, and somebody else has its partitions.  Each heartbeat is
    refused, each time there is a line in its log, and it reads on: each record is processed twice
    until somebody restarts it.  REF: our own.
    """
    require(s.heartbeat.member == member)
    require(s.heartbeat.is_refused)
    note_who_reads_on(s, member)
    s.heartbeat.member = NONE
    s.heartbeat.generation_id = 0
    s.heartbeat.is_refused = False


@model.mutant(replaces=leader_sync, breaks=one_owner_in_a_generation, scope=ONE_FAILOVER)
def leader_sync_before_storing(s: State, leader: MemberId) -> None:
    """The coordinator answers SyncGroup before the assignment is in the offsets log.

    The members read already when the coordinator fails, and its successor finds the generation
    before.  It uses the number again, for another assignment: two consumers own a partition in the
    same generation, and nothing that looks at generations can tell them apart.
    """
    require(leader == s.leader)
    require(s.state == GroupState.COMPLETING_REBALANCE)
    require(s.member[leader].state == MemberState.COMPLETING_REBALANCE)
    require(is_current(s, leader, s.member[leader].generation_id))
    require(everything_is_assigned(s))
    s.state = GroupState.STABLE


@model.mutant(
    replaces=coordinator_fail_over,
    breaks=nobody_is_ahead_of_the_coordinator,
    scope=ONE_FAILOVER,
)
def coordinator_fail_over_to_an_empty_group(s: State) -> None:
    """The new coordinator does not read the offsets log, or answers before it has read it all.

    To it the group never was: it begins at generation 0 again, while members read in a later one.
    Kafka answers COORDINATOR_LOAD_IN_PROGRESS until all is read.  REF: KAFKA-5600.
    """
    require(s.failovers < max_failovers)
    s.failovers += 1
    s.generation_id = 0
    s.members = SetOf()
    s.leader = NONE
    clear_assignment(s)
    s.joined = SetOf()
    s.history_rebalances = 0
    s.state = GroupState.EMPTY


@model.mutant(replaces=member_receive_join, breaks=rebalances_end, scope=THREE_GENERATIONS)
def member_receive_join_and_object(s: State, member: MemberId) -> None:
    """A member joins again because its generation differs from the one it had.

    It takes a new generation for a reason to rebalance.  That rebalance makes a new generation:
    the group is never done, although nobody comes or goes.  REF: our own.
    """
    me = s.member[member]
    require(me.state == MemberState.PREPARING_REBALANCE)
    require(member in s.members)
    require(member not in s.joined)
    if me.generation_id in (0, s.generation_id):
        me.state = MemberState.COMPLETING_REBALANCE
        me.generation_id = s.generation_id
    else:
        me.generation_id = s.generation_id
        s.joined.add(member)
        prepare_rebalance(s)
