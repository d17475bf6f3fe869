"""What must hold of the full picture, and what must be reachable.

That one group's reading never changes what another reads is a statement about two runs, not about
one state.  Here stands what a state can show of it: each group reads all, in order, and an offset
covers only what that very group has read.  The tests check the statement itself on every step:
what a group does changes nothing but its own part, and depends on nothing but that and the log.
"""

from kproof_spec.lang import NONE, exists, forall

from .composed import model
from .state import (
    NIL,
    BrokerId,
    GroupId,
    Offset,
    PartitionId,
    RecordId,
    State,
    high_watermark,
    is_held_by,
    may_lead,
    records,
)

__all__ = ["model"]

# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def acknowledged_records_are_kept(
    s: State, partition: PartitionId, broker: BrokerId, record: RecordId
) -> bool:
    """Every in-sync replica has every acknowledged record, whoever is promoted next.  R4, R11."""
    it = s.partition[partition]
    return (
        record >= it.acknowledged
        or broker not in it.in_sync_replicas
        or is_held_by(s, partition, broker, record)
    )


@model.invariant
def acknowledged_records_are_on_enough_replicas(s: State, partition: PartitionId) -> bool:
    """No record is acknowledged before `min.insync.replicas` replicas have it.

    Whoever is in sync has it: that may be the leader alone, and then its disk is all there is.

    R13.
    """
    return not s.partition[partition].history_acknowledged_too_early


@model.invariant
def partition_keeps_the_order_of_sending(s: State, partition: PartitionId, offset: Offset) -> bool:
    """Records of a partition are in its log in the order in which they were sent, each once.

    PT3, L5.
    """
    log = s.partition[partition].log
    return offset + 1 >= log.end or log[offset] < log[offset + 1]


@model.invariant
def each_group_reads_in_order(s: State, group: GroupId, partition: PartitionId) -> bool:
    """No group processes a record before an earlier one of its partition."""
    return not s.group[group].reading[partition].history_is_out_of_order


@model.invariant
def an_offset_covers_what_its_group_has_read(
    s: State, group: GroupId, partition: PartitionId, offset: Offset
) -> bool:
    """Below a group's committed offset, all is processed by that group: at least once, for each.

    CC3, for each group by itself: no other group's reading counts, or takes records away.
    """
    mine, it = s.group[group].reading[partition], s.partition[partition]
    return offset >= mine.committed or offset >= it.log.end or it.log[offset] in mine.history_read


@model.invariant
def what_was_read_is_kept(s: State, group: GroupId, partition: PartitionId) -> bool:
    """No group is ever past the end of the log: what it has read is not gone.  R12."""
    mine, it = s.group[group].reading[partition], s.partition[partition]
    return mine.position <= it.log.end and mine.committed <= it.log.end


@model.invariant
def isr_is_never_empty(s: State, partition: PartitionId) -> bool:
    """Somebody is always in sync, so there is a replica to wait for.  R8."""
    return not s.partition[partition].in_sync_replicas.is_empty


# -- liveness --------------------------------------------------------------------------------------


def is_acknowledged(
    s: State,
    group: GroupId,  # noqa: ARG001 - a premise has the parameters of its goal
    partition: PartitionId,
    record: RecordId,
) -> bool:
    """Whether the producer knows that a record is safe; the group is any."""
    return record < s.partition[partition].acknowledged


@model.leads_to(is_acknowledged)
def each_group_reads_what_is_acknowledged(
    s: State, group: GroupId, partition: PartitionId, record: RecordId
) -> bool:
    """Every acknowledged record is read at least once by every group.

    For finitely many failures, all of which may strike.
    """
    return record in s.group[group].reading[partition].history_read


@model.eventually
def everything_is_acknowledged(s: State, partition: PartitionId) -> bool:
    """Every record is sent and acknowledged in the end, for finitely many failures.  RL1."""
    return s.partition[partition].acknowledged == records


def may_be_led(s: State, partition: PartitionId) -> bool:
    """Whether nobody leads a partition, and an in-sync replica of it lives."""
    is_leaderless: bool = s.partition[partition].leader == NONE
    return is_leaderless and exists(BrokerId, lambda broker: may_lead(s, partition, broker))


@model.leads_to(may_be_led)
def a_live_replica_in_sync_leads_to_a_leader(s: State, partition: PartitionId) -> bool:
    """As long as an in-sync replica lives somebody is going to lead.  RL7."""
    has_leader: bool = s.partition[partition].leader != NONE
    return has_leader


def is_safe(
    s: State,
    partition: PartitionId,
    broker: BrokerId,  # noqa: ARG001 - a premise has the parameters of its goal
    record: RecordId,
) -> bool:
    """Whether the producer knows that a record is safe; the broker is any."""
    return record < s.partition[partition].acknowledged


@model.leads_to(is_safe)
def every_replica_gets_what_is_acknowledged(
    s: State, partition: PartitionId, broker: BrokerId, record: RecordId
) -> bool:
    """Every acknowledged record reaches every replica, in sync again after all failures.  RL2."""
    return broker in s.partition[partition].in_sync_replicas and is_held_by(
        s, partition, broker, record
    )


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def an_acknowledged_record_survives_its_leader(
    s: State, partition: PartitionId, broker: BrokerId, leader: BrokerId
) -> bool:
    """A broker died, another one leads, and it has the record that was acknowledged."""
    it = s.partition[partition]
    is_promoted: bool = it.leader == leader and broker in s.dead and broker != leader
    return is_promoted and it.acknowledged == records and it.end[broker] == records


@model.sometimes
def a_record_is_sent_again(s: State, partition: PartitionId) -> bool:
    """A leader died with a record that nobody else had, and the producer has yet to notice."""
    it = s.partition[partition]
    return it.sent > it.log.end


@model.sometimes
def groups_are_apart(s: State, ahead: GroupId, behind: GroupId) -> bool:
    """One group is through with everything, and the other has not begun."""
    return forall(
        PartitionId,
        lambda p: (
            s.group[ahead].reading[p].committed == records
            and s.group[behind].reading[p].position == NIL
            and s.group[behind].reading[p].committed == 0
            and s.partition[p].acknowledged == records
        ),
    )


@model.sometimes
def a_group_reads_again(s: State, group: GroupId, partition: PartitionId, record: RecordId) -> bool:
    """A member is about to process a record that its group has processed before."""
    mine = s.group[group].reading[partition]
    return mine.position == record and record in mine.history_read


@model.sometimes
def a_record_is_read_before_it_is_acknowledged(
    s: State, group: GroupId, partition: PartitionId
) -> bool:
    """A group reads a record that is committed, and whose producer does not know it yet."""
    it = s.partition[partition]
    return s.group[group].reading[partition].position > it.acknowledged


@model.sometimes
def all_in_sync_again(s: State, partition: PartitionId) -> bool:
    """After a failure every broker is back in the ISR, and everything is acknowledged."""
    it = s.partition[partition]
    return (
        s.broker_failures > 0
        and forall(BrokerId, lambda b: b in it.in_sync_replicas)
        and it.acknowledged == records
        and high_watermark(s, partition) == records
    )


@model.sometimes
def a_partition_waits_for_its_last_replica(s: State, partition: PartitionId) -> bool:
    """The last in-sync replica is down: nobody is promoted, and nothing is lost."""
    it = s.partition[partition]
    return it.in_sync_replicas.size == 1 and exists(it.in_sync_replicas, lambda b: b in s.dead)
