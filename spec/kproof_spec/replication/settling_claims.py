"""What a partition does in the end, what must be seen on the way, and ways never to arrive."""

from kproof_spec.lang import NONE, exists, require

from . import base, fence_by_leader_epoch
from .settling import (
    become_follower,
    controller_elect_leader,
    leader_raise_high_watermark,
    model,
)
from .settling_state import State, has_candidate, has_session, is_led
from .state import LeaderEpoch, Offset, ReplicaId, has_same_record, is_quorum_leader
from .state import presumes_leadership as presumes

SCOPE = {
    "replicas": 2,
    "log_size": 1,
    "max_records": 1,
    "max_leader_epoch": 2,
    "max_disturbances": 1,
}


# -- liveness --------------------------------------------------------------------------------------


@model.leads_to(has_candidate)
def a_live_replica_in_sync_leads_to_a_leader(s: State) -> bool:
    """As long as an in-sync replica lives, one of them comes to lead, and knows it.

    Or the last in-sync replica dies too: then the partition waits for it, rather than lose records.

    REF   RL7.
    """
    return is_led(s) or not has_candidate(s)


def is_committed(
    s: State,
    replica: ReplicaId,  # noqa: ARG001 - a premise has the parameters of its goal
    offset: Offset,
) -> bool:
    """Whether any presumed leader shows a record at an offset; the replica is any."""
    return exists(
        ReplicaId, lambda leader: presumes(s, leader) and offset < s.replica[leader].high_watermark
    )


@model.leads_to(is_committed)
def every_live_replica_gets_what_is_committed(s: State, replica: ReplicaId, offset: Offset) -> bool:
    """What is committed reaches every replica that lives, and makes it a member of the ISR.

    However far it was behind, whatever it had to truncate, and whoever leads by then.

    REF   RL2.
    """
    return (
        replica in s.down
        or not has_candidate(s)
        or (
            replica in s.quorum.in_sync_replicas
            and exists(
                ReplicaId,
                lambda leader: (
                    is_quorum_leader(s, leader) and has_same_record(s, leader, replica, offset)
                ),
            )
        )
    )


def has_uncommitted(s: State, leader: ReplicaId) -> bool:
    """Whether the leader has a record that it does not know to be committed."""
    me = s.replica[leader]
    return is_quorum_leader(s, leader) and me.high_watermark < me.log.end


@model.leads_to(has_uncommitted)
def a_leader_commits_what_it_has(s: State, leader: ReplicaId) -> bool:
    """A leader's high watermark reaches the end of its log, unless it dies or is replaced.

    Nobody in the ISR can hold it up for ever: it follows, or it is removed.

    REF   RL8.
    """
    return leader in s.down or not has_uncommitted(s, leader)


# -- safety ----------------------------------------------------------------------------------------


@model.invariant
def epochs_have_causes(s: State) -> bool:
    """A disturbance makes two leader epochs at most, and the first election another.

    An election that nothing has caused would be the beginning of a storm of them.  This is what
    makes the bound on epochs harmless: see `settling`.
    """
    return s.requests.end <= 2 * s.disturbances + 1


# -- reachable -------------------------------------------------------------------------------------


@model.sometimes
def a_successor_commits_alone(s: State, leader: ReplicaId, dead: ReplicaId) -> bool:
    """A leader died; another leads and has committed a record without it."""
    return (
        dead in s.down
        and dead not in s.quorum.in_sync_replicas
        and is_quorum_leader(s, leader)
        and presumes(s, dead)
        and s.replica[leader].high_watermark > 0
    )


@model.sometimes
def a_replica_is_back(s: State, replica: ReplicaId, epoch: LeaderEpoch) -> bool:
    """A replica that the present epoch began without is in the ISR, with a committed record."""
    return (
        s.requests.end == epoch + 1
        and replica not in s.requests[epoch].in_sync_replicas
        and replica in s.quorum.in_sync_replicas
        and s.replica[replica].high_watermark > 0
    )


@model.sometimes
def a_partition_waits_for_its_last_replica(s: State) -> bool:
    """Every in-sync replica is down: nobody is elected."""
    return not has_candidate(s) and s.quorum.leader == NONE


# -- mutants ---------------------------------------------------------------------------------------


@model.mutant(replaces=has_session, breaks=a_live_replica_in_sync_leads_to_a_leader, scope=SCOPE)
def has_session_while_it_leads(s: State, replica: ReplicaId) -> bool:
    """The controller waits for a leader to resign before it elects another.

    That is right for a shutdown in good order.  A leader that died says nothing, and the partition
    has no leader for ever though an in-sync replica lives.
    """
    return replica not in s.down or s.quorum.leader == replica


@model.mutant(
    replaces=become_follower, breaks=every_live_replica_gets_what_is_committed, scope=SCOPE
)
def become_follower_of_another_only(
    s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch
) -> None:
    """A follower takes no notice of a new epoch under the leader that it follows already.

    "Nothing has changed": but the leader fences whoever is in an older epoch, so every fetch is
    refused from now on, and the follower is never in sync again.
    """
    require(leader not in s.down)
    require(follower not in s.down)
    require(s.replica[follower].leader != leader)
    fence_by_leader_epoch.become_follower(s, leader, follower, epoch)


@model.mutant(
    replaces=leader_raise_high_watermark, breaks=a_leader_commits_what_it_has, scope=SCOPE
)
def leader_raise_high_watermark_in_a_fetch(s: State, leader: ReplicaId) -> None:
    """The high watermark is looked at only when a follower of the ISR fetches.

    The last follower leaves the ISR, and with that everything is committed; but nobody fetches any
    more, so the leader does not notice, and producers with acks=all wait for ever.  Whatever
    changes the ISR has to look too.  REF: KAFKA-13091.
    """
    require(leader not in s.down)
    require(s.replica[leader].in_sync_replicas.size > 1)
    fence_by_leader_epoch.leader_raise_high_watermark(s, leader)


@model.mutant(
    replaces=controller_elect_leader,
    breaks=epochs_have_causes,
    scope={**SCOPE, "max_leader_epoch": 1, "max_disturbances": 0},
)
def controller_elect_leader_again(s: State, replica: ReplicaId) -> None:
    """The controller elects whoever lives and is in sync, though somebody leads.

    Every replica is as good as any other, so it can always do better than it has done: leadership
    goes round, and each time requests are refused until all have heard of it.
    """
    require(replica not in s.down)
    base.controller_elect_leader(s, replica)
