"""Fetch: its fields in every version served, 4 to 17.

Topics have names before version 13 and ids from there on.  Before version 15 the id of a replica
stood alone: it is read into `replica_state`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kproof_impl.messages.ids import NO_ID, Buffer


@dataclass(frozen=True, slots=True)
class ReplicaState:
    replica_id: int = -1
    replica_epoch: int = -1


CONSUMER = ReplicaState()
"""No replica at all: a consumer fetches."""


@dataclass(slots=True)
class FetchPartition:
    partition: int = 0
    current_leader_epoch: int = -1
    fetch_offset: int = 0
    last_fetched_epoch: int = -1
    log_start_offset: int = -1
    partition_max_bytes: int = 0
    replica_directory_id: UUID = NO_ID


@dataclass(slots=True)
class FetchTopic:
    topic_id: UUID = NO_ID
    partitions: Sequence[FetchPartition] = ()
    topic: str = ""


@dataclass(slots=True)
class ForgottenTopic:
    topic_id: UUID = NO_ID
    partitions: Sequence[int] = ()
    topic: str = ""


@dataclass(slots=True)
class FetchRequest:
    cluster_id: str | None = None
    replica_state: ReplicaState = CONSUMER
    max_wait_ms: int = 0
    min_bytes: int = 0
    max_bytes: int = 2147483647
    isolation_level: int = 0
    session_id: int = 0
    session_epoch: int = -1
    topics: Sequence[FetchTopic] = ()
    forgotten_topics_data: Sequence[ForgottenTopic] = ()
    rack_id: str = ""


@dataclass(frozen=True, slots=True)
class EpochEndOffset:
    epoch: int = -1
    end_offset: int = -1


@dataclass(frozen=True, slots=True)
class LeaderIdAndEpoch:
    leader_id: int = -1
    leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class SnapshotId:
    end_offset: int = -1
    epoch: int = -1


NO_DIVERGENCE = EpochEndOffset()
NO_LEADER = LeaderIdAndEpoch()
NO_SNAPSHOT = SnapshotId()


@dataclass(slots=True)
class AbortedTransaction:
    producer_id: int = 0
    first_offset: int = 0


@dataclass(slots=True)
class PartitionData:
    partition_index: int = 0
    error_code: int = 0
    high_watermark: int = 0
    last_stable_offset: int = -1
    log_start_offset: int = -1
    diverging_epoch: EpochEndOffset = NO_DIVERGENCE
    current_leader: LeaderIdAndEpoch = NO_LEADER
    snapshot_id: SnapshotId = NO_SNAPSHOT
    aborted_transactions: Sequence[AbortedTransaction] | None = ()
    preferred_read_replica: int = -1
    records: Buffer | None = None


@dataclass(slots=True)
class FetchableTopicResponse:
    topic_id: UUID = NO_ID
    partitions: Sequence[PartitionData] = ()
    topic: str = ""


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = 0
    host: str = ""
    port: int = 0
    rack: str | None = None


@dataclass(slots=True)
class FetchResponse:
    throttle_time_ms: int = 0
    error_code: int = 0
    session_id: int = 0
    responses: Sequence[FetchableTopicResponse] = ()
    node_endpoints: Sequence[NodeEndpoint] = ()
