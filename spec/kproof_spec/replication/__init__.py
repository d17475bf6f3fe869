"""How Kafka keeps a partition on several brokers, and the five rules it has tried.

A partition is a log.  One of its replicas leads: clients write to it, the other replicas follow it
by fetching what it has.  A record is *committed* once every replica of the in-sync set (the ISR)
has it; the leader's high watermark is the end of what is committed, and consumers see no further.
The promise is that a committed record is never lost, whoever leads next.

Everything here is about the moment when leadership moves.  A replica that begins to follow a new
leader may hold records that the new leader lacks, so it must cut its log back.  How far?  Cut too
little and two logs differ for ever; cut too much and a committed record is gone.  Kafka answered
four times, and each answer until the last had a hole.  Between the third and the last came a
first try at the last, which looks as good until a model such as this one is asked.

First `state` and `base`: what a replica holds, the steps that all variants share, what must hold.
Then `unfenced`, what the first three variants share, and one module for each rule:

| module | variant | what failed |
|---|---|---|
| `truncate_to_high_watermark` | of the same name | a follower's high watermark lags |
| `truncate_by_leader_epoch` | `kip_101` | the leader may never have seen that epoch |
| `truncate_to_last_common_record` | `kip_279` | a leader of another epoch may be asked |
| `fence_by_record_epoch` | `kip_320_first_try` | a stale leader may have matching records |
| `fence_by_leader_epoch` | `kip_320` | nothing that we know of |

Two models of their own follow.  `async_isr`: how the ISR changes by request and answer.
`settling_state`, `settling` and `settling_claims`: that a partition comes to rest by the steps of
`kip_320`, whatever happened to it.

`kip_320` is what Kafka does, and the variant that is checked when none is named.  The wrong ones
stay, each with its story: to see a rule fail is the quickest way to learn why the next one is as it
is.  Truncation to the high watermark and KIP-101 fail with two replicas; KIP-279 and the first try
need three, and more steps than one thinks of by hand.

After the TLA+ models of J. Gustafson, hachikuji/kafka-specification.
"""
