"""Committed offsets: OffsetCommit and OffsetFetch, fenced by generation, for several groups.

**What is modelled.**  One partition of a topic, and groups that read it, each at its own pace.
A group's coordinator keeps the offset up to which the group has committed, and stores it in the
offsets log, from which the next coordinator reads it.  A consumer begins at the committed offset,
reads on, and commits now and then.

**Rules.**

1. A commit counts only if it comes from the owner, in the present generation (`is_accepted`).
2. It is acknowledged once it is in the offsets log.
3. Who gives a partition up commits first, waits for the answer, and reads nothing more meanwhile.
4. Offsets expire only once the group is empty (KIP-211).
5. They are the group's own: what one group commits is nothing to another.

A commit is a request on its way, one for each consumer, tagged with the generation it was sent in.
Its sender may have been expelled and even have become the owner again when it arrives.

**What is left out, and why that is safe.**  The rebalance: it is one step here, which gives the
partition to a member in a new generation; `group` shows that there is one owner in each.  Several
partitions: each has its own offset.  Heartbeats: a refused commit tells a consumer as much.
What is read: records are counted, and read in order.
"""

from kproof_spec.lang import (
    NONE,
    Id,
    Model,
    Struct,
    Table,
    bound,
    each,
    flag,
    history,
    integer,
    max_,
    maybe,
    pure,
    require,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

groups = bound("groups", default=1, low=1, doc="Groups that read the partition.")
members = bound("members", default=2, low=1, doc="Consumers of each group.")
records = bound("records", default=2, low=1, doc="Records in the partition.")
max_generation = bound("max_generation", default=3, doc="The last generation of a group.")
max_failovers = bound("max_failovers", default=1, doc="How often the coordinator is replaced.")


class GroupId(Id, size=groups, symmetric=True, prefix="g"):
    """A group, by its group.id."""


class MemberId(Id, size=members, symmetric=True, prefix="m"):
    """A consumer of a group.  Each group has its own; they share only the names."""


# -- state ---------------------------------------------------------------------------------------


class Consumer(Struct):
    """What a consumer believes, and its commit on the way."""

    generation_id: int = integer(0, max_generation)
    """The generation in which it was given the partition; 0 if it knows that it has it not."""
    position: int = integer(0, records)
    """The offset it reads next.  What is below, the group has processed."""
    acknowledged: int = integer(0, records)
    """The offset it began at, or its last commit that was acknowledged."""
    commit_in: int = integer(0, max_generation)
    """The generation of its OffsetCommit on the way; 0 if there is none."""
    commit_offset: int = integer(0, records)
    """The offset in it."""


class Group(Struct):
    """What the coordinator knows of a group, and what the offsets log does."""

    generation_id: int = integer(0, max_generation)
    owner: MemberId = maybe(MemberId)
    """Who was assigned the partition; NONE while the group is empty."""
    committed: int = integer(-1, records)
    """The committed offset as the coordinator answers OffsetFetch; -1 if there is none."""
    stored: int = integer(-1, records)
    """The same in the offsets log."""
    consumer: Table[MemberId, Consumer] = table(MemberId, Consumer)
    history_acknowledged: int = history(integer(-1, records))
    """The last offset whose commit was acknowledged; -1 if there is none, or it has expired."""
    history_processed: int = history(integer(0, records))
    """The end of what any consumer of the group has ever read."""
    history_given_up_at: int = history(integer(-1, records))
    """The position at which the last owner gave the partition up; -1 if it did not do so."""
    history_repeated: bool = history(flag())
    """Whether a new owner ever began elsewhere than where the last one gave up."""
    history_was_unfenced: bool = history(flag())
    """Whether a commit of another generation than the present one ever counted."""
    history_wrongly_lost: bool = history(flag())
    """Whether a consumer ever gave up one tenure because a commit of another was refused."""


class State(Struct):
    """One partition and its readers."""

    group: Table[GroupId, Group] = table(GroupId, Group)
    failovers: int = integer(0, max_failovers)


model = Model(
    "group_offsets",
    State,
    constants=[groups, members, records, max_generation, max_failovers],
    title="Offsets that groups commit: fenced by generation, kept through failover",
)


# -- definitions ---------------------------------------------------------------------------------


@pure
def is_accepted(s: State, group: GroupId, member: MemberId) -> bool:
    """Whether the commit that a member has sent counts."""
    the = s.group[group]
    is_owner: bool = the.owner == member
    return is_owner and the.consumer[member].commit_in == the.generation_id


@pure
def may_expire(s: State, group: GroupId) -> bool:
    """Whether the retention time of a group's offsets has begun: it is empty."""
    is_empty: bool = s.group[group].owner == NONE
    return is_empty


@pure
def has_committed_all(s: State, group: GroupId, member: MemberId) -> bool:
    """Whether a consumer knows that all it has read is committed."""
    me = s.group[group].consumer[member]
    return me.commit_in == 0 and me.acknowledged == me.position


@pure
def keeps_offset_of(group: GroupId, other: GroupId) -> bool:
    """Whether a commit of one group is stored under the key that another one's is read from."""
    is_its_own: bool = group == other
    return is_its_own


# -- actions -------------------------------------------------------------------------------------


@model.action
def coordinator_assign(s: State, group: GroupId, member: MemberId) -> None:
    """A rebalance gives the partition to a member.

    WHO   the coordinator.
    WHEN  nobody owns it: the last owner gave it up, or was expelled.
    THEN  the member owns it in a new generation, and does not know yet.
    REF   `group`: one owner in each generation.
    """
    the = s.group[group]
    # WHEN
    require(the.owner == NONE)
    require(the.generation_id < max_generation)  # Bound.
    # THEN
    the.generation_id += 1
    the.owner = member


@model.action
def member_fetch_offset(s: State, group: GroupId, member: MemberId) -> None:
    """A member learns that it owns the partition, and asks where to begin.

    WHO   the owner.
    WHEN  it has not begun in this generation.
    THEN  it begins at the committed offset, or at the start if there is none
          (auto.offset.reset = earliest).
    REF   Kafka protocol guide, "OffsetFetch".
    """
    the = s.group[group]
    me = the.consumer[member]
    # WHEN
    require(the.owner == member)
    require(me.generation_id != the.generation_id)
    # THEN
    me.generation_id = the.generation_id
    me.position = max_(the.committed, 0)
    me.acknowledged = me.position
    if the.history_given_up_at >= 0 and me.position != the.history_given_up_at:
        the.history_repeated = True
    the.history_given_up_at = -1


@model.action
def member_read(s: State, group: GroupId, member: MemberId) -> None:
    """A consumer reads and processes the next record.

    WHO   any that believes to own the partition, a zombie too.
    WHEN  there is one.
    THEN  it is processed, and the position goes on.
    REF   KafkaConsumer.poll.
    """
    the = s.group[group]
    me = the.consumer[member]
    # WHEN
    require(me.generation_id > 0)
    require(me.position < records)
    # THEN
    me.position += 1
    the.history_processed = max_(the.history_processed, me.position)


@model.action
def member_commit(s: State, group: GroupId, member: MemberId) -> None:
    """A consumer sends OffsetCommit for all it has processed.

    WHO   any that believes to own the partition.
    WHEN  it has something to commit, and no other commit is on its way.
    THEN  the request is, with the generation that its sender believes in.
    REF   Kafka protocol guide, "OffsetCommit".
    """
    me = s.group[group].consumer[member]
    # WHEN
    require(me.generation_id > 0)
    require(me.commit_in == 0)
    require(me.position > me.acknowledged)
    # THEN
    me.commit_in = me.generation_id
    me.commit_offset = me.position


@model.action
def coordinator_commit(s: State, group: GroupId, member: MemberId) -> None:
    """An OffsetCommit arrives.

    WHO   the coordinator.
    WHEN  one is on its way.
    THEN  from the owner, in the present generation: it is stored, then answered.  From anybody
          else: ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID, and no offset changes.  The sender, if it
          is still in that generation, gives the partition up.
    REF   GroupCoordinator.doCommitOffsets; GR5.
    """
    the = s.group[group]
    me = the.consumer[member]
    # WHEN
    require(me.commit_in > 0)
    # THEN
    is_same_tenure = me.generation_id == me.commit_in
    if is_accepted(s, group, member):
        if the.owner != member or me.commit_in != the.generation_id:
            the.history_was_unfenced = True
        for other in each(GroupId):
            if keeps_offset_of(group, other):
                s.group[other].committed = me.commit_offset
                s.group[other].stored = me.commit_offset
        the.history_acknowledged = max_(the.history_acknowledged, me.commit_offset)
        if is_same_tenure:
            me.acknowledged = me.commit_offset
    elif is_same_tenure:
        lose(the, me, me.commit_in)
    me.commit_in = 0
    me.commit_offset = 0


@model.action
def member_give_up(s: State, group: GroupId, member: MemberId) -> None:
    """The owner gives the partition up: it leaves, or a rebalance revokes it.

    WHO   the owner.
    WHEN  all it has read is committed, and it was told so.
    THEN  nobody owns the partition.
    REF   ConsumerCoordinator.onJoinPrepare and .close: the last commit is synchronous.
    """
    the = s.group[group]
    me = the.consumer[member]
    # WHEN
    require(the.owner == member)
    require(me.generation_id == the.generation_id)
    require(has_committed_all(s, group, member))
    # THEN
    the.owner = NONE
    the.history_given_up_at = me.position
    lose(the, me, me.generation_id)


@model.action
def coordinator_expel(s: State, group: GroupId) -> None:
    """A session timeout: the owner is expelled and does not know.

    WHO   the coordinator.
    WHEN  there is an owner.
    THEN  nobody owns the partition.
    REF   KIP-62.
    """
    the = s.group[group]
    # WHEN
    require(the.owner != NONE)
    # THEN
    the.owner = NONE
    the.history_given_up_at = -1


@model.action
def coordinator_expire_offset(s: State, group: GroupId) -> None:
    """The retention time of a group's offsets is over.

    WHO   the coordinator.
    WHEN  the group is empty, and has been for offsets.retention.minutes.
    THEN  there is no committed offset.  With its last offset gone, Kafka's group is `DEAD`.
    REF   KIP-211, "Proposed Changes".
    """
    the = s.group[group]
    # WHEN
    require(may_expire(s, group))
    require(the.committed >= 0)
    # THEN
    the.committed = -1
    the.stored = -1
    if the.owner == NONE:
        the.history_acknowledged = -1
        the.history_given_up_at = -1


@model.action
def coordinator_fail_over(s: State) -> None:
    """Another broker becomes the coordinator, and reads the offsets log.

    WHO   the broker that now leads the groups' partition of the offsets log.
    WHEN  at any time.
    THEN  it knows what was stored.
    REF   GroupMetadataManager.loadGroupsAndOffsets.
    """
    # WHEN
    require(s.failovers < max_failovers)  # Bound.
    # THEN
    s.failovers += 1
    for group in each(GroupId):
        s.group[group].committed = s.group[group].stored


# -- changes ---------------------------------------------------------------------------------------


def lose(the: Group, me: Consumer, lost_in: int) -> None:
    """A consumer that heard that a tenure is over owns nothing, and forgets its position."""
    if me.generation_id not in (0, lost_in):
        the.history_wrongly_lost = True
    me.generation_id = 0
    me.position = 0
    me.acknowledged = 0
