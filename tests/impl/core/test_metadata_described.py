"""DescribeCluster and DescribeTopicPartitions: the cluster in full, and topics page by page."""

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.messages.describe_cluster import (
    DescribeClusterBroker,
    DescribeClusterRequest,
    DescribeClusterResponse,
)
from kproof_impl.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
    TopicRequest,
)
from kproof_impl.messages.errors import ErrorCode

NOT_ASKED = -(1 << 31)


# -- DescribeCluster ---------------------------------------------------------------------------


def test_the_cluster_is_described() -> None:
    broker = Stepper(BrokerConfig(cluster_id="c", rack="r"))

    plain: DescribeClusterResponse = broker.send(DescribeClusterRequest())
    with_operations: DescribeClusterResponse = broker.send(DescribeClusterRequest(True))

    assert plain == DescribeClusterResponse(
        cluster_id="c",
        controller_id=1,
        brokers=[DescribeClusterBroker(1, "127.0.0.1", 9092, "r", False)],
    )
    assert plain.cluster_authorized_operations == NOT_ASKED
    assert with_operations.cluster_authorized_operations == 0b1_1111_1010_0000


@pytest.mark.parametrize(
    ("version", "endpoint_type", "error"), [(1, 2, 114), (2, 9, 115), (0, 2, 42)]
)
def test_only_brokers_are_described(version: int, endpoint_type: int, error: int) -> None:
    request = DescribeClusterRequest(endpoint_type=endpoint_type)

    response: DescribeClusterResponse = Stepper().send(request, version)

    assert response.error_code == error
    assert response.brokers == ()


# -- DescribeTopicPartitions -------------------------------------------------------------------


def described(
    broker: Stepper, *names: str, cursor: Cursor | None = None, limit: int = 2000
) -> DescribeTopicPartitionsResponse:
    request = DescribeTopicPartitionsRequest([TopicRequest(name) for name in names], limit, cursor)
    response: DescribeTopicPartitionsResponse = broker.send(request)
    return response


def partitions_of(response: DescribeTopicPartitionsResponse) -> list[tuple[str | None, list[int]]]:
    return [
        (topic.name, [partition.partition_index for partition in topic.partitions])
        for topic in response.topics
    ]


def test_topics_are_described_in_the_order_of_their_names_page_by_page() -> None:
    broker = Stepper()
    for name, count in (("c", 1), ("a", 3), ("b", 2)):
        broker.topic(name, count)

    pages = [described(broker, limit=2)]
    while pages[-1].next_cursor is not None:
        pages.append(described(broker, limit=2, cursor=pages[-1].next_cursor))

    assert [partitions_of(page) for page in pages] == [
        [("a", [0, 1])],
        [("a", [2]), ("b", [0])],
        [("b", [1]), ("c", [0])],
    ]


def test_a_page_that_is_full_at_the_end_of_a_topic_goes_on_with_the_next() -> None:
    broker = Stepper()
    broker.topic("a", 2)
    broker.topic("b", 1)

    page = described(broker, limit=2)

    assert partitions_of(page) == [("a", [0, 1])]
    assert page.next_cursor == Cursor("b", 0)


def test_a_page_has_at_least_one_partition_and_at_most_2000() -> None:
    broker = Stepper()
    broker.topic("a", 2001)

    assert partitions_of(described(broker, limit=0)) == [("a", [0])]
    assert len(described(broker, limit=1 << 30).topics[0].partitions) == 2000


def test_a_partition_is_described_with_its_replicas() -> None:
    broker = Stepper()
    topic = broker.topic("a")

    (told,) = described(broker, "a").topics

    (partition,) = told.partitions
    assert (told.topic_id, told.topic_authorized_operations) == (topic.topic_id, 0b1101_1111_1000)
    assert (partition.leader_id, partition.leader_epoch) == (1, 0)
    assert (partition.replica_nodes, partition.isr_nodes) == ((1,), (1,))
    assert (partition.eligible_leader_replicas, partition.last_known_elr) == ((), ())


def test_describing_makes_no_topics_and_tells_names_at_fault() -> None:
    broker = Stepper()

    topics = described(broker, "a", "b c").topics

    assert [(topic.name, topic.error_code) for topic in topics] == [
        ("a", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("b c", ErrorCode.INVALID_TOPIC_EXCEPTION),
    ]
    assert broker.broker.topics.by_name == {}


@pytest.mark.parametrize("cursor", [Cursor("z", 0), Cursor("a", -1)])
def test_a_cursor_that_is_not_among_what_is_asked_for_is_refused(cursor: Cursor) -> None:
    broker = Stepper()
    broker.topic("a")

    response = described(broker, "a", cursor=cursor)

    assert [topic.error_code for topic in response.topics] == [ErrorCode.INVALID_REQUEST]
