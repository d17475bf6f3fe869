"""What members are told, at the barriers and by a stable group."""

from __future__ import annotations

from kproof_impl.core.groups.group import Group
from kproof_impl.core.groups.member import Member
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.join_group import JoinGroupResponse, JoinGroupResponseMember
from kproof_impl.messages.sync_group import SyncGroupResponse


def joined(group: Group, member: Member, skip_assignment: bool = False) -> JoinGroupResponse:
    """The answer to a member of this generation."""
    is_leader = group.leader == member.member_id
    return JoinGroupResponse(
        generation_id=group.generation_id,
        protocol_type=group.protocol_type,
        protocol_name=group.protocol_name,
        leader=group.leader or "",
        skip_assignment=skip_assignment,
        member_id=member.member_id,
        members=_members_metadata(group) if is_leader else (),
    )


def _members_metadata(group: Group) -> list[JoinGroupResponseMember]:
    assert group.protocol_name is not None
    name = group.protocol_name
    return [
        JoinGroupResponseMember(one.member_id, one.group_instance_id, one.protocols[name])
        for one in group.members.values()
    ]


def synced(group: Group, member: Member) -> SyncGroupResponse:
    """The answer to a member of a stable group."""
    return SyncGroupResponse(
        protocol_type=group.protocol_type,
        protocol_name=group.protocol_name,
        assignment=member.assignment,
    )


def join_refused(error: ErrorCode, member_id: str) -> JoinGroupResponse:
    return JoinGroupResponse(error_code=error, member_id=member_id)


def answer_sync(member: Member, response: SyncGroupResponse) -> bool:
    """Answers a SyncGroup that waits.  False if none does."""
    call, member.sync_call = member.sync_call, None
    if call is None:
        return False
    call.answer(response)
    return True
