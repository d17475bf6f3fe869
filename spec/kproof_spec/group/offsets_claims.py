"""What must hold of committed offsets, what must be seen, and the ways to get it wrong."""

from kproof_spec.lang import NONE, each, max_, require

from .offsets import (
    GroupId,
    MemberId,
    State,
    coordinator_commit,
    has_committed_all,
    is_accepted,
    keeps_offset_of,
    lose,
    may_expire,
    model,
)

# -- safety --------------------------------------------------------------------------------------


@model.invariant
def acknowledged_commits_survive(s: State, group: GroupId) -> bool:
    """The committed offset is never behind one whose commit was acknowledged.

    Not after a failover, not after a zombie's commit, and not because the group was quiet; once a
    group is empty its offsets may expire.  Else records are processed again that the application
    was told are done; or skipped, if auto.offset.reset is latest.

    REF   GR7, GR8.
    """
    return s.group[group].committed >= s.group[group].history_acknowledged


@model.invariant
def old_generations_change_nothing(s: State, group: GroupId) -> bool:
    """No commit counts but the owner's, sent in the present generation.

    REF   GR5.
    """
    return not s.group[group].history_was_unfenced


@model.invariant
def late_refusals_end_no_tenure(s: State, group: GroupId) -> bool:
    """No consumer gives the partition up because a commit of an earlier tenure was refused.

    Else a healthy owner throws away what it has read since, and reads it all again.

    REF   GR5, KAFKA-9823.
    """
    return not s.group[group].history_wrongly_lost


@model.invariant
def nothing_is_skipped(s: State, group: GroupId) -> bool:
    """A group has processed all that is below its committed offset.

    The next owner begins there, so what is below and was not processed never will be.

    REF   GR7; CC3, at least once.
    """
    return s.group[group].committed <= s.group[group].history_processed


@model.invariant
def handover_repeats_nothing(s: State, group: GroupId) -> bool:
    """If the owner gave the partition up, the next one begins exactly where it stopped.

    Repeated processing is for failures; an ordinary rebalance costs none.

    REF   GR7.
    """
    return not s.group[group].history_repeated


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def a_zombie_commits(s: State, group: GroupId, zombie: MemberId, owner: MemberId) -> bool:
    """A commit of an old generation is on its way, and another member reads already."""
    the = s.group[group]
    return (
        zombie != owner
        and the.owner == owner
        and the.consumer[zombie].commit_in > 0
        and the.consumer[owner].generation_id == the.generation_id
    )


@model.sometimes
def an_owner_goes_on_where_another_stopped(s: State, group: GroupId, member: MemberId) -> bool:
    """A new owner begins at an offset that is not the start."""
    the = s.group[group]
    me = the.consumer[member]
    return the.generation_id > 1 and the.owner == member and me.acknowledged > 0


@model.sometimes
def a_record_is_processed_twice(s: State, group: GroupId, a: MemberId, b: MemberId) -> bool:
    """Two consumers have both read the first record: after a failure that is right."""
    the = s.group[group]
    return (
        a != b
        and the.consumer[a].position > 0
        and the.consumer[b].position > 0
        and the.committed < 0
    )


@model.sometimes
def offsets_expire(s: State, group: GroupId) -> bool:
    """A group has processed records, is empty, and has no committed offset left."""
    the = s.group[group]
    return the.owner == NONE and the.history_processed > 0 and the.committed < 0


@model.sometimes
def a_commit_outlives_its_coordinator(s: State, group: GroupId) -> bool:
    """After a failover there is a committed offset."""
    return s.failovers > 0 and s.group[group].committed > 0


@model.sometimes
def groups_read_at_their_own_pace(s: State, a: GroupId, b: GroupId) -> bool:
    """One group has committed everything, another nothing although it has processed all."""
    ours, theirs = s.group[a], s.group[b]
    return a != b and ours.committed > 0 and theirs.committed < 0 and theirs.history_processed > 0


# -- mutants -------------------------------------------------------------------------------------

ONE_GROUP = {"groups": 1, "members": 2, "records": 2, "max_generation": 3, "max_failovers": 0}
TWO_GROUPS = {"groups": 2, "members": 1, "records": 1, "max_generation": 1, "max_failovers": 0}
FAILOVER = {"groups": 1, "members": 1, "records": 1, "max_generation": 1, "max_failovers": 1}


