"""What brokers, producer and groups hold, and the words to speak of it.

First the sizes of the world, then the state, then definitions (which change nothing), then what the
THEN of several actions has in common (which changes the state and refuses nothing).
"""

from kproof_spec.lang import (
    Bounded,
    Id,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    constant,
    count,
    each,
    flag,
    forall,
    history,
    integer,
    maybe,
    min_,
    min_over,
    pure,
    seq,
    subset,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

brokers = bound("brokers", default=3, low=1, doc="Brokers; each holds a replica of all.")
partitions = bound("partitions", default=1, low=1, doc="Partitions of the topic.")
groups = bound("groups", default=2, low=1, doc="Consumer groups that read the topic.")
records = constant("records", default=1, low=1, doc="Records that are sent to each partition.")
min_in_sync_replicas = constant(
    "min_in_sync_replicas",
    default=2,
    low=1,
    doc="An ISR below this acknowledges nothing.",
)
max_broker_failures = bound("max_broker_failures", default=1, doc="How often a broker dies.")
max_member_failures = bound("max_member_failures", default=1, doc="How often a member dies.")

NIL = -1
"""No offset."""

log_size = records + 1
"""Room for one record too many: for a mutant that writes one twice."""


class BrokerId(Id, size=brokers, symmetric=True, prefix="b"):
    """A broker."""


class PartitionId(Id, size=partitions, symmetric=True, prefix="p"):
    """A partition of the topic."""


class GroupId(Id, size=groups, symmetric=True, prefix="g"):
    """A consumer group."""


class Offset(Bounded, low=0, high=log_size - 1):
    """A position in a log, 0-based."""


class RecordId(Bounded, low=0, high=records - 1):
    """A record of a partition, by the order in which the producer sent it."""


# -- state ---------------------------------------------------------------------------------------


class Partition(Struct):
    """One partition: its replicas, and what the producer knows of it."""

    leader: BrokerId = maybe(BrokerId)
    """The leader; NONE until a replica is promoted."""
    in_sync_replicas: SetOf[BrokerId] = subset(BrokerId)
    """The ISR.  Never empty: the last one stays in, even when it dies."""
    log: Seq[int] = seq(integer(0, records - 1), log_size)
    """The log of the leader, or of the last one: which record is at each offset."""
    end: Table[BrokerId, int] = table(BrokerId, integer(0, log_size))
    """Exclusive: how much of that log each replica has."""
    sent: int = integer(0, records)
    """How many records the producer has sent, each perhaps more than once."""
    acknowledged: int = integer(0, records)
    """How many of them were acknowledged.  One at a time: sent - 1 <= acknowledged <= sent."""
    history_acknowledged_too_early: bool = history(flag())
    """Whether a record was ever acknowledged that fewer than min.insync.replicas replicas had."""


class Reading(Struct):
    """How far one group is with one partition."""

    position: int = integer(NIL, log_size)
    """The next offset of the member that reads it; NIL while no member does."""
    committed: int = integer(0, log_size)
    """The group's committed offset, the next to read."""
    history_read: SetOf[int] = history(subset(RecordId))
    """Which records members of the group have processed."""
    history_is_out_of_order: bool = history(flag())
    """Whether a record was ever processed before an earlier one was."""


class Group(Struct):
    """One consumer group."""

    reading: Table[PartitionId, Reading] = table(PartitionId, Reading)


class State(Struct):
    """A cluster with one topic, a producer, and the groups that read it."""

    partition: Table[PartitionId, Partition] = table(PartitionId, Partition)
    dead: SetOf[BrokerId] = subset(BrokerId)
    """Brokers that are down; what they have on disk stays."""
    group: Table[GroupId, Group] = table(GroupId, Group)
    broker_failures: int = integer(0, max_broker_failures)
    member_failures: int = integer(0, max_member_failures)


# -- definitions ---------------------------------------------------------------------------------


@pure
def high_watermark(s: State, partition: PartitionId) -> int:
    """Exclusive: the records that all in-sync replicas have, and that consumers see."""
    it = s.partition[partition]
    return min_over(it.in_sync_replicas, lambda b: it.end[b], start=log_size)


@pure
def may_lead(s: State, partition: PartitionId, broker: BrokerId) -> bool:
    """Whether a replica may be promoted: it is in sync, and alive."""
    return broker in s.partition[partition].in_sync_replicas and broker not in s.dead


@pure
def is_in_log(s: State, partition: PartitionId, record: int) -> bool:
    """Whether the leader's log has a record."""
    found: bool = not forall(s.partition[partition].log, lambda r: r != record)
    return found


@pure
def is_held_by(s: State, partition: PartitionId, broker: BrokerId, record: int) -> bool:
    """Whether a replica has a record."""
    it = s.partition[partition]
    return not forall(
        Offset,
        lambda o: o >= it.end[broker] or o >= it.log.end or it.log[o] != record,
    )


@pure
def is_read_in_order(s: State, group: GroupId, partition: PartitionId, record: int) -> bool:
    """Whether a group has read all that was sent before a record."""
    mine = s.group[group].reading[partition]
    return forall(RecordId, lambda r: r >= record or r in mine.history_read)


@pure
def is_out_of_order(s: State, group: GroupId, partition: PartitionId, record: int) -> bool:
    """Whether a group's order was ever broken, or is if it reads this record now."""
    mine = s.group[group].reading[partition]
    return mine.history_is_out_of_order or not is_read_in_order(s, group, partition, record)


# -- changes ---------------------------------------------------------------------------------------


def acknowledge(s: State, partition: PartitionId) -> None:
    """The producer is told that its last record is safe.  History notes whether enough have it."""
    it = s.partition[partition]
    holders = count(BrokerId, lambda broker: is_held_by(s, partition, broker, it.sent - 1))
    if holders < min_in_sync_replicas:
        it.history_acknowledged_too_early = True
    it.acknowledged = it.sent


def promote(s: State, partition: PartitionId, broker: BrokerId) -> None:
    """A replica leads: its log is the log, and the others drop what is beyond it."""
    it = s.partition[partition]
    end = it.end[broker]
    it.leader = broker
    it.log.truncate(end)
    for other in each(BrokerId):
        it.end[other] = min_(it.end[other], end)


def read_record(s: State, group: GroupId, partition: PartitionId, offset: int) -> None:
    """A member of a group processes the record at an offset and goes on to the next."""
    mine = s.group[group].reading[partition]
    record = s.partition[partition].log[offset]
    mine.history_is_out_of_order = is_out_of_order(s, group, partition, record)
    mine.history_read.add(record)
    mine.position = offset + 1
