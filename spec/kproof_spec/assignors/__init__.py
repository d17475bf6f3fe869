"""The assignors: how a leader deals the partitions of many topics out, as pure functions.

A member subscribes to some topics; each partition goes to one of those that subscribe to its
topic.  Four ways, in Kafka's order of age:

| module | balanced | remembers | partitions may move |
|---|---|---|---|
| `range` | topic by topic | nothing | at once |
| `round_robin` | over all topics, if subscriptions are equal | nothing | at once |
| `sticky` | as well as subscriptions allow | what members had | at once |
| `cooperative_sticky` | the same, in the end | what members own | only once given up |

They work on plain values: a member and a topic are names, a partition is a pair of topic and
number, and order is that of the names, as in Kafka.  `claims` says what each promises, and
`exhaust` tries all inputs of a size.
"""
