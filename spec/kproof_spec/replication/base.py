"""Replication of one partition: the state, the four steps all variants share, what must hold.

**What is modelled.**  A few replicas of one partition, and the quorum: the controller's durable
record of who leads and who is in sync (ZooKeeper once, the metadata log today).  Whenever the
controller changes its mind it starts a new *leader epoch* and sends every replica a LeaderAndIsr
request.  A replica learns of it late or never: it may take any request that is newer than the one
it took last, so it may skip some, and for a while two replicas may both believe that they lead.
That is what the protocol has to survive.

**Rules common to all variants.**

1. Only a member of the ISR may be elected, and each election starts a new epoch.
2. A record carries the epoch of the leader that wrote it.
3. Within an epoch the leader alone changes the ISR, and only if the quorum still has it as the
   leader in its epoch.  That change starts no epoch and sends no request.
4. A follower fetches one record at a time and learns the leader's high watermark as it does, so
   its own high watermark is always a little behind.

**What is left out, and why that is safe.**  Clients: committed means below the high watermark of
some replica that believes it leads, which is what any client could have been told.  Crashes: a
broker that is down is one that takes no step; logs survive, so losing unflushed records is another
model's matter.  Messages on the wire: a fetch reads the leader's present state, since an answer in
flight that is still good when it arrives could as well have been read then.  Timers: whatever a
timer may cause can happen at any time.  Deletion of old records, the minimum ISR and eligible
leader replicas (KIP-966): other models' matter, since here the logs are never cut at the front and
no acknowledged record depends on how large the ISR is.

**What must hold.**  `strong_isr` is the promise; `weak_isr` is what a leader can see of it for
itself; `leader_in_isr` guards the quorum's own record.  The witnesses show that these speak of
something: records do get committed, leaders do change, stale ones do stay.  The mutants go wrong in
steps that all variants share, so every variant has them.

The bounds `log_size`, `max_records` and `max_leader_epoch` keep exploration finite.  They are no
part of the protocol, and in an open scope they are gone.
"""

from kproof_spec.lang import NONE, Model, SetOf, each, require

from .state import (
    LeaderEpoch,
    Offset,
    Record,
    ReplicaId,
    State,
    has_same_record,
    is_quorum_leader,
    log_size,
    max_leader_epoch,
    max_records,
    presumes_leadership,
    replicas,
    send_requests,
    take_request,
)

model = Model(
    "replication",
    State,
    constants=[replicas, log_size, max_records, max_leader_epoch],
    title="Replication of one partition",
)


@model.init
def nobody_leads(s: State) -> None:
    """Every replica is in sync, none leads, and nothing is written."""
    for replica in each(ReplicaId):
        s.quorum.in_sync_replicas.add(replica)


# -- actions -------------------------------------------------------------------------------------


@model.action
def controller_shrink_isr(s: State, replica: ReplicaId) -> None:
    """The controller takes a replica for dead.

    WHO   the controller.
    WHEN  the replica is in the ISR.
    THEN  it leaves the ISR, and if it led, nobody leads.  A leader that is alone in the ISR stays
          in it: nobody else has all that is committed.  A new epoch starts.
    REF   KIP-101, "Motivation": the failures that the protocol has to survive.
    """
    quorum = s.quorum
    # WHEN
    require(replica in quorum.in_sync_replicas)
    require(s.requests.has_room)  # Bound.
    # THEN
    if quorum.leader == replica:
        quorum.leader = NONE
        if quorum.in_sync_replicas.size > 1:
            quorum.in_sync_replicas.remove(replica)
    else:
        # If nobody leads, the ISR may end up empty here, and then nobody ever leads again.
        quorum.in_sync_replicas.remove(replica)
    send_requests(s)


@model.action
def controller_elect_leader(s: State, replica: ReplicaId) -> None:
    """The controller makes a replica the leader.

    WHO   the controller.
    WHEN  the replica is in the ISR and does not lead yet.
    THEN  it leads in a new epoch; the ISR stays as it is.
    REF   KIP-106: only members of the ISR, unless unclean elections are allowed.
    """
    # WHEN
    require(replica in s.quorum.in_sync_replicas)
    require(s.quorum.leader != replica)
    require(s.requests.has_room)  # Bound.
    # THEN
    s.quorum.leader = replica
    send_requests(s)


