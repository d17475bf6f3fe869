"""JoinGroup 0-9, SyncGroup 0-5, Heartbeat 0-4, LeaveGroup 0-5.

Who asks is checked first: the group, the member id and its instance, the generation; then what it
asks.  What a request does to a group is in `rebalance`, the many cases of JoinGroup are in
`joining`.

Versions: JoinGroup 1 has a rebalance timeout of its own, 4 wants member ids (KIP-394), 5 has static
members (KIP-345), 7 answers with the protocol's type, 9 with `skip_assignment` (KIP-814); SyncGroup
5 checks the protocol's type and name (KIP-559); LeaveGroup 3 lets many leave at once.

REF   Kafka protocol guide, "Group Membership API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.groups import rebalance, told
from kproof_impl.core.groups.answers import synced
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.joining import Joining
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from kproof_impl.messages.join_group import JoinGroupRequest, JoinGroupResponse
from kproof_impl.messages.leave_group import (
    LeaveGroupRequest,
    LeaveGroupResponse,
    MemberIdentity,
    MemberResponse,
)
from kproof_impl.messages.sync_group import SyncGroupRequest, SyncGroupResponse

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.groups.group_coordinator import GroupCoordinator

PROTOCOL_VERSION = 5
"""From here on SyncGroup has to say which protocol it is about (KIP-559)."""


def join_group(broker: Broker, call: Call, request: JoinGroupRequest) -> JoinGroupResponse | None:
    """A consumer wants to be in the next generation.  None: it waits at the join barrier."""
    joining = Joining(broker.groups, call, request)
    config = broker.config
    if not request.group_id:
        return joining.refused(ErrorCode.INVALID_GROUP_ID)
    session_timeout_ms = request.session_timeout_ms
    if not (
        config.group_min_session_timeout_ms
        <= session_timeout_ms
        <= config.group_max_session_timeout_ms
    ):
        return joining.refused(ErrorCode.INVALID_SESSION_TIMEOUT)
    if not joining.is_storable():
        return joining.refused(ErrorCode.INVALID_REQUEST)
    return joining.join()


def sync_group(broker: Broker, call: Call, request: SyncGroupRequest) -> SyncGroupResponse | None:
    """A member asks for its assignment; the leader brings everybody's.  None: it waits for that."""
    if call.api_version >= PROTOCOL_VERSION and None in (
        request.protocol_type,
        request.protocol_name,
    ):
        return SyncGroupResponse(error_code=ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if not request.group_id:
        return SyncGroupResponse(error_code=ErrorCode.INVALID_GROUP_ID)
    coordinator = broker.groups
    group = coordinator.groups.get(request.group_id)
    if group is None:
        return SyncGroupResponse(error_code=ErrorCode.UNKNOWN_MEMBER_ID)
    error = _check_sync(group, request)
    if error:
        return SyncGroupResponse(error_code=error)
    member = group.members[request.member_id]
    told.accepted_sync(coordinator, group, member, request.generation_id)
    if group.state is GroupState.STABLE:
        group.note_sync(member)
        rebalance.keep_alive(coordinator, group, member)
        told.received_assignment(coordinator, group, member)
        return synced(group, member)
    rebalance.wait_at_sync(member, call)
    group.note_sync(member)
    if group.leader == member.member_id:
        assignments = {one.member_id: bytes(one.assignment) for one in request.assignments}
        rebalance.leader_sync(coordinator, group, assignments)
    return None


def _check_sync(group: Group, request: SyncGroupRequest) -> ErrorCode:
    error = group.check_member(request.member_id, request.group_instance_id)
    if error:
        return error
    if request.generation_id != group.generation_id:
        return ErrorCode.ILLEGAL_GENERATION
    if _differ(request.protocol_type, group.protocol_type) or _differ(
        request.protocol_name, group.protocol_name
    ):
        return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if group.state is GroupState.PREPARING_REBALANCE:
        return ErrorCode.REBALANCE_IN_PROGRESS
    return ErrorCode.NONE


def _differ(said: str | None, known: str | None) -> bool:
    """Whether both are there and are not the same: before version 5 nothing is said."""
    return said is not None and known is not None and said != known


def heartbeat(broker: Broker, _call: Call, request: HeartbeatRequest) -> HeartbeatResponse:
    """A member is alive, and wants to know whether its generation is still the present one."""
    if not request.group_id:
        return HeartbeatResponse(error_code=ErrorCode.INVALID_GROUP_ID)
    coordinator = broker.groups
    group = coordinator.groups.get(request.group_id)
    if group is None:
        return HeartbeatResponse(error_code=ErrorCode.UNKNOWN_MEMBER_ID)
    error = group.check_member(request.member_id, request.group_instance_id)
    if not error and request.generation_id != group.generation_id:
        error = ErrorCode.ILLEGAL_GENERATION
    if not error:
        rebalance.keep_alive(coordinator, group, group.members[request.member_id])
        if group.state is GroupState.PREPARING_REBALANCE:
            error = ErrorCode.REBALANCE_IN_PROGRESS
    told.answered_heartbeat(coordinator, group, request, error)
    return HeartbeatResponse(error_code=error)


def leave_group(broker: Broker, _call: Call, request: LeaveGroupRequest) -> LeaveGroupResponse:
    """Members leave, each with its own answer; the group rebalances once for all of them."""
    if not request.group_id:
        return LeaveGroupResponse(error_code=ErrorCode.INVALID_GROUP_ID)
    coordinator = broker.groups
    group = coordinator.groups.get(request.group_id)
    if group is None:
        unknown = ErrorCode.UNKNOWN_MEMBER_ID
        return LeaveGroupResponse(members=[_left(one, unknown) for one in request.members])
    members_before, pending_before = len(group.members), len(group.pending_members)
    responses = [_left(one, _leave(coordinator, group, one)) for one in request.members]
    if len(group.members) < members_before:
        _on_left(coordinator, group)
    elif len(group.pending_members) < pending_before:
        rebalance.complete_join_if_all_are_there(coordinator, group)
    return LeaveGroupResponse(members=responses)


def _left(identity: MemberIdentity, error: ErrorCode) -> MemberResponse:
    return MemberResponse(identity.member_id, identity.group_instance_id, error)


def _leave(coordinator: GroupCoordinator, group: Group, identity: MemberIdentity) -> ErrorCode:
    """One member leaves.  A static one may be named by its instance alone: so an administrator
    removes it; the member itself does not leave when it stops."""
    member_id = identity.member_id
    if not member_id and identity.group_instance_id is not None:
        member_id = group.static_members.get(identity.group_instance_id, "")
    elif rebalance.forget_pending(group, member_id):
        return ErrorCode.NONE
    error = group.check_member(member_id, identity.group_instance_id)
    if not error:
        rebalance.remove_member(coordinator, group, group.members[member_id], "left")
    return error


def _on_left(coordinator: GroupCoordinator, group: Group) -> None:
    if (
        group.state is GroupState.PREPARING_REBALANCE
        and group.previous_state is GroupState.EMPTY
        and group.members
    ):
        return  # The initial delay goes on for those that are left.
    rebalance.on_members_removed(coordinator, group)
