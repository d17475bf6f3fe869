"""The consumer client: what it reads, what it claims to have read, and what it repeats or loses.

A consumer *polls* records, processes them, and *commits* offsets: "of this partition, everything
below is done".  Whoever reads the partition next begins there.  So all of delivery semantics is a
question of order, between the moment when a record is processed and the moment when a commit covers
it, with a crash, or a rebalance, at the worst moment in between.

`kproof_spec.consumer` has two models of one consumer:

| module | what |
|---|---|
| `state` | what brokers, the group and the client hold; the words to speak of it |
| `poll_loop` | the single-threaded loop `poll, process`: the steps that all variants share |
| `loop_properties` | what must hold in all variants |
| `auto_commit` | variant: `enable.auto.commit=true`, at least once; what is checked by default |
| `commit_after_processing` | variant: `commitSync` after the records; at least once |
| `commit_before_processing` | variant: `commitSync` before the records; at most once |
| `pool_state`, `worker_pool` | a poll thread that hands its records to a pool of workers |
| `pool_properties` | what must hold of it |
| `pool_mutants` | the worker pool gone wrong, eleven times |

The group is seen from this one consumer: a partition is assigned to it or to somebody else, and
who else is not said.  How a group comes to agree on that is the `group` models' matter.
"""
