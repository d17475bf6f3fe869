"""The settings of the machine of real clients, its members, and how its steps are noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from impl_support.real_client_model import Group
from impl_support.real_cluster import RealCluster, now_ms
from impl_support.real_members import Happened, MemberProcess

if TYPE_CHECKING:
    from impl_support.real_client_machine import RealClientMachine

RETENTION_MS = 1_000
SLACK_MS = 5
"""Between clocks that are read one after the other."""
RETENTION_LATE_MS = 1_000
"""Retention is looked after every 100 ms, but the machine may be busy."""
SESSION_MS = 1_200
SETTLE_SECONDS = 20.0
TOPICS = {
    "orders": (3, {"internal.segment.bytes": "400"}),
    "events": (1, {"internal.segment.bytes": "300", "retention.ms": str(RETENTION_MS)}),
}
OPTIONS = (
    "--verify",
    *("--config", "group.min.session.timeout.ms=100"),
    *("--config", "log.retention.check.interval.ms=100"),
    *("--config", "offsets.topic.segment.bytes=2000"),
    *("--config", "offsets.topic.num.partitions=2"),
)
PRODUCERS: dict[str, dict[str, Any]] = {
    "idempotent": {"enable.idempotence": True},
    "all": {"acks": "all", "max.in.flight": 1},
    "one": {"acks": 1, "max.in.flight": 1},
}
"""One that is not idempotent keeps the order if only one request is on its way."""
MEMBERS_MAX = 3

P = ParamSpec("P")
Machine = TypeVar("Machine", bound="RealClientMachine")


def step(
    **arguments: st.SearchStrategy[Any],
) -> Callable[[Callable[Concatenate[Machine, P], None]], Callable[Concatenate[Machine, P], None]]:
    """A rule that is written down before it is taken, with the time."""

    def decorate(
        action: Callable[Concatenate[Machine, P], None],
    ) -> Callable[Concatenate[Machine, P], None]:
        @wraps(action)
        def noted(self: Machine, *args: P.args, **values: P.kwargs) -> None:
            called = ", ".join(f"{name}={value!r}" for name, value in values.items())
            self.cluster.program.append(f"{action.__name__}({called})  # {now_ms()}")
            action(self, *args, **values)

        ruled: Callable[Concatenate[Machine, P], None] = rule(**arguments)(noted)  # type: ignore[call-overload]
        return ruled

    return decorate


@dataclass
class Member:
    """A consumer, its group and its number in it."""

    number: int
    group: Group
    process: MemberProcess
    cluster: RealCluster

    def is_late(self, member_id: str) -> bool:
        """Whether an assignment is told too late: the group has expelled the member since.

        What it was given waits for its next poll, and until then it does not join again, even if it
        has been told that it is no member: its id is empty then.  It need not have been stopped for
        that; a broker that is killed, and a heartbeat that comes late after it, are enough.
        """
        return not member_id or member_id not in self.cluster.member_ids(self.group.name)

    def take(self, happened: Happened) -> None:
        """Has its group judge what happened."""
        for kind, *what in happened:
            match kind:
                case "assigned":
                    places, member_id = what
                    is_late = bool(places) and self.is_late(member_id)
                    self.group.assign(self.number, places, is_late=is_late)
                case "revoked" | "lost":
                    self.group.give_up(self.number, what[0])
                case "record":
                    topic, partition, offset, key, value = what
                    self.group.give(self.number, (topic, partition), offset, (key, value))
                case "committing":
                    self.group.commit(self.number, what[0])
                case "committed":
                    self.group.answer_commit(self.number, *what)
