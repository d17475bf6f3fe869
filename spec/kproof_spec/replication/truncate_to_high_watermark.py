"""Truncation to the high watermark: how Kafka did it before 0.11.

A new follower keeps what it knows to be committed, and fetches the rest again.  It sounds safe:
what is above its high watermark may differ from the leader's log, what is below cannot.

**The hole (KAFKA-1211).**  A follower's high watermark lags by one fetch.  The leader has counted
the follower's copy of a record, raised its own high watermark and shown the record to consumers;
the follower does not know yet.  Now any request that makes it follow anew lets it throw the record
away.  It is still in the ISR, so it may be elected next, and the record is gone.
"""

from kproof_spec.lang import require

from . import unfenced
from .state import LeaderEpoch, ReplicaId, State, take_request, truncate

model = unfenced.model.extend(
    "truncate_to_high_watermark", title="Followers truncate to their high watermark"
)


@model.action
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns whom to follow, and drops what it does not know to be committed.

    WHO   the follower, all by itself: nobody is asked.
    WHEN  a request is newer than any it took and names another replica as the leader.
    THEN  it keeps what is below its high watermark, and follows.
    REF   KIP-101, "Scenario 1: High Watermark Truncation followed by Immediate Leader Election".
    """
    me = s.replica[follower]
    # WHEN
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > me.leader_epoch)
    require(me.high_watermark <= me.log.end)  # Always so: one cannot keep more than one has.
    # THEN
    truncate(s, follower, me.high_watermark)
    take_request(s, follower, epoch)
