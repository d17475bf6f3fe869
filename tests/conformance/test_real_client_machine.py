"""The broker under real clients, with programs that Hypothesis writes."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from impl_support.clients_broker import eventually
from impl_support.real_client_machine import RealClientMachine

REAL_TIME = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=True,
)
"""Each step waits for sockets, processes and disks, and Hypothesis is not to mind."""


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
def test_clients_are_given_what_was_written_whatever_dies() -> None:
    few = settings(
        REAL_TIME,
        max_examples=4,
        stateful_step_count=12,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )

    run_state_machine_as_test(RealClientMachine, settings=few)


@pytest.mark.slow
def test_clients_are_given_what_was_written_whatever_dies_many_times() -> None:
    many = settings(REAL_TIME, max_examples=500, stateful_step_count=30)

    run_state_machine_as_test(RealClientMachine, settings=many)
