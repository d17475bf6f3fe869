"""Consumers of a group, stepped by hand: what each says and what it is answered.

broker = grouped()                        # A stepper with a topic.
anna = Consumer(broker, "g")
anna.ask_for_id()                         # JoinGroup, MEMBER_ID_REQUIRED.
joined = anna.join()                      # The answer, or None while it waits...
joined = anna.late()                      # ...until it has come.
anna.sync({anna.member_id: b"all"})
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.ports import LogStore
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproof_impl.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from kproof_impl.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment

SESSION_MS = 10_000
REBALANCE_MS = 60_000

_connections = count(100)


def grouped(
    topics: Mapping[str, int] | None = None,
    store: LogStore | None = None,
    observe: Any = None,
    **settings: Any,
) -> Stepper:
    """A broker with topics, `orders` with 3 partitions if not said otherwise."""
    config = BrokerConfig(offsets_topic_num_partitions=4)
    for name, value in settings.items():
        setattr(config, name, value)
    broker = Stepper(config, store=store, observe=observe)
    for name, partitions in (topics or {"orders": 3}).items():
        broker.topic(name, partitions)
    return broker


def subscription(*topics: str, rest: bytes = b"") -> bytes:
    """What a consumer puts into JoinGroup: version 1, the topics, and whatever else."""
    names = b"".join(struct.pack(">h", len(topic)) + topic.encode() for topic in topics)
    return struct.pack(">hi", 1, len(topics)) + names + rest


class Consumer:
    """One process, on a connection of its own; it believes what it was told last."""

    def __init__(
        self,
        broker: Stepper,
        group: str = "g",
        *,
        instance_id: str | None = None,
        topics: Sequence[str] = ("orders",),
        protocols: Sequence[tuple[str, bytes]] | None = None,
        session_ms: int = SESSION_MS,
        rebalance_ms: int = REBALANCE_MS,
        client_id: str = "test",
    ) -> None:
        self.broker = broker
        self.group = group
        self.instance_id = instance_id
        self.protocol_type = "consumer"
        self.protocols = list(protocols or [("range", subscription(*topics))])
        self.session_ms = session_ms
        self.rebalance_ms = rebalance_ms
        self.client_id = client_id
        self.connection = next(_connections)
        self.member_id = ""
        self.generation_id = -1
        self.leader = ""
        self.protocol_name = ""
        self.members: list[str] = []
        self.assignment: bytes | None = None
        self.is_waiting = False
        """Whether its last JoinGroup or SyncGroup has not been answered."""

    @property
    def leads(self) -> bool:
        return self.leader == self.member_id != ""

    def send(self, request: object, version: int | None = None) -> Any:
        return self.broker.send(request, version, self.connection, client_id=self.client_id)

    def late(self) -> Any:
        """The answer that has come late, told once; None if none has."""
        answers = self.broker.answers(self.connection)
        assert len(answers) <= 1, answers
        self.is_waiting = self.is_waiting and not answers
        return self._noted(answers[0]) if answers else None

    def _noted(self, response: Any) -> Any:
        name = type(response).__name__
        if name == "JoinGroupResponse" and response.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            self.member_id = response.member_id
        elif name == "JoinGroupResponse" and not response.error_code:
            self.member_id = response.member_id
            self.generation_id = response.generation_id
            self.leader = response.leader
            self.protocol_name = response.protocol_name or ""
            self.members = [one.member_id for one in response.members]
        elif name == "SyncGroupResponse" and not response.error_code:
            self.assignment = response.assignment
        return response

    # -- requests ----------------------------------------------------------------------------

    def join_request(self) -> JoinGroupRequest:
        return JoinGroupRequest(
            self.group,
            self.session_ms,
            self.rebalance_ms,
            self.member_id,
            self.instance_id,
            self.protocol_type,
            [JoinGroupRequestProtocol(name, metadata) for name, metadata in self.protocols],
        )

    def ask_for_id(self) -> Any:
        """The first JoinGroup of a dynamic member."""
        response = self.join()
        assert response.error_code == ErrorCode.MEMBER_ID_REQUIRED, response
        return response

    def join(self, version: int | None = None) -> Any:
        response = self.send(self.join_request(), version)
        self.is_waiting = response is None
        return None if response is None else self._noted(response)

    def enter(self) -> Any:
        """JoinGroup, twice if a member id is wanted."""
        response = self.join()
        if response is not None and response.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            response = self.join()
        return response

    def sync(
        self,
        assignments: Mapping[str, bytes] | None = None,
        version: int | None = None,
        **other: Any,
    ) -> Any:
        request = SyncGroupRequest(
            self.group,
            self.generation_id,
            self.member_id,
            self.instance_id,
            self.protocol_type,
            self.protocol_name,
            assignments=[
                SyncGroupRequestAssignment(member, data)
                for member, data in (assignments or {}).items()
            ],
        )
        for name, value in other.items():
            setattr(request, name, value)
        response = self.send(request, version)
        self.is_waiting = response is None
        return None if response is None else self._noted(response)

    def heartbeat(self, generation_id: int | None = None) -> int:
        if generation_id is None:
            generation_id = self.generation_id
        request = HeartbeatRequest(self.group, generation_id, self.member_id, self.instance_id)
        code: int = self.send(request).error_code
        return code

    def leave(self) -> Any:
        return self.send(
            LeaveGroupRequest(self.group, [MemberIdentity(self.member_id, self.instance_id)])
        )

    def commit(
        self,
        offset: int,
        topic: str = "orders",
        partition: int = 0,
        generation_id: int | None = None,
        version: int | None = None,
    ) -> int:
        """The error code of one committed offset."""
        if generation_id is None:
            generation_id = self.generation_id
        response = self.send(
            commit_request(
                self.group,
                {(topic, partition): offset},
                generation_id,
                self.member_id,
                self.instance_id,
            ),
            version,
        )
        code: int = response.topics[0].partitions[0].error_code
        return code


def commit_request(
    group: str,
    offsets: Mapping[tuple[str, int], int],
    generation_id: int = -1,
    member_id: str = "",
    instance_id: str | None = None,
    metadata: str | None = None,
) -> OffsetCommitRequest:
    by_topic: dict[str, list[OffsetCommitRequestPartition]] = {}
    for (topic, partition), offset in offsets.items():
        one = OffsetCommitRequestPartition(partition, offset, committed_metadata=metadata)
        by_topic.setdefault(topic, []).append(one)
    topics = [OffsetCommitRequestTopic(topic, of_topic) for topic, of_topic in by_topic.items()]
    return OffsetCommitRequest(group, generation_id, member_id, instance_id, topics)


def committed(broker: Stepper, group: str = "g", topic: str = "orders", partition: int = 0) -> int:
    """The committed offset of one partition, as a client is told it."""
    wanted = [OffsetFetchRequestTopics(topic, [partition])]
    request = OffsetFetchRequest([OffsetFetchRequestGroup(group, topics=wanted)])
    found = broker.send(request).groups[0].topics[0].partitions[0]
    assert found.error_code == 0, found
    offset: int = found.committed_offset
    return offset


def settle(*consumers: Consumer) -> None:
    """Lets all consumers of a group join and sync; then it is stable, and each has one byte
    string as its assignment: its place among them."""
    for one in consumers:
        if not one.is_waiting:
            one.enter()
    group = consumers[0].broker.broker.groups.groups[consumers[0].group]
    while group.state.value != "CompletingRebalance":
        for one in consumers:
            one.late()
            if not one.is_waiting and one.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS:
                one.join()
    for one in consumers:
        one.late()
    shares = {one.member_id: b"%d" % index for index, one in enumerate(consumers)}
    for one in sorted(consumers, key=lambda one: one.leads):
        one.sync(shares if one.leads else None)
    for one in consumers:
        one.late()
        assert one.assignment == shares[one.member_id], (one.member_id, one.assignment)
