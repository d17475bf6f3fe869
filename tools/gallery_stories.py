"""The stories of the gallery: what happens, why it is bad, and what became of it.

The first five are told here, step by step: the known holes in replication.  Each is one of the
shortest counterexamples of its variant.  `make_gallery` lets the specification take the steps and
writes the trace; the text goes into the trace's `story`.  The others are in files of their own.
"""

from __future__ import annotations

from gallery_brokers import COMPACTION_STORIES, LOG_STORIES, REPLICATION_STORIES
from gallery_clients import GROUP_STORIES, ORDERING_STORIES
from gallery_consumers import CONSUMER_STORIES, PICTURE_STORIES
from gallery_types import Story


def _replication(replicas: int, size: int, records: int, epoch: int) -> dict[str, int]:
    return {
        "replicas": replicas,
        "log_size": size,
        "max_records": records,
        "max_leader_epoch": epoch,
    }


HOLES_IN_REPLICATION = (
    Story(
        name="truncated_below_what_was_committed",
        title="a follower truncates to its high watermark, which lags",
        cites="KIP-101, KAFKA-1211",
        number="G1",
        model="replication",
        variant="truncate_to_high_watermark",
        breaks="strong_isr",
        constants=_replication(2, 1, 1, 2),
        states=10,
        steps=(
            "controller_elect_leader(replica=b0)",
            "become_leader(leader=b0, epoch=0)",
            "become_follower(leader=b0, follower=b1, epoch=0)",
            "leader_write(leader=b0)",
            "follower_fetch(leader=b0, follower=b1)",
            "leader_raise_high_watermark(leader=b0)",
            "controller_elect_leader(replica=b1)",
            "controller_elect_leader(replica=b0)",
            "become_follower(leader=b0, follower=b1, epoch=2)",
        ),
        text="""\
A follower throws away a record that is committed, because it has not heard yet that it is.

b0 leads, b1 follows and copies the one record. b0 sees that its whole ISR has the record, raises
its high watermark to 1 and shows the record to consumers. b1 learns the new high watermark only
with its next fetch, so its own is still 0.

Now the controller moves the leadership to b1 and at once back to b0. b1 misses the first request
and takes the second: it is to follow b0 in a new epoch. Before 0.11 a new follower kept what was
below its own high watermark and fetched the rest again. That is nothing, and so b1 empties its log.

Why it loses data: b1 is in the ISR, so it may be elected this very moment. If b0 fails before b1
has fetched again, b1 leads with an empty log, and a record that a consumer has read is gone.

Cured by KIP-101 (KAFKA-1211): records carry the epoch of the leader that wrote them, and a follower
asks the leader where its last epoch ends instead of trusting its own high watermark.""",
    ),
    Story(
        name="leader_never_saw_the_epoch",
        title="the leader does not know the epoch, and the follower falls back on the old rule",
        cites="KIP-279, KAFKA-6361",
        number="G3",
        model="replication",
        variant="kip_101",
        breaks="strong_isr",
        constants=_replication(2, 2, 2, 2),
        states=12,
        steps=(
            "controller_elect_leader(replica=b0)",
            "become_leader(leader=b0, epoch=0)",
            "become_follower(leader=b0, follower=b1, epoch=0)",
            "leader_write(leader=b0)",
            "follower_fetch(leader=b0, follower=b1)",
            "leader_raise_high_watermark(leader=b0)",
            "controller_elect_leader(replica=b1)",
            "become_leader(leader=b1, epoch=1)",
            "leader_write(leader=b1)",
            "controller_elect_leader(replica=b0)",
            "become_follower(leader=b0, follower=b1, epoch=2)",
        ),
        text="""\
A follower asks about an epoch of which its leader never heard, gets no answer, and falls back on
the old rule with the old flaw.

b0 leads in epoch 0; its record is on b1 too and is committed. b1's own high watermark lags and is
still 0. Then b1 is elected, takes up epoch 1 and writes a record of its own. b0 learns nothing of
that epoch. The controller elects b0 again, and b1 is told to follow it in epoch 2.

b1's last record is of epoch 1, so by KIP-101 it asks b0 where epoch 1 ends. b0 has no record of
epoch 1 and none of a later one, and says "undefined". For that case KIP-101 falls back on the
follower's high watermark, which is 0: b1 drops its own record, rightly, and with it the committed
one.

Why it loses data: b1 is in the ISR without a record that consumers have seen. If it is elected
before it has fetched, the record is gone.

Cured by KIP-279 (KAFKA-6361): the leader answers with the largest epoch it has that is no larger
than the one asked for, and where that one ends; the follower steps back, epoch by epoch, until both
name the same. Here both would have named epoch 0 and kept its record.""",
    ),
    Story(
        name="leader_of_another_epoch_is_asked",
        title="a follower in an old epoch is counted, then truncates against a leader in between",
        cites="KIP-320, KAFKA-7395",
        number="G4",
        model="replication",
        variant="kip_279",
        breaks="strong_isr",
        constants=_replication(3, 1, 1, 2),
        states=11,
        steps=(
            "controller_elect_leader(replica=b0)",
            "controller_elect_leader(replica=b2)",
            "controller_elect_leader(replica=b0)",
            "become_leader(leader=b0, epoch=2)",
            "leader_shrink_isr(leader=b0, follower=b2)",
            "leader_write(leader=b0)",
            "become_follower(leader=b0, follower=b1, epoch=0)",
            "follower_fetch(leader=b0, follower=b1)",
            "leader_raise_high_watermark(leader=b0)",
            "become_follower(leader=b2, follower=b1, epoch=1)",
        ),
        text="""\
A follower that lives in the past is counted by a leader of the present, and then truncates against
a leader from in between.

The controller elects b0, then b2, then b0 again: epochs 0, 1 and 2. b0 hears of epoch 2 alone,
leads in it, drops b2 from the ISR and writes a record. b1 is behind: it takes the request of
epoch 0, which says that b0 leads. So it fetches from b0, and gets the record, although the one is
in epoch 0 and the other in epoch 2. b0 counts b1, has the whole ISR with it, and commits.

Then b1 takes the next request that reaches it, the one of epoch 1: b2 leads. It asks b2 what they
have in common. b2 has nothing, and b1 truncates to nothing, exactly as KIP-279 tells it.

Why it loses data: b1 is in the ISR without a committed record. The rule of truncation is right by
now; what is wrong is who was asked, and who was counted. It takes three replicas, which is why a
check with two finds no fault in KIP-279.

Cured by KIP-320 (KAFKA-7395): fetches and questions about epochs carry the sender's current leader
epoch, and a replica in another epoch refuses them (FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH). b0
would not have served b1, nor counted it.""",
    ),
    Story(
        name="matching_records_in_different_epochs",
        title="the records match, the epochs of the replicas do not",
        cites="KIP-320, KAFKA-7395",
        number="G5",
        model="replication",
        variant="kip_320_first_try",
        breaks="strong_isr",
        constants=_replication(3, 1, 1, 2),
        states=13,
        steps=(
            "controller_elect_leader(replica=b0)",
            "controller_elect_leader(replica=b2)",
            "become_leader(leader=b2, epoch=1)",
            "controller_elect_leader(replica=b0)",
            "become_leader(leader=b0, epoch=2)",
            "leader_shrink_isr(leader=b0, follower=b2)",
            "leader_write(leader=b0)",
            "become_follower(leader=b0, follower=b1, epoch=0)",
            "follower_fetch(leader=b0, follower=b1)",
            "leader_raise_high_watermark(leader=b0)",
            "become_follower(leader=b2, follower=b1, epoch=1)",
            "follower_truncate(leader=b2, follower=b1)",
        ),
        text="""\
Comparing the epochs of records is not enough: the epochs in which the two replicas are have to be
compared.

The first try at KIP-320 lets a leader serve, and count, a follower whose last record is of the same
epoch as its own record there. A follower that does not fit truncates to what both have in common.

b0 leads in epoch 2, has dropped b2 from the ISR and has written a record. b2 still takes itself for
the leader of epoch 1; its log is empty. b1 takes the request of epoch 0, follows b0 and fetches:
its log was empty, so nothing could mismatch. Now its last record is of epoch 2, just as b0's, so
b0 counts it and commits. Only then b1 takes the request of epoch 1 and follows b2, sees that its
log is longer than b2's, and truncates it.

Why it loses data: b1 is in the ISR without a committed record, as in the story of KIP-279. The rule
is harder to break by now: the leader in between has to know that it leads, and truncation is a step
of its own. Two more steps are enough.

Cured by KIP-320 as it was released (KAFKA-7395): what is compared is the current leader epoch of
both replicas. b1, in epoch 0, would have been refused by b0, in epoch 2, whatever its records.""",
    ),
    Story(
        name="isr_grew_before_the_leader_knew",
        title="a leader commits without the follower that it asked to take in",
        cites="KIP-497",
        number="G6",
        model="async_isr",
        mutant="high_watermark_over_the_known_isr",
        breaks="valid_high_watermark",
        constants={"replicas": 2, "max_offset": 1, "max_version": 2},
        states=6,
        steps=(
            "controller_shrink_isr(follower=f0)",
            "leader_handle_update(update=VersionedIsr(in_sync_followers={}, version=1))",
            "leader_request_expand_isr(follower=f0)",
            "controller_handle_request(request=VersionedIsr(in_sync_followers={f0}, version=1))",
            "leader_write()",
        ),
        text="""\
A leader commits without a follower that it has itself asked to take into the ISR.

The controller takes the only follower for dead and removes it from the ISR; the leader hears of it.
The follower comes back, with nothing to catch up on, so the leader asks to have it in the ISR
again. The controller agrees: from now on the follower may be elected. The answer is on its way, and
as far as the leader knows, it is still alone. It writes a record, and because it waits for nobody,
the record is committed at once.

Why it loses data: the follower is in the ISR that is in force, without the record. If the leader
fails now, the follower leads, and a record that consumers have read is gone.

Prevented by KIP-497, which brought this way of changing the ISR: the high watermark waits for the
maximal ISR, which is everyone in the ISR that the leader knows and everyone in any that it has
asked for. This trace is of a mutant that leaves the second half out.""",
    ),
)

STORIES: tuple[Story, ...] = (
    *HOLES_IN_REPLICATION,
    *REPLICATION_STORIES,
    *LOG_STORIES,
    *COMPACTION_STORIES,
    *ORDERING_STORIES,
    *GROUP_STORIES,
    *CONSUMER_STORIES,
    *PICTURE_STORIES,
)
"""In the order of the table in docs/gallery.md."""

__all__ = ["STORIES", "Story"]
