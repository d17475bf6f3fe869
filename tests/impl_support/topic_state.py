"""What tests of topics ask of a stepped broker."""

from uuid import UUID

from impl_support.stepping import Stepper
from kproof_impl.core.metadata_image import fold
from kproof_impl.core.metadata_log import CLUSTER_METADATA_ID


def assert_live_state_is_the_fold(broker: Stepper) -> None:
    topics = broker.broker.topics
    assert topics.image() == fold(topics.metadata_records())
    assert topics.partitions_count == len(list(topics.all_partitions()))
    assert list(topics.by_id) == [topic.topic_id for topic in topics.by_name.values()]


def epochs(broker: Stepper, name: str) -> list[int]:
    return [partition.leader_epoch for partition in broker.broker.topics.by_name[name].partitions]


def directories(broker: Stepper) -> set[tuple[UUID, int]]:
    return {key for key in broker.store.existing() if key[0] != CLUSTER_METADATA_ID}
