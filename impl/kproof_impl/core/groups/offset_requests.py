"""OffsetCommit 2-9, OffsetFetch 1-9, OffsetDelete 0: how far groups have come.

A commit counts if it comes from a member in the present generation, or, with generation -1, from
somebody who assigns its partitions itself while the group has no members.  It is stored before it
is answered.  What is not known has no offset, -1, which is no error: consumers then begin where
`auto.offset.reset` tells them.

Versions: OffsetCommit 2-4 may say how long an offset is kept, 6 has the leader epoch, 7 the
instance id, 9 answers GROUP_ID_NOT_FOUND where others answer ILLEGAL_GENERATION; OffsetFetch 2 may
ask for all, 7 for stable offsets (all are, without transactions), 8 for several groups.

REF   Kafka protocol guide, "OffsetCommit"; KIP-211, KIP-320, KIP-345, KIP-447, KIP-496, KIP-709.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.groups import rebalance, told
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.offset_records import fits, offset_key, offset_value
from kproof_impl.core.groups.offsets import NO_EXPIRY, NO_OFFSET, CommittedOffset
from kproof_impl.core.groups.offsets_log import KeyValue, StoreRefused
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from kproof_impl.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchResponse,
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
)

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

GROUP_ID_NOT_FOUND_VERSION = 9
NO_RETENTION_TIME = -1
MAX_TIMESTAMP_MS = (1 << 63) - 1
_NONE = ErrorCode.NONE


# -- OffsetCommit --------------------------------------------------------------------------------


def offset_commit(broker: Broker, call: Call, request: OffsetCommitRequest) -> OffsetCommitResponse:
    """Offsets of one group: all that are acceptable are stored as one batch, then answered."""
    now_ms = broker.now_ms
    expire_timestamp_ms = NO_EXPIRY
    if request.retention_time_ms != NO_RETENTION_TIME:
        expire_timestamp_ms = min(now_ms + request.retention_time_ms, MAX_TIMESTAMP_MS)
    partition_of = broker.topics.partition
    metadata_max = broker.config.offset_metadata_max_bytes
    committed: list[tuple[str, int, CommittedOffset]] = []
    answers: list[OffsetCommitResponseTopic] = []
    written: list[OffsetCommitResponsePartition] = []
    for topic in request.topics:
        name = topic.name
        of_topic = []
        for one in topic.partitions:
            index = one.partition_index
            metadata = one.committed_metadata or ""
            answer = OffsetCommitResponsePartition(index)
            of_topic.append(answer)
            if partition_of(name, index) is None:
                answer.error_code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                continue
            written.append(answer)
            if len(metadata) > metadata_max or not fits(metadata):
                answer.error_code = ErrorCode.OFFSET_METADATA_TOO_LARGE
                continue
            offset = CommittedOffset(
                one.committed_offset,
                one.committed_leader_epoch,
                metadata,
                now_ms,
                expire_timestamp_ms,
            )
            committed.append((name, index, offset))
        answers.append(OffsetCommitResponseTopic(name, of_topic))
    if written:
        error = _commit(broker, call, request, committed)
        if error:
            for answer in written:
                answer.error_code = error
    return OffsetCommitResponse(topics=answers)


def _commit(
    broker: Broker,
    call: Call,
    request: OffsetCommitRequest,
    committed: list[tuple[str, int, CommittedOffset]],
) -> ErrorCode:
    """Stores offsets, if who asks may do so; else nothing changes."""
    coordinator = broker.groups
    group_id = request.group_id
    group = coordinator.groups.get(group_id)
    if group is None:
        if request.generation_id_or_member_epoch >= 0:
            if call.api_version >= GROUP_ID_NOT_FOUND_VERSION:
                return ErrorCode.GROUP_ID_NOT_FOUND
            return ErrorCode.ILLEGAL_GENERATION
        if not fits(group_id):
            return ErrorCode.INVALID_GROUP_ID
        if not committed:
            return _NONE
    else:
        error = _check_commit(group, request)
        if error:
            told.commit_refused(coordinator, group, request, error)
            return error
        member = group.members.get(request.member_id)
        if member is not None:
            rebalance.keep_alive(coordinator, group, member)
    records: list[KeyValue] = [
        (offset_key(group_id, topic, partition), offset_value(offset))
        for topic, partition, offset in committed
    ]
    try:
        coordinator.log.append(group_id, records)
    except StoreRefused as refused:
        return refused.error_code
    if group is None:
        group = coordinator.make_group(group_id)
    for topic, partition, offset in committed:
        group.set_offset(topic, partition, offset)
    told.committed(coordinator, group, request, committed)
    return _NONE


def _check_commit(group: Group, request: OffsetCommitRequest) -> ErrorCode:
    """Whether a commit counts: it does, from a member of the present generation, also while that
    generation is about to end; and from anybody without a generation, while there are no members.
    """
    generation_id = request.generation_id_or_member_epoch
    if generation_id < 0 and group.state is GroupState.EMPTY:
        return _NONE
    if generation_id < 0 and not request.member_id and request.group_instance_id is None:
        return ErrorCode.UNKNOWN_MEMBER_ID
    error = group.check_member(request.member_id, request.group_instance_id)
    if error:
        return error
    if generation_id != group.generation_id:
        return ErrorCode.ILLEGAL_GENERATION
    if group.state is GroupState.COMPLETING_REBALANCE:
        # It is in the generation, and cannot know what it owns there.
        return ErrorCode.REBALANCE_IN_PROGRESS
    return _NONE


# -- OffsetFetch ---------------------------------------------------------------------------------


def offset_fetch(broker: Broker, _call: Call, request: OffsetFetchRequest) -> OffsetFetchResponse:
    """Where groups have come to, in the partitions asked for, or in all that they have: these once
    for each group, however often it is named, since a small request might have a huge answer."""
    groups = broker.groups.groups
    asked_for_all: set[str] = set()
    answers = []
    for one in request.groups:
        if one.topics is None:
            if one.group_id in asked_for_all:
                continue
            asked_for_all.add(one.group_id)
        answers.append(_fetched(groups.get(one.group_id), one))
    return OffsetFetchResponse(groups=answers)


def _fetched(group: Group | None, request: OffsetFetchRequestGroup) -> OffsetFetchResponseGroup:
    offsets = {} if group is None else group.offsets
    if request.topics is None:
        topics = [
            OffsetFetchResponseTopics(
                topic, [_fetched_partition(index, offset) for index, offset in of_topic.items()]
            )
            for topic, of_topic in offsets.items()
        ]
    else:
        topics = []
        for wanted in request.topics:
            of_topic = offsets.get(wanted.name, {})
            partitions = [
                _fetched_partition(index, of_topic.get(index)) for index in wanted.partition_indexes
            ]
            topics.append(OffsetFetchResponseTopics(wanted.name, partitions))
    return OffsetFetchResponseGroup(request.group_id, topics)


def _fetched_partition(index: int, offset: CommittedOffset | None) -> OffsetFetchResponsePartitions:
    if offset is None:
        return OffsetFetchResponsePartitions(index, NO_OFFSET, metadata="")
    return OffsetFetchResponsePartitions(index, offset.offset, offset.leader_epoch, offset.metadata)


# -- OffsetDelete --------------------------------------------------------------------------------


def offset_delete(
    broker: Broker, _call: Call, request: OffsetDeleteRequest
) -> OffsetDeleteResponse:
    """Removes offsets of topics that no member reads (KIP-496)."""
    coordinator = broker.groups
    if not request.group_id:
        return OffsetDeleteResponse(error_code=ErrorCode.INVALID_GROUP_ID)
    group = coordinator.groups.get(request.group_id)
    if group is None:
        return OffsetDeleteResponse(error_code=ErrorCode.GROUP_ID_NOT_FOUND)
    if group.state is not GroupState.EMPTY and not group.is_consumer_group:
        return OffsetDeleteResponse(error_code=ErrorCode.NON_EMPTY_GROUP)
    removed: list[tuple[str, int]] = []
    answers = []
    for topic in request.topics:
        is_read = group.is_subscribed_to(topic.name)
        of_topic = group.offsets.get(topic.name, {})
        partitions = []
        for one in topic.partitions:
            index = one.partition_index
            error = _NONE
            if broker.topics.partition(topic.name, index) is None:
                error = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            elif is_read:
                error = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
            elif index in of_topic:
                removed.append((topic.name, index))
            partitions.append(OffsetDeleteResponsePartition(index, error))
        answers.append(OffsetDeleteResponseTopic(topic.name, partitions))
    try:
        coordinator.remove_offsets(group, removed, "asked")
    except StoreRefused as refused:
        return OffsetDeleteResponse(error_code=refused.error_code)
    return OffsetDeleteResponse(topics=answers)
