"""ApiVersions: its fields in every version served, 0 to 4."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class ApiVersionsRequest:
    client_software_name: str = ""
    client_software_version: str = ""
    is_version_unsupported: bool = False
    """Not on the wire: the client asked in a version that is not served, and is told so in version
    0 (KIP-511)."""


@dataclass(slots=True)
class ApiVersion:
    api_key: int = 0
    min_version: int = 0
    max_version: int = 0


@dataclass(slots=True)
class SupportedFeatureKey:
    name: str = ""
    min_version: int = 0
    max_version: int = 0


@dataclass(slots=True)
class FinalizedFeatureKey:
    name: str = ""
    max_version_level: int = 0
    min_version_level: int = 0


@dataclass(slots=True)
class ApiVersionsResponse:
    error_code: int = 0
    api_keys: Sequence[ApiVersion] = ()
    throttle_time_ms: int = 0
    supported_features: Sequence[SupportedFeatureKey] = ()
    finalized_features_epoch: int = -1
    finalized_features: Sequence[FinalizedFeatureKey] = ()
    zk_migration_ready: bool = False
