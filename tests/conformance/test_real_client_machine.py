"""The broker under real clients, with programs that Hypothesis writes."""

import pytest
from hypothesis import Phase, settings

import real_clients
from impl_support.clients_broker import eventually
from impl_support.real_client_machine import RealClientMachine
from impl_support.real_client_programs import REAL_TIME, run_machine


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
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )

    run_machine(RealClientMachine, few, seed=0)


@pytest.mark.slow
def test_clients_are_given_what_was_written_whatever_dies_many_times() -> None:
    assert real_clients.main(["--programs", "500", "--workers", "4", "--minutes", "60"]) == 0
