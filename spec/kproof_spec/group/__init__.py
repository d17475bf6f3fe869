"""Consumer groups: how consumers share the partitions of a topic (the classic protocol).

Consumers that name the same `group.id` share out the partitions of what they read: each partition
has one reader in the group, and what is read is committed as an offset, so that whoever reads it
next goes on there.  Several groups read the same topic and know nothing of each other.  A topic has
as much parallelism as partitions: a member too many is idle.

One broker, the *coordinator*, counts the members; one of the members, the *leader*, deals the
partitions out.  Whenever somebody comes, goes or falls silent, the group rebalances:

    Empty --JoinGroup--> PreparingRebalance --all have joined--> CompletingRebalance
                                 ^                                         |
                                 |                                 the leader's SyncGroup
                                 |                                         v
                                 +------ somebody comes or goes ------- Stable

Each round is a *generation*.  A request says which one its sender is in, and the coordinator
refuses what comes from another: the fence between those who own a partition and those who did.

Four models, because they need not be looked at together; the product would be too large to search.

| model | variants | question |
|---|---|---|
| `group` | `eager`, `sticky`, `cooperative` | has each partition one owner at all times? |
| `group_offsets` | | does the committed offset stay right, with zombies and failovers about? |
| `group_settling` | | does the group come to rest, whatever happened to it? |
| `group_member_ids` | `dynamic`, `static` | is there a consumer behind each member, and only one? |

Read in this order:

| module | of | what is in it |
|---|---|---|
| `state` | `group` | what the coordinator knows and the members believe |
| `membership` | | JoinGroup and its barrier, LeaveGroup, Heartbeat, the timeouts |
| `assignment` | | the leader's deal, SyncGroup and its barrier |
| `clients` | | late answers |
| `failover` | | another coordinator, which reads the group from the offsets log |
| `eager` | | what must hold, and what must be seen |
| `mutants` | | how to get it wrong |
| `sticky`, `cooperative` | | to give back what members had; to keep it all along |
| `offsets`, `offsets_claims` | `group_offsets` | OffsetCommit, OffsetFetch; what must hold |
| `settling_state`, `settling`, `settling_claims` | `group_settling` | liveness, without numbers |
| `member_ids`, `static_members` | `group_member_ids` | where member ids come from |

The assignors, for any number of topics and any subscriptions, are in `kproof_spec.assignors`.  The
next generation of the protocol (KIP-848) moves the deal to the coordinator; it is not here.
"""
