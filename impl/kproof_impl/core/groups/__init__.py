"""Consumer groups: the classic protocol, committed offsets, and their log.

Kafka's coordinator, for one node.  Read in this order:

| module | what is in it |
|---|---|
| `member`, `group` | what is known of a member and of a group; nothing happens there |
| `rebalance` | the life of a group: joining, the two barriers, leaving, sessions |
| `answers` | what members are told |
| `member_requests` | JoinGroup, SyncGroup, Heartbeat, LeaveGroup: who may, and which answer |
| `joining` | the cases of JoinGroup |
| `offsets`, `offset_requests` | OffsetCommit, OffsetFetch, OffsetDelete, expiry |
| `offset_records`, `offsets_log` | `__consumer_offsets`: what is stored, and read again |
| `group_coordinator` | all groups of the broker |
| `coordinators`, `admin_requests` | FindCoordinator; DescribeGroups, ListGroups, DeleteGroups |

REF   Kafka protocol guide, "Group Membership API"; KIP-62, KIP-345, KIP-394, KIP-211.
"""
