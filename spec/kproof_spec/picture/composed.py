"""A topic over some brokers, a producer, and groups: the steps.

**What is modelled.**  Each partition has a leader and followers on all brokers.  The producer sends
the records of a partition one at a time with `acks=all`, and sends a record again until it is
acknowledged; the leader takes each once.  A broker dies: the controller takes it out of the ISR,
promotes another in-sync replica, and the broker comes back later, as a follower.  Each group gives
a partition to one of its members, who begins at the group's committed offset, reads what is
committed in the log, and commits what it has read.  Members die; others take over.

**Rules.**

1. A record is committed when every in-sync replica has it, and acknowledged when it is committed
   and the ISR is not smaller than `min.insync.replicas`.
2. Only an in-sync replica is promoted; a replica joins the ISR when it has the leader's whole log.
3. A consumer sees committed records only.
4. An offset belongs to one group; the log belongs to none of them.

**What is left out, and why that is safe.**  What `replication` shows: stale leaders, late requests,
how far a follower truncates; here a promotion makes all logs agree at once.  Follower high
watermarks: the leader's is exact here, so a read sees no less.  What `group` shows: members are not
told apart, since a partition has one at a time.  Retries that duplicate: the leader drops them, as
the idempotent producer's does.  Retention: nothing is deleted.

**Sizes.**  Three brokers, two groups, one partition and one record are exhausted in seconds; more
are for the night or for random walks.
"""

from kproof_spec.lang import NONE, Fairness, Model, each, require

from .state import (
    NIL,
    BrokerId,
    GroupId,
    PartitionId,
    State,
    acknowledge,
    brokers,
    groups,
    high_watermark,
    is_in_log,
    max_broker_failures,
    max_member_failures,
    may_lead,
    min_in_sync_replicas,
    partitions,
    promote,
    read_record,
    records,
)

model = Model(
    "picture",
    State,
    constants=[
        brokers,
        partitions,
        groups,
        records,
        min_in_sync_replicas,
        max_broker_failures,
        max_member_failures,
    ],
    title="A topic over three brokers, a producer, and two groups that read it",
)


@model.init
def everyone_is_in_sync(s: State) -> None:
    """All brokers are alive and in sync, nobody leads yet, and nothing is sent or read."""
    for partition in each(PartitionId):
        for broker in each(BrokerId):
            s.partition[partition].in_sync_replicas.add(broker)
        for group in each(GroupId):
            s.group[group].reading[partition].position = NIL


# -- the producer ----------------------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def producer_send(s: State, partition: PartitionId) -> None:
    """The producer sends the next record of a partition.

    WHO   the producer.
    WHEN  the record before it is acknowledged, and the partition has a leader.
    THEN  the leader's log gains the record.
    REF   KIP-679: acks=all and idempotence are the defaults.
    """
    it = s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(it.sent == it.acknowledged)
    require(it.sent < records)
    # THEN
    it.log.append(it.sent)
    it.end[it.leader] = it.log.end
    it.sent += 1


@model.action(fairness=Fairness.STRONG)
def producer_retry(s: State, partition: PartitionId) -> None:
    """The producer sends a record again, because no answer came.

    WHO   the producer.
    WHEN  the record is not acknowledged, and the leader does not have it: the last one died.
    THEN  the leader's log gains the record.  (A leader that has it drops the repetition.)
    REF   KIP-98, for the sequence numbers by which a leader knows.
    """
    it = s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(it.acknowledged < it.sent)
    require(not is_in_log(s, partition, it.sent - 1))
    # THEN
    it.log.append(it.sent - 1)
    it.end[it.leader] = it.log.end


# -- the brokers -----------------------------------------------------------------------------------


@model.action(fairness=Fairness.STRONG)
def leader_acknowledge(s: State, partition: PartitionId) -> None:
    """The leader acknowledges a record.

    WHO   the leader.
    WHEN  every in-sync replica has the record, and there are enough of them.
    THEN  the producer knows that the record is safe.
    REF   `acks=all` and `min.insync.replicas` in Kafka's configuration.
    """
    it = s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(it.acknowledged < it.sent)
    require(it.in_sync_replicas.size >= min_in_sync_replicas)
    require(high_watermark(s, partition) == it.log.end)
    require(is_in_log(s, partition, it.sent - 1))
    # THEN
    acknowledge(s, partition)


