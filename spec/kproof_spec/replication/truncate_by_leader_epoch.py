"""Truncation by leader epoch: KIP-101, in Kafka since 0.11.

Records carry the epoch of the leader that wrote them.  A new follower asks its leader where the
follower's last epoch ends in the leader's log, and keeps what is below.  Its own high watermark,
which lags, is no longer asked.

**The hole (KAFKA-6361).**  If the leader knows nothing of that epoch nor of any later one, it
answers "undefined", and the follower falls back on its high watermark: the old rule with the old
flaw.  It takes two quick elections, so that the follower led in an epoch of which the leader never
heard.
"""

from kproof_spec.lang import min_over, pure, require, span

from . import unfenced
from .state import LeaderEpoch, ReplicaId, State, take_request, truncate

model = unfenced.model.extend(
    "kip_101", title="Followers truncate by their last leader epoch (KIP-101)"
)


@pure
def end_of_followers_last_epoch(s: State, leader: ReplicaId, follower: ReplicaId) -> int:
    """Where the leader says that the epoch of the follower's last record ends.

    Three answers.  The leader is in that epoch: the end of its log.  It has a record of a later
    epoch: where the first of those begins.  Neither: undefined, and the follower takes its own high
    watermark instead.

    REF   KIP-101, "Proposed Solution", the OffsetsForLeaderEpoch request.
    """
    ours, me = s.replica[leader].log, s.replica[follower]
    if me.log.is_empty:
        return 0
    if ours.is_empty:
        return me.high_watermark
    last_epoch = me.log.last.leader_epoch
    if ours.last.leader_epoch == last_epoch:
        return ours.end
    first_of_later_epoch = min_over(
        span(0, ours.end),
        lambda offset: offset if ours[offset].leader_epoch > last_epoch else ours.end,
        start=ours.end,
    )
    return first_of_later_epoch if first_of_later_epoch < ours.end else me.high_watermark


@model.action
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica learns whom to follow, and drops what the leader does not have of its last epoch.

    WHO   the follower; the named leader answers, even if it has not yet learned that it leads.
    WHEN  a request is newer than any it took and names another replica as the leader, and what it
          is to keep is no more than it has.
    THEN  it keeps what is below the answer, and follows.
    REF   KIP-101, "Proposed Solution".
    """
    me = s.replica[follower]
    # WHEN
    require(leader != follower)
    require(epoch < s.requests.end)
    require(s.requests[epoch].leader == leader)
    require(epoch > me.leader_epoch)
    end = end_of_followers_last_epoch(s, leader, follower)
    require(end <= me.log.end)  # Not always so: the leader may have more of that epoch.
    # THEN
    truncate(s, follower, end)
    take_request(s, follower, epoch)
