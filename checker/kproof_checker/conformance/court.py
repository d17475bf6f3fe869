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
        self._followers: dict[tuple[str, str], Follower] = {}

    def __call__(self, event: Event) -> None:
        if event.sequence not in (0, self._next_sequence):
            raise Divergence(
                event,
                f"expected step {self._next_sequence}: a step is missing, or came out of order",
            )
        self._next_sequence = event.sequence + 1
        key = (event.model, event.subject)
        follower = self._followers.get(key)
        if follower is None:
            follower = self._followers[key] = _follower_of(event)
        try:
            follower.follow(event)
        except SpecError as error:
            reason = f"the specification has no such state: {error}"
            raise Divergence(event, reason, follower.summary()) from error
        except (KeyError, TypeError, ValueError) as error:
            reason = f"its parameters are not those of the action: {type(error).__name__}: {error}"
            raise Divergence(event, reason, follower.summary()) from error
        self.events_count += 1

    @property
    def followed_count(self) -> int:
        """How many logs and groups were followed."""
        return len(self._followers)


def _follower_of(event: Event) -> Follower:
    if event.model == "log":
        from .log_map import LogFollower

        return LogFollower()
    raise Divergence(event, f"no map for the model {event.model!r}: expected log or group")
