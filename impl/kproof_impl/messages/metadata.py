"""Metadata: its fields in every version served, 0 to 13."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kproof_impl.messages.ids import NO_ID


@dataclass(slots=True)
class MetadataRequestTopic:
    topic_id: UUID = NO_ID
    name: str | None = None


@dataclass(slots=True)
class MetadataRequest:
    topics: Sequence[MetadataRequestTopic] | None = ()
    allow_auto_topic_creation: bool = True
    include_topic_authorized_operations: bool = False
    include_cluster_authorized_operations: bool = False


@dataclass(slots=True)
class MetadataResponseBroker:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class MetadataResponsePartition:
    error_code: int = 0
    partition_index: int = 0
    leader_id: int = 0
    leader_epoch: int = -1
    replica_nodes: Sequence[int] = ()
    isr_nodes: Sequence[int] = ()
    offline_replicas: Sequence[int] = ()


@dataclass(slots=True)
class MetadataResponseTopic:
    error_code: int = 0
    name: str | None = None
    topic_id: UUID = NO_ID
    is_internal: bool = False
    partitions: Sequence[MetadataResponsePartition] = ()
    topic_authorized_operations: int = -2147483648


@dataclass(slots=True)
class MetadataResponse:
    throttle_time_ms: int = 0
    brokers: Sequence[MetadataResponseBroker] = ()
    cluster_id: str | None = None
    controller_id: int = -1
    topics: Sequence[MetadataResponseTopic] = ()
    error_code: int = 0
    cluster_authorized_operations: int = -2147483648
