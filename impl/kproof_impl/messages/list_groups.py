"""ListGroups: its fields in every version served, 0 to 5."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class ListGroupsRequest:
    states_filter: Sequence[str] = ()
    types_filter: Sequence[str] = ()


@dataclass(slots=True)
class ListedGroup:
    group_id: str = ""
    protocol_type: str = ""
    group_state: str = ""
    group_type: str = ""


@dataclass(slots=True)
class ListGroupsResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    groups: Sequence[ListedGroup] = ()
