"""DeleteTopics: its fields in every version served, 1 to 6.

Before version 6 topics were a list of names: they are read into `topics`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kproof_impl.messages.ids import NO_ID


@dataclass(slots=True)
class DeleteTopicState:
    name: str | None = None
    topic_id: UUID = NO_ID


@dataclass(slots=True)
class DeleteTopicsRequest:
    topics: Sequence[DeleteTopicState] = ()
    timeout_ms: int = 0


@dataclass(slots=True)
class DeletableTopicResult:
    name: str | None = None
    topic_id: UUID = NO_ID
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class DeleteTopicsResponse:
    throttle_time_ms: int = 0
    responses: Sequence[DeletableTopicResult] = ()
