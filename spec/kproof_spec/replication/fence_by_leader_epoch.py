"""Fencing by leader epoch: KIP-320, in Kafka since 2.1, and the rule of today.

Every request between replicas names the sender's current leader epoch, and the receiver refuses it
unless its own is the same: FENCED_LEADER_EPOCH if the sender is behind, UNKNOWN_LEADER_EPOCH if the
receiver is.  Four rules follow, and each has a mutant below that leaves it out.

1. A leader serves, and counts, followers in its own epoch only.
2. A follower truncates against a leader in the epoch of its request only, so the leader has to know
   first that it leads.
3. It keeps exactly what both logs have in common (KIP-279).
4. The ISR grows only once the leader's high watermark has passed all that it found in its log
   (KAFKA-7128).

Why it is enough: within one epoch there is one leader, its log only grows, and whoever follows it
in that epoch has a prefix of that log.  So a record that was counted on a follower stays there as
long as the follower is in the epoch; and whoever leads in a later epoch was in the ISR, so has it.
"""

from kproof_spec.lang import forall, min_, pure, require

from . import base
from .base import strong_isr, weak_isr
from .state import (
    LeaderEpoch,
    Offset,
    ReplicaId,
    State,
    change_isr,
    copy_next_record,
    end_of_common_records,
    has_committed_earlier_epochs,
    is_quorum_leader,
    presumes_leadership,
    take_request,
    truncate,
)

model = base.model.extend("kip_320", title="Replicas fence each other by leader epoch (KIP-320)")


@pure
def is_following_epoch(s: State, leader: ReplicaId, follower: ReplicaId) -> bool:
    """Whether a follower is in the epoch of the leader it follows; a leader follows itself."""
    ours, theirs = s.replica[leader], s.replica[follower]
    return (
        presumes_leadership(s, leader)
        and theirs.leader == leader
        and theirs.leader_epoch == ours.leader_epoch
    )


@model.action
def leader_expand_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader takes a follower into the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower is not in the ISR, is in the same epoch and reaches up to the leader's high
          watermark, and the leader knows all to be committed that was there before its own epoch.
    THEN  the ISR gains the follower.
    REF   KAFKA-7128, for the last condition; KIP-320, "Proposed Changes".
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower not in me.in_sync_replicas)
    require(is_following_epoch(s, leader, follower))
    require(s.replica[follower].log.end >= me.high_watermark)
    require(has_committed_earlier_epochs(s, leader))
    # THEN
    change_isr(s, leader, me.in_sync_replicas.including(follower))


@model.action
def leader_shrink_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader drops a follower from the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower is not in the same epoch, or is behind the leader's end.
    THEN  the ISR loses the follower, and the high watermark no longer waits for it.
    REF   KIP-497, "Motivation".
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower in me.in_sync_replicas)
    require(follower != leader)
    require(not is_following_epoch(s, leader, follower) or s.replica[follower].log.end < me.log.end)
    # THEN
    change_isr(s, leader, me.in_sync_replicas.excluding(follower))


@model.action
def leader_raise_high_watermark(s: State, leader: ReplicaId) -> None:
    """The leader commits one more record.

    WHO   any replica that presumes leadership.  A stale one can still commit, as long as its whole
          ISR stays with it: then all of it has the record.
    WHEN  every member of its ISR is in its epoch and has the record at the high watermark.
    THEN  the high watermark rises by one.
    REF   KIP-320, "Proposed Changes".
    """
    me = s.replica[leader]
    # WHEN
    require(presumes_leadership(s, leader))
    require(me.high_watermark < me.log.end)
    require(
        forall(
            me.in_sync_replicas,
            lambda f: is_following_epoch(s, leader, f) and me.high_watermark < s.replica[f].log.end,
        )
    )
    # THEN
    me.high_watermark += 1


@model.action
def follower_fetch(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower copies the next record of its leader.

    WHO   the follower; the leader only answers.
    WHEN  both are in the same leader epoch, and the leader's log is longer.
    THEN  the follower gains one record and learns the high watermark.
    REF   KIP-320, "Proposed Changes": Fetch carries the current leader epoch.
    """
    # WHEN
    require(is_following_epoch(s, leader, follower))
    require(s.replica[follower].log.end < s.replica[leader].log.end)
    # THEN
    copy_next_record(s, leader, follower)


@model.action
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns whom to follow, and drops what it does not have in common with it.

    WHO   the follower; the leader answers.
    WHEN  a request is newer than any it took and names another replica as the leader, and that one
          leads in the epoch of the request already, and still.
    THEN  it keeps the records up to the last one in common, and follows.
    REF   KIP-320, "Proposed Changes": OffsetsForLeaderEpoch carries the current leader epoch.
    """
    # WHEN
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > s.replica[follower].leader_epoch)
    require(presumes_leadership(s, leader))
    require(s.replica[leader].leader_epoch == epoch)
    end = end_of_common_records(s, leader, follower)
    require(end <= s.replica[follower].log.end)  # Always so: what is in common is in both.
    # THEN
    truncate(s, follower, end)
    take_request(s, follower, epoch)


# -- safety --------------------------------------------------------------------------------------


@model.invariant
def epochs_never_go_down(s: State, replica: ReplicaId, offset: Offset) -> bool:
    """Along a log, leader epochs never go down, nor would they with the record that it gets next.

    Whoever leads stamps its own epoch, so the next record is at least of the epoch that the replica
    is in.  What a replica says of where an epoch ends is one offset for that reason: its epoch
    cache is a list in which epochs and offsets rise together, and truncation is by that list.

    It takes rule 1: else a replica in an old epoch fetches what a newer leader has written.

    REF   L3.
    """
    me = s.replica[replica]
    if offset >= me.log.end:
        return True
    if offset + 1 == me.log.end:
        return me.log[offset].leader_epoch <= me.leader_epoch
    return me.log[offset].leader_epoch <= me.log[offset + 1].leader_epoch