@model.action(fairness=Fairness.STRONG)
def follower_fetch(s: State, partition: PartitionId, follower: BrokerId) -> None:
    """A follower copies the next record.

    WHO   a follower that is alive.
    WHEN  there is a leader whose log is longer.
    THEN  the follower has one record more.
    """
    it = s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(follower not in s.dead)
    require(it.end[follower] < it.log.end)
    # THEN
    it.end[follower] += 1


@model.action(fairness=Fairness.STRONG)
def leader_expand_isr(s: State, partition: PartitionId, follower: BrokerId) -> None:
    """A follower joins the ISR.

    WHO   the leader.
    WHEN  the follower is alive and has the whole log.
    THEN  it is in sync.
    REF   KIP-497.
    """
    it = s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(follower not in it.in_sync_replicas)
    require(follower not in s.dead)
    require(it.end[follower] == it.log.end)
    # THEN
    it.in_sync_replicas.add(follower)


@model.action
def broker_die(s: State, broker: BrokerId) -> None:
    """A broker dies, and the controller takes it out of what it led and followed.

    WHO   the broker; the controller notices.
    WHEN  it is alive.
    THEN  what it led has no leader; it leaves every ISR in which it is not the last.
    """
    # WHEN
    require(broker not in s.dead)
    require(s.broker_failures < max_broker_failures)  # Bound.
    # THEN
    s.broker_failures += 1
    s.dead.add(broker)
    for partition in each(PartitionId):
        it = s.partition[partition]
        if it.leader == broker:
            it.leader = NONE
        if it.in_sync_replicas.size > 1:
            it.in_sync_replicas.remove(broker)


@model.action(fairness=Fairness.WEAK)
def broker_return(s: State, broker: BrokerId) -> None:
    """A broker starts again, with its logs.

    WHO   the broker.
    WHEN  it is down.
    THEN  it is alive, and a follower of whoever leads.
    """
    # WHEN
    require(broker in s.dead)
    # THEN
    s.dead.remove(broker)


@model.action(fairness=Fairness.STRONG)
def controller_promote(s: State, partition: PartitionId, broker: BrokerId) -> None:
    """The controller promotes an in-sync replica.

    WHO   the controller.
    WHEN  nobody leads, and the replica is in sync and alive.
    THEN  it leads, and its log is the log.
    REF   KIP-106, for why it has to be in sync.
    """
    # WHEN
    require(s.partition[partition].leader == NONE)
    require(may_lead(s, partition, broker))
    # THEN
    promote(s, partition, broker)


# -- the groups ------------------------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def member_take(s: State, group: GroupId, partition: PartitionId) -> None:
    """A member of a group gets a partition.

    WHO   any live member.
    WHEN  no member of the group has it.
    THEN  it begins at the group's committed offset.
    """
    mine = s.group[group].reading[partition]
    # WHEN
    require(mine.position == NIL)
    # THEN
    mine.position = mine.committed


@model.action(fairness=Fairness.STRONG)
def member_read(s: State, group: GroupId, partition: PartitionId) -> None:
    """The member that has a partition reads and processes the next record.

    WHO   a member of the group.
    WHEN  there is a leader, and a committed record at its position.
    THEN  the record is processed.  The log stays as it is.
    """
    mine, it = s.group[group].reading[partition], s.partition[partition]
    # WHEN
    require(it.leader != NONE)
    require(mine.position != NIL)
    require(mine.position < high_watermark(s, partition))
    require(mine.position < it.log.end)  # Always so: the high watermark is within the log.
    # THEN
    read_record(s, group, partition, mine.position)


@model.action(fairness=Fairness.WEAK)
def member_commit(s: State, group: GroupId, partition: PartitionId) -> None:
    """The member commits what it has processed.

    WHO   the member that has the partition.
    WHEN  it has processed more than is committed.
    THEN  its group's offset is its position; no other group's offset changes.
    """
    mine = s.group[group].reading[partition]
    # WHEN
    require(mine.committed < mine.position)
    # THEN
    mine.committed = mine.position


@model.action
def member_die(s: State, group: GroupId, partition: PartitionId) -> None:
    """The member that has a partition dies.

    WHO   the member; its group notices.
    WHEN  it has the partition.
    THEN  nobody in the group has it; what was not committed will be read again.
    """
    mine = s.group[group].reading[partition]
    # WHEN
    require(mine.position != NIL)
    require(s.member_failures < max_member_failures)  # Bound.
    # THEN
    s.member_failures += 1
    mine.position = NIL
