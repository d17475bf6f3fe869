"""What the replicas of a partition hold and believe, and the words to speak of it.

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
    integer,
    max_over,
    maybe,
    min_,
    nested,
    pure,
    seq,
    span,
    subset,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

replicas = bound("replicas", default=3, low=1, doc="Brokers that hold the partition.")
log_size = bound("log_size", default=2, low=1, doc="Records that a replica's log can hold.")
max_records = bound("max_records", default=2, low=1, doc="Records that clients write, in all.")
max_leader_epoch = bound(
    "max_leader_epoch", default=2, doc="The last leader epoch; they begin at 0."
)


class ReplicaId(Id, size=replicas, symmetric=True, prefix="b"):
    """A broker that holds a replica of the partition."""


class LeaderEpoch(Bounded, low=0, high=max_leader_epoch):
    """A leader epoch: one for each decision of the controller, counted from 0."""


class Offset(Bounded, low=0, high=log_size - 1):
    """A position in the log, 0-based."""


# -- state ---------------------------------------------------------------------------------------


class Record(Struct):
    """One record of a log."""

    id: int = integer(0, max_records - 1)
    """Stands for the content: no two writes have the same."""
    leader_epoch: int = integer(0, max_leader_epoch)
    """The epoch of the leader that wrote it."""


class Replica(Struct):
    """What one replica holds and believes."""

    high_watermark: int = integer(0, log_size)
    """Exclusive: records below it are committed, as far as this replica knows.

    Invariant: 0 <= high_watermark <= log.end.
    """
    leader_epoch: int = integer(-1, max_leader_epoch)
    """The epoch of the last request it took; -1 before the first."""
    leader: ReplicaId = maybe(ReplicaId)
    """Whom it takes for the leader in that epoch: itself, if it leads."""
    in_sync_replicas: SetOf[ReplicaId] = subset(ReplicaId)
    """The ISR as it last heard of it, or, while it leads, as it last set it."""
    log: Seq[Record] = seq(Record, log_size)
    """Its records by offset; `log.end` is the log end offset."""


class LeaderAndIsr(Struct):
    """A decision of the controller: who leads, and who is in sync."""

    leader: ReplicaId = maybe(ReplicaId)
    """The leader, or NONE while there is none."""
    in_sync_replicas: SetOf[ReplicaId] = subset(ReplicaId)
    """Those that may be elected next: each must have every committed record."""


class State(Struct):
    """One partition."""

    replica: Table[ReplicaId, Replica] = table(ReplicaId, Replica)
    quorum: LeaderAndIsr = nested(LeaderAndIsr)
    """What is decided now.  The leader may have changed the ISR since the last request."""
    requests: Seq[LeaderAndIsr] = seq(LeaderAndIsr, max_leader_epoch + 1)
    """Every request ever sent, at the index of its epoch.

    There is one for each epoch, so `requests.end` is the next epoch to start, and the quorum is in
    epoch `requests.end - 1`.  None is ever removed: it may arrive at any later time.
    """
    next_record_id: int = integer(0, max_records)
    """How many records were written."""


# -- definitions ---------------------------------------------------------------------------------


@pure
def presumes_leadership(s: State, replica: ReplicaId) -> bool:
    """Whether a replica believes that it leads.  Several may, in different epochs."""
    is_its_own_leader: bool = s.replica[replica].leader == replica
    return is_its_own_leader


@pure
def is_quorum_leader(s: State, replica: ReplicaId) -> bool:
    """Whether a replica leads, believes so, and is in the epoch in which the quorum says so."""
    return (
        s.quorum.leader == replica
        and presumes_leadership(s, replica)
        and s.replica[replica].leader_epoch == s.requests.end - 1
    )


@pure
def has_same_record(s: State, a: ReplicaId, b: ReplicaId, offset: int) -> bool:
    """Whether two replicas hold the same record, by content and epoch, at an offset."""
    here, there = s.replica[a].log, s.replica[b].log
    return offset < here.end and offset < there.end and here[offset] == there[offset]


@pure
def end_of_common_records(s: State, leader: ReplicaId, follower: ReplicaId) -> int:
    """One past the last offset at which both logs hold the same record; 0 if there is none.

    This is where KIP-279's dialogue ends.  The follower names its last epoch; the leader answers
    with the largest epoch it has that is no larger, and where that ends; the follower steps back,
    epoch by epoch, until both name the same.
    """
    ours, theirs = s.replica[leader].log, s.replica[follower].log
    return max_over(
        span(0, min_(ours.end, theirs.end)),
        lambda offset: offset + 1 if ours[offset] == theirs[offset] else 0,
        start=0,
    )


@pure
def has_committed_earlier_epochs(s: State, leader: ReplicaId) -> bool:
    """Whether all that a leader found in its log when its epoch began is committed.

    A new leader's high watermark lags: its log may hold records that its predecessor committed and
    that it does not know to be committed yet.  Until its own high watermark has reached the first
    record of its own epoch, it cannot tell what a member of the ISR has to have.
    """
    me = s.replica[leader]
    if me.high_watermark == me.log.end:
        return True
    return (
        me.high_watermark < me.log.end and me.log[me.high_watermark].leader_epoch == me.leader_epoch
    )


# -- changes ---------------------------------------------------------------------------------------


def send_requests(s: State) -> None:
    """The quorum's new decision starts an epoch and is sent to all replicas."""
    s.requests.append(s.quorum)


def change_isr(s: State, leader: ReplicaId, in_sync_replicas: SetOf[ReplicaId]) -> None:
    """The quorum takes over the leader's ISR: no new epoch, and nobody else is told."""
    s.quorum.in_sync_replicas = in_sync_replicas
    s.replica[leader].in_sync_replicas = in_sync_replicas


def copy_next_record(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower copies the next record and learns the leader's high watermark with it.

    The high watermark never passes the follower's own end.  It may go down: the leader's may lag.
    """
    source, me = s.replica[leader], s.replica[follower]
    me.log.append(source.log[me.log.end])
    me.high_watermark = min_(source.high_watermark, me.log.end)


def truncate(s: State, follower: ReplicaId, end: int) -> None:
    """A follower keeps its records below `end`; its high watermark comes down with them."""
    me = s.replica[follower]
    me.log.truncate(end)
    me.high_watermark = min_(end, me.high_watermark)


def take_request(s: State, replica: ReplicaId, epoch: int) -> None:
    """A replica takes the request of an epoch for the truth."""
    me, request = s.replica[replica], s.requests[epoch]
    me.leader_epoch = epoch
    me.leader = request.leader
    me.in_sync_replicas = request.in_sync_replicas
