"""Groups of consumers: every assignor of every client, joining, leaving, idle, static, apart."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from confluent_kafka.cimpl import NewPartitions

from impl.clients.conftest import NewTopicOf
from impl_support.clients_broker import eventually
from impl_support.clients_members import ASSIGNORS, Member, Membership
from impl_support.clients_records import CLIENTS, Record

PAIRS = [(client, assignor) for client, kinds in ASSIGNORS.items() for assignor in kinds]
NAMES = tuple(ASSIGNORS)

Join = Callable[..., Member]


@pytest.fixture
def join(bootstrap: str) -> Iterator[Join]:
    """Starts members, `join(client, group, topic, ...)`; those still there are stopped."""
    members: list[Member] = []

    def start(client: str, group: str, topic: str, **rest: Any) -> Member:
        member = Member(Membership(client, bootstrap, group, topic, **rest)).start()
        members.append(member)
        return member

    yield start
    for member in members:
        member.stop()


def fill(bootstrap: str, topic: str, partitions: int, count: int, first: int = 0) -> None:
    """Records named by their number, dealt out to the partitions."""
    records = [Record(b"%d" % n, partition=n % partitions) for n in range(first, first + count)]
    CLIENTS[0].produce(bootstrap, topic, records)


def held(members: Iterable[Member]) -> list[int]:
    """What the members hold together; a partition held twice is here twice."""
    return sorted(partition for member in members for partition in member.assignment)


def read(members: Iterable[Member]) -> list[int]:
    """The records that the members have read together, by number."""
    return sorted(int(value) for member in members for _, _, value in member.seen)


@pytest.mark.parametrize(("client", "assignor"), PAIRS)
def test_partitions_are_shared_out_when_members_come_and_taken_over_when_one_leaves(
    bootstrap: str, new_topic: NewTopicOf, join: Join, client: str, assignor: str
) -> None:
    topic = new_topic(partitions=4)
    fill(bootstrap, topic, 4, 20)

    first = join(client, topic, topic, assignor=assignor)
    eventually(lambda: held([first]) == [0, 1, 2, 3], "the first member holds all")
    eventually(lambda: read([first]) == list(range(20)), "and reads all")
    second = join(client, topic, topic, assignor=assignor)
    both = [first, second]
    eventually(lambda: [len(m.assignment) for m in both] == [2, 2], "two partitions each")
    assert held(both) == [0, 1, 2, 3]
    fill(bootstrap, topic, 4, 20, first=20)
    eventually(lambda: len(set(read(both))) == 40, "the two read what came")

    first.stop()
    eventually(lambda: held([second]) == [0, 1, 2, 3], "the one who stays holds all")
    fill(bootstrap, topic, 4, 4, first=40)
    eventually(lambda: set(range(40, 44)) <= set(read([second])), "and reads on")
    if assignor == "cooperative-sticky":
        # KIP-429: who keeps a partition through a rebalance never lets go of it.
        assert frozenset() not in second.assignments
        assert all(before <= after or after <= before
                   for before, after in zip(first.assignments, first.assignments[1:], strict=False)
                   )  # fmt: skip


@pytest.mark.parametrize("client", NAMES)
def test_a_member_more_than_partitions_is_idle_and_steps_in(
    bootstrap: str, new_topic: NewTopicOf, join: Join, client: str
) -> None:
    topic = new_topic(partitions=2)
    members = [join(client, topic, topic) for _ in range(3)]
    eventually(
        lambda: sorted(len(m.assignment) for m in members) == [0, 1, 1], "one of three is idle"
    )
    assert held(members) == [0, 1]
    idle = next(member for member in members if not member.assignment)
    busy = next(member for member in members if member.assignment)

    busy.stop()

    eventually(lambda: len(idle.assignment) == 1, "the idle member has a partition")


def test_the_three_clients_are_members_of_one_group(
    bootstrap: str, new_topic: NewTopicOf, join: Join
) -> None:
    topic = new_topic(partitions=3)
    fill(bootstrap, topic, 3, 30)

    members = [join(client, topic, topic, assignor="range") for client in NAMES]

    eventually(lambda: [len(m.assignment) for m in members] == [1, 1, 1], "one partition each")
    assert held(members) == [0, 1, 2]
    eventually(lambda: set(read(members)) == set(range(30)), "all is read")


def test_two_groups_read_the_same_topic_and_know_nothing_of_each_other(
    bootstrap: str, new_topic: NewTopicOf, join: Join
) -> None:
    topic = new_topic(partitions=2)
    fill(bootstrap, topic, 2, 10)
    one = join("confluent-kafka", f"{topic}-one", topic)
    eventually(lambda: read([one]) == list(range(10)), "the first group has read all")

    other = join("confluent-kafka", f"{topic}-other", topic)

    eventually(lambda: read([other]) == list(range(10)), "the second group has read all")
    assert one.assignments == [frozenset({0, 1})]
    assert one.seen == sorted(one.seen, key=one.seen.index)


@pytest.mark.parametrize("client", NAMES)
def test_who_comes_back_goes_on_where_the_group_had_committed(
    bootstrap: str, new_topic: NewTopicOf, join: Join, client: str
) -> None:
    topic = new_topic(partitions=2)
    fill(bootstrap, topic, 2, 10)
    before = join(client, topic, topic)
    eventually(lambda: read([before]) == list(range(10)), "all is read")
    before.stop()
    fill(bootstrap, topic, 2, 10, first=10)

    after = join(client, topic, topic)

    eventually(lambda: len(after.seen) >= 10, "the rest is read")
    assert read([after]) == list(range(10, 20))


@pytest.mark.parametrize("client", ["confluent-kafka", "kafka-python"])
def test_kip345_a_static_member_comes_back_without_a_rebalance(
    bootstrap: str, new_topic: NewTopicOf, join: Join, client: str
) -> None:
    topic = new_topic(partitions=2)
    one = join(client, topic, topic, instance="one", session_ms=20_000)
    two = join(client, topic, topic, instance="two", session_ms=20_000)
    eventually(lambda: [len(m.assignment) for m in (one, two)] == [1, 1], "a partition each")
    mine, changes = two.assignment, list(one.assignments)

    two.stop()  # A static member does not say that it leaves.
    again = join(client, topic, topic, instance="two", session_ms=20_000)

    eventually(lambda: again.assignment == mine, "the same partition as before")
    assert one.assignments == changes


def test_partitions_that_are_added_reach_the_group(
    admin: Any, bootstrap: str, new_topic: NewTopicOf, join: Join
) -> None:
    topic = new_topic(partitions=1)
    members = [join("confluent-kafka", topic, topic) for _ in range(2)]
    eventually(lambda: held(members) == [0], "one of two is idle")

    admin.create_partitions([NewPartitions(topic, 2)])[topic].result(20)

    eventually(lambda: [len(m.assignment) for m in members] == [1, 1], "a partition each")
