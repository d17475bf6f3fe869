"""What order Kafka keeps, and what order it does not: two producers, several partitions.

A partition is read in the order of its writing.  Between partitions there is no order at all: each
has its own consumer, and one may be hours ahead of another.  So events that must be seen in order
have to be in one partition, and that is what a record's key is for: with the same key go to the
same partition, as long as everybody computes the partition alike and their number does not change.

The story is a shop.  An order is created, then it is paid; a consumer that is told of the payment
first does not know the order.  Each event is sent after the one before it was acknowledged, so
nobody sends in the wrong order, and still it can be seen so:

| module | variant | pay before create? |
|---|---|---|
| `by_key` | of the same name | never |
| `round_robin` | of the same name | in three steps |
| `sticky` | of the same name: no key, one partition for each batch | in four |
| `partitions_added` | of the same name: by key, and the topic grows | in five: the key moves |

`base` has the state, the consumer and the properties; the mutants are in `by_key`.

**What is modelled.**  Of a key only its hash, any number; the partition is the hash modulo the
number of partitions, as in `kproof_spec.partitioner`, where the hashes themselves are.  What was
consumed is dropped from the log: nobody reads it again here.

**What is left out.**  Everything that can go wrong inside a partition: see `log` and `replication`.
"""