# -- reachable -----------------------------------------------------------------------------------


@model.sometimes
def a_log_goes_on_in_a_later_epoch(s: State, leader: ReplicaId) -> bool:
    """The next record of a leader will be of a later epoch than the last one of its log."""
    me = s.replica[leader]
    return (
        is_quorum_leader(s, leader)
        and me.log.end > 0
        and me.log[me.log.end - 1].leader_epoch < me.leader_epoch
    )


# -- mutants: each leaves one rule out -----------------------------------------------------------


@model.mutant(
    replaces=is_following_epoch,
    breaks=strong_isr,
    scope={"replicas": 3, "log_size": 1, "max_records": 1, "max_leader_epoch": 2},
)
def is_following_any_epoch(s: State, leader: ReplicaId, follower: ReplicaId) -> bool:
    """A leader serves, and counts, whoever names it as the leader, in whatever epoch (rule 1).

    A replica that still acts on an old request fetches a record from a leader in a newer epoch, and
    is counted.  Then it takes a request from in between, whose leader has nothing, and truncates
    the record that is committed by now.  REF: KAFKA-7395.
    """
    return presumes_leadership(s, leader) and s.replica[follower].leader == leader


@model.mutant(
    replaces=leader_raise_high_watermark,
    breaks=weak_isr,
    scope={"replicas": 2, "log_size": 1, "max_records": 2, "max_leader_epoch": 1},
)
def leader_raise_high_watermark_by_offset(s: State, leader: ReplicaId) -> None:
    """A leader counts a replica that reaches past the high watermark, whatever it has there.

    A replica led, wrote a record that nobody copied, and was replaced.  Its successor writes
    another record at the same offset, sees that the old leader's log is as long as its own, and
    commits a record that it alone has.  REF: KIP-101, "Scenario 2".
    """
    me = s.replica[leader]
    require(presumes_leadership(s, leader))
    require(me.high_watermark < me.log.end)
    require(forall(me.in_sync_replicas, lambda f: me.high_watermark < s.replica[f].log.end))
    me.high_watermark += 1


@model.mutant(
    replaces=become_follower,
    breaks=weak_isr,
    scope={"replicas": 3, "log_size": 1, "max_records": 2, "max_leader_epoch": 2},
)
def become_follower_of_whoever_is_named(
    s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch
) -> None:
    """A follower truncates against the named leader, whichever epoch that one is in (rule 2).

    Found while writing this file.  The named leader does not know yet that it leads, and both have
    the same uncommitted record, so the follower keeps it.  Then the leader-to-be takes a request
    from in between, truncates that record, takes the request that makes it leader, and writes
    another at the same offset.  The follower is in its epoch and as long as its log, so it is
    counted, with the wrong record.  It needs three replicas and two records.
    """
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > s.replica[follower].leader_epoch)
    end = end_of_common_records(s, leader, follower)
    require(end <= s.replica[follower].log.end)
    truncate(s, follower, end)
    take_request(s, follower, epoch)


@model.mutant(
    replaces=end_of_common_records,
    breaks=weak_isr,
    scope={"replicas": 2, "log_size": 1, "max_records": 2, "max_leader_epoch": 1},
)
def end_of_shorter_log(s: State, leader: ReplicaId, follower: ReplicaId) -> int:
    """A new follower drops only what is beyond the leader's end, and compares nothing (rule 3).

    Two replicas led in turn and each wrote a record at the same offset.  The one that follows now
    keeps its own, and is counted as having the leader's.  The logs differ for ever.
    REF: KIP-101, "Scenario 2: Replica Divergence on Restart after Multiple Hard Failures".
    """
    return min_(s.replica[leader].log.end, s.replica[follower].log.end)


@model.mutant(
    replaces=leader_expand_isr,
    breaks=strong_isr,
    scope={"replicas": 3, "log_size": 1, "max_records": 1, "max_leader_epoch": 1},
)
def leader_expand_isr_at_once(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A new leader takes in a follower that has reached its own, lagging, high watermark (rule 4).

    Its predecessor had committed a record with it and shown it to consumers; the new leader has the
    record but does not know that it is committed.  A follower without it joins the ISR and may be
    elected next.  REF: KAFKA-7128.
    """
    me = s.replica[leader]
    require(is_quorum_leader(s, leader))
    require(follower not in me.in_sync_replicas)
    require(is_following_epoch(s, leader, follower))
    require(s.replica[follower].log.end >= me.high_watermark)
    change_isr(s, leader, me.in_sync_replicas.including(follower))


@model.mutant(
    replaces=base.become_leader,
    breaks=epochs_never_go_down,
    scope={"replicas": 2, "log_size": 2, "max_records": 2, "max_leader_epoch": 1},
)
def become_leader_of_any_epoch(s: State, leader: ReplicaId, epoch: LeaderEpoch) -> None:
    """A leader takes the request that arrives last for the newest one.

    It went on leading in a second epoch, since a follower had left the ISR, and has written a
    record in it.  Now the request of the first arrives, or arrives again, and the next record is of
    the older epoch.  Where that epoch ends has two answers from then on.  REF: our own.
    """
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch != s.replica[leader].leader_epoch)
    take_request(s, leader, epoch)
