"""Compaction: of each key the log keeps the last record, and a reader of the whole misses nothing.

A compacted log is a table in the form of a log.  A record says of its key what it is from now on; a
record without value, a *tombstone*, says that the key is no more.  Whoever reads from the start to
the end has the last value of each key.  The *cleaner* removes records that a later one of the same
key has superseded, so that such a reader has less to read and ends with the same.

The cleaner works in rounds.  A round has an end, beyond which it looks at nothing: never above the
high watermark, for what is not committed may yet go and must not take the place of what is; and
never into the active segment, which is being written to.  It goes from the oldest record to the end
of the round; what is superseded below that end goes.  A record keeps its offset whatever goes
before it, since readers remember offsets.

A tombstone has to stay for a while: a reader may be on the way who has read the value it deletes.
So the first round that meets it notes the time, and a round after `delete.retention.ms` removes it.
A reader that takes longer than that from the start to the end may keep a key that is deleted: Kafka
promises nothing to it, and it is a witness here, not a fault.

Two things stay though their records go, as a batch without records.  The last batch of a producer
with an id tells its last sequence number, by which a repeated batch is known.  The last batch of a
round tells where the log ends, should there be no more behind it.

First `state`: what there is, and the words to speak of it.  Then `cleaner`: what can happen.  Then
`properties`: what must hold.  Then `mutants`: each rule left out once, with its story.

**What is modelled.**  A batch is one record.  A record is known by the offset that it was written
at, so that a reader's table can say which value it has.  What a removed record was is remembered,
in its slot, for the properties; nobody reads it.  A step of the cleaner is one record: in a broker
it is a segment, which has fewer states in between.  Of time, only how long ago a tombstone was met,
and how long a reader has been on its way.  Uncommitted records may be truncated, as by a new
leader.  A crash ends a round half-way, so a start finds new segments before old ones.

**What is left out.**  When a round is worth it (`min.cleanable.dirty.ratio`, the two lags): any
time is allowed.  A map that is too small for all keys: it is a round that ends earlier.  Retention,
which is the model `log`'s.  Transactions, whose markers must stay as long as their records.
"""
