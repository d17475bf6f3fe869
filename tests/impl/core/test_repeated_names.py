"""A request that names one thing very often has no larger answer than one that names it once."""

from impl_support.group_members import commit_request, grouped
from impl_support.stepping import Stepper
from kproof_impl.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproof_impl.messages.describe_groups import DescribeGroupsRequest
from kproof_impl.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)

TOPIC = 2
TIMES = 1000


def test_a_resource_is_described_once() -> None:
    broker = Stepper()
    broker.topic("orders")
    asked = [DescribeConfigsResource(TOPIC, "orders") for _ in range(TIMES)]
    keys = ["retention.ms", "flush.ms"]
    asked += [DescribeConfigsResource(TOPIC, "orders", [key]) for key in keys * TIMES]
    asked.append(DescribeConfigsResource(TOPIC, "nothing"))

    all_of_it, *of_keys, absent = broker.send(DescribeConfigsRequest(asked), 1).results

    assert len(all_of_it.configs) > 20
    assert [[one.name for one in each.configs] for each in of_keys] == [[key] for key in keys]
    assert absent.error_code


def test_a_group_is_described_once() -> None:
    broker = grouped()
    broker.send(commit_request("g", {("orders", 0): 1}))

    found = broker.send(DescribeGroupsRequest(["g", "another"] * TIMES)).groups

    assert [one.group_id for one in found] == ["g", "another"]


def test_all_offsets_of_a_group_are_told_once_and_those_asked_for_as_often_as_they_are() -> None:
    broker = grouped()
    broker.send(commit_request("g", {("orders", 0): 1}))
    everything = [OffsetFetchRequestGroup("g", topics=None) for _ in range(TIMES)]
    one = OffsetFetchRequestGroup("g", topics=[OffsetFetchRequestTopics("orders", [0])])

    found = broker.send(OffsetFetchRequest([*everything, one, one])).groups

    assert len(found) == 3
    offsets = [each.topics[0].partitions[0].committed_offset for each in found]
    assert offsets == [1, 1, 1]


def test_a_topic_is_told_once() -> None:
    broker = Stepper()
    broker.topic("orders")
    asked = [MetadataRequestTopic(name="orders") for _ in range(TIMES)]

    assert len(broker.send(MetadataRequest(asked)).topics) == 1
