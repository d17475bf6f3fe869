"""What a partition has that comes to rest, beyond what `state` has: see `settling`."""

from kproof_spec.lang import SetOf, bound, exists, integer, pure, subset

from . import state
from .state import ReplicaId, is_quorum_leader

max_disturbances = bound(
    "max_disturbances",
    default=1,
    doc="How often a broker dies, is taken for dead, or leadership is moved by hand.",
)


class State(state.State):
    """One partition, and which of its brokers are down."""

    down: SetOf[ReplicaId] = subset(ReplicaId)
    """Brokers that take no step.  What they hold and believe stays as it was."""
    disturbances: int = integer(0, max_disturbances)


# -- definitions ---------------------------------------------------------------------------------


@pure
def is_led(s: State) -> bool:
    """Whether some broker leads, knows it, and lives."""
    return exists(ReplicaId, lambda r: is_quorum_leader(s, r) and r not in s.down)


@pure
def has_candidate(s: State) -> bool:
    """Whether somebody in sync lives."""
    return exists(s.quorum.in_sync_replicas, lambda r: r not in s.down)


@pure
def has_session(s: State, replica: ReplicaId) -> bool:
    """Whether the controller counts a broker as alive: it does until a session has timed out."""
    return replica not in s.down
