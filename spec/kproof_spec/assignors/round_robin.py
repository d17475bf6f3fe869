"""The round-robin assignor: all partitions in a row, all members in a circle.

The next partition goes to the next member that subscribes to its topic.  If all subscribe to the
same topics no two differ by more than one; if they do not, they may differ by much.

REF: RoundRobinAssignor of the Java client.
"""

from .inputs import Assignment, Group, MemberId, TopicPartition, made


def assign(group: Group) -> Assignment:
    """Deals the partitions out; what members had plays no part."""
    members = group.members
    lists: dict[MemberId, list[TopicPartition]] = {member: [] for member in members}
    turn = 0
    for partition in group.subscribed():
        while partition.topic not in group.subscriptions[members[turn % len(members)]]:
            turn += 1
        lists[members[turn % len(members)]].append(partition)
        turn += 1
    return made(lists)
