"""DescribeGroups 0-6, ListGroups 0-5, DeleteGroups 0-2: what administrators ask of groups.

Versions: DescribeGroups 6 has an error for a group that is not there (KIP-1043), where others
describe it as Dead; ListGroups 4 filters by state, 5 by type (KIP-518, KIP-848).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offsets_log import StoreRefused
from kproof_impl.messages.delete_groups import (
    DeletableGroupResult,
    DeleteGroupsRequest,
    DeleteGroupsResponse,
)
from kproof_impl.messages.describe_groups import (
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.list_groups import ListedGroup, ListGroupsRequest, ListGroupsResponse

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

GROUP_ID_NOT_FOUND_VERSION = 6
GROUP_TYPE = "classic"
READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS = 3, 6, 8, 10, 11
ALLOWED = 1 << READ | 1 << DELETE | 1 << DESCRIBE | 1 << DESCRIBE_CONFIGS | 1 << ALTER_CONFIGS
"""The operations that there are on a group, as bits (KIP-430): everybody may do them all."""


def describe_groups(
    broker: Broker, call: Call, request: DescribeGroupsRequest
) -> DescribeGroupsResponse:
    """The groups asked for, in that order, each with its members, and each once: Kafka tells a
    group that is named again all over again, so that a small request may have a huge answer."""
    groups = broker.groups.groups
    described = []
    for group_id in dict.fromkeys(request.groups):
        group = groups.get(group_id)
        one = _absent(group_id, call.api_version) if group is None else _described(group)
        if request.include_authorized_operations and not one.error_code:
            one.authorized_operations = ALLOWED
        described.append(one)
    return DescribeGroupsResponse(groups=described)


def _absent(group_id: str, version: int) -> DescribedGroup:
    dead = DescribedGroup(group_id=group_id, group_state=GroupState.DEAD.value)
    if version >= GROUP_ID_NOT_FOUND_VERSION:
        dead.error_code = ErrorCode.GROUP_ID_NOT_FOUND
        dead.error_message = f"Group {group_id} not found."
    return dead


def _described(group: Group) -> DescribedGroup:
    """A group with its members; what they have in common is told of a stable one only."""
    name = group.protocol_name if group.state is GroupState.STABLE else None
    return DescribedGroup(
        group_id=group.group_id,
        group_state=group.state.value,
        protocol_type=group.protocol_type or "",
        protocol_data=name or "",
        members=[_described_member(member, name) for member in group.members.values()],
    )


def _described_member(member: Member, protocol_name: str | None) -> DescribedGroupMember:
    return DescribedGroupMember(
        member.member_id,
        member.group_instance_id,
        member.client_id,
        member.client_host,
        b"" if protocol_name is None else member.protocols[protocol_name],
        member.assignment,
    )


def list_groups(broker: Broker, _call: Call, request: ListGroupsRequest) -> ListGroupsResponse:
    """All groups, or those in certain states or of certain types; case does not matter."""
    states, types = _lowered(request.states_filter), _lowered(request.types_filter)
    listed = [
        ListedGroup(group.group_id, group.protocol_type or "", group.state.value, GROUP_TYPE)
        for group in broker.groups.groups.values()
        if (not states or group.state.value.lower() in states)
        and (not types or GROUP_TYPE in types)
    ]
    return ListGroupsResponse(groups=listed)


def _lowered(names: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def delete_groups(
    broker: Broker, _call: Call, request: DeleteGroupsRequest
) -> DeleteGroupsResponse:
    """Groups without members are forgotten, offsets and all (KIP-229)."""
    return DeleteGroupsResponse(
        results=[
            DeletableGroupResult(group_id, _delete(broker, group_id))
            for group_id in request.groups_names
        ]
    )


def _delete(broker: Broker, group_id: str) -> ErrorCode:
    group = broker.groups.groups.get(group_id)
    if group is None:
        return ErrorCode.GROUP_ID_NOT_FOUND
    if group.state is not GroupState.EMPTY:
        return ErrorCode.NON_EMPTY_GROUP
    try:
        broker.groups.remove_group(group)
    except StoreRefused as refused:
        return refused.error_code
    return ErrorCode.NONE
