"""The full picture with one seam undone at a time."""

from kproof_spec.lang import NONE, each, max_, require

from .composed import (
    broker_die,
    controller_promote,
    leader_acknowledge,
    leader_expand_isr,
    member_commit,
    member_read,
    member_take,
    model,
    producer_retry,
    producer_send,
)
from .properties import (
    acknowledged_records_are_kept,
    acknowledged_records_are_on_enough_replicas,
    an_offset_covers_what_its_group_has_read,
    each_group_reads_in_order,
    each_group_reads_what_is_acknowledged,
    everything_is_acknowledged,
    isr_is_never_empty,
    partition_keeps_the_order_of_sending,
    what_was_read_is_kept,
)
from .state import (
    NIL,
    BrokerId,
    GroupId,
    PartitionId,
    State,
    acknowledge,
    high_watermark,
    is_in_log,
    max_broker_failures,
    may_lead,
    min_in_sync_replicas,
    promote,
    read_record,
    records,
)

__all__ = ["model"]

QUIET = {
    "brokers": 2,
    "partitions": 1,
    "groups": 2,
    "records": 1,
    "min_in_sync_replicas": 2,
    "max_broker_failures": 0,
    "max_member_failures": 0,
}
ONE_FAILS = {**QUIET, "brokers": 3, "max_broker_failures": 1}
TWO_FAIL = {**QUIET, "brokers": 3, "max_broker_failures": 2}


# -- the producer ----------------------------------------------------------------------------------


@model.mutant(
    replaces=producer_send, breaks=each_group_reads_in_order, scope={**ONE_FAILS, "records": 2}
)
def producer_send_without_waiting(s: State, partition: PartitionId) -> None:
    """The producer sends the next record while the one before is not acknowledged.

    The leader dies with the first one, the second one reaches its successor, and groups read "pay"
    without "create".  REF: `max.in.flight.requests.per.connection` without idempotence; KIP-98.
    """
    it = s.partition[partition]
    require(it.leader != NONE)
    require(it.sent < records)
    require(it.log.has_room)
    it.log.append(it.sent)
    it.end[it.leader] = it.log.end
    it.sent += 1


@model.mutant(
    replaces=producer_retry,
    breaks=partition_keeps_the_order_of_sending,
    scope={**QUIET, "records": 2},
)
def producer_retry_without_sequence(s: State, partition: PartitionId) -> None:
    """The answer is late, the producer sends again, and the leader takes the record twice.

    Without the producer's sequence numbers a leader cannot know.  REF: KIP-98.
    """
    it = s.partition[partition]
    require(it.leader != NONE)
    require(it.acknowledged < it.sent)
    require(it.log.end <= it.sent)  # Once is enough.
    it.log.append(it.sent - 1)
    it.end[it.leader] = it.log.end


# -- the brokers -----------------------------------------------------------------------------------


@model.mutant(replaces=leader_acknowledge, breaks=acknowledged_records_are_kept, scope=QUIET)
def leader_acknowledge_alone(s: State, partition: PartitionId) -> None:
    """The leader acknowledges what it alone has: `acks=1`.

    If it dies next, an in-sync replica is promoted that never had the record.
    """
    it = s.partition[partition]
    require(it.leader != NONE)
    require(it.acknowledged < it.sent)
    require(it.sent <= it.log.end)
    acknowledge(s, partition)


@model.mutant(
    replaces=leader_acknowledge,
    breaks=acknowledged_records_are_on_enough_replicas,
    scope={**QUIET, "max_broker_failures": 1},
)
def leader_acknowledge_with_the_isr_it_has(s: State, partition: PartitionId) -> None:
    """The leader waits for all that are in sync, and does not count them.

    The only follower died and left the ISR.  The leader is in sync with itself, so it acknowledges
    at once.  The producer asked for `acks=all` and two replicas, and one disk has its record.
    REF: `min.insync.replicas`, whose default is 1.
    """
    it = s.partition[partition]
    require(it.leader != NONE)
    require(it.acknowledged < it.sent)
    require(high_watermark(s, partition) == it.log.end)
    require(is_in_log(s, partition, it.sent - 1))
    acknowledge(s, partition)


@model.mutant(replaces=leader_expand_isr, breaks=acknowledged_records_are_kept, scope=ONE_FAILS)
def leader_expand_isr_at_once(s: State, partition: PartitionId, follower: BrokerId) -> None:
    """A broker that returns is in sync as soon as it is alive.

    It lacks what was acknowledged meanwhile, and may be promoted.  REF: KAFKA-7128 is the subtle
    form of this.
    """
    it = s.partition[partition]
    require(it.leader != NONE)
    require(follower not in it.in_sync_replicas)
    require(follower not in s.dead)
    it.in_sync_replicas.add(follower)


