"""DeleteGroups: its fields in every version served, 0 to 2."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class DeleteGroupsRequest:
    groups_names: Sequence[str] = ()


@dataclass(slots=True)
class DeletableGroupResult:
    group_id: str = ""
    error_code: int = 0


@dataclass(slots=True)
class DeleteGroupsResponse:
    throttle_time_ms: int = 0
    results: Sequence[DeletableGroupResult] = ()
