"""DescribeGroups: its fields in every version served, 0 to 6."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class DescribeGroupsRequest:
    groups: Sequence[str] = ()
    include_authorized_operations: bool = False


@dataclass(slots=True)
class DescribedGroupMember:
    member_id: str = ""
    group_instance_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    member_metadata: bytes = b""
    member_assignment: bytes = b""


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = 0
    error_message: str | None = None
    group_id: str = ""
    group_state: str = ""
    protocol_type: str = ""
    protocol_data: str = ""
    members: Sequence[DescribedGroupMember] = ()
    authorized_operations: int = -2147483648


@dataclass(slots=True)
class DescribeGroupsResponse:
    throttle_time_ms: int = 0
    groups: Sequence[DescribedGroup] = ()
