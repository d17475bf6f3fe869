"""Heartbeat: its fields in every version served, 0 to 4."""

from dataclasses import dataclass


@dataclass(slots=True)
class HeartbeatRequest:
    group_id: str = ""
    generation_id: int = 0
    member_id: str = ""
    group_instance_id: str | None = None


@dataclass(slots=True)
class HeartbeatResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
