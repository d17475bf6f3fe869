"""Old shapes of messages: lifted into the newest on the way in, lowered again on the way out.

| message | before version | had |
|---|---|---|
| Metadata request | 1 | an empty list of topics for all, where null is meant since |
| OffsetFetch | 8 | one group, with its fields at the top (KIP-709) |
| FindCoordinator | 4 | one key, and one coordinator (KIP-699) |
| JoinGroup request | 1 | no time for a rebalance: the session's is taken |
| LeaveGroup | 3 | one member (KIP-345) |
| DeleteTopics request | 6 | names only (KIP-516) |

Each old shape is a record of its own, which `adapt` fills by names; here stands what to make of it.
Fetch, whose replica id stood alone before version 15, has a reader of its own.

This is imported when a client asks in an old version: it needs the messages of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kproof_impl.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproof_impl.messages.find_coordinator import FindCoordinatorRequest, FindCoordinatorResponse
from kproof_impl.messages.join_group import JoinGroupRequest
from kproof_impl.messages.leave_group import LeaveGroupRequest, LeaveGroupResponse, MemberIdentity
from kproof_impl.messages.metadata import MetadataRequest
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
    OffsetFetchResponse,
    OffsetFetchResponseTopics,
)


class Lift(NamedTuple):
    """How the versions before one, which `wire.apis` tells, differ from the record that the broker
    knows."""

    old_class: type
    change: Callable[[Any, int], Any]
    """Takes the old shape and the version and gives the new; of a response the other way round."""


@dataclass(slots=True)
class OldOffsetFetchRequest:
    group_id: str = ""
    topics: Sequence[OffsetFetchRequestTopics] | None = ()
    require_stable: bool = False


@dataclass(slots=True)
class OldOffsetFetchResponse:
    throttle_time_ms: int
    topics: Sequence[OffsetFetchResponseTopics]
    error_code: int


@dataclass(slots=True)
class OldFindCoordinatorRequest:
    key: str = ""
    key_type: int = 0


@dataclass(slots=True)
class OldFindCoordinatorResponse:
    throttle_time_ms: int
    error_code: int
    error_message: str | None
    node_id: int
    host: str
    port: int


@dataclass(slots=True)
class OldLeaveGroupRequest:
    group_id: str = ""
    member_id: str = ""


@dataclass(slots=True)
class OldDeleteTopicsRequest:
    topic_names: Sequence[str] = ()
    timeout_ms: int = 0


def _metadata_request(old: MetadataRequest, _: int) -> MetadataRequest:
    return old if old.topics else replace(old, topics=None)


def _offset_fetch_request(old: OldOffsetFetchRequest, _: int) -> OffsetFetchRequest:
    group = OffsetFetchRequestGroup(group_id=old.group_id, topics=old.topics)
    return OffsetFetchRequest((group,), old.require_stable)


def _find_coordinator_request(old: OldFindCoordinatorRequest, _: int) -> FindCoordinatorRequest:
    return FindCoordinatorRequest(old.key_type, (old.key,))


def _join_group_request(old: JoinGroupRequest, _: int) -> JoinGroupRequest:
    return replace(old, rebalance_timeout_ms=old.session_timeout_ms)


def _leave_group_request(old: OldLeaveGroupRequest, _: int) -> LeaveGroupRequest:
    return LeaveGroupRequest(old.group_id, (MemberIdentity(old.member_id),))


def _delete_topics_request(old: OldDeleteTopicsRequest, _: int) -> DeleteTopicsRequest:
    topics = tuple(DeleteTopicState(name) for name in old.topic_names)
    return DeleteTopicsRequest(topics, old.timeout_ms)


REQUEST_LIFTS: dict[int, Lift] = {
    3: Lift(MetadataRequest, _metadata_request),
    9: Lift(OldOffsetFetchRequest, _offset_fetch_request),
    10: Lift(OldFindCoordinatorRequest, _find_coordinator_request),
    11: Lift(JoinGroupRequest, _join_group_request),
    13: Lift(OldLeaveGroupRequest, _leave_group_request),
    20: Lift(OldDeleteTopicsRequest, _delete_topics_request),
}


def _offset_fetch_response(new: OffsetFetchResponse, version: int) -> OldOffsetFetchResponse:
    (group,) = new.groups
    topics = group.topics
    if version < 2 and group.error_code:
        # Nowhere else to say it: version 1 has errors of partitions only.
        topics = [
            replace(
                topic,
                partitions=[
                    partition
                    if partition.error_code
                    else replace(partition, error_code=group.error_code)
                    for partition in topic.partitions
                ],
            )
            for topic in topics
        ]
    return OldOffsetFetchResponse(new.throttle_time_ms, topics, group.error_code)


def _find_coordinator_response(new: FindCoordinatorResponse, _: int) -> OldFindCoordinatorResponse:
    (found,) = new.coordinators
    return OldFindCoordinatorResponse(
        new.throttle_time_ms,
        found.error_code,
        found.error_message,
        found.node_id,
        found.host,
        found.port,
    )


def _leave_group_response(new: LeaveGroupResponse, _: int) -> LeaveGroupResponse:
    error_code = new.error_code
    if not error_code and new.members:
        error_code = new.members[0].error_code  # The one who left is all there is to tell of.
    return LeaveGroupResponse(new.throttle_time_ms, error_code)


RESPONSE_LIFTS: dict[int, Lift] = {
    9: Lift(OldOffsetFetchResponse, _offset_fetch_response),
    10: Lift(OldFindCoordinatorResponse, _find_coordinator_response),
    13: Lift(LeaveGroupResponse, _leave_group_response),
}
