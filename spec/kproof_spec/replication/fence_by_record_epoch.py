"""Fencing by the epoch of records: the first try at KIP-320, and wrong.

Each fetch names the epoch of the follower's last record, and the leader serves it, and counts it,
only if its own record there is of the same epoch.  A follower that does not fit truncates and tries
again; truncation becomes a step of its own, taken whenever the logs are seen to differ, and not
only when leadership changes.

**The hole.**  That the last records match says nothing about the epoch in which the follower is
*now*.  It may act on an old request, fetch from a leader in a newer epoch and be counted: the
epochs of the records do match.  Then it takes another old request, whose leader still presumes to
lead and has an empty log, sees that the logs differ, and truncates a committed record.  Three
replicas and two presumed leaders at once are needed.  What has to be compared is the epoch of the
two replicas, not only that of their records: see `fence_by_leader_epoch`.
"""

from kproof_spec.lang import forall, pure, require

from . import base
from .state import (
    LeaderEpoch,
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

model = base.model.extend(
    "kip_320_first_try", title="Leaders compare the epochs of records (first try at KIP-320)"
)


@pure
def matches(s: State, leader: ReplicaId, follower: ReplicaId, end: int) -> bool:
    """Whether a follower reaches up to `end`, and both have a record of the same epoch just below.

    This is what a leader can tell from a fetch that names an offset and a last epoch.
    """
    if not presumes_leadership(s, leader) or s.replica[follower].leader != leader:
        return False
    if end == 0:
        return True
    ours, theirs = s.replica[leader].log, s.replica[follower].log
    return (
        ours.end >= end
        and theirs.end >= end
        and ours[end - 1].leader_epoch == theirs[end - 1].leader_epoch
    )


@pure
def is_seen_to_differ(s: State, leader: ReplicaId, follower: ReplicaId) -> bool:
    """Whether the follower is longer, or its last record is not of the leader's epoch there."""
    ours, theirs = s.replica[leader].log, s.replica[follower].log
    if theirs.end > ours.end:
        return True
    return not theirs.is_empty and ours[theirs.end - 1].leader_epoch != theirs.last.leader_epoch


@model.action
def leader_expand_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader takes a follower into the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower is not in the ISR, matches up to the leader's high watermark, and the leader
          knows all to be committed that was there before its own epoch.
    THEN  the ISR gains the follower.
    REF   KAFKA-7128, for the last condition.
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower not in me.in_sync_replicas)
    require(matches(s, leader, follower, me.high_watermark))
    require(has_committed_earlier_epochs(s, leader))
    # THEN
    change_isr(s, leader, me.in_sync_replicas.including(follower))


@model.action
def leader_shrink_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader drops a follower from the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower does not match up to the leader's end.
    THEN  the ISR loses the follower, and the high watermark no longer waits for it.
    REF   KIP-497, "Motivation".
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower in me.in_sync_replicas)
    require(follower != leader)
    require(not matches(s, leader, follower, me.log.end))
    # THEN
    change_isr(s, leader, me.in_sync_replicas.excluding(follower))


@model.action
def leader_raise_high_watermark(s: State, leader: ReplicaId) -> None:
    """The leader commits one more record.

    WHO   any replica that presumes leadership.
    WHEN  every member of its ISR has a record of the same epoch at the high watermark.
    THEN  the high watermark rises by one.
    REF   KIP-320, "Proposed Changes", as first written.
    """
    me = s.replica[leader]
    # WHEN
    require(presumes_leadership(s, leader))
    require(me.high_watermark < me.log.end)
    require(forall(me.in_sync_replicas, lambda f: matches(s, leader, f, me.high_watermark + 1)))
    # THEN
    me.high_watermark += 1


@model.action
def follower_fetch(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower copies the next record of its leader.

    WHO   the follower; the leader only answers.
    WHEN  the follower's last record is of the leader's epoch there, and the leader's log is longer.
    THEN  the follower gains one record and learns the high watermark.
    REF   KIP-320, "Proposed Changes", as first written.
    """
    mine = s.replica[follower].log
    # WHEN
    require(matches(s, leader, follower, mine.end))
    require(mine.end < s.replica[leader].log.end)
    # THEN
    copy_next_record(s, leader, follower)


@model.action
def follower_truncate(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower whose fetch was refused cuts its log back to what both have in common.

    WHO   the follower; any leader that presumes to be one answers.
    WHEN  the follower is longer, or its last record is not of the leader's epoch there.
    THEN  it keeps the records up to the last one in common.
    REF   KIP-279, "Proposed Changes", for how far.
    """
    # WHEN
    require(presumes_leadership(s, leader))
    require(s.replica[follower].leader == leader)
    require(is_seen_to_differ(s, leader, follower))
    end = end_of_common_records(s, leader, follower)
    require(end <= s.replica[follower].log.end)  # Always so: what is in common is in both.
    # THEN
    truncate(s, follower, end)


@model.action
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns whom to follow, and keeps its log as it is.

    WHO   the follower.
    WHEN  a request is newer than any it took and names another replica as the leader.
    THEN  it follows.  Whether its log fits shows with its first fetch.
    REF   KIP-320, "Proposed Changes", as first written.
    """
    # WHEN
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > s.replica[follower].leader_epoch)
    # THEN
    take_request(s, follower, epoch)
