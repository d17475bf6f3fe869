"""A group: its members and where it is in its life.  It answers nobody and sets no timer.

    Empty --JoinGroup--> PreparingRebalance --all have joined--> CompletingRebalance
                                 ^                                         |
                                 |                                 the leader's SyncGroup
                                 |                                         v
                                 +------ somebody comes or goes ------- Stable

A group that is `Dead` is not kept at all: it is what DescribeGroups calls one that is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import Enum

from kproof_impl.core.calls import Call
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offsets import CommittedOffset
from kproof_impl.core.groups.subscriptions import subscribed_topics
from kproof_impl.core.timers import Timer
from kproof_impl.messages.errors import ErrorCode

CONSUMER_PROTOCOL_TYPE = "consumer"


class GroupState(Enum):
    """Where a group is, with the name that Kafka shows."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


class Group:
    """One group and its committed offsets."""

    __slots__ = (
        "_supporters",
        "_waiting_at_join",
        "generation_id",
        "group_id",
        "has_new_member",
        "join_timer",
        "leader",
        "members",
        "offsets",
        "pending_members",
        "pending_sync",
        "previous_state",
        "protocol_name",
        "protocol_type",
        "state",
        "state_since_ms",
        "static_members",
        "stored_value",
        "subscribed_topics",
        "sync_timer",
    )

    def __init__(self, group_id: str, now_ms: int) -> None:
        self.group_id = group_id
        self.state = GroupState.EMPTY
        self.previous_state = GroupState.DEAD
        self.state_since_ms = now_ms
        self.generation_id = 0
        self.protocol_type: str | None = None
        """None until somebody joins: a group that only commits has none (a simple group)."""
        self.protocol_name: str | None = None
        """What the members of this generation have in common, chosen by their votes."""
        self.leader: str | None = None
        self.members: dict[str, Member] = {}
        """By member id, in the order in which they came."""
        self.static_members: dict[str, str] = {}
        """Member ids by group.instance.id."""
        self.pending_members: dict[str, Timer] = {}
        """Member ids that were handed out and have not come back (KIP-394), each with its end."""
        self.pending_sync: dict[str, None] = {}
        """Who has not sent SyncGroup in this generation, in the order of the members."""
        self.subscribed_topics: frozenset[str] | None = None
        """What the members of this generation read; None if that cannot be told."""
        self.has_new_member = False
        """Whether somebody came during the initial delay: then it is worth waiting on."""
        self.join_timer: Timer | None = None
        self.sync_timer: Timer | None = None
        self.offsets: dict[str, dict[int, CommittedOffset]] = {}
        """By topic and partition."""
        self.stored_value: bytes | None = None
        """What the log has of it, but for its offsets: the last generation that was complete."""
        self._waiting_at_join = 0
        self._supporters: dict[str, int] = {}
        """How many members can do each protocol."""

    # -- questions -----------------------------------------------------------------------------

    @property
    def is_simple(self) -> bool:
        """Whether it has never had a member, as far as anyone remembers."""
        return (
            self.protocol_type is None
            and self.state is GroupState.EMPTY
            and not self.pending_members
        )

    @property
    def is_consumer_group(self) -> bool:
        return self.protocol_type == CONSUMER_PROTOCOL_TYPE

    @property
    def has_all_joined(self) -> bool:
        """Whether nobody is missing at the join barrier, who is a member or about to be one."""
        return self._waiting_at_join == len(self.members) and not self.pending_members

    @property
    def waiting_at_join(self) -> int:
        return self._waiting_at_join

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest that any member wants."""
        return max((one.rebalance_timeout_ms for one in self.members.values()), default=0)

    def can_rebalance(self) -> bool:
        """Whether a rebalance can begin: it can in every state but the one in which it has."""
        return self.state not in (GroupState.PREPARING_REBALANCE, GroupState.DEAD)

    def supports(self, protocol_type: str, names: Collection[str]) -> bool:
        """Whether a member of this type, with these protocols, can be in the group."""
        if self.state is GroupState.EMPTY:
            return protocol_type != "" and len(names) > 0
        count = len(self.members)
        return protocol_type == self.protocol_type and any(
            self._supporters.get(name, 0) == count for name in names
        )

    def select_protocol(self) -> str:
        """The protocol that all members can do and most like best; of two, the first voted for."""
        count = len(self.members)
        candidates = {name: 0 for name, number in self._supporters.items() if number == count}
        for member in self.members.values():
            candidates[member.vote(candidates)] += 1
        votes_max = max(candidates.values())
        return next(
            vote
            for vote in (member.vote(candidates) for member in self.members.values())
            if candidates[vote] == votes_max
        )

    def is_subscribed_to(self, topic: str) -> bool:
        """Whether a member reads a topic; if that cannot be told, a consumer group reads all."""
        if self.subscribed_topics is None:
            return self.is_consumer_group
        return topic in self.subscribed_topics

    def compute_subscribed_topics(self) -> frozenset[str] | None:
        if not self.is_consumer_group:
            return None
        if not self.members:
            return frozenset()
        if self.protocol_name is None:
            return None
        name = self.protocol_name
        return subscribed_topics(member.protocols[name] for member in self.members.values())

    def check_member(self, member_id: str, group_instance_id: str | None) -> ErrorCode:
        """Who a request says it comes from: NONE, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID."""
        if group_instance_id is not None:
            known = self.static_members.get(group_instance_id)
            if known is None:
                return ErrorCode.UNKNOWN_MEMBER_ID
            if known != member_id:
                return ErrorCode.FENCED_INSTANCE_ID
        if member_id not in self.members:
            return ErrorCode.UNKNOWN_MEMBER_ID
        return ErrorCode.NONE

    # -- changes -------------------------------------------------------------------------------

    def enter(self, state: GroupState, now_ms: int) -> None:
        self.previous_state, self.state = self.state, state
        self.state_since_ms = now_ms

    def add(self, member: Member) -> None:
        """A member more; the first brings the type of the protocol and leads."""
        self.members[member.member_id] = member
        if member.group_instance_id is not None:
            self.static_members[member.group_instance_id] = member.member_id
        if self.leader is None:
            self.leader = member.member_id
        self._count(member, 1)

    def remove(self, member_id: str) -> Member | None:
        """A member less; if it led, the one that has been there longest leads."""
        self.pending_sync.pop(member_id, None)
        member = self.members.pop(member_id, None)
        if member is None:
            return None
        self._count(member, -1)
        self.take_join_call(member)
        if member.group_instance_id is not None:
            del self.static_members[member.group_instance_id]
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        return member

    def rename_static(self, member: Member, new_member_id: str) -> None:
        """A static member gets another member id; it keeps its place, its lead and its share."""
        assert member.group_instance_id is not None
        old_member_id = member.member_id
        member.member_id = new_member_id
        self.members = {one.member_id: one for one in self.members.values()}
        self.static_members[member.group_instance_id] = new_member_id
        if self.leader == old_member_id:
            self.leader = new_member_id
        if old_member_id in self.pending_sync:
            self.pending_sync = {
                new_member_id if one == old_member_id else one: None for one in self.pending_sync
            }

    def set_protocols(self, member: Member, protocols: Mapping[str, bytes]) -> None:
        self._count(member, -1)
        member.protocols = protocols
        self._count(member, 1)

    def wait_at_join(self, member: Member, call: Call) -> None:
        if member.join_call is None:
            self._waiting_at_join += 1
        member.join_call = call

    def take_join_call(self, member: Member) -> Call | None:
        """The JoinGroup of a member that waits no more, if it did."""
        call, member.join_call = member.join_call, None
        if call is not None:
            self._waiting_at_join -= 1
        return call

    def elect_joined_leader(self) -> bool:
        """Sees to it that the leader is one that has joined.  False if nobody has."""
        if self.leader is None:
            return False
        if self.members[self.leader].join_call is not None:
            return True
        for member in self.members.values():
            if member.join_call is not None:
                self.leader = member.member_id
                return True
        return False

    def note_sync(self, member: Member) -> None:
        """A member has sent SyncGroup: it will not be expelled for that it has not."""
        self.pending_sync.pop(member.member_id, None)

    def set_offset(self, topic: str, partition: int, offset: CommittedOffset) -> None:
        of_topic = self.offsets.get(topic)
        if of_topic is None:
            of_topic = self.offsets[topic] = {}
        of_topic[partition] = offset

    def remove_offset(self, topic: str, partition: int) -> None:
        of_topic = self.offsets.get(topic)
        if of_topic is not None:
            of_topic.pop(partition, None)
            if not of_topic:
                del self.offsets[topic]

    def all_offsets(self) -> Iterator[tuple[str, int, CommittedOffset]]:
        for topic, of_topic in self.offsets.items():
            for partition, offset in of_topic.items():
                yield topic, partition, offset

    def _count(self, member: Member, number: int) -> None:
        for name in member.protocols:
            count = self._supporters.get(name, 0) + number
            if count:
                self._supporters[name] = count
            else:
                self._supporters.pop(name, None)
