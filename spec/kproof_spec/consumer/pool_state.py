"""What a consumer with a pool of workers holds, and the words to speak of it.

First the sizes of the world, then the state, then definitions (which change nothing), then what the
THEN of several actions has in common (which changes the state and refuses nothing).
"""

from kproof_spec.lang import (
    NONE,
    Bounded,
    Id,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    constant,
    count,
    each,
    exists,
    flag,
    forall,
    history,
    integer,
    maybe,
    min_over,
    pure,
    span,
    subset,
    table,
)

from .state import NIL, Ownership

# -- bounds and sorts ------------------------------------------------------------------------------

partitions = bound("partitions", default=1, low=1, doc="Partitions of the topic.")
log_size = constant("log_size", default=3, low=1, doc="Records of each partition.")
workers = bound("workers", default=2, low=1, doc="Threads that process records.")
keys = constant("keys", default=2, low=1, doc="Keys: offsets take them in turn.")
max_in_flight = constant(
    "max_in_flight", default=2, low=1, doc="Records that may be dispatched and not finished."
)
max_failures = bound("max_failures", default=1, doc="Crashes and expired sessions, in all.")


class PartitionId(Id, size=partitions, symmetric=True, prefix="p"):
    """A partition of the topic."""


class WorkerId(Id, size=workers, symmetric=True, prefix="w"):
    """A thread of the pool."""


class Offset(Bounded, low=0, high=log_size - 1):
    """A position in a log, 0-based."""


# -- state -----------------------------------------------------------------------------------------


class Worker(Struct):
    """What one worker is doing: at most one record at a time."""

    partition: PartitionId = maybe(PartitionId)
    """The partition of the record that it is processing; NONE while it is idle."""
    offset: int = integer(NIL, log_size - 1)
    """The record that it is processing; NIL while it is idle."""
    is_orphan: bool = flag()
    """Whether the partition was lost meanwhile, so that nobody waits for the result."""


class Partition(Struct):
    """One partition: the group's record of it, and the client's."""

    committed: int = integer(0, log_size)
    """The group's committed offset, the next to read."""
    is_assigned: bool = flag()
    """Whether the coordinator holds this consumer for the owner, so takes its commits."""
    ownership: Ownership = choice(Ownership)
    """What the client believes."""
    is_paused: bool = flag()
    """Whether the poll thread has paused the partition, for want of room."""
    base: int = integer(0, log_size)
    """Where this tenure began; 0 while not owned."""
    position: int = integer(0, log_size)
    """The offset that the next poll returns; 0 while not owned."""
    worker_of: Table[int, WorkerId] = table(Offset, maybe(WorkerId))
    """For each record in flight, the worker that has it, waiting or at work; NONE for the rest.

    A worker takes its records in order of offset: this is its queue.
    """
    done: SetOf[int] = subset(Offset)
    """The records that workers have finished in this tenure."""
    history_processed: SetOf[int] = history(subset(Offset))
    """Records that anybody in the group has processed."""


class State(Struct):
    """A topic, a consumer with its threads, and as much of its group as it has to do with."""

    partition: Table[PartitionId, Partition] = table(PartitionId, Partition)
    worker: Table[WorkerId, Worker] = table(WorkerId, Worker)
    is_polling: bool = flag()
    """Whether the poll thread is inside a call of the consumer."""
    workers_inside: SetOf[WorkerId] = subset(WorkerId)
    """Workers that are inside a call of the consumer.  None ever should be."""
    failures: int = integer(0, max_failures)
    """How often the consumer crashed or lost its membership."""
    history_processed_twice: bool = history(flag())
    """Whether any record was processed twice."""
    history_key_order_broken: bool = history(flag())
    """Whether a record was ever processed before an earlier one of its key was."""
    history_commit_went_back: bool = history(flag())
    """Whether a committed offset was ever replaced by a lower one."""


# -- definitions -----------------------------------------------------------------------------------


