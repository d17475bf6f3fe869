"""The court: every event goes to the model that follows its log, group or pool."""

from __future__ import annotations

from threading import RLock

from kproof_impl.events import Event
from kproof_spec.lang import SpecError

from .lockstep import Divergence, Follower
from .untold import Untold

POOL = "worker_pool"
BROKER = ("", "")
_ONE_AT_A_TIME = RLock()
"""A model runs in a scope that the whole process has: courts may sit in several threads."""


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
        self._followers: dict[tuple[str, str], Follower] = {}
        self._untold: Untold | None = None
        """What the life before has left; None in the first."""
        self._last: Event | None = None
        """What the broker told last, but for what is forced to the disk."""

    def __call__(self, event: Event) -> None:
        with _ONE_AT_A_TIME:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        key = (event.model, event.subject)
        if event.model == POOL:
            self._count(event, key, may_restart=False)
        else:
            if self._count(event, BROKER, may_restart=True):
                self._restart()
            if event.action != "flush":
                self._last = event
        follower = self._followers.get(key)
        if follower is None:
            if event.model == "groups":
                self._hear_of_groups(event)
                return
            follower = self._followers[key] = self._follower_of(event)
            follower.untold = self._untold
        self._follow(follower, event)
        self.events_count += 1
        if follower.is_gone:
            del self._followers[key]

    def _follow(self, follower: Follower, event: Event) -> None:
        try:
            follower.follow(event)
        except SpecError as error:
            reason = f"the specification has no such state: {error}"
            raise Divergence(event, reason, follower.summary()) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            reason = f"its parameters are not those of the action: {type(error).__name__}: {error}"
            raise Divergence(event, reason, follower.summary()) from error

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
        self._untold = Untold(self._is_last_of_groups())
        for key, follower in list(self._followers.items()):
            follower.untold = self._untold
            if not follower.restarted():
                del self._followers[key]

    def _is_last_of_groups(self) -> bool:
        """Whether the last that was told is a batch in the log of the groups."""
        last = self._last
        if last is None or last.action != "append":
            return False
        follower = self._followers.get(("log", last.subject))
        return follower is not None and follower.is_of_groups

    def _hear_of_groups(self, event: Event) -> None:
        """What is told of all groups, or of one that may not be there."""
        if event.action == "loaded":
            self._check_groups(event)
            return
        from .group_map import GroupFollower

        # A group that is not there has no offsets, as a new one.
        follower = self._followers.get(("group", event.subject)) or GroupFollower()
        self._follow(follower, event)
        self.events_count += 1

    def _check_groups(self, event: Event) -> None:
        """All groups have been loaded: they are those that were stored."""
        groups = {key[1]: one for key, one in self._followers.items() if key[0] == "group"}
        missing = [name for name, follower in groups.items() if not follower.is_loaded]
        if len(missing) == 1 and self._untold is not None and self._untold.take_group():
            del groups[missing[0]], self._followers["group", missing[0]]
            missing = []  # It was removed.
        if missing or event.parameters.get("groups") != len(groups):
            raise Divergence(
                event,
                f"expected the groups {sorted(groups)} to be loaded; not loaded: {missing}, "
                f"told: {event.parameters}",
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

            is_new = event.action == "load" and self._untold is not None
            if is_new and not (self._untold and self._untold.take_group()):
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
