"""One partition's log on one broker: the idea that all of Kafka stands on.

A log is records in the order of their writing.  A record's *offset* is its place, counted from 0;
it never changes, and nothing else finds a record.  Writers only append at the *log end offset*.
Readers only move a position of their own, so that what one reads changes nothing for another.
Records go at the old end only, at the *log start offset*, by age, by size, or when an operator asks
(DeleteRecords).

On disk a log is a row of *segments*, files named by the offset of their first record.  The last one
is active: appends go there.  Retention deletes whole segments, never the active one, and never one
that reaches beyond the *high watermark*, the end of what is committed and may be read.

A file's tail is in the operating system's memory until it is flushed.  When the machine crashes,
the tail may be lost, or cut, or hold a page that was never written: a *torn* record.  The broker
remembers a *recovery point* below which all is flushed; after a crash it reads on from there,
record by record, and truncates at the first whose CRC is wrong.  So what was flushed survives, and
nothing that is torn is ever read.

First `state`: what there is, and the words to speak of it.  Then `partition`: what can happen.
Then `properties`: what must hold.  Then `mutants`: each rule left out once, with its story.  A
model of its own follows in `settling_state`, `settling` and `settling_claims`: that what may be
deleted goes in the end.

**What is modelled.**  A batch is one record of size 1.  Of a record's content only what the claims
ask about: how many batches in the file claim its offset (more than one is a fault), whether its CRC
is right, the incarnation of the topic (its id) it was written to.  Of time only each record's age,
which counts up to one more than the retention time: retention asks nothing else, so a clock that
goes on for ever has few states.  Ages are those of CreateTime: a producer may send an old record.
The high watermark rises by itself, as if followers fetched; after a restart it is at its lowest, as
if no checkpoint of it was found.

**What is left out.**  Followers and leader epochs: see `replication`.  Indexes, which can be built
again from the records.  Compaction.  A clean shutdown: it is a flush and then a crash that loses
nothing.  The delay between a segment's deletion and its file's: nobody reads it in between.

Kafka promises less in one point: it writes the log start offset to a checkpoint once a minute
(`log.flush.start.offset.checkpoint.interval.ms`), not before it answers DeleteRecords.  The mutant
`leader_delete_records_and_checkpoint_later` shows what a crash does then.  And of two things it
promises nothing, so they are witnesses here, not faults: a reader that is too slow finds its offset
gone, and what is committed but not flushed is lost if the only replica's machine crashes.
"""
