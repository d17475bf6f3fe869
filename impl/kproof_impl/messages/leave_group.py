"""LeaveGroup: its fields in every version served, 0 to 5.

Before version 3 one member left: it is read as a list of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class MemberIdentity:
    member_id: str = ""
    group_instance_id: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class LeaveGroupRequest:
    group_id: str = ""
    members: Sequence[MemberIdentity] = ()


@dataclass(slots=True)
class MemberResponse:
    member_id: str = ""
    group_instance_id: str | None = None
    error_code: int = 0


@dataclass(slots=True)
class LeaveGroupResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    members: Sequence[MemberResponse] = ()
