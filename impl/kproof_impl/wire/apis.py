"""The messages that are served: one table, from which ApiVersions answers too.

The newest version of each is the newest all of whose semantics are served, the oldest is the
oldest that Kafka 4 keeps (KIP-896).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Api:
    """One kind of request and its response."""

    key: int
    name: str
    """In Kafka's spelling: "Produce", "DescribeTopicPartitions"."""
    module: str
    """Of `kproof_impl.messages`, and the package of `kio.schema`."""
    min_version: int
    max_version: int
    min_advertised: int
    """The oldest version that ApiVersions tells of."""


PRODUCE = 0
FETCH = 1
METADATA = 3
OFFSET_COMMIT = 8
OFFSET_FETCH = 9
API_VERSIONS = 18
DELETE_RECORDS = 21


def _api(key: int, name: str, versions: tuple[int, int], min_advertised: int | None = None) -> Api:
    module = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
    oldest, newest = versions
    advertised = oldest if min_advertised is None else min_advertised
    return Api(key, name, module, oldest, newest, advertised)


APIS: dict[int, Api] = {
    api.key: api
    for api in (
        # librdkafka takes a broker whose Produce begins at 3 for one that cannot compress, and
        # sends uncompressed batches without a word: so Kafka tells of 0 and serves 3 (KAFKA-18659).
        _api(PRODUCE, "Produce", (3, 13), min_advertised=0),
        _api(FETCH, "Fetch", (4, 17)),
        _api(2, "ListOffsets", (1, 10)),
        _api(METADATA, "Metadata", (0, 13)),
        _api(OFFSET_COMMIT, "OffsetCommit", (2, 9)),
        _api(OFFSET_FETCH, "OffsetFetch", (1, 9)),
        _api(10, "FindCoordinator", (0, 6)),
        _api(11, "JoinGroup", (0, 9)),
        _api(12, "Heartbeat", (0, 4)),
        _api(13, "LeaveGroup", (0, 5)),
        _api(14, "SyncGroup", (0, 5)),
        _api(15, "DescribeGroups", (0, 6)),
        _api(16, "ListGroups", (0, 5)),
        _api(API_VERSIONS, "ApiVersions", (0, 4)),
        _api(19, "CreateTopics", (2, 7)),
        _api(20, "DeleteTopics", (1, 6)),
        _api(DELETE_RECORDS, "DeleteRecords", (0, 2)),
        _api(22, "InitProducerId", (0, 5)),
        _api(23, "OffsetForLeaderEpoch", (2, 4)),
        _api(32, "DescribeConfigs", (1, 4)),
        _api(33, "AlterConfigs", (0, 2)),
        _api(34, "AlterReplicaLogDirs", (1, 2)),
        _api(35, "DescribeLogDirs", (1, 4)),
        _api(37, "CreatePartitions", (0, 3)),
        _api(42, "DeleteGroups", (0, 2)),
        _api(43, "ElectLeaders", (0, 2)),
        _api(44, "IncrementalAlterConfigs", (0, 1)),
        _api(45, "AlterPartitionReassignments", (0, 0)),
        _api(46, "ListPartitionReassignments", (0, 0)),
        _api(47, "OffsetDelete", (0, 0)),
        _api(60, "DescribeCluster", (0, 2)),
        _api(75, "DescribeTopicPartitions", (0, 0)),
    )
}

REQUESTS_LIFTED_BEFORE = {METADATA: 1, 9: 8, 10: 4, 11: 1, 13: 3, 20: 6}
"""By key, the first version whose requests are not of an old shape that `wire.lifts` knows."""
RESPONSES_LIFTED_BEFORE = {9: 8, 10: 4, 13: 3}
