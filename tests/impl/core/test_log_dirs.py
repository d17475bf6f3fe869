"""DescribeLogDirs: where the logs are, and how large."""

from impl_support.stepping import DATA_DIRECTORY, Stepper
from kproof_impl.messages.describe_log_dirs import (
    DescribableLogDirTopic,
    DescribeLogDirsRequest,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
)


def described(
    broker: Stepper, *topics: tuple[str, list[int]], every: bool = False
) -> DescribeLogDirsResult:
    asked = None if every else [DescribableLogDirTopic(name, indexes) for name, indexes in topics]
    response: DescribeLogDirsResponse = broker.send(DescribeLogDirsRequest(asked))
    assert response.error_code == 0
    (result,) = response.results
    return result


def sizes(result: DescribeLogDirsResult) -> dict[tuple[str, int], int]:
    return {
        (topic.name, partition.partition_index): partition.partition_size
        for topic in result.topics
        for partition in topic.partitions
    }


def test_all_partitions_are_told_with_their_sizes() -> None:
    broker = Stepper()
    broker.topic("a", 2)
    broker.topic("b")
    broker.produce("a", b"x" * 1000, partition=1)

    result = described(broker, every=True)

    assert (result.error_code, result.log_dir) == (0, DATA_DIRECTORY)
    found = sizes(result)
    assert list(found) == [("a", 0), ("a", 1), ("b", 0)]
    assert found["a", 0] == found["b", 0] == 0
    assert 1000 < found["a", 1] < 1200
    assert found["a", 1] == broker.partition("a", 1).log.size_bytes
    assert (result.total_bytes, result.usable_bytes) == (-1, -1)


def test_partitions_that_are_asked_for_are_told_once_and_others_are_left_out() -> None:
    broker = Stepper()
    broker.topic("a", 3)

    result = described(broker, ("a", [2, 0, 2, 9, -1]), ("none", [0]))

    assert list(sizes(result)) == [("a", 2), ("a", 0)]
    assert sizes(described(broker)) == {}


def test_no_partition_is_on_its_way_to_another_directory() -> None:
    broker = Stepper()
    broker.topic("a")

    (topic,) = described(broker, every=True).topics

    (partition,) = topic.partitions
    assert (partition.offset_lag, partition.is_future_key) == (0, False)
