"""Does a partition come to rest?  The steps of `kip_320`, made for questions about the end.

Each step of the protocol is the one of `kip_320`, taken by brokers that live, and is taken at last
where it stays possible (weak fairness).  What is new is what can disturb it: brokers die and come
back or not, are taken for dead, and leadership is moved by hand.

**Causes are bounded, effects are not.**  Disturbances and writes are counted, and there are
`max_disturbances` and `max_records` of them.  How often the controller answers them with an
election, how often a replica leaves the ISR and returns, truncates or fetches, is not.

**Leader epochs need no renaming.**  They are a counter that only grows, and such a one can hide a
run that never ends: it meets the bound instead of going round.  But here each epoch has a cause:
a disturbance makes two of them at most, one without a leader and one with the next, and that is a
property (`epochs_have_causes`).  So with `max_leader_epoch = 2 * max_disturbances` the bound on
epochs never keeps anything from happening; the checker looks for that, and were it otherwise, it
would not claim liveness.  All that is said here of epochs is then true of epochs without bound.  A
controller that elects for ever without a cause would break that property.

**What is left out, and why that is safe.**  A broker that comes back is as it was before: it has
lost nothing (`picture` and `log` have brokers that do), and its beliefs are old news, as after a
long pause.  Requests of the controller arrive at last or are superseded: KRaft's brokers fetch the
metadata log until they have all of it.
"""

from kproof_spec.lang import NONE, Fairness, Model, each, require

from . import base, fence_by_leader_epoch
from .settling_state import State, has_session, max_disturbances
from .state import LeaderEpoch, ReplicaId, log_size, max_leader_epoch, max_records, replicas

model = Model(
    "replication_settling",
    State,
    constants=[replicas, log_size, max_records, max_leader_epoch, max_disturbances],
    title="A replicated partition that comes to rest after whatever happened to it",
)


@model.init
def nobody_leads(s: State) -> None:
    """Every replica lives and is in sync, none leads, and nothing is written."""
    for replica in each(ReplicaId):
        s.quorum.in_sync_replicas.add(replica)


# -- actions: disturbances -------------------------------------------------------------------------


@model.action
def broker_die(s: State, replica: ReplicaId) -> None:
    """A broker dies, or is cut off from everybody.

    WHO   a broker.
    WHEN  it lives.
    THEN  it takes no step until it comes back.  The controller does not know yet.
    """
    # WHEN
    require(replica not in s.down)
    require(s.disturbances < max_disturbances)  # Bound.
    # THEN
    s.disturbances += 1
    s.down.add(replica)


@model.action
def broker_return(s: State, replica: ReplicaId) -> None:
    """A broker is there again, as it was; nobody promises that it ever is.

    WHO   a broker.
    WHEN  it is down.
    THEN  it goes on where it stopped.
    """
    # WHEN
    require(replica in s.down)
    # THEN
    s.down.remove(replica)


@model.action
def controller_fence_slow_broker(s: State, replica: ReplicaId) -> None:
    """A broker that lives is taken for dead.

    WHO   the controller.
    WHEN  the broker's heartbeats are late; it is not the last of the ISR unless it leads.
    THEN  as for one that is dead.
    """
    # WHEN
    require(replica not in s.down)
    require(s.quorum.leader == replica or s.quorum.in_sync_replicas.size > 1)
    require(s.disturbances < max_disturbances)  # Bound.
    # THEN
    s.disturbances += 1
    base.controller_shrink_isr(s, replica)


@model.action
def controller_move_leadership(s: State, replica: ReplicaId) -> None:
    """Leadership is moved to another replica, though the leader is well.

    WHO   the controller, asked to.
    WHEN  there is a leader, and another replica is in sync and lives.
    THEN  that one leads in a new epoch.
    REF   ElectLeaders (KIP-460), for the preferred replica.
    """
    # WHEN
    require(s.quorum.leader != NONE)
    require(replica not in s.down)
    require(s.disturbances < max_disturbances)  # Bound.
    # THEN
    s.disturbances += 1
    base.controller_elect_leader(s, replica)


@model.action
def leader_write(s: State, leader: ReplicaId) -> None:
    """A client writes a record: as in `kip_320`, to a leader that lives."""
    # WHEN
    require(leader not in s.down)
    # THEN
    base.leader_write(s, leader)


# -- actions: the protocol -------------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def controller_fence_dead_broker(s: State, replica: ReplicaId) -> None:
    """The session of a dead broker times out.

    WHO   the controller.
    WHEN  the broker has no session, and is in the ISR; if it is the last there, it leads.
    THEN  it leaves the ISR if it is not the last there; if it led, nobody leads.
    """
    # WHEN
    require(not has_session(s, replica))
    require(s.quorum.leader == replica or s.quorum.in_sync_replicas.size > 1)
    # THEN
    base.controller_shrink_isr(s, replica)


@model.action(fairness=Fairness.WEAK)
def controller_elect_leader(s: State, replica: ReplicaId) -> None:
    """The controller makes a replica the leader where there is none.

    WHO   the controller.
    WHEN  nobody leads, and the replica lives and is in the ISR.
    THEN  it leads in a new epoch.
    """
    # WHEN
    require(s.quorum.leader == NONE)
    require(replica not in s.down)
    # THEN
    base.controller_elect_leader(s, replica)


@model.action(fairness=Fairness.WEAK)
def become_leader(s: State, leader: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica that lives learns that it leads."""
    # WHEN
    require(leader not in s.down)
    # THEN
    base.become_leader(s, leader, epoch)


@model.action(fairness=Fairness.WEAK)
def become_follower(s: State, leader: ReplicaId, follower: ReplicaId, epoch: LeaderEpoch) -> None:
    """A replica that lives learns whom to follow, and truncates against it."""
    # WHEN
    require(leader not in s.down)
    require(follower not in s.down)
    # THEN
    fence_by_leader_epoch.become_follower(s, leader, follower, epoch)


@model.action(fairness=Fairness.WEAK)
def follower_fetch(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A follower copies the next record, and both live."""
    # WHEN
    require(leader not in s.down)
    require(follower not in s.down)
    # THEN
    fence_by_leader_epoch.follower_fetch(s, leader, follower)


@model.action(fairness=Fairness.WEAK)
def leader_raise_high_watermark(s: State, leader: ReplicaId) -> None:
    """A leader that lives commits one more record."""
    # WHEN
    require(leader not in s.down)
    # THEN
    fence_by_leader_epoch.leader_raise_high_watermark(s, leader)


@model.action(fairness=Fairness.WEAK)
def leader_expand_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A leader that lives takes a follower that lives into the ISR."""
    # WHEN
    require(leader not in s.down)
    require(follower not in s.down)
    # THEN
    fence_by_leader_epoch.leader_expand_isr(s, leader, follower)


@model.action
def leader_shrink_isr(s: State, leader: ReplicaId, follower: ReplicaId) -> None:
    """A leader that lives drops a follower from the ISR.  It may; it never has to."""
    # WHEN
    require(leader not in s.down)
    # THEN
    fence_by_leader_epoch.leader_shrink_isr(s, leader, follower)