@pure
def has_same_key(a: int, b: int) -> bool:
    """Whether two offsets of a partition hold records of the same key."""
    return a % keys == b % keys


@pure
def in_flight_of(s: State, partition: PartitionId) -> int:
    """How many records of a partition are dispatched and not finished."""
    it = s.partition[partition]
    return count(Offset, lambda o: it.worker_of[o] != NONE)


@pure
def in_flight(s: State) -> int:
    """How many records are dispatched and not finished, in all partitions."""
    return sum(in_flight_of(s, partition) for partition in each(PartitionId))


@pure
def is_window_full(s: State) -> bool:
    """Whether nothing more may be dispatched for now."""
    return in_flight(s) >= max_in_flight


@pure
def is_in_use(s: State, partition: PartitionId) -> bool:
    """Whether a record of a partition is in flight."""
    return exists(Offset, lambda o: s.partition[partition].worker_of[o] != NONE)


@pure
def is_being_processed(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a worker is in the middle of a record."""
    return exists(
        WorkerId, lambda w: s.worker[w].partition == partition and s.worker[w].offset == offset
    )


@pure
def may_dispatch_to(s: State, partition: PartitionId, offset: Offset, worker: WorkerId) -> bool:
    """Whether a worker may get a record: no other one has an earlier record of its key.

    A hash of the key that picks the worker sees to that, whichever hash it is.
    """
    it = s.partition[partition]
    return forall(
        Offset,
        lambda o: (
            it.worker_of[o] == NONE or it.worker_of[o] == worker or not has_same_key(o, offset)
        ),
    )


@pure
def next_of(s: State, worker: WorkerId, partition: PartitionId) -> int:
    """The first record that a worker has of a partition; the log size if it has none."""
    it = s.partition[partition]
    return min_over(Offset, lambda o: o if it.worker_of[o] == worker else log_size, start=log_size)


@pure
def end_of_finished_prefix(s: State, partition: PartitionId) -> int:
    """One past the last record up to which all are finished; where the tenure began, if none is.

    This, and nothing higher, may be committed (CC4).
    """
    it = s.partition[partition]
    return min_over(
        span(it.base, log_size), lambda o: log_size if o in it.done else o, start=log_size
    )


@pure
def is_revoking(s: State) -> bool:
    """Whether the poll thread is busy giving a partition back."""
    return exists(PartitionId, lambda p: s.partition[p].ownership == Ownership.REVOKING)


@pure
def is_anything_repeated(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a record was ever processed twice, or is if this one is processed now."""
    return s.history_processed_twice or offset in s.partition[partition].history_processed


@pure
def is_key_order_broken(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a key was ever out of order, or is if this record is processed now."""
    it = s.partition[partition]
    return s.history_key_order_broken or exists(
        Offset,
        lambda o: o < offset and has_same_key(o, offset) and o not in it.history_processed,
    )


# -- changes ---------------------------------------------------------------------------------------


def note_processed(s: State, partition: PartitionId, offset: int) -> None:
    """Somebody in the group has processed a record."""
    s.history_processed_twice = is_anything_repeated(s, partition, offset)
    s.history_key_order_broken = is_key_order_broken(s, partition, offset)
    s.partition[partition].history_processed.add(offset)


def take_commit(s: State, partition: PartitionId, offset: int) -> None:
    """The coordinator stores a committed offset."""
    it = s.partition[partition]
    if offset < it.committed:
        s.history_commit_went_back = True
    it.committed = offset


def become_idle(s: State, worker: WorkerId) -> None:
    """A worker has nothing to do with the record it was processing any more."""
    me = s.worker[worker]
    me.partition = NONE
    me.offset = NIL
    me.is_orphan = False


def give_up(s: State, partition: PartitionId) -> None:
    """The client owns the partition no more, and forgets what it knew of it."""
    it = s.partition[partition]
    it.ownership = Ownership.NOT_OWNED
    it.is_paused = False
    it.base = 0
    it.position = 0
    it.done = SetOf()
    for offset in each(Offset):
        it.worker_of[offset] = NONE
