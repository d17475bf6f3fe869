"""What the assignors promise, each as a function that says whether an assignment keeps it."""

from __future__ import annotations

import itertools
from collections import Counter

from .inputs import Assignment, Group, Owned


def covers(group: Group, assignment: Assignment) -> bool:
    """Each partition that anybody subscribes to has exactly one owner, which subscribes to it.

    REF   GR1, GR2.
    """
    given = [p for partitions in assignment.values() for p in partitions]
    return (
        list(assignment) == group.members
        and sorted(given) == group.subscribed()
        and all(p.topic in group.subscriptions[m] for m, ps in assignment.items() for p in ps)
    )


def is_balanced_by_topic(group: Group, assignment: Assignment) -> bool:
    """No two subscribers of a topic differ by more than one in that topic: what range promises.

    REF   GR3.
    """
    for topic in group.topics:
        counts = [
            sum(p.topic == topic for p in assignment[member]) for member in group.subscribers(topic)
        ]
        if counts and max(counts) - min(counts) > 1:
            return False
    return True


def has_equal_subscriptions(group: Group) -> bool:
    """Whether all members subscribe to the same topics."""
    return len(set(group.subscriptions.values())) == 1


def is_balanced_overall(group: Group, assignment: Assignment) -> bool:
    """No two members differ by more than one, so exactly the members too many are idle.

    Promised for equal subscriptions, by all but range.  REF   GR3, GR4.
    """
    counts = [len(partitions) for partitions in assignment.values()]
    idle = counts.count(0)
    return max(counts) - min(counts) <= 1 and idle == max(len(counts) - len(group.subscribed()), 0)


def has_no_better_move(group: Group, assignment: Assignment) -> bool:
    """No partition could go to a member that subscribes to it and has two or more fewer.

    REF   KIP-54, the definition of balance for any subscriptions.
    """
    return not any(
        len(partitions) - len(assignment[taker]) >= 2 and p.topic in group.subscriptions[taker]
        for partitions in assignment.values()
        for p in partitions
        for taker in assignment
    )


def moved(group: Group, assignment: Assignment) -> int:
    """How many partitions a member had that it has not now."""
    had = group.owned.items()
    return sum(len(set(owned.partitions) - set(assignment[member])) for member, owned in had)


def least_moved_by_shares(group: Group) -> int:
    """The least that any balanced assignment moves, for equal subscriptions and valid claims.

    Who ends with one more than the others is free: all choices are tried.
    """
    number, members = len(group.subscribed()), group.members
    least, extra = divmod(number, len(members))
    had = Counter({m: len(group.owned.get(m, Owned()).partitions) for m in members})
    return min(
        sum(max(had[member] - least - (member in lucky), 0) for member in members)
        for lucky in itertools.combinations(members, extra)
    )


def least_moved_by_brute_force(group: Group) -> int:
    """The same, by a look at every way to give every partition to somebody."""
    partitions, members = group.subscribed(), group.members
    best = len(partitions)
    for owners in itertools.product(members, repeat=len(partitions)):
        counts = Counter(owners)
        if max(counts[m] for m in members) - min(counts[m] for m in members) <= 1:
            pairs = list(zip(partitions, owners, strict=True))
            assignment = {m: tuple(p for p, owner in pairs if owner == m) for m in members}
            best = min(best, moved(group, assignment))
    return best


def is_handed_over_safely(group: Group, assignment: Assignment) -> bool:
    """Nobody is given what another member has and has not given up.

    REF   GR11.
    """
    had = {p: m for m, owned in group.owned.items() for p in owned.partitions}
    return all(had.get(p, m) == m for m, partitions in assignment.items() for p in partitions)
