"""Groups seen and changed from outside: listed, described, their offsets altered and deleted."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import confluent_kafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from impl.clients.conftest import NewTopicOf
from impl_support.clients_broker import eventually
from impl_support.clients_kafka_python import kafka, kafka_errors
from impl_support.clients_members import Member, Membership
from impl_support.clients_records import CLIENTS, Record

SECONDS = 20


@pytest.fixture
def topic(bootstrap: str, new_topic: NewTopicOf) -> str:
    """Two partitions with five records each."""
    name = new_topic(partitions=2)
    CLIENTS[0].produce(bootstrap, name, [Record(b"%d" % n, partition=n % 2) for n in range(10)])
    return name


@pytest.fixture
def group(bootstrap: str, topic: str, new_name: Callable[[str], str]) -> str:
    """A group without members that has committed offset 3 in both partitions of `topic`."""
    name = new_name("group")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": name})
    offsets = [
        TopicPartition(topic, 0, 3, metadata="here"),
        TopicPartition(topic, 1, 3),
    ]
    consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()
    return name


@pytest.fixture
def member(bootstrap: str, topic: str, new_name: Callable[[str], str]) -> Iterator[Member]:
    """The one member of a group of its own, and it holds both partitions."""
    one = Member(Membership("confluent-kafka", bootstrap, new_name("group"), topic)).start()
    eventually(lambda: one.assignment == {0, 1}, "the member holds both partitions")
    yield one
    one.stop()


@pytest.fixture
def python_admin(bootstrap: str) -> Iterator[Any]:
    """kafka-python's admin client."""
    client = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)
    yield client
    client.close()


def committed(admin: AdminClient, group: str, topic: str | None = None) -> dict[int, int]:
    """Offsets of the group by partition; of all that it committed if no topic is named."""
    asked = None if topic is None else [TopicPartition(topic, 0), TopicPartition(topic, 1)]
    (answer,) = admin.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group, asked)]
    ).values()
    return {there.partition: there.offset for there in answer.result(SECONDS).topic_partitions}


def refusal(answer: Any) -> int:
    with pytest.raises(KafkaException) as raised:
        answer.result(SECONDS)
    code: int = raised.value.args[0].code()
    return code


def test_groups_are_listed_by_state(admin: AdminClient, group: str, member: Member) -> None:
    def groups(*states: ConsumerGroupState) -> set[str]:
        found = admin.list_consumer_groups(states=set(states)).result(SECONDS)
        assert not found.errors
        return {listing.group_id for listing in found.valid}

    with_member = member.membership.group
    assert {group, with_member} <= groups()
    assert with_member in groups(ConsumerGroupState.STABLE)
    assert group not in groups(ConsumerGroupState.STABLE)
    assert group in groups(ConsumerGroupState.EMPTY)


def test_a_group_with_a_member_is_described(admin: AdminClient, topic: str, member: Member) -> None:
    group = member.membership.group

    described = admin.describe_consumer_groups([group])[group].result(SECONDS)

    assert described.state == ConsumerGroupState.STABLE
    assert described.partition_assignor == "range"
    assert described.coordinator.id == 1
    assert not described.is_simple_consumer_group
    (one,) = described.members
    assert one.client_id == "rdkafka"
    assert one.host == "/127.0.0.1"
    assert one.member_id.startswith("rdkafka-")
    held = [(there.topic, there.partition) for there in one.assignment.topic_partitions]
    assert held == [(topic, 0), (topic, 1)]


def test_a_group_that_only_commits_is_empty_and_simple(admin: AdminClient, group: str) -> None:
    described = admin.describe_consumer_groups([group])[group].result(SECONDS)
    assert described.state == ConsumerGroupState.EMPTY
    assert described.members == []
    assert described.is_simple_consumer_group


def test_a_group_nobody_knows_is_refused_as_kafka_4_does(
    admin: AdminClient, python_admin: Any, new_name: Callable[[str], str]
) -> None:
    # KIP-1043: DescribeGroups 6 says GROUP_ID_NOT_FOUND; older versions say Dead and no error.
    missing = new_name("missing")
    old = admin.describe_consumer_groups([missing])[missing].result(SECONDS)
    assert old.state == ConsumerGroupState.DEAD


def test_committed_offsets_are_listed_with_their_metadata(
    admin: AdminClient, bootstrap: str, topic: str, group: str
) -> None:
    assert committed(admin, group) == {0: 3, 1: 3}
    assert committed(admin, group, topic) == {0: 3, 1: 3}
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    (there,) = consumer.committed([TopicPartition(topic, 0)], timeout=SECONDS)
    assert (there.offset, there.metadata) == (3, "here")
    consumer.close()


