"""All groups of the broker: found, stored, loaded, expired, removed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kproof_impl.core.groups import rebalance, told
from kproof_impl.core.groups.answers import answer_sync, join_refused
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offset_records import (
    GroupKey,
    StoredGroup,
    UnknownRecord,
    group_key,
    group_value,
    offset_key,
    read_group,
    read_key,
    read_offset,
)
from kproof_impl.core.groups.offsets import CommittedOffset
from kproof_impl.core.groups.offsets_log import KeyValue, OffsetsLog, StoreRefused
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.sync_group import SyncGroupResponse

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

TOMBSTONES_MAX = 1_000
"""So many offsets are removed by one batch: it stays far below any limit of its size."""


class GroupCoordinator:
    """The coordinator of all groups: this node is alone.

    `groups` has a group from the first JoinGroup or OffsetCommit until it is empty and its last
    offset has expired, or it is deleted: what is not there is Dead.
    """

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.groups: dict[str, Group] = {}
        self.log = OffsetsLog(broker)
        broker.timers.at(
            broker.now_ms + broker.config.offsets_retention_check_interval_ms, self._expire_offsets
        )

    def make_group(self, group_id: str) -> Group:
        """A new group, empty, that nothing is stored of yet."""
        group = self.groups[group_id] = Group(group_id, self.broker.now_ms)
        return group

    # -- what is stored ------------------------------------------------------------------------

    def store_group(self, group: Group) -> None:
        """Stores a group as it is.  Raises `StoreRefused`."""
        value = group_value(group)
        self.log.append(group.group_id, [(group_key(group.group_id), value)])
        group.stored_value = value

    def remove_offsets(self, group: Group, removed: list[tuple[str, int]], reason: str) -> None:
        """Removes committed offsets, from the log and then here.  Raises `StoreRefused`.

        The reason is for whoever observes the broker: see `told`.
        """
        group_id = group.group_id
        for start in range(0, len(removed), TOMBSTONES_MAX):
            part = removed[start : start + TOMBSTONES_MAX]
            tombstones: list[KeyValue] = [
                (offset_key(group_id, topic, partition), None) for topic, partition in part
            ]
            self.log.append(group_id, tombstones)
            for topic, partition in part:
                group.remove_offset(topic, partition)
            told.removed_offsets(self, group, part, reason)

    def remove_group(self, group: Group) -> None:
        """Removes a group that is empty, and its offsets.  Raises `StoreRefused`."""
        offsets = [(topic, partition) for topic, partition, _ in group.all_offsets()]
        self.remove_offsets(group, offsets, "asked")
        self.log.append(group.group_id, [(group_key(group.group_id), None)])
        for member_id in list(group.pending_members):
            rebalance.forget_pending(group, member_id)
        del self.groups[group.group_id]
        told.changed(self, group, "remove_group")

    # -- the beginning of a life ---------------------------------------------------------------

    def load(self) -> None:
        """Reads all groups from the log.  Raises `LogFailed` if it cannot be read.

        Their members are in the generation that was complete last, and have a whole session's time
        to say that they are still there.  Offsets of topics that were deleted meanwhile go.
        """
        for key_bytes, value in self.log.load():
            try:
                key = read_key(key_bytes)
                if isinstance(key, GroupKey):
                    self._restore_group(key.group_id, read_group(value), value)
                else:
                    group = self.groups.get(key.group_id) or self.make_group(key.group_id)
                    group.set_offset(key.topic, key.partition, read_offset(value))
            except UnknownRecord:
                continue  # Of a newer Kafka: there is no use for it here.
        told.loaded(self)
        known = self.broker.topics.by_name
        for topic in dict.fromkeys(
            topic for group in self.groups.values() for topic in group.offsets
        ):
            if topic not in known:
                self.topic_deleted(topic)

    def _restore_group(self, group_id: str, stored: StoredGroup, value: bytes) -> None:
        group = self.groups.get(group_id) or self.make_group(group_id)
        group.stored_value = value
        group.generation_id = stored.generation_id
        group.protocol_type = stored.protocol_type or None
        group.protocol_name = stored.protocol_name
        group.leader = stored.leader
        for one in stored.members:
            group.add(
                Member(
                    one.member_id,
                    one.group_instance_id,
                    one.client_id,
                    one.client_host,
                    rebalance_timeout_ms=one.rebalance_timeout_ms,
                    session_timeout_ms=one.session_timeout_ms,
                    protocols={stored.protocol_name or "": one.subscription},
                    assignment=one.assignment,
                )
            )
        group.enter(
            GroupState.STABLE if stored.members else GroupState.EMPTY, stored.state_since_ms
        )
        if group.leader not in group.members:
            group.leader = next(iter(group.members), None)
        group.subscribed_topics = group.compute_subscribed_topics()
        for member in group.members.values():
            rebalance.keep_alive(self, group, member)

    # -- what comes round, and what happens elsewhere ------------------------------------------

    def _expire_offsets(self, now_ms: int) -> None:
        """Removes offsets that are too old (KIP-211), and empty groups that have none left."""
        for group in list(self.groups.values()):
            with suppress(StoreRefused):  # They will still be too old the next time.
                self._expire_offsets_of(group, now_ms)
        self.broker.timers.at(
            now_ms + self.broker.config.offsets_retention_check_interval_ms, self._expire_offsets
        )

    def _expire_offsets_of(self, group: Group, now_ms: int) -> None:
        retention_ms = self.broker.config.offsets_retention_ms
        expired = [
            (topic, partition)
            for topic, partition, committed in group.all_offsets()
            if _has_expired(group, topic, committed, retention_ms, now_ms)
        ]
        is_empty = group.state is GroupState.EMPTY
        self.remove_offsets(group, expired, "expired" if is_empty else "unsubscribed")
        if group.state is GroupState.EMPTY and not group.offsets and not group.pending_members:
            self.remove_group(group)

    def topic_deleted(self, name: str) -> None:
        """A topic is gone, and with it the offsets of all groups in it.

        The offsets log itself may be the one: then the groups are gone, and who waits is sent to
        look for another coordinator, as if this one had lost the log.
        """
        if name == CONSUMER_OFFSETS:
            self._resign()
            return
        for group in self.groups.values():
            of_topic = group.offsets.get(name)
            if of_topic:
                try:
                    pairs = [(name, partition) for partition in of_topic]
                    self.remove_offsets(group, pairs, "topic")
                except StoreRefused:
                    # The topic is gone all the same; what the log still has goes at the next start.
                    left = group.offsets.pop(name, {})
                    pairs = [(name, partition) for partition in left]
                    told.removed_offsets(self, group, pairs, "topic", is_stored=False)

    def _resign(self) -> None:
        error = ErrorCode.NOT_COORDINATOR
        groups, self.groups = self.groups, {}
        self.log.forget()
        for group in groups.values():
            told.changed(self, group, "resign")
            for timer in (group.join_timer, group.sync_timer, *group.pending_members.values()):
                if timer is not None:
                    timer.cancel()
            for member in group.members.values():
                if member.session_timer is not None:
                    member.session_timer.cancel()
                call = group.take_join_call(member)
                if call is not None:
                    call.answer(join_refused(error, member.member_id))
                answer_sync(member, SyncGroupResponse(error_code=error))


def _has_expired(
    group: Group, topic: str, committed: CommittedOffset, retention_ms: int, now_ms: int
) -> bool:
    """Whether an offset is too old.

    In a simple group it ages from its commit, in an empty one from when the last member left, in a
    stable group of consumers from its commit if none of them reads the topic any more.  During a
    rebalance, and in a group of anything else, nothing ages.
    """
    if group.is_subscribed_to(topic):
        return False
    if group.protocol_type is None:
        idle_since_ms = committed.commit_timestamp_ms
    elif group.state is GroupState.EMPTY:
        idle_since_ms = group.state_since_ms
        if idle_since_ms < 0:
            idle_since_ms = committed.commit_timestamp_ms
    elif group.state is GroupState.STABLE and group.subscribed_topics is not None:
        idle_since_ms = committed.commit_timestamp_ms
    else:
        return False
    return committed.has_expired(idle_since_ms, retention_ms, now_ms)
