"""The assignors keep their promises, for all groups of a size; and promises can be broken."""

import itertools
from collections import Counter

import pytest

from kproof_spec.assignors import claims, cooperative_sticky, round_robin, sticky
from kproof_spec.assignors import range as range_assignor
from kproof_spec.assignors.exhaust import (
    broken_by_the_forgetful,
    broken_by_the_sticky,
    every_group,
    every_past,
)
from kproof_spec.assignors.inputs import Group, MemberId, Owned, Topic, TopicPartition

A, B, C = (MemberId(name) for name in "abc")
ONE, TWO = Topic("one"), Topic("two")

TWO_TOPICS = [(n, m) for n in range(1, 6) for m in range(1, 7 - n)]
"""Two topics with six partitions at most."""


def p(topic: Topic, *numbers: int) -> tuple[TopicPartition, ...]:
    """Some partitions of a topic."""
    return tuple(TopicPartition(topic, number) for number in numbers)


def group(sizes: dict[Topic, int], *members: MemberId, **owned: Owned) -> Group:
    """A group whose members subscribe to all topics."""
    subscriptions = dict.fromkeys(members, frozenset(sizes))
    return Group(sizes, subscriptions, {MemberId(m): had for m, had in owned.items()})


# Everything of a size


@pytest.mark.parametrize("members", [1, 2, 3, 4])
def test_range_and_round_robin_keep_their_promises_up_to_six_partitions(members: int) -> None:
    sizes = [*TWO_TOPICS, (1,), (2,), (3,), (4,), (5,), (6,)]
    groups = [g for size in sizes for g in every_group(members, size)]

    broken = Counter(name for g in groups for name in broken_by_the_forgetful(g))

    assert not broken


@pytest.mark.parametrize(
    ("members", "sizes"), [(1, (2, 2)), (2, (2, 1)), (2, (2, 2)), (3, (1, 1)), (3, (3,))]
)
def test_sticky_assignors_keep_their_promises_whatever_was_before(
    members: int, sizes: tuple[int, ...]
) -> None:
    pasts = [past for g in every_group(members, sizes) for past in every_past(g)]

    broken = Counter(name for g in pasts for name in broken_by_the_sticky(g, brute_force=True))

    assert not broken


@pytest.mark.slow
@pytest.mark.parametrize(("members", "sizes"), [(3, (2, 2)), (3, (3, 1)), (4, (2, 2))])
def test_sticky_assignors_keep_their_promises_up_to_four_partitions(
    members: int, sizes: tuple[int, ...]
) -> None:
    groups = list(every_group(members, sizes))

    broken = Counter(
        n for g in groups for past in every_past(g) for n in broken_by_the_sticky(past)
    )

    assert not broken


SUBSCRIPTIONS = list(
    itertools.combinations_with_replacement(
        [frozenset[Topic](), frozenset([ONE]), frozenset([TWO]), frozenset([ONE, TWO])], 4
    )
)
"""What four members may subscribe to, up to renaming of the members."""


@pytest.mark.slow
@pytest.mark.parametrize("chosen", SUBSCRIPTIONS, ids=range(len(SUBSCRIPTIONS)))
def test_sticky_assignors_keep_their_promises_for_four_members_and_six_partitions(
    chosen: tuple[frozenset[Topic], ...],
) -> None:
    names = [MemberId(name) for name in "abcd"]
    one = Group({ONE: 3, TWO: 3}, dict(zip(names, chosen, strict=True)))

    broken = Counter(name for past in every_past(one) for name in broken_by_the_sticky(past))

    assert not broken


# Cases to read


def test_range_may_leave_a_member_idle_where_round_robin_does_not() -> None:
    two_small_topics = group({ONE: 1, TWO: 1}, A, B)

    assert range_assignor.assign(two_small_topics) == {A: (*p(ONE, 0), *p(TWO, 0)), B: ()}
    assert round_robin.assign(two_small_topics) == {A: p(ONE, 0), B: p(TWO, 0)}


def test_range_gives_the_longer_ranges_to_the_first_members() -> None:
    assert range_assignor.assign(group({ONE: 5}, A, B, C)) == {
        A: p(ONE, 0, 1),
        B: p(ONE, 2, 3),
        C: p(ONE, 4),
    }


@pytest.mark.parametrize("assignor", [range_assignor, round_robin, sticky, cooperative_sticky])
def test_more_members_than_partitions_leave_the_surplus_idle(assignor: object) -> None:
    assignment = assignor.assign(group({ONE: 2}, A, B, C))  # type: ignore[attr-defined]  # a module

    assert [len(partitions) for partitions in assignment.values()] == [1, 1, 0]


def test_kip341_of_two_claims_the_higher_generation_wins() -> None:
    late, present = Owned(p(ONE, 0, 1), 1), Owned(p(ONE, 1), 2)

    assignment = sticky.assign(group({ONE: 2}, A, B, a=late, b=present))

    assert assignment == {A: p(ONE, 0), B: p(ONE, 1)}


def test_kip341_of_two_claims_in_one_generation_neither_counts() -> None:
    both = group({ONE: 2}, A, B, a=Owned(p(ONE, 0), 1), b=Owned(p(ONE, 0), 1))

    assert sticky.valid_owner(both, p(ONE, 0)[0]) is None
    assert claims.covers(both, sticky.assign(both))
    assert not any(p(ONE, 0)[0] in had for had in cooperative_sticky.assign(both).values())


def test_kip429_a_partition_is_given_up_before_it_is_handed_over() -> None:
    newcomer = group({ONE: 2}, A, B, a=Owned(p(ONE, 0, 1), 1))

    assert list(cooperative_sticky.rounds(newcomer)) == [
        {A: p(ONE, 0), B: ()},
        {A: p(ONE, 0), B: p(ONE, 1)},
    ]


def test_unequal_subscriptions_may_take_three_cooperative_rebalances() -> None:
    found = [
        len(list(cooperative_sticky.rounds(past)))
        for g in every_group(3, (2, 1))
        for past in every_past(g)
    ]

    assert max(found) == 3


# The promises can be broken


def test_an_assignor_that_hands_over_at_once_is_caught() -> None:
    newcomer = group({ONE: 2}, A, B, a=Owned(p(ONE, 0, 1), 1))

    assert not claims.is_handed_over_safely(newcomer, sticky.assign(newcomer))


def test_an_assignor_that_forgets_moves_more_than_it_must() -> None:
    swapped = group({ONE: 2}, A, B, a=Owned(p(ONE, 1), 1), b=Owned(p(ONE, 0), 1))

    assert claims.moved(swapped, round_robin.assign(swapped)) == 2
    assert claims.least_moved_by_shares(swapped) == 0
    assert claims.least_moved_by_brute_force(swapped) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {A: p(ONE, 0, 1), B: p(ONE, 1)},
        {A: p(ONE, 0), B: ()},
        {A: p(ONE, 0, 1)},
        {A: p(ONE, 0, 1), B: p(TWO, 0)},
    ],
    ids=["two owners", "no owner", "no member", "no such partition"],
)
def test_an_assignment_that_does_not_cover_is_caught(
    wrong: dict[MemberId, tuple[TopicPartition, ...]],
) -> None:
    assert not claims.covers(group({ONE: 2}, A, B), wrong)


def test_an_unbalanced_assignment_is_caught() -> None:
    two = group({ONE: 2}, A, B)
    wrong = {A: p(ONE, 0, 1), B: ()}

    assert not claims.is_balanced_by_topic(two, wrong)
    assert not claims.is_balanced_overall(two, wrong)
    assert not claims.has_no_better_move(two, wrong)
