"""The broker under real clients, with programs that Hypothesis writes."""

import os
import signal
import time

import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import Phase, settings

import real_clients
from impl_support.clients_broker import eventually
from impl_support.real_client_machine import RealClientMachine
from impl_support.real_client_programs import REAL_TIME, run_machine
from impl_support.real_client_steps import OPTIONS, SETTLE_SECONDS, TOPICS
from impl_support.real_cluster import RealCluster


@pytest.mark.heavy
def test_a_member_that_was_stopped_goes_on_and_may_not_commit_what_another_has() -> None:
    machine = RealClientMachine()
    try:
        machine.begin(assignor="range", members=2)
        machine.group_settles()
        keys: list[bytes | None] = [
            b"%d" % number for number in range(12)
        ]  # Some for each partition.
        machine.produce_and_wait(kind="idempotent", topic="orders", keys_of=keys)
        stopped, _ = machine.members
        eventually(lambda: machine.has_read_something(stopped), "the first member is given records")

        machine.member_is_stopped(number=0)
        machine.group_settles()
        machine.member_goes_on(commits=True)

        late = [each for each in machine.group.attempts if each.is_fenced]
        assert late
        assert {each.result for each in late} == {"refused"}
    finally:
        machine.teardown()


@pytest.mark.heavy
def test_a_member_that_hears_of_its_assignment_after_it_was_expelled_deposes_nobody() -> None:
    machine = RealClientMachine()
    try:
        machine.begin(assignor="cooperative-sticky", members=1)
        (late,) = machine.members
        eventually(lambda: machine.cluster.member_ids("workers"), "the first member has joined")
        time.sleep(0.5)  # It is assigned everything, and waits for a poll to tell it.
        os.kill(late.process.pid, signal.SIGSTOP)  # The machine is not to know.
        machine.member_join(commits=True)
        other = machine.members[1]

        def has_all() -> bool:
            machine.poll_one(other, 0.05)
            return set(machine.group.owners) == set(machine.cluster.places)

        eventually(has_all, "the second member has all partitions")
        os.kill(late.process.pid, signal.SIGCONT)
        time.sleep(1.0)  # It is told that it is no member, and still waits for a poll.

        def is_shared() -> bool:
            machine.group_settles()
            return set(machine.group.owners.values()) == {late.number, other.number}

        eventually(is_shared, "both have partitions")
    finally:
        machine.teardown()


@pytest.mark.heavy
def test_a_consumer_joins_although_the_broker_died_before_it_told_the_metadata() -> None:
    with RealCluster(TOPICS, *OPTIONS) as cluster:
        consumer = Consumer(cluster.new_consumer_config("workers"))
        try:
            consumer.committed([TopicPartition("orders", 0)], timeout=SETTLE_SECONDS)
            time.sleep(0.5)  # It is connected, also to ask for metadata.
            cluster.serving.process.send_signal(signal.SIGSTOP)
            consumer.subscribe(sorted(TOPICS))
            time.sleep(0.3)  # It has sent its question.
            cluster.kill()
            cluster.launch()

            def has_all() -> bool:
                consumer.poll(0.05)
                return len(consumer.assignment()) == len(cluster.places)

            eventually(has_all, "the consumer has all partitions", SETTLE_SECONDS)
        finally:
            consumer.close()


@pytest.mark.heavy
def test_clients_are_given_what_was_written_whatever_dies() -> None:
    few = settings(
        REAL_TIME,
        max_examples=4,
        stateful_step_count=12,
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )

    run_machine(RealClientMachine, few, seed=0)


@pytest.mark.slow
def test_clients_are_given_what_was_written_whatever_dies_many_times() -> None:
    assert real_clients.main(["--programs", "500", "--workers", "4", "--minutes", "60"]) == 0
