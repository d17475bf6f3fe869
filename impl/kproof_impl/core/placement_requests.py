"""Who leads and who holds a partition: on one node it never changes, and these requests say so.

ElectLeaders 0-2, AlterPartitionReassignments 0, ListPartitionReassignments 0.

REF   KIP-460 (ElectLeaders), KIP-455 (reassignments).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kproof_impl.messages.alter_partition_reassignments import (
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
    ReassignablePartition,
    ReassignablePartitionResponse,
    ReassignableTopicResponse,
)
from kproof_impl.messages.elect_leaders import (
    ElectLeadersRequest,
    ElectLeadersResponse,
    PartitionResult,
    ReplicaElectionResult,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
)

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call

ELECTION_TYPES = (0, 1)
"""Of the preferred replica, and of any: an unclean one."""


def elect_leaders(
    broker: Broker, _call: Call, request: ElectLeadersRequest
) -> ElectLeadersResponse:
    """The only replica leads already.  Asked for all partitions, Kafka leaves those out."""
    if request.election_type not in ELECTION_TYPES:
        return ElectLeadersResponse(error_code=ErrorCode.INVALID_REQUEST)
    results = []
    for topic in request.topic_partitions or ():
        partitions = []
        for index in topic.partitions:
            if broker.topics.partition(topic.topic, index) is None:
                error, message = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "There is no such partition."
            else:
                error, message = ErrorCode.ELECTION_NOT_NEEDED, "Its only replica leads."
            partitions.append(PartitionResult(index, error, message))
        results.append(ReplicaElectionResult(topic.topic, partitions))
    return ElectLeadersResponse(replica_election_results=results)


def alter_partition_reassignments(
    broker: Broker, _call: Call, request: AlterPartitionReassignmentsRequest
) -> AlterPartitionReassignmentsResponse:
    """A partition may be put where it is; there is nothing to cancel, and nowhere else to go."""
    return AlterPartitionReassignmentsResponse(
        responses=[
            ReassignableTopicResponse(
                topic.name, [_reassigned(broker, topic.name, one) for one in topic.partitions]
            )
            for topic in request.topics
        ]
    )


def _reassigned(
    broker: Broker, topic: str, partition: ReassignablePartition
) -> ReassignablePartitionResponse:
    index = partition.partition_index
    if broker.topics.partition(topic, index) is None:
        error, message = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "There is no such partition."
    elif partition.replicas is None:
        error, message = ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, "There is none to cancel."
    else:
        return _placed(index, partition.replicas, broker.config.node_id)
    return ReassignablePartitionResponse(index, error, message)


def _placed(index: int, replicas: Sequence[int], node_id: int) -> ReassignablePartitionResponse:
    if list(replicas) == [node_id]:
        return ReassignablePartitionResponse(index)
    if not replicas:
        message = "A partition has to have a replica."
    else:
        message = f"Replicas on {list(replicas)}: expected [{node_id}], the only broker there is."
    return ReassignablePartitionResponse(index, ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)


def list_partition_reassignments(
    _broker: Broker, _call: Call, _request: ListPartitionReassignmentsRequest
) -> ListPartitionReassignmentsResponse:
    """No partition is ever on its way."""
    return ListPartitionReassignmentsResponse()
