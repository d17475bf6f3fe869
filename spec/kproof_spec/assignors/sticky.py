"""The sticky assignor: as balanced as can be, and then with as little movement as can be (KIP-54).

**Promises, in this order.**

1. Balance.  No partition could go to a member that subscribes to its topic and has two or more
   fewer.  If all subscribe to the same topics, then no two differ by more than one.
2. Stickiness.  What was balanced stays as it was.  If all subscribe to the same topics, then no
   balanced assignment takes fewer partitions from members that had them.

**What members had.**  Each names partitions and the generation it had them in.  If two name the
same one, the higher generation wins; in the same generation none of them keeps it (KIP-341).

**How.**  Everyone keeps what it validly claims; the free partitions are dealt, each to a subscriber
with fewest; then, as long as there is a move that promise 1 forbids, the one between the most
unequal members is made.  Each such move brings two members closer, so there is an end.

REF: AbstractStickyAssignor of the Java client.
"""

from .inputs import Assignment, Group, MemberId, TopicPartition, made

Lists = dict[MemberId, list[TopicPartition]]


def assign(group: Group) -> Assignment:
    """Deals the partitions out so that members keep what they had as far as balance allows."""
    lists: Lists = {member: [] for member in group.members}
    keepers = {p: valid_owner(group, p) for p in in_order_of_claims(group)}
    for partition, keeper in keepers.items():
        if keeper is not None:
            lists[keeper].append(partition)
    for partition, keeper in keepers.items():
        if keeper is None:
            subscribers = group.subscribers(partition.topic)
            fewest = min(subscribers, key=lambda member: (len(lists[member]), member))
            lists[fewest].append(partition)
    while move := best_move(group, lists, keepers):
        giver, taker, partition = move
        lists[giver].remove(partition)
        lists[taker].append(partition)
    return made(lists)


def in_order_of_claims(group: Group) -> list[TopicPartition]:
    """The subscribed partitions by topic, by who claims them, and only then by number.

    So partitions of a topic with the same claims are interchangeable.
    """

    def claims(partition: TopicPartition) -> list[tuple[MemberId, int]]:
        return [
            (member, owned.generation_id)
            for member, owned in sorted(group.owned.items())
            if partition in owned.partitions
        ]

    return sorted(group.subscribed(), key=lambda p: (p.topic, claims(p), p.partition))


def valid_owner(group: Group, partition: TopicPartition) -> MemberId | None:
    """Who may keep a partition: the one member that claims it in the highest generation."""
    claims = [
        (owned.generation_id, member)
        for member, owned in sorted(group.owned.items())
        if member in group.subscriptions
        and partition.topic in group.subscriptions[member]
        and partition in owned.partitions
    ]
    latest = max((generation for generation, _ in claims), default=0)
    owners = [member for generation, member in claims if generation == latest]
    return owners[0] if len(owners) == 1 else None


def best_move(
    group: Group, lists: Lists, keepers: dict[TopicPartition, MemberId | None]
) -> tuple[MemberId, MemberId, TopicPartition] | None:
    """The move between the most unequal members, if two differ by two or more.

    Of several partitions, one that its present holder did not have before goes first.
    """
    order = {partition: i for i, partition in enumerate(keepers)}
    moves = [
        (len(lists[giver]) - len(lists[taker]), keepers[p] != giver, giver, taker, order[p], p)
        for giver in lists
        for taker in lists
        if len(lists[giver]) - len(lists[taker]) >= 2
        for p in lists[giver]
        if p.topic in group.subscriptions[taker]
    ]
    if not moves:
        return None
    _, _, giver, taker, _, partition = max(moves)
    return giver, taker, partition
