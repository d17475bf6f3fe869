"""The assignors keep their promises, for all groups of a size; and promises can be broken."""

import itertools
from collections import Counter
from math import comb, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_spec.assignors import claims, cooperative_sticky, round_robin, sticky
from kproof_spec.assignors import range as range_assignor
from kproof_spec.assignors.exhaust import (
    broken_by_the_forgetful,
    broken_by_the_sticky,
    every_group,
    every_past,
    every_past_up_to_renaming,
)
from kproof_spec.assignors.inputs import Assignment, Group, MemberId, Owned, Topic, TopicPartition
from strategies.effort import effort

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


Size = tuple[int, ...]


def how_many(members: int, size: Size) -> int:
    """How many groups there are, counted without making them: subscriptions, times shares."""
    shares = prod(comb(partitions + members, members) for partitions in size)
    return shares << len(size) * members


BOUNDS: list[tuple[int, Size]] = [
    (m, size) for m in range(1, 5) for size in [*TWO_TOPICS, *((n,) for n in range(1, 7))]
]
"""Four members, six partitions of one or two topics: 2,001,302 groups up to renaming."""
QUICK_BOUNDS = [(m, size) for m, size in BOUNDS if m * sum(size) <= 8]


def check_every_one_of(members: int, size: Size) -> None:
    """Every promise of the sticky assignors, for every group of a size with every past."""
    broken: Counter[str] = Counter()
    number = 0
    for g in every_group(members, size):
        for past in every_past_up_to_renaming(g):
            number += 1
            broken.update(broken_by_the_sticky(past))

    assert not broken
    assert number == how_many(members, size)
    print(f"{members} members, partitions {size}: {number:,} groups with their pasts")


def test_the_bounds_are_as_wide_as_they_are_said_to_be() -> None:
    assert sum(how_many(*bound) for bound in BOUNDS) == 2_001_302
    assert sum(how_many(*bound) for bound in QUICK_BOUNDS) == 10_922


@pytest.mark.parametrize(("members", "size"), QUICK_BOUNDS)
def test_sticky_assignors_keep_their_promises_in_small_groups(members: int, size: Size) -> None:
    check_every_one_of(members, size)


@pytest.mark.slow
@pytest.mark.parametrize(("members", "size"), [b for b in BOUNDS if b not in QUICK_BOUNDS])
def test_sticky_assignors_keep_their_promises_up_to_four_members_and_six_partitions(
    members: int, size: Size
) -> None:
    check_every_one_of(members, size)


Shape = Counter[tuple[Topic, MemberId | None, MemberId]]


def shape(past: Group, assignment: Assignment) -> Shape:
    """Of each topic, how many partitions went from whom to whom: all but their numbers."""
    owner_of = {p: m for m, had in past.owned.items() for p in had.partitions}
    given = ((p, m) for m, partitions in assignment.items() for p in partitions)
    return Counter((p.topic, owner_of.get(p), m) for p, m in given)


def shapes(past: Group) -> list[Shape]:
    """What sticky does with a past, and cooperative: it makes the past of its next round."""
    return [shape(past, a) for a in (sticky.assign(past), cooperative_sticky.assign(past))]


def renamed(past: Group) -> Group:
    """The past that stands for this one: of each topic, the owners in order."""
    owners = {p: m for m, had in past.owned.items() for p in had.partitions}
    sorted_owners: dict[TopicPartition, MemberId] = {}
    for topic in past.topics:
        partitions = past.partitions_of(topic)
        those = sorted(owners.get(p, MemberId("")) for p in partitions)
        sorted_owners |= dict(zip(partitions, those, strict=True))
    owned = {
        m: Owned(tuple(p for p, owner in sorted_owners.items() if owner == m), 1)
        for m in past.members
    }
    return Group(past.partitions, past.subscriptions, owned)


@pytest.mark.parametrize(("members", "sizes"), [(2, (2, 2)), (3, (3,)), (2, (3, 2)), (3, (2, 1))])
def test_the_numbers_of_partitions_make_no_difference(members: int, sizes: tuple[int, ...]) -> None:
    """What makes one past stand for all that differ in numbers within a topic only."""
    for g in every_group(members, sizes):
        for past in every_past(g):
            assert shapes(past) == shapes(renamed(past))


@effort(60)
@given(st.data())
def test_the_numbers_of_partitions_make_no_difference_in_large_groups(data: st.DataObject) -> None:
    names, topics = [MemberId(n) for n in "abcd"], [ONE, TWO]
    wanted = {m: frozenset(data.draw(st.sets(st.sampled_from(topics)))) for m in names}
    bare = Group({ONE: 3, TWO: 3}, wanted)
    owners = {
        partition: data.draw(st.sampled_from([None, *names]))
        for topic in topics
        for partition in bare.partitions_of(topic)
    }
    owned = {m: Owned(tuple(p for p, o in owners.items() if o == m), 1) for m in names}
    past = Group(bare.partitions, wanted, owned)

    assert shapes(past) == shapes(renamed(past))


@pytest.mark.parametrize("members", [1, 2, 3, 4])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_the_least_that_moves_is_what_brute_force_finds(members: int, number: int) -> None:
    """Who had how many is all that counts, so of equal shares one order is enough."""
    names = [MemberId(name) for name in "abcd"[:members]]
    for had in itertools.combinations_with_replacement(range(number + 1), members):
        if sum(had) > number:
            continue
        starts = itertools.accumulate(had, initial=0)
        owned = {
            m: Owned(p(ONE, *range(start, start + size)), 1)
            for m, size, start in zip(names, had, starts, strict=False)
        }
        past = Group({ONE: number}, dict.fromkeys(names, frozenset([ONE])), owned)

        assert claims.least_moved_by_shares(past) == claims.least_moved_by_brute_force(past)


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
