"""Placement of replicas: Kafka's own example, and every small size."""

from itertools import product

import pytest

from kproof_spec.placement import assign_replicas


def spread(numbers: list[int], brokers: int) -> int:
    """The most of anything on one broker, less the least."""
    counts = [numbers.count(broker) for broker in range(brokers)]
    return max(counts) - min(counts)


def test_ten_partitions_on_five_brokers_are_as_in_kafkas_documentation() -> None:
    assignment = assign_replicas(range(5), 10, 3)

    on_broker = [
        [[p for p in range(10) if assignment[p][place] == broker] for broker in range(5)]
        for place in range(3)
    ]
    assert on_broker == [
        [[0, 5], [1, 6], [2, 7], [3, 8], [4, 9]],
        [[4, 8], [0, 9], [1, 5], [2, 6], [3, 7]],
        [[3, 7], [4, 8], [0, 9], [1, 5], [2, 6]],
    ]


def test_every_small_size_is_balanced_and_no_broker_holds_a_partition_twice() -> None:
    cases = 0
    for brokers, partitions in product(range(1, 7), range(1, 13)):
        for factor, start, shift in product(range(1, brokers + 1), range(brokers), range(brokers)):
            assignment = assign_replicas(
                range(brokers), partitions, factor, start_index=start, first_shift=shift
            )

            assert len(assignment) == partitions
            assert all(len(set(replicas)) == factor for replicas in assignment)
            assert {b for replicas in assignment for b in replicas} <= set(range(brokers))
            assert spread([replicas[0] for replicas in assignment], brokers) <= 1
            cases += 1
    assert cases == 5_292


def test_replicas_are_balanced_where_partitions_are_dealt_in_whole_rounds() -> None:
    for brokers, rounds in product(range(1, 7), range(1, 4)):
        for factor in range(1, brokers + 1):
            assignment = assign_replicas(range(brokers), brokers * rounds, factor)

            assert spread([b for replicas in assignment for b in replicas], brokers) == 0


def test_followers_of_one_leader_are_on_different_brokers() -> None:
    for brokers in range(2, 7):
        assignment = assign_replicas(range(brokers), brokers * (brokers - 1), 2)

        for leader in range(brokers):
            followers = [replicas[1] for replicas in assignment if replicas[0] == leader]
            assert sorted(followers) == [b for b in range(brokers) if b != leader]


def test_partitions_that_are_added_go_on_where_the_first_ended() -> None:
    for brokers, first, added in product(range(1, 6), range(1, 7), range(1, 7)):
        factor = min(2, brokers)
        whole = assign_replicas(range(brokers), first + added, factor, start_index=1)
        rest = assign_replicas(range(brokers), added, factor, start_index=1, first_partition=first)

        assert [replicas[0] for replicas in rest] == [replicas[0] for replicas in whole[first:]]


def test_the_ids_of_brokers_are_theirs() -> None:
    assert assign_replicas([7, 1001], 2, 2) == [[7, 1001], [1001, 7]]


@pytest.mark.parametrize(("partitions", "factor"), [(0, 1), (1, 0), (1, 4)])
def test_what_kafka_refuses_is_refused(partitions: int, factor: int) -> None:
    with pytest.raises(ValueError, match="INVALID_"):
        assign_replicas([1, 2, 3], partitions, factor)
