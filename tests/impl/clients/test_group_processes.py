"""Members as processes of their own: one is killed, and its partitions move."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from impl.clients.conftest import NewTopicOf
from impl_support.clients_broker import eventually
from impl_support.clients_members import MemberProcess, Membership
from impl_support.clients_records import CLIENTS, Record

SESSION_MS = 1_000
NAMES = ("confluent-kafka", "kafka-python", "aiokafka")

Join = Callable[..., MemberProcess]


@pytest.fixture
def join(bootstrap: str) -> Iterator[Join]:
    """Starts processes, `join(client, group, topic, ...)`; those still there are stopped."""
    members: list[MemberProcess] = []

    def start(client: str, group: str, topic: str, **rest: Any) -> MemberProcess:
        member = MemberProcess(
            Membership(client, bootstrap, group, topic, session_ms=SESSION_MS, **rest)
        )
        members.append(member)
        return member

    yield start
    for member in members:
        member.kill()


def send(bootstrap: str, topic: str, partitions: int, first: int, count: int) -> None:
    CLIENTS[0].produce(
        bootstrap,
        topic,
        [Record(b"%d" % n, partition=n % partitions) for n in range(first, first + count)],
    )


@pytest.mark.parametrize("client", NAMES)
def test_a_killed_consumers_partition_moves_to_another_after_its_session(
    bootstrap: str, new_topic: NewTopicOf, join: Join, client: str
) -> None:
    topic = new_topic(partitions=2)
    victim = join(client, topic, topic)
    eventually(lambda: victim.assignment == {0, 1}, "the first member holds both")
    other = join(client, topic, topic)
    eventually(lambda: len(victim.assignment) == len(other.assignment) == 1, "a partition each")
    send(bootstrap, topic, 2, 0, 10)
    eventually(lambda: len(victim.seen) + len(other.seen) >= 10, "all is read")

    victim.kill()
    send(bootstrap, topic, 2, 10, 10)

    eventually(lambda: other.assignment == {0, 1}, "the survivor holds both")
    eventually(
        lambda: {int(value) for _, _, value in other.seen} >= set(range(10, 20)),
        "the survivor reads what came after the kill",
    )


def test_three_processes_share_the_work_and_a_fourth_waits_for_one_to_die(
    bootstrap: str, new_topic: NewTopicOf, join: Join
) -> None:
    topic = new_topic(partitions=3)
    four = [join("confluent-kafka", topic, topic) for _ in range(4)]
    eventually(
        lambda: sorted(sorted(member.assignment) for member in four) == [[], [0], [1], [2]],
        "three hold a partition each, the fourth none",
    )
    send(bootstrap, topic, 3, 0, 30)
    eventually(lambda: sum(len(member.seen) for member in four) == 30, "all is read once")
    idle = next(member for member in four if not member.assignment)
    busy = next(member for member in four if member.assignment)

    busy.kill()

    eventually(lambda: len(idle.assignment) == 1, "the fourth has the partition of the dead")
    left = [member for member in four if member is not busy]
    eventually(
        lambda: sorted(p for member in left for p in member.assignment) == [0, 1, 2],
        "each partition has one reader",
    )


def test_a_killed_static_member_keeps_its_partition_while_its_session_lasts(
    bootstrap: str, new_topic: NewTopicOf, join: Join
) -> None:
    topic = new_topic(partitions=2)
    one = join("confluent-kafka", topic, topic, instance="one")
    two = join("confluent-kafka", topic, topic, instance="two")
    eventually(lambda: len(one.assignment) == len(two.assignment) == 1, "a partition each")
    mine = two.assignment

    two.kill()
    again = join("confluent-kafka", topic, topic, instance="two")

    eventually(lambda: again.assignment == mine, "the same partition as before")
    send(bootstrap, topic, 2, 0, 10)
    eventually(lambda: len(one.seen) + len(again.seen) == 10, "both read on")
