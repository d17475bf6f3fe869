"""All groups of a size, for whoever wants to hold the assignors to their promises.

All subscriptions of all members are tried, also none, and all ways in which the partitions may have
been owned before.  `broken_by_...` name the promises that a group breaks, in words.

**Up to renaming.**  Of pasts that differ only in the numbers of partitions within a topic, one is
enough: no promise speaks of a number, and what the sticky assignors do is the same up to the same
renaming.  For they look at a number only to choose among partitions of one topic with the same
claims, and those are alike to everything that follows (`sticky.in_order_of_claims`).  With four
members and six partitions of one topic that leaves 210 pasts of 15,625.  Members and topics are not
renamed: an assignor deals in the order of their names, so each order is a case of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from . import claims, cooperative_sticky, round_robin, sticky
from . import range as range_assignor
from .inputs import Group, MemberId, Owned, Topic


def every_group(members: int, sizes: tuple[int, ...]) -> Iterator[Group]:
    """Every choice of subscriptions to topics of these sizes; a member may subscribe to none."""
    topics = [Topic(f"t{i}") for i in range(len(sizes))]
    names = [MemberId(f"m{i}") for i in range(members)]
    choices = [
        frozenset(chosen)
        for number in range(len(topics) + 1)
        for chosen in itertools.combinations(topics, number)
    ]
    for subscriptions in itertools.product(choices, repeat=members):
        yield Group(
            dict(zip(topics, sizes, strict=True)), dict(zip(names, subscriptions, strict=True))
        )


def every_past(group: Group) -> Iterator[Group]:
    """The group with every way in which its partitions may have been owned before.

    A partition had one owner or none; the owner may have changed its subscription since.
    """
    partitions = [p for topic in group.topics for p in group.partitions_of(topic)]
    for owners in itertools.product([None, *group.members], repeat=len(partitions)):
        had = list(zip(partitions, owners, strict=True))
        owned = {m: Owned(tuple(p for p, owner in had if owner == m), 1) for m in group.members}
        yield Group(group.partitions, group.subscriptions, owned)


def every_past_up_to_renaming(group: Group) -> Iterator[Group]:
    """The same, but of pasts that differ in the numbers of partitions within a topic only one."""
    ways = [
        itertools.combinations_with_replacement([None, *group.members], group.partitions[topic])
        for topic in group.topics
    ]
    for owners in itertools.product(*ways):
        owner_of = {
            p: owner
            for topic, chosen in zip(group.topics, owners, strict=True)
            for p, owner in zip(group.partitions_of(topic), chosen, strict=True)
        }
        owned = {
            m: Owned(tuple(p for p, owner in owner_of.items() if owner == m), 1)
            for m in group.members
        }
        yield Group(group.partitions, group.subscriptions, owned)


def broken_by_the_forgetful(group: Group) -> list[str]:
    """Which promises range and round-robin break; none, it is claimed."""
    by_range, in_turn = range_assignor.assign(group), round_robin.assign(group)
    kept = {
        "range covers": claims.covers(group, by_range),
        "range is balanced by topic": claims.is_balanced_by_topic(group, by_range),
        "round-robin covers": claims.covers(group, in_turn),
        "round-robin is balanced": not claims.has_equal_subscriptions(group)
        or claims.is_balanced_overall(group, in_turn),
    }
    return [name for name, holds in kept.items() if not holds]


def broken_by_the_sticky(group: Group, *, brute_force: bool = False) -> list[str]:
    """Which promises the sticky assignors break for a group with a past; none, it is claimed."""
    at_once = sticky.assign(group)
    is_equal = claims.has_equal_subscriptions(group)
    owned = {member: Owned(partitions, 2) for member, partitions in at_once.items()}
    again = sticky.assign(Group(group.partitions, group.subscriptions, owned))
    kept = {
        "sticky covers": claims.covers(group, at_once),
        "sticky has no better move": claims.has_no_better_move(group, at_once),
        "sticky is balanced": not is_equal or claims.is_balanced_overall(group, at_once),
        "sticky leaves alone what is balanced": again == at_once,
    }
    if is_equal and all(group.subscriptions[m] >= set(group.topics) for m in group.members):
        least = claims.least_moved_by_shares(group)
        kept["sticky moves no more than it must"] = claims.moved(group, at_once) == least
        if brute_force:
            kept["shares say the same as brute force"] = least == claims.least_moved_by_brute_force(
                group
            )
    rounds = list(cooperative_sticky.rounds(group))
    kept |= {
        "cooperative hands over safely": claims.is_handed_over_safely(group, rounds[0]),
        "cooperative takes no more than sticky": all(
            set(at_once[m]) & set(had.partitions) <= set(rounds[0][m])
            for m, had in group.owned.items()
        ),
        "cooperative ends covered": claims.covers(group, rounds[-1]),
        "cooperative ends balanced": claims.has_no_better_move(group, rounds[-1])
        and (not is_equal or claims.is_balanced_overall(group, rounds[-1])),
        "cooperative ends in two rebalances, or three": len(rounds) <= (2 if is_equal else 3),
    }
    return [name for name, holds in kept.items() if not holds]
