"""Where a broker's new names come from: random for a server, counted for tests and simulations."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

SESSION_ID_MAX = (1 << 31) - 1


class RandomIdentifiers:
    """Names that no other broker makes, nor this one after a restart."""

    def topic_id(self) -> UUID:
        """A random UUID whose text in base 64, as Kafka writes ids, does not begin with a dash."""
        while True:
            topic_id = uuid4()
            if topic_id.bytes[0] >> 2 != 62:
                return topic_id

    def member_id_suffix(self) -> str:
        return str(uuid4())

    def session_id(self) -> int:
        while True:
            session_id = int.from_bytes(os.urandom(4), "big") & SESSION_ID_MAX
            if session_id:
                return session_id


class CountedIdentifiers:
    """The same names in every run: each kind is counted from 1."""

    def __init__(self) -> None:
        self._topics = 0
        self._members = 0
        self._sessions = 0

    def topic_id(self) -> UUID:
        self._topics += 1
        return UUID(f"00000000-0000-4000-8000-{self._topics:012x}")

    def member_id_suffix(self) -> str:
        self._members += 1
        return f"00000000-0000-4000-9000-{self._members:012x}"

    def session_id(self) -> int:
        self._sessions = self._sessions % SESSION_ID_MAX + 1
        return self._sessions
