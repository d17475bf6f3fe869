"""The court: every event goes to the model that follows its log or group."""

from __future__ import annotations

from kproof_impl.events import Event
from kproof_spec.lang import SpecError

from .lockstep import Divergence, Follower


class Court:
    """Follows a whole broker.  Call it with each event, in order; it raises `Divergence`.

    A broker that starts again is followed on: its first event has sequence 0, and every log it
    opens and group it loads has to be what its earlier life has left.
    """

    def __init__(self) -> None:
        self.events_count = 0
        self._next_sequence = 0
        self._has_restarted = False
        self._followers: dict[tuple[str, str], Follower] = {}

    def __call__(self, event: Event) -> None:
        if event.sequence not in (0, self._next_sequence):
            raise Divergence(
                event,
                f"expected step {self._next_sequence}: a step is missing, or came out of order",
            )
        if event.sequence == 0 and self.events_count:
            self._restart()
        self._next_sequence = event.sequence + 1
        key = (event.model, event.subject)
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
        raise Divergence(
            event, f"no map for the model {event.model!r}: expected log, compaction or group"
        )

    @property
    def followed_count(self) -> int:
        """How many logs and groups were followed."""
        return len(self._followers)
