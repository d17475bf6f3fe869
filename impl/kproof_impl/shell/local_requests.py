"""Requests that the process itself asks of its broker: topics that are to be there at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kproof_impl.core.broker import Broker
from kproof_impl.core.effects import Send
from kproof_impl.core.inputs import Connected, Disconnected, Received
from kproof_impl.messages.errors import ErrorCode

LOCAL_CONNECTION = 0
"""Those of clients are numbered from 1."""
CREATE_TOPICS, CREATE_TOPICS_VERSION = 19, 7
DEFAULT_PARTITIONS = -1
"""As many as `num.partitions` says."""


class TopicRefused(Exception):
    """A topic cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class LocalHeader:
    """What the head of a request would say."""

    api_key: int
    api_version: int
    correlation_id: int = 0
    client_id: str | None = "kproof"


def create_topics(
    broker: Broker, topics: Iterable[str] | Mapping[str, int], now_ms: int
) -> list[str]:
    """Makes topics as a client would, but for those that are there already, which are returned.

    Raises `TopicRefused` at the first that is refused.
    """
    counts = (
        dict(topics) if isinstance(topics, Mapping) else dict.fromkeys(topics, DEFAULT_PARTITIONS)
    )
    if not counts:
        return []
    from kproof_impl.messages.create_topics import (
        CreatableTopic,
        CreateTopicsRequest,
        CreateTopicsResponse,
    )

    request = CreateTopicsRequest(
        topics=[CreatableTopic(name, count, -1) for name, count in counts.items()]
    )
    response = _answer(broker, CREATE_TOPICS, CREATE_TOPICS_VERSION, request, now_ms)
    assert isinstance(response, CreateTopicsResponse)
    present: list[str] = []
    for topic in response.topics:
        if topic.error_code == ErrorCode.TOPIC_ALREADY_EXISTS:
            present.append(topic.name)
        elif topic.error_code:
            error = ErrorCode(topic.error_code).name
            raise TopicRefused(f"topic {topic.name}: {error}: {topic.error_message or ''}")
    return present


def _answer(broker: Broker, api_key: int, version: int, request: object, now_ms: int) -> object:
    broker.receive(Connected(LOCAL_CONNECTION, "127.0.0.1"), now_ms)
    try:
        header = LocalHeader(api_key, version)
        effects = broker.receive(Received(LOCAL_CONNECTION, header, request), now_ms)
    finally:
        broker.receive(Disconnected(LOCAL_CONNECTION), now_ms)
    for effect in effects:
        if isinstance(effect, Send) and effect.connection_id == LOCAL_CONNECTION:
            return effect.response
    raise RuntimeError(f"the broker gave no answer to {request}: {effects}")
