"""FindCoordinator: its fields in every version served, 0 to 6.

Before version 4, a request was about one key: it is read as a request about a list of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class FindCoordinatorRequest:
    key_type: int = 0
    coordinator_keys: Sequence[str] = ()


@dataclass(slots=True)
class Coordinator:
    key: str = ""
    node_id: int = 0
    host: str = ""
    port: int = 0
    error_code: int = 0
    error_message: str | None = None


@dataclass(slots=True)
class FindCoordinatorResponse:
    throttle_time_ms: int = 0
    coordinators: Sequence[Coordinator] = ()
