"""The court: every event goes to the model that follows its log, group or pool."""

from __future__ import annotations

from kproof_impl.events import Event
from kproof_spec.lang import SpecError

from .lockstep import Divergence, Follower

POOL = "worker_pool"
BROKER = ("", "")


class Court:
    """Follows a whole broker.  Call it with each event, in order; it raises `Divergence`.

    A broker that starts again is followed on: its first event has sequence 0, and every log it
    opens and group it loads has to be what its earlier life has left.

    Worker pools are clients: each counts its own steps, and lives on when the broker starts again.
    """

    def __init__(self) -> None:
        self.events_count = 0
        self._next_sequences: dict[tuple[str, str], int] = {}
        """Of the broker, and of each pool."""
        self._has_restarted = False
        self._followers: dict[tuple[str, str], Follower] = {}

    def __call__(self, event: Event) -> None:
        key = (event.model, event.subject)
        if event.model == POOL:
            self._count(event, key, may_restart=False)
        elif self._count(event, BROKER, may_restart=True):
            self._restart()
        follower = self._followers.get(key)
        if follower is None:
            if event.model == "groups":
                self._check_groups(event)
                return
            follower = self._followers[key] = self._follower_of(event)
        try:
            follower.follow(event)
        except SpecError as error:
            reason = f"the specification has no such state: {error}"
            raise Divergence(event, reason, follower.summary()) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            reason = f"its parameters are not those of the action: {type(error).__name__}: {error}"
            raise Divergence(event, reason, follower.summary()) from error
        self.events_count += 1
        if follower.is_gone:
            del self._followers[key]

    def _count(self, event: Event, teller: tuple[str, str], *, may_restart: bool) -> bool:
        """Whether who tells of a step begins a new life with it; no step of a life may be missing.

        The first step that is seen of a broker or pool has the number 0.
        """
        expected = self._next_sequences.get(teller, 0)
        is_restart = may_restart and event.sequence == 0 and expected > 0
        if event.sequence != expected and not is_restart:
            raise Divergence(
                event, f"expected step {expected}: a step is missing, or came out of order"
            )
        self._next_sequences[teller] = event.sequence + 1
        return is_restart

    def _restart(self) -> None:
        """The broker begins a new life: what was not stored is gone."""
        self._has_restarted = True
        for key, follower in list(self._followers.items()):
            if not follower.restarted():
                del self._followers[key]

    def _check_groups(self, event: Event) -> None:
        """All groups have been loaded: they are those that were stored."""
        groups = {key[1]: one for key, one in self._followers.items() if key[0] == "group"}
        missing = [name for name, follower in groups.items() if not follower.is_loaded]
        if event.action != "loaded" or missing or event.parameters.get("groups") != len(groups):
            raise Divergence(
                event,
                f"expected the groups {sorted(groups)} to be loaded; not loaded: {missing}, "
                f"told: {event.action} {event.parameters}",
            )
        self.events_count += 1

    def _follower_of(self, event: Event) -> Follower:
        if event.model == "log":
            from .log_map import LogFollower

            return LogFollower()
        if event.model == "compaction":
            from .compaction_map import CompactionFollower

            return CompactionFollower()
        if event.model == "group":
            from .group_map import GroupFollower

            if event.action == "load" and self._has_restarted:
                raise Divergence(event, "a group was loaded that an earlier life did not store")
            return GroupFollower()
        if event.model == POOL:
            from .pool_map import PoolFollower

            return PoolFollower()
        raise Divergence(
            event, f"no map for {event.model!r}: expected log, compaction, group or {POOL}"
        )

    def follows(self, model: str, subject: str) -> bool:
        """Whether there is such a log or group now."""
        return (model, subject) in self._followers

    @property
    def followed_count(self) -> int:
        """How many logs, groups and pools were followed."""
        return len(self._followers)