def test_a_group_that_never_committed_has_no_offset_and_no_error(
    admin: AdminClient, bootstrap: str, topic: str, new_name: Callable[[str], str]
) -> None:
    missing = new_name("missing")
    assert committed(admin, missing) == {}
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": missing})
    (there,) = consumer.committed([TopicPartition(topic, 0)], timeout=SECONDS)
    assert there.offset == confluent_kafka.OFFSET_INVALID
    assert there.error is None
    consumer.close()


def test_offsets_of_a_group_without_members_are_altered_from_outside(
    admin: AdminClient, topic: str, group: str
) -> None:
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
    (answer,) = admin.alter_consumer_group_offsets([wanted]).values()
    answer.result(SECONDS)
    assert committed(admin, group, topic) == {0: 1, 1: 3}


def test_offsets_of_a_group_with_members_are_not_altered_from_outside(
    admin: AdminClient, topic: str, member: Member
) -> None:
    wanted = ConsumerGroupTopicPartitions(member.membership.group, [TopicPartition(topic, 0, 1)])
    (answer,) = admin.alter_consumer_group_offsets([wanted]).values()
    (there,) = answer.result(SECONDS).topic_partitions
    assert there.error is not None
    assert there.error.code() == KafkaError.UNKNOWN_MEMBER_ID


def test_kafka_python_deletes_the_offset_of_one_partition(
    admin: AdminClient, python_admin: Any, topic: str, group: str
) -> None:
    there = kafka.TopicPartition(topic, 0)
    answers = python_admin.delete_group_offsets(group, [there])
    assert answers == {there: kafka_errors.NoError}
    assert committed(admin, group) == {1: 3}


def test_offsets_that_a_member_reads_on_from_are_not_deleted(
    python_admin: Any, topic: str, member: Member
) -> None:
    eventually(lambda: len(member.seen) == 10, "the member has read and committed")
    there = kafka.TopicPartition(topic, 0)
    answers = python_admin.delete_group_offsets(member.membership.group, [there])
    assert answers == {there: kafka_errors.GroupSubscribedToTopicError}


def test_a_group_without_members_is_deleted_with_its_offsets(
    admin: AdminClient, group: str
) -> None:
    admin.delete_consumer_groups([group])[group].result(SECONDS)
    assert committed(admin, group) == {}
    assert refusal(admin.delete_consumer_groups([group])[group]) == KafkaError.GROUP_ID_NOT_FOUND


def test_a_group_with_members_is_not_deleted(admin: AdminClient, member: Member) -> None:
    group = member.membership.group
    assert refusal(admin.delete_consumer_groups([group])[group]) == KafkaError.NON_EMPTY_GROUP


def test_offsets_go_when_their_topic_goes(admin: AdminClient, topic: str, group: str) -> None:
    admin.delete_topics([topic])[topic].result(SECONDS)
    eventually(lambda: committed(admin, group) == {}, "the offsets of the deleted topic are gone")


def test_kafka_python_and_aiokafka_see_the_same_groups(
    bootstrap: str, python_admin: Any, topic: str, group: str, member: Member
) -> None:
    eventually(lambda: len(member.seen) == 10, "the member has read and committed")
    with_member = member.membership.group

    listed = {listing["group_id"] for listing in python_admin.list_groups()}
    described = python_admin.describe_groups([with_member])[with_member]
    offsets = python_admin.list_group_offsets([group])[group]

    async def ask() -> tuple[Any, Any, Any]:
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await client.start()
        try:
            return (
                await client.list_consumer_groups(),
                await client.describe_consumer_groups([with_member]),
                await client.list_consumer_group_offsets(group),
            )
        finally:
            await client.close()

    aio_listed, aio_described, aio_offsets = asyncio.run(ask())
    assert {group, with_member} <= listed
    assert {group, with_member} <= {entry[0] for entry in aio_listed}
    assert described["group_state"] == "Stable"
    assert aio_described[0].groups[0][2] == "Stable"
    assert {p.partition: o.offset for p, o in offsets.items()} == {0: 3, 1: 3}
    assert {p.partition: o.offset for p, o in aio_offsets.items()} == {0: 3, 1: 3}


def test_a_commit_of_a_dead_generation_is_refused(bootstrap: str, topic: str, group: str) -> None:
    # A member that was thrown out (here: it never joined) cannot move the group's offsets.
    one = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": group, "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 100,
    })  # fmt: skip
    one.subscribe([topic])
    eventually(lambda: one.poll(0.05) is not None or one.assignment(), "the member joined")
    outside = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    with pytest.raises(KafkaException) as raised:
        outside.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_MEMBER_ID
    outside.close()
    one.close()