@model.mutant(replaces=is_accepted, breaks=old_generations_change_nothing, scope=ONE_GROUP)
def is_accepted_from_anyone(s: State, group: GroupId, member: MemberId) -> bool:
    """The coordinator takes any commit: a zombie moves the offset of a partition it has lost.

    An expelled consumer wakes up and commits what it read long ago, below what the new owner has
    committed since.  The next owner processes all of that again.  REF: GR5.
    """
    return s.group[group].consumer[member].commit_in > 0


@model.mutant(replaces=is_accepted, breaks=acknowledged_commits_survive, scope=ONE_GROUP)
def is_accepted_by_member(s: State, group: GroupId, member: MemberId) -> bool:
    """The coordinator looks at who sent a commit and not at the generation.

    A slow commit was sent in one generation.  Another member had the partition meanwhile and
    committed more; then the first got it back.  Now its old commit arrives, and it is the owner.
    """
    is_owner: bool = s.group[group].owner == member
    return is_owner


@model.mutant(replaces=has_committed_all, breaks=handover_repeats_nothing, scope=ONE_GROUP)
def has_sent_a_commit(s: State, group: GroupId, member: MemberId) -> bool:
    """A consumer that is to give a partition up sends its last commit and does not wait.

    It goes on reading until the rebalance is there: what it reads after the commit is processed
    and not committed, and the commit itself is refused if it comes after the rebalance.  The next
    owner does it all again.  REF: KAFKA-14196, KAFKA-14024.
    """
    me = s.group[group].consumer[member]
    return me.commit_in > 0 or me.acknowledged == me.position


@model.mutant(replaces=may_expire, breaks=acknowledged_commits_survive, scope=ONE_GROUP)
def may_expire_while_quiet(s: State, group: GroupId) -> bool:
    """Offsets expire so long after the last commit, whether the group is there or not.

    The topic was quiet for a week, so nothing was committed.  At the next rebalance the group has
    no offset, and begins at the start, or at the end.  REF: KAFKA-4682, KIP-211.
    """
    return s.group[group].committed >= 0


@model.mutant(replaces=keeps_offset_of, breaks=nothing_is_skipped, scope=TWO_GROUPS)
def keeps_offset_of_everyone(group: GroupId, other: GroupId) -> bool:
    """Offsets are kept by partition, and not by group and partition.

    What one group has read, another takes for read.  A log has many readers, and each has a
    pointer of its own.  Our own slip to make; no ticket.
    """
    is_any: bool = group == other or group != other
    return is_any


@model.mutant(replaces=coordinator_commit, breaks=acknowledged_commits_survive, scope=FAILOVER)
def coordinator_commit_before_storing(s: State, group: GroupId, member: MemberId) -> None:
    """A commit is acknowledged before it is in the offsets log.

    The coordinator fails, and its successor has never heard of the commit.  Kafka's offsets log
    is written with acks=all for that reason (offsets.commit.required.acks).  REF: GR8.
    """
    the = s.group[group]
    me = the.consumer[member]
    require(me.commit_in > 0)
    is_same_tenure = me.generation_id == me.commit_in
    if is_accepted(s, group, member):
        for other in each(GroupId):
            if keeps_offset_of(group, other):
                s.group[other].committed = me.commit_offset
        the.history_acknowledged = max_(the.history_acknowledged, me.commit_offset)
        if is_same_tenure:
            me.acknowledged = me.commit_offset
    elif is_same_tenure:
        lose(the, me, me.commit_in)
    me.commit_in = 0
    me.commit_offset = 0


@model.mutant(replaces=coordinator_commit, breaks=late_refusals_end_no_tenure, scope=ONE_GROUP)
def coordinator_commit_and_refuse_the_sender(s: State, group: GroupId, member: MemberId) -> None:
    """A consumer takes the refusal of an old commit for news of its present tenure.

    A commit is slow; meanwhile its sender is expelled, joins again and gets the partition back.
    Now the answer comes, ILLEGAL_GENERATION, true of the generation that the commit was sent in.
    The consumer gives up the one it is in, in which nothing was wrong.  REF: KAFKA-9823.
    """
    the = s.group[group]
    me = the.consumer[member]
    require(me.commit_in > 0)
    if is_accepted(s, group, member):
        for other in each(GroupId):
            if keeps_offset_of(group, other):
                s.group[other].committed = me.commit_offset
                s.group[other].stored = me.commit_offset
        the.history_acknowledged = max_(the.history_acknowledged, me.commit_offset)
        if me.generation_id == me.commit_in:
            me.acknowledged = me.commit_offset
    else:
        lose(the, me, me.commit_in)
    me.commit_in = 0
    me.commit_offset = 0
