"""AlterConfigs: its fields in every version served, 0 to 2."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class AlterableConfig:
    name: str = ""
    value: str | None = None


@dataclass(slots=True)
class AlterConfigsResource:
    resource_type: int = 0
    resource_name: str = ""
    configs: Sequence[AlterableConfig] = ()


@dataclass(slots=True)
class AlterConfigsRequest:
    resources: Sequence[AlterConfigsResource] = ()
    validate_only: bool = False


@dataclass(slots=True)
class AlterConfigsResourceResponse:
    error_code: int = 0
    error_message: str | None = None
    resource_type: int = 0
    resource_name: str = ""


@dataclass(slots=True)
class AlterConfigsResponse:
    throttle_time_ms: int = 0
    responses: Sequence[AlterConfigsResourceResponse] = ()