@model.mutant(replaces=controller_promote, breaks=acknowledged_records_are_kept, scope=TWO_FAIL)
def controller_promote_anyone(s: State, partition: PartitionId, broker: BrokerId) -> None:
    """The controller promotes any broker that is alive: an unclean election.

    A broker that was down when the record was written is back, and empty; it leads, and the record
    is gone from every log.  REF: KIP-106.
    """
    it = s.partition[partition]
    require(it.leader == NONE)
    require(broker not in s.dead)
    promote(s, partition, broker)
    it.in_sync_replicas.add(broker)


@model.mutant(replaces=controller_promote, breaks=everything_is_acknowledged, scope=TWO_FAIL)
def controller_promote_of_enough(s: State, partition: PartitionId, broker: BrokerId) -> None:
    """The controller promotes nobody while the ISR is smaller than `min.insync.replicas`.

    That number is for acknowledging.  With one replica in sync and nobody leading, no other can
    come into sync, so the partition is without a leader for ever, though every broker is back.
    """
    it = s.partition[partition]
    require(it.leader == NONE)
    require(may_lead(s, partition, broker))
    require(it.in_sync_replicas.size >= min_in_sync_replicas)
    promote(s, partition, broker)


@model.mutant(
    replaces=broker_die,
    breaks=isr_is_never_empty,
    scope={**QUIET, "brokers": 1, "min_in_sync_replicas": 1, "max_broker_failures": 1},
)
def broker_die_last_in_sync(s: State, broker: BrokerId) -> None:
    """The last in-sync replica leaves the ISR when it dies.

    Then nobody may ever be promoted again, though that broker comes back with every record.
    """
    require(broker not in s.dead)
    require(s.broker_failures < max_broker_failures)
    s.broker_failures += 1
    s.dead.add(broker)
    for partition in each(PartitionId):
        it = s.partition[partition]
        if it.leader == broker:
            it.leader = NONE
        it.in_sync_replicas.remove(broker)


# -- the groups ------------------------------------------------------------------------------------


@model.mutant(replaces=member_commit, breaks=an_offset_covers_what_its_group_has_read, scope=QUIET)
def member_commit_for_everyone(s: State, group: GroupId, partition: PartitionId) -> None:
    """Offsets are kept for a topic, not for a group and a topic.

    The slower group begins where the faster one is, and skips what is before.  Two applications
    that use one `group.id` by mistake see much the same.
    """
    mine = s.group[group].reading[partition]
    require(mine.committed < mine.position)
    end = max_(mine.position, 0)
    for other in each(GroupId):
        s.group[other].reading[partition].committed = end


@model.mutant(replaces=member_read, breaks=acknowledged_records_are_kept, scope=QUIET)
def member_read_and_remove(s: State, group: GroupId, partition: PartitionId) -> None:
    """Reading removes the record, as from a queue.

    Whoever comes first gets it; the other group never sees it.  A log that is only read can be read
    by everyone: this is the idea of Kafka, undone.
    """
    mine, it = s.group[group].reading[partition], s.partition[partition]
    require(it.leader != NONE)
    require(mine.position != NIL)
    require(mine.position < high_watermark(s, partition))
    require(mine.position < it.log.end)
    read_record(s, group, partition, mine.position)
    it.log.pop_first()
    for broker in each(BrokerId):
        it.end[broker] = max_(it.end[broker] - 1, 0)
    mine.position -= 1


@model.mutant(replaces=member_read, breaks=what_was_read_is_kept, scope=ONE_FAILS)
def member_read_uncommitted(s: State, group: GroupId, partition: PartitionId) -> None:
    """A consumer sees what the leader has, committed or not.

    The leader dies, its successor lacks the record, and a group has processed what never was.
    REF: KAFKA-14704, where a high watermark was raised too early for a moment.
    """
    mine, it = s.group[group].reading[partition], s.partition[partition]
    require(it.leader != NONE)
    require(mine.position != NIL)
    require(mine.position < it.log.end)
    read_record(s, group, partition, mine.position)


@model.mutant(replaces=member_take, breaks=each_group_reads_what_is_acknowledged, scope=QUIET)
def member_take_at_the_end(s: State, group: GroupId, partition: PartitionId) -> None:
    """A member begins at the end of the log, whatever its group has committed.

    What was written while nobody read is never read.  REF: `auto.offset.reset=latest` for a group
    that has an offset; KAFKA-4682.
    """
    mine = s.group[group].reading[partition]
    require(mine.position == NIL)
    mine.position = high_watermark(s, partition)
