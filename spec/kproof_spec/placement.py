"""Which brokers hold the replicas of a new topic's partitions, where racks are not known.

Kafka deals the first replicas, the preferred leaders, around the brokers in turn.  The others
follow at a distance that grows by one each time round, so that the partitions which one broker
leads do not all have their second replica on the same other broker: if it fails, many share its
work.

Where the dealing starts, and at what distance, is random in Kafka, and a parameter here.

REF   `AdminUtils.assignReplicasToBrokersRackUnaware`, whose results these are; KIP-36
      for the variant that knows racks.  Controllers of KRaft use `StripedReplicaPlacer`: the same
      aims and other results.
"""

from collections.abc import Sequence


def assign_replicas(
    brokers: Sequence[int],
    partitions: int,
    replication_factor: int,
    *,
    start_index: int = 0,
    first_shift: int = 0,
    first_partition: int = 0,
) -> list[list[int]]:
    """For each new partition its replicas, the preferred leader first.

    `brokers` are ids, none twice.  `start_index` is the place in them of partition 0's leader,
    `first_shift` the distance, less one, of the second replica in the first round.  Partitions that
    are added to a topic pass as `first_partition` how many there are, and what was used for those.

    Raises `ValueError` where Kafka refuses: INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR.
    """
    if partitions < 1:
        raise ValueError(f"{partitions} partitions: expected at least 1 (INVALID_PARTITIONS)")
    if not 1 <= replication_factor <= len(brokers):
        raise ValueError(
            f"replication factor {replication_factor}: expected 1 to {len(brokers)}, the number of "
            "brokers, because no broker holds a partition twice (INVALID_REPLICATION_FACTOR)"
        )
    assignment = []
    shift = first_shift
    for partition in range(first_partition, first_partition + partitions):
        if partition > 0 and partition % len(brokers) == 0:
            shift += 1
        leader = (partition + start_index) % len(brokers)
        indices = [leader] + [
            _follower_index(leader, shift, follower, len(brokers))
            for follower in range(replication_factor - 1)
        ]
        assignment.append([brokers[index] for index in indices])
    return assignment


def _follower_index(leader: int, shift: int, follower: int, brokers: int) -> int:
    """Where in the brokers a follower is: 1 to `brokers - 1` places behind the leader."""
    return (leader + 1 + (shift + follower) % (brokers - 1)) % brokers
