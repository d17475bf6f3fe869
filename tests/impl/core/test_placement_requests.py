"""Leaders and replicas of a single node: nothing to elect, nowhere to go."""

import pytest

from impl_support.stepping import Stepper
from kproof_impl.messages.alter_partition_reassignments import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from kproof_impl.messages.alter_replica_log_dirs import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from kproof_impl.messages.elect_leaders import ElectLeadersRequest, TopicPartitions
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.list_partition_reassignments import ListPartitionReassignmentsRequest


def test_the_only_replica_leads_already() -> None:
    broker = Stepper()
    broker.topic("orders", partitions=2)

    found = broker.send(ElectLeadersRequest(topic_partitions=[TopicPartitions("orders", [1, 2])]))

    (topic,) = found.replica_election_results
    assert [(one.partition_id, one.error_code) for one in topic.partition_result] == [
        (1, ErrorCode.ELECTION_NOT_NEEDED),
        (2, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ]


def test_an_election_for_all_names_none_that_needs_none() -> None:
    broker = Stepper()
    broker.topic("orders")

    assert broker.send(ElectLeadersRequest(topic_partitions=None)).replica_election_results == []


def test_an_election_of_an_unknown_kind_is_refused() -> None:
    assert Stepper().send(ElectLeadersRequest(election_type=2)).error_code == 42


@pytest.mark.parametrize(
    ("index", "replicas", "error"),
    [
        (0, [1], ErrorCode.NONE),
        (0, None, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS),
        (0, [], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (0, [2], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (0, [1, 1], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (1, [1], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ],
)
def test_a_partition_may_be_put_where_it_is(
    index: int, replicas: list[int] | None, error: ErrorCode
) -> None:
    broker = Stepper()
    broker.topic("orders")
    wanted = [ReassignableTopic("orders", [ReassignablePartition(index, replicas)])]

    found = broker.send(AlterPartitionReassignmentsRequest(topics=wanted))

    assert found.responses[0].partitions[0].error_code == error
    assert broker.send(ListPartitionReassignmentsRequest(topics=None)).topics == ()


@pytest.mark.parametrize(
    ("path", "index", "error"),
    [
        ("/data", 0, ErrorCode.NONE),
        ("/data", 1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("/elsewhere", 0, ErrorCode.LOG_DIR_NOT_FOUND),
    ],
)
def test_a_log_may_be_moved_to_the_directory_it_is_in(
    path: str, index: int, error: ErrorCode
) -> None:
    broker = Stepper()
    broker.topic("orders")
    wanted = [AlterReplicaLogDir(path, [AlterReplicaLogDirTopic("orders", [index])])]

    found = broker.send(AlterReplicaLogDirsRequest(dirs=wanted))

    assert found.results[0].partitions[0].error_code == error
