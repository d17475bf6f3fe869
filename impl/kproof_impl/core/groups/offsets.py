"""Committed offsets: what is kept of one, and when it is too old.

REF   KIP-211 (expiry begins when the group is empty), KIP-320 (the leader epoch).
"""

from __future__ import annotations

from typing import NamedTuple

NO_OFFSET = -1
NO_LEADER_EPOCH = -1
NO_EXPIRY = -1


class CommittedOffset(NamedTuple):
    """How far a group has come in a partition; times in milliseconds."""

    offset: int
    """The next to read."""
    leader_epoch: int
    """Of the last record read; -1 if the client did not say."""
    metadata: str
    """Whatever the client likes."""
    commit_timestamp_ms: int
    expire_timestamp_ms: int = NO_EXPIRY
    """When it expires by the client's own word, which could be given until version 4."""

    def has_expired(self, idle_since_ms: int, retention_ms: int, now_ms: int) -> bool:
        """Whether it is too old; `idle_since_ms` is when nobody used it any more."""
        if self.expire_timestamp_ms != NO_EXPIRY:
            return now_ms >= self.expire_timestamp_ms
        return now_ms - idle_since_ms >= retention_ms
