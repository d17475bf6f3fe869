"""The cooperative sticky assignor: as `sticky`, but nothing changes hands in one step (KIP-429).

Members keep reading while the group rebalances.  So a partition that is to go from one member to
another is, this time, given to nobody: its owner sees that it lost it, stops, and joins again; then
it is free.  The second assignment is balanced and complete; where subscriptions differ, it may have
one more partition move, which takes a third.

REF: CooperativeStickyAssignor of the Java client, `adjustAssignment`.
"""

from collections.abc import Iterator

from . import sticky
from .inputs import Assignment, Group, MemberId, Owned, TopicPartition


def assign(group: Group) -> Assignment:
    """Deals out what `sticky` would, without what others still have."""
    return {
        member: tuple(p for p in partitions if not is_owned_by_another(group, member, p))
        for member, partitions in sticky.assign(group).items()
    }


def is_owned_by_another(group: Group, member: MemberId, partition: TopicPartition) -> bool:
    """Whether another member claims a partition, in a generation no older than this one's claim."""
    mine = claimed_in(group, member, partition)
    return any(
        other != member and claimed_in(group, other, partition) >= max(mine, 0)
        for other in group.members
    )


def claimed_in(group: Group, member: MemberId, partition: TopicPartition) -> int:
    """The generation in which a member claims a partition; -1 if it does not."""
    owned = group.owned.get(member, Owned())
    return owned.generation_id if partition in owned.partitions else -1


def rounds(group: Group) -> Iterator[Assignment]:
    """The assignments of one rebalance after the other, until nobody has to give anything up.

    After each, every member owns what it was assigned and says so.
    """
    while True:
        assignment = assign(group)
        yield assignment
        had = {member: set(group.owned.get(member, Owned()).partitions) for member in assignment}
        if all(had[member] <= set(assignment[member]) for member in assignment):
            return
        generation = 1 + max((owned.generation_id for owned in group.owned.values()), default=0)
        owned = {m: Owned(partitions, generation) for m, partitions in assignment.items()}
        group = Group(group.partitions, group.subscriptions, owned)
