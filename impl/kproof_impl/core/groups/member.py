"""A member of a group, as its coordinator sees it."""

from __future__ import annotations

from collections.abc import Mapping

from kproof_impl.core.calls import Call
from kproof_impl.core.timers import Timer

NO_ASSIGNMENT = b""


class Member:
    """One consumer: who it is, what it can, what it waits for.  Times in milliseconds."""

    __slots__ = (
        "assignment",
        "client_host",
        "client_id",
        "group_instance_id",
        "is_new",
        "join_call",
        "member_id",
        "protocols",
        "rebalance_timeout_ms",
        "session_deadline_ms",
        "session_timeout_ms",
        "session_timer",
        "sync_call",
    )

    def __init__(
        self,
        member_id: str,
        group_instance_id: str | None,
        client_id: str,
        client_host: str,
        *,
        rebalance_timeout_ms: int,
        session_timeout_ms: int,
        protocols: Mapping[str, bytes],
        assignment: bytes = NO_ASSIGNMENT,
    ) -> None:
        self.member_id = member_id
        self.group_instance_id = group_instance_id
        """None for a dynamic member (KIP-345)."""
        self.client_id = client_id
        self.client_host = client_host
        self.rebalance_timeout_ms = rebalance_timeout_ms
        self.session_timeout_ms = session_timeout_ms
        self.protocols = protocols
        """The metadata for each protocol it can, the one it likes best first."""
        self.assignment = assignment
        self.is_new = False
        """Whether it has not yet been in a generation: its first wait is no sign of life."""
        self.join_call: Call | None = None
        """Its JoinGroup that waits at the join barrier."""
        self.sync_call: Call | None = None
        """Its SyncGroup that waits for the leader's."""
        self.session_deadline_ms = 0
        """When it is expelled, if nothing is heard of it."""
        self.session_timer: Timer | None = None
        """It may be due before the deadline: then it is set again, which is cheaper than to move
        a timer at each heartbeat."""

    @property
    def is_static(self) -> bool:
        return self.group_instance_id is not None

    def has_same_protocols(self, protocols: Mapping[str, bytes]) -> bool:
        """Whether names, metadata and their order are what they were."""
        return list(self.protocols.items()) == list(protocols.items())

    def vote(self, candidates: Mapping[str, int]) -> str:
        """The candidate that it likes best.  Each member can do each candidate."""
        return next(name for name in self.protocols if name in candidates)
