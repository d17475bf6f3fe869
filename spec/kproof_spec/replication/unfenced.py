"""What the first three variants share: a fetch says where it wants to read, and nothing else.

A follower knows whom it follows, and a leader knows who fetches.  Neither tells the other its
epoch, so a replica that still acts on an old request can fetch from a leader of a newer epoch, and
be counted as in sync by it.  Each of these variants is as good as its rule of truncation, which its
own module adds as the last action, `become_follower`.
"""

from kproof_spec.lang import forall, pure, require

from . import base
from .state import (
    ReplicaId,
    State,
    change_isr,
    copy_next_record,
    is_quorum_leader,
    presumes_leadership,
)

model = base.model.extend("unfenced", title="Replication without fencing")


@pure
def follows(s: State, leader: ReplicaId, follower: ReplicaId) -> bool:
    """Whether a replica takes another for its leader, in any epoch; a leader follows itself."""
    is_its_leader: bool = s.replica[follower].leader == leader
    return is_its_leader


@pure
def is_caught_up(s: State, leader: ReplicaId, follower: ReplicaId, end: int) -> bool:
    """Whether a follower has as many records as the leader has below `end`.

    That they are the same records is taken on trust.
    """
    return (
        follows(s, leader, follower)
        and s.replica[leader].log.end >= end
        and s.replica[follower].log.end >= end
    )


@model.action
def leader_expand_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader takes a follower into the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower is not in the ISR and reaches up to the leader's high watermark.
    THEN  the ISR gains the follower.
    REF   KIP-497, "Motivation"; KAFKA-7128 tells what is wrong with the condition.
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower not in me.in_sync_replicas)
    require(is_caught_up(s, leader, follower, me.high_watermark))
    # THEN
    change_isr(s, leader, me.in_sync_replicas.including(follower))


@model.action
def leader_shrink_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """The leader drops a follower from the ISR.

    WHO   the leader, if the quorum still has it as the leader.
    WHEN  the follower is behind the leader's end.  (For how long is a timer's matter.)
    THEN  the ISR loses the follower, and the high watermark no longer waits for it.
    REF   KIP-497, "Motivation".
    """
    me = s.replica[leader]
    # WHEN
    require(is_quorum_leader(s, leader))
    require(follower in me.in_sync_replicas)
    require(follower != leader)
    require(not is_caught_up(s, leader, follower, me.log.end))
    # THEN
    change_isr(s, leader, me.in_sync_replicas.excluding(follower))


@model.action
def leader_raise_high_watermark(s: State, leader: ReplicaId) -> None:
    """The leader commits one more record.

    WHO   any replica that presumes leadership.
    WHEN  every member of its ISR follows it and has a record at the high watermark.
    THEN  the high watermark rises by one.
    REF   KIP-101, "Motivation".
    """
    me = s.replica[leader]
    # WHEN
    require(presumes_leadership(s, leader))
    require(me.high_watermark < me.log.end)
    require(
        forall(
            me.in_sync_replicas,
            lambda f: follows(s, leader, f) and me.high_watermark < s.replica[f].log.end,
        )
    )
    # THEN
    me.high_watermark += 1


@model.action
def follower_fetch(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower copies the next record of its leader.

    WHO   the follower; the leader only answers.
    WHEN  the leader presumes leadership, and its log is longer.
    THEN  the follower gains one record and learns the high watermark.
    REF   KIP-101, "Motivation".
    """
    # WHEN
    require(presumes_leadership(s, leader))
    require(follows(s, leader, follower))
    require(s.replica[follower].log.end < s.replica[leader].log.end)
    # THEN
    copy_next_record(s, leader, follower)
