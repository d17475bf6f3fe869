"""Produce: its fields in every version served, 3 to 13.

Topics have names before version 13 and ids from there on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kproof_impl.messages.ids import NO_ID, Buffer


@dataclass(slots=True)
class PartitionProduceData:
    index: int = 0
    records: Buffer | None = None


@dataclass(slots=True)
class TopicProduceData:
    topic_id: UUID = NO_ID
    partition_data: Sequence[PartitionProduceData] = ()
    name: str = ""


@dataclass(slots=True)
class ProduceRequest:
    transactional_id: str | None = None
    acks: int = 0
    timeout_ms: int = 0
    topic_data: Sequence[TopicProduceData] = ()


@dataclass(slots=True)
class BatchIndexAndErrorMessage:
    batch_index: int = 0
    batch_index_error_message: str | None = None


@dataclass(frozen=True, slots=True)
class LeaderIdAndEpoch:
    leader_id: int = -1
    leader_epoch: int = -1


NO_LEADER = LeaderIdAndEpoch()


@dataclass(slots=True)
class PartitionProduceResponse:
    index: int = 0
    error_code: int = 0
    base_offset: int = 0
    log_append_time_ms: int = -1
    log_start_offset: int = -1
    record_errors: Sequence[BatchIndexAndErrorMessage] = ()
    error_message: str | None = None
    current_leader: LeaderIdAndEpoch = NO_LEADER


@dataclass(slots=True)
class TopicProduceResponse:
    topic_id: UUID = NO_ID
    partition_responses: Sequence[PartitionProduceResponse] = ()
    name: str = ""


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class ProduceResponse:
    responses: Sequence[TopicProduceResponse] = ()
    throttle_time_ms: int = 0
    node_endpoints: Sequence[NodeEndpoint] = ()