@model.action
def become_leader(s: State, leader: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns that it leads.

    WHO   the replica named in a request, perhaps long after it was sent.
    WHEN  the request is newer than any it took.
    THEN  it presumes leadership.  Its log and its high watermark stay: what it has is the truth.
    REF   KIP-101, "Proposed Solution".
    """
    # WHEN
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > s.replica[leader].leader_epoch)
    # THEN
    take_request(s, leader, epoch)


@model.action
def leader_write(s: State, leader: ReplicaId) -> None:
    """A client writes a record.

    WHO   any replica that presumes leadership: a stale one does not know better.
    WHEN  it has room.
    THEN  its log gains a record of its epoch, not committed yet.
    REF   KIP-101, "Proposed Solution": each record is stamped with the leader epoch.
    """
    me = s.replica[leader]
    # WHEN
    require(presumes_leadership(s, leader))
    require(s.next_record_id < max_records)  # Bound.
    require(me.log.has_room)  # Bound.
    # THEN
    me.log.append(Record(id=s.next_record_id, leader_epoch=me.leader_epoch))
    s.next_record_id += 1


# -- safety --------------------------------------------------------------------------------------


@model.invariant
def strong_isr(s: State, leader: ReplicaId, follower: ReplicaId, offset: Offset) -> bool:
    """What any presumed leader shows as committed is on every replica that may be elected next.

    Whatever is below the high watermark of a replica that believes it leads, some consumer may
    have read and some producer may have been told is safe.  If a member of the quorum's ISR lacks
    it, one election loses it.  The leader may be stale: it has promised all the same.

    REF   KIP-101, "Motivation"; StrongIsr of hachikuji/kafka-specification.
    """
    is_shown = presumes_leadership(s, leader) and offset < s.replica[leader].high_watermark
    if not is_shown or follower not in s.quorum.in_sync_replicas:
        return True
    return has_same_record(s, leader, follower, offset)


@model.invariant
def weak_isr(s: State, leader: ReplicaId, follower: ReplicaId, offset: Offset) -> bool:
    """What any presumed leader shows as committed is on every replica that it counts as in sync.

    Weaker than the promise, since a stale leader's own ISR is old news; but where even this fails,
    a leader moved its high watermark on the strength of records that are not there.

    REF   WeakIsr of hachikuji/kafka-specification.
    """
    is_shown = presumes_leadership(s, leader) and offset < s.replica[leader].high_watermark
    if not is_shown or follower not in s.replica[leader].in_sync_replicas:
        return True
    return has_same_record(s, leader, follower, offset)


@model.invariant
def leader_in_isr(s: State, replica: ReplicaId) -> bool:
    """Whoever leads is in sync.

    The ISR is measured against the leader's log, so a leader outside of it would be behind itself;
    and were it to fail, it could not be elected again although it has every record.

    REF   LeaderInIsr of hachikuji/kafka-specification, which forgets that there may be no leader.
    """
    return s.quorum.leader != replica or replica in s.quorum.in_sync_replicas


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def a_record_is_committed(s: State, leader: ReplicaId, follower: ReplicaId) -> bool:
    """A leader that is not alone in its ISR shows a committed record."""
    me = s.replica[leader]
    return (
        presumes_leadership(s, leader)
        and leader != follower
        and follower in me.in_sync_replicas
        and me.high_watermark > 0
    )


@model.sometimes
def two_replicas_presume_leadership(s: State, a: ReplicaId, b: ReplicaId) -> bool:
    """Two replicas both believe that they lead: the state that makes fencing necessary."""
    return a != b and presumes_leadership(s, a) and presumes_leadership(s, b)


@model.sometimes
def a_stale_leader_shows_a_record(s: State, stale: ReplicaId, leader: ReplicaId) -> bool:
    """A replica that no longer leads still shows a committed record beside the true leader."""
    return (
        stale != leader
        and is_quorum_leader(s, leader)
        and presumes_leadership(s, stale)
        and s.replica[stale].high_watermark > 0
    )


@model.sometimes
def a_committed_record_survives_a_change_of_leader(
    s: State, leader: ReplicaId, written_in: LeaderEpoch
) -> bool:
    """The true leader shows a committed record that another replica wrote in an earlier epoch."""
    me = s.replica[leader]
    return (
        is_quorum_leader(s, leader)
        and me.high_watermark > 0
        and me.log[0].leader_epoch == written_in
        and written_in < s.requests.end
        and s.requests[written_in].leader != leader
    )


@model.sometimes
def a_replica_returns_to_the_isr(s: State, replica: ReplicaId, epoch: LeaderEpoch) -> bool:
    """A replica that the last request left out is in the ISR again: the leader took it back."""
    return (
        s.requests.end == epoch + 1
        and replica not in s.requests[epoch].in_sync_replicas
        and replica in s.quorum.in_sync_replicas
    )


@model.sometimes
def a_leader_stands_alone(s: State, leader: ReplicaId) -> bool:
    """The true leader is the last of the ISR."""
    return is_quorum_leader(s, leader) and s.quorum.in_sync_replicas.size == 1


# -- mutants -------------------------------------------------------------------------------------


@model.mutant(
    replaces=controller_shrink_isr,
    breaks=leader_in_isr,
    scope={"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
)
def controller_shrink_isr_and_keep_leader(s: State, replica: ReplicaId) -> None:
    """The controller takes a failed leader out of the ISR and forgets to depose it.

    Two fields that have to change together change one by one.  Kafka's controller works out both
    in one place for that reason, and today it refuses any ISR that lacks the leader.
    """
    require(replica in s.quorum.in_sync_replicas)
    require(s.requests.has_room)
    s.quorum.in_sync_replicas.remove(replica)
    send_requests(s)


@model.mutant(
    replaces=is_quorum_leader,
    breaks=leader_in_isr,
    scope={"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
)
def is_leader_by_its_own_word(s: State, replica: ReplicaId) -> bool:
    """The quorum takes a change of the ISR from anyone who believes that it leads.

    A leader was cut off, and another was elected; when it is heard again it removes its follower
    from the ISR, which is now the true leader.  ZooKeeper's conditional write stopped this, and
    the partition epoch of AlterPartition stops it today.  REF: KIP-497, "Proposed Changes".
    """
    return presumes_leadership(s, replica)


@model.mutant(
    replaces=controller_elect_leader,
    breaks=strong_isr,
    scope={"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
)
def controller_elect_leader_unclean(s: State, replica: ReplicaId) -> None:
    """The controller elects a replica that is not in sync, rather than have no leader.

    Unclean election: the ISR is then the new leader alone, and what it lacks is lost.  Kafka
    allowed it by default until 0.11.  Chosen knowingly, it trades committed records for an answer.
    REF: KIP-106.
    """
    require(s.quorum.leader != replica)
    require(s.requests.has_room)
    if replica not in s.quorum.in_sync_replicas:
        s.quorum.in_sync_replicas = SetOf([replica])
    s.quorum.leader = replica
    send_requests(s)
