"""JoinGroup, case by case: who is let in, who is answered at once, when the group rebalances.

| the request has | the group | what happens |
|---|---|---|
| no member id, no instance id, version 4 or newer | any | MEMBER_ID_REQUIRED, with an id |
| the same, an older version | any | a new member |
| no member id, a known instance id | any | the new process takes the old one's place |
| a member id that was handed out | any | a new member |
| a member's id | PreparingRebalance | it waits at the barrier |
| | CompletingRebalance, protocols as before | the answer once more: the first was lost |
| | Stable, a follower, protocols as before | the same |
| | Stable, the leader; or other protocols | a rebalance |
| | Empty | UNKNOWN_MEMBER_ID |

REF   KIP-394 (member ids), KIP-345 (static members), KIP-814 (`skip_assignment`), KIP-389 (size).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.groups import rebalance, told
from kproof_impl.core.groups.answers import join_refused, joined
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offset_records import fits
from kproof_impl.core.groups.offsets_log import StoreRefused
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.join_group import JoinGroupRequest, JoinGroupResponse

if TYPE_CHECKING:
    from kproof_impl.core.groups.group_coordinator import GroupCoordinator

MEMBER_ID_REQUIRED_VERSION = 4
SKIP_ASSIGNMENT_VERSION = 9
MEMBER_ID_SUFFIX_BYTES = 64
"""Room for what is put behind a client id to make a member id."""


class Joining:
    """One JoinGroup request, with what it means in each version."""

    __slots__ = ("call", "coordinator", "protocols", "request", "timeouts_ms")

    def __init__(
        self, coordinator: GroupCoordinator, call: Call, request: JoinGroupRequest
    ) -> None:
        self.coordinator = coordinator
        self.call = call
        self.request = request
        self.protocols: dict[str, bytes] = {}
        for protocol in request.protocols:
            self.protocols.setdefault(protocol.name, bytes(protocol.metadata))
        rebalance_timeout_ms = request.rebalance_timeout_ms
        if call.api_version < 1:  # Where one timeout was for both.
            rebalance_timeout_ms = request.session_timeout_ms
        self.timeouts_ms = (max(rebalance_timeout_ms, 0), request.session_timeout_ms)

    def is_storable(self) -> bool:
        """Whether all its strings can be stored."""
        request = self.request
        room = "x" * MEMBER_ID_SUFFIX_BYTES
        strings = [
            request.group_id,
            self.call.client_id + room,
            (request.group_instance_id or "") + room,
            request.protocol_type,
            *self.protocols,
        ]
        return all(fits(text) for text in strings)

    def refused(self, error: ErrorCode, member_id: str | None = None) -> JoinGroupResponse:
        if member_id is None:
            member_id = self.request.member_id
        return join_refused(error, member_id)

    # -- the cases -----------------------------------------------------------------------------

    def join(self) -> JoinGroupResponse | None:
        """The answer, or None: it will come when the barrier is passed."""
        request = self.request
        groups = self.coordinator.groups
        group = groups.get(request.group_id)
        is_new_group = group is None
        if group is None:
            if request.member_id:
                return self.refused(ErrorCode.UNKNOWN_MEMBER_ID)
            if not (request.protocol_type and self.protocols):
                return self.refused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
            group = self.coordinator.make_group(request.group_id)
        if not self._has_room(group):
            return self._turn_away(group)
        if not group.supports(request.protocol_type, self.protocols):
            return self.refused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if is_new_group:
            try:
                self.coordinator.store_group(group)
            except StoreRefused as refused:
                del groups[request.group_id]
                return self.refused(refused.error_code)
            told.changed(self.coordinator, group, "create")
        if request.member_id:
            return self._join_with_member_id(group)
        if request.group_instance_id is None:
            return self._join_new_dynamic(group)
        return self._join_new_static(group, request.group_instance_id)

    def _has_room(self, group: Group) -> bool:
        """KIP-389.  Ids that were handed out count too where another is asked for."""
        size_max = self.coordinator.broker.config.group_max_size
        member = group.members.get(self.request.member_id)
        if not self.request.member_id and len(group.pending_members) >= size_max:
            return False
        match group.state:
            case GroupState.PREPARING_REBALANCE:
                is_there = member is not None and member.join_call is not None
                return is_there or group.waiting_at_join < size_max
            case GroupState.COMPLETING_REBALANCE | GroupState.STABLE:
                return member is not None or len(group.members) < size_max
            case _:
                return True

    def _turn_away(self, group: Group) -> JoinGroupResponse:
        """A group that is full goes on without those that come last."""
        member = group.members.get(self.request.member_id)
        if member is not None:
            rebalance.remove_member(self.coordinator, group, member, "full")
            rebalance.on_members_removed(self.coordinator, group)
        elif rebalance.forget_pending(group, self.request.member_id):
            rebalance.complete_join_if_all_are_there(self.coordinator, group)
        return self.refused(ErrorCode.GROUP_MAX_SIZE_REACHED, member_id="")

    def _join_new_dynamic(self, group: Group) -> JoinGroupResponse | None:
        suffix = self.coordinator.broker.identifiers.member_id_suffix()
        member_id = f"{self.call.client_id}-{suffix}"
        if self.call.api_version >= MEMBER_ID_REQUIRED_VERSION:
            rebalance.promise_member_id(
                self.coordinator, group, member_id, self.request.session_timeout_ms
            )
            return self.refused(ErrorCode.MEMBER_ID_REQUIRED, member_id)
        self._add(group, member_id)
        return None

    def _join_new_static(self, group: Group, instance_id: str) -> JoinGroupResponse | None:
        new_member_id = f"{instance_id}-{self.coordinator.broker.identifiers.member_id_suffix()}"
        known = group.static_members.get(instance_id)
        if known is None:
            self._add(group, new_member_id)
            return None
        return self._replace(group, group.members[known], new_member_id)

    def _add(self, group: Group, member_id: str) -> None:
        request = self.request
        rebalance_timeout_ms, session_timeout_ms = self.timeouts_ms
        member = Member(
            member_id,
            request.group_instance_id,
            self.call.client_id,
            self.call.client_host,
            rebalance_timeout_ms=rebalance_timeout_ms,
            session_timeout_ms=session_timeout_ms,
            protocols=self.protocols,
        )
        rebalance.add_member(self.coordinator, group, member, request.protocol_type, self.call)

    def _rejoin(self, group: Group, member: Member) -> None:
        rebalance.rejoin_member(
            self.coordinator, group, member, self.protocols, self.timeouts_ms, self.call
        )

    def _replace(
        self, group: Group, member: Member, new_member_id: str
    ) -> JoinGroupResponse | None:
        """A process has been started again: it takes its place, under a new member id.

        If the group is stable and stays with its protocol, that is all: no rebalance, and the
        assignment is what it was.
        """
        old_member_id, old_leader = member.member_id, group.leader
        old_protocols = member.protocols
        old_timeouts_ms = (member.rebalance_timeout_ms, member.session_timeout_ms)
        rebalance.replace_static_member(group, member, new_member_id)
        rebalance.update_member(group, member, self.protocols, self.timeouts_ms)
        rebalance.keep_alive(self.coordinator, group, member)
        if group.state is GroupState.STABLE and group.select_protocol() == group.protocol_name:
            try:
                self.coordinator.store_group(group)
            except StoreRefused as refused:
                group.rename_static(member, old_member_id)
                rebalance.update_member(group, member, old_protocols, old_timeouts_ms)
                return self.refused(refused.error_code, member_id="")
            group.subscribed_topics = group.compute_subscribed_topics()
            self._tell_replaced(group, member, old_member_id, is_stored=True)
            return self._in_place(group, member, old_leader)
        self._tell_replaced(group, member, old_member_id, is_stored=False)
        rebalance.wait_at_join(group, member, self.call)
        told.rejoined(self.coordinator, group, member, None)
        rebalance.rebalance_or_complete_join(self.coordinator, group)
        return None

    def _tell_replaced(
        self, group: Group, member: Member, old_member_id: str, is_stored: bool
    ) -> None:
        told.changed(
            self.coordinator,
            group,
            "replace_static_member",
            member=old_member_id,
            new_member=member.member_id,
            is_stored=is_stored,
        )

    def _in_place(self, group: Group, member: Member, old_leader: str | None) -> JoinGroupResponse:
        """KIP-814: a leader that comes back is told that it leads, and not to deal again.  Before
        that, it was told that its old member id leads, so that it would not."""
        told.received_join(self.coordinator, group, member)
        is_leader = group.leader == member.member_id
        if self.call.api_version >= SKIP_ASSIGNMENT_VERSION:
            return joined(group, member, skip_assignment=is_leader)
        response = joined(group, member)
        response.leader = old_leader or ""
        response.members = ()
        return response

    def _join_with_member_id(self, group: Group) -> JoinGroupResponse | None:
        request = self.request
        instance_id = request.group_instance_id
        if request.member_id in group.pending_members and instance_id is None:
            self._add(group, request.member_id)
            return None
        error = group.check_member(request.member_id, instance_id)
        if error:
            return self.refused(error)
        member = group.members[request.member_id]
        is_same = member.has_same_protocols(self.protocols)
        match group.state:
            case GroupState.COMPLETING_REBALANCE if is_same:
                return self._answered(group, member)
            case GroupState.STABLE if is_same and group.leader != member.member_id:
                return self._answered(group, member)
            case _:
                self._rejoin(group, member)
                return None

    def _answered(self, group: Group, member: Member) -> JoinGroupResponse:
        """The answer once more."""
        told.received_join(self.coordinator, group, member)
        return joined(group, member)
