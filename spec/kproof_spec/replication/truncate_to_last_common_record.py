"""Truncation to the last common record: KIP-279, in Kafka since 2.0.

The leader answers with a pair, the largest epoch it has that is not later than the one asked for,
and where it ends.  A follower that lacks that epoch steps back to its own next lower one and asks
again, until both name the same epoch.  "Undefined" is gone, and so is the fallback: the follower
keeps exactly what both logs agree on.

**The hole (KAFKA-7395).**  Nobody checks *who* is asked.  A replica that acts on an old request may
fetch from a leader in a newer epoch and be counted by it; then, acting on another old request, it
truncates against a replica that led in between and has nothing.  The records that were counted are
gone, and the replica is still in the ISR.  It needs three replicas.
"""

from kproof_spec.lang import require

from . import unfenced
from .state import (
    LeaderEpoch,
    ReplicaId,
    State,
    end_of_common_records,
    take_request,
    truncate,
)

model = unfenced.model.extend(
    "kip_279", title="Followers truncate to the last record in common (KIP-279)"
)


@model.action
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns whom to follow, and drops what it does not have in common with it.

    WHO   the follower; the named leader answers, even if it has not yet learned that it leads, or
          has long ceased to.
    WHEN  a request is newer than any it took and names another replica as the leader.
    THEN  it keeps the records up to the last one in common, and follows.
    REF   KIP-279, "Proposed Changes".
    """
    me = s.replica[follower]
    # WHEN
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > me.leader_epoch)
    end = end_of_common_records(s, leader, follower)
    require(end <= me.log.end)  # Always so: what is in common is in both.
    # THEN
    truncate(s, follower, end)
    take_request(s, follower, epoch)
