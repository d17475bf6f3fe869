"""The range assignor: topic by topic, consecutive partitions to members in the order of their ids.

Each topic is cut into as many ranges as it has subscribers; the first few are one longer if it does
not come out even.  So the same partition numbers of equally large topics meet at the same member,
which a join of two topics needs; and the first members get the extra one of *every* topic.  With
many small topics, the last members may have nothing at all.

REF: RangeAssignor of the Java client.
"""

from .inputs import Assignment, Group, MemberId, TopicPartition, made


def assign(group: Group) -> Assignment:
    """Deals the partitions out; what members had plays no part."""
    lists: dict[MemberId, list[TopicPartition]] = {member: [] for member in group.members}
    for topic in group.topics:
        subscribers = group.subscribers(topic)
        if not subscribers:
            continue
        partitions = group.partitions_of(topic)
        least, extra = divmod(len(partitions), len(subscribers))
        start = 0
        for i, member in enumerate(subscribers):
            end = start + least + (1 if i < extra else 0)
            lists[member] += partitions[start:end]
            start = end
    return made(lists)
