"""DeleteTopics, 1 to 6: topics and their logs go, at once and for good.

Behaviour
- Those without fault go in one change of the metadata log.  A fetch that waits for one is answered;
  committed offsets of it are forgotten.  A new topic of the same name has another id, and its
  leader epochs begin at 0.
- A topic that is twice in a request, by name or by id or by both, is INVALID_REQUEST and stays.

Version notes
- v3 TOPIC_DELETION_DISABLED where deletion is switched off, INVALID_REQUEST before; v6 by id:
  UNKNOWN_TOPIC_ID, and INVALID_REQUEST for both a name and an id, or neither.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from kproof_impl.core.refused import Refused
from kproof_impl.messages.delete_topics import (
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DeleteTopicState,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import NO_ID
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call
    from kproof_impl.core.topics import Topic


def delete_topics(broker: Broker, call: Call, request: DeleteTopicsRequest) -> DeleteTopicsResponse:
    wanted = list(dict.fromkeys((one.name, one.topic_id) for one in request.topics))
    if not broker.config.delete_topic_enable:
        code = (
            ErrorCode.TOPIC_DELETION_DISABLED
            if call.api_version >= 3
            else ErrorCode.INVALID_REQUEST
        )
        return DeleteTopicsResponse(
            responses=[
                DeletableTopicResult(name, topic_id, code, "Topic deletion is disabled.")
                for name, topic_id in wanted
            ]
        )
    times = Counter((one.name, one.topic_id) for one in request.topics)
    ids_of_names = Counter(_id_of(broker, name, topic_id) for name, topic_id in wanted)
    results: list[DeletableTopicResult] = []
    topics: list[Topic] = []
    for name, topic_id in wanted:
        try:
            if times[name, topic_id] > 1:
                kind = "id" if name is None else "name"
                raise Refused(ErrorCode.INVALID_REQUEST, f"Duplicate topic {kind}.")
            topic = _found(broker, DeleteTopicState(name, topic_id))
            if ids_of_names[topic.topic_id] > 1:
                raise Refused(
                    ErrorCode.INVALID_REQUEST,
                    "The provided topic name maps to an ID that was already supplied.",
                )
        except Refused as refused:
            results.append(DeletableTopicResult(name, topic_id, refused.error_code, refused.reason))
        else:
            topics.append(topic)
            results.append(DeletableTopicResult(topic.name, topic.topic_id))
    try:
        broker.topics.delete(topics)
    except LogFailed as failure:
        for result in results:
            if not result.error_code:
                result.error_code = ErrorCode.KAFKA_STORAGE_ERROR
                result.error_message = str(failure)
    return DeleteTopicsResponse(responses=results)


def _id_of(broker: Broker, name: str | None, topic_id: UUID) -> UUID | None:
    if name is None:
        return topic_id
    topic = broker.topics.by_name.get(name)
    return topic.topic_id if topic is not None and topic_id == NO_ID else None


def _found(broker: Broker, wanted: DeleteTopicState) -> Topic:
    if wanted.name is not None and wanted.topic_id != NO_ID:
        raise Refused(
            ErrorCode.INVALID_REQUEST, "You may not specify both topic name and topic id."
        )
    if wanted.name is not None:
        topic = broker.topics.by_name.get(wanted.name)
        if topic is None:
            raise Refused(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic-partition.",
            )
        return topic
    if wanted.topic_id == NO_ID:
        raise Refused(ErrorCode.INVALID_REQUEST, "Neither topic name nor id were specified.")
    topic = broker.topics.by_id.get(wanted.topic_id)
    if topic is None:
        raise Refused(ErrorCode.UNKNOWN_TOPIC_ID, "This server does not host this topic ID.")
    return topic
