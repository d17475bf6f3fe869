"""Stories of producers and groups: which partition, whose partition, which offset."""

from __future__ import annotations

from gallery_types import Story, story_of_mutant

ORDERING_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "ordering",
        "partition_by_each_clients_default",
        "two_clients_hashed_differently",
        title="two producers put one key into two partitions",
        cites="",
        states=5,
        cure="Prevented by one partitioner for all who write a topic: `murmur2_random` in "
        "librdkafka is what Java's client does.",
    ),
    story_of_mutant(
        "ordering",
        "producer_send_pay_while_create_is_retried",
        "retry_came_behind_a_later_request",
        title="a request that failed is sent again, behind one that was sent later",
        cites="KAFKA-5494",
        number="G53",
        states=4,
        cure="Prevented by the idempotent producer, whose brokers refuse what is out of "
        "sequence; KAFKA-5494 made that work with up to five requests in flight.",
    ),
    Story(
        name="key_moved_to_another_partition",
        title="a topic gets a partition more, and a key moves there",
        cites="KIP-195",
        model="ordering",
        variant="partitions_added",
        breaks="no_order_is_paid_before_it_is_created",
        constants={"orders": 1, "partitions": 1, "max_partitions": 2, "hashes": 2},
        states=6,
        text="""\
A topic gets a partition more between two records of the same key.

The creation of an order is in the only partition there is, and waits. An operator adds a partition.
The payment has the same key, but its hash is now taken modulo two, and it goes to the new
partition, whose reader is quicker.

What it breaks, `no_order_is_paid_before_it_is_created`:
Events of one key take effect in the order in which they were sent.

Not a fault: Kafka promises the order of a key only as long as the number of partitions stays. Begin
with enough of them, or move to a new topic.""",
    ),
    Story(
        name="order_was_lost_between_two_batches",
        title="records without a key: the producer draws another partition",
        cites="KIP-480, KIP-794",
        model="ordering",
        variant="sticky",
        breaks="no_order_is_paid_before_it_is_created",
        constants={"orders": 1, "partitions": 2, "max_partitions": 2, "hashes": 2},
        states=5,
        steps=(
            "producer_send_create(producer=SHOP, order=o0)",
            "producer_begin_batch(producer=SHOP, partition=1)",
            "producer_send_pay(producer=SHOP, order=o0)",
            "consumer_process(partition=1)",
        ),
        text="""\
Two records without a key go to two partitions, although everything went to one in the test.

A producer keeps to one partition for a batch. Between the creation of an order and its payment the
batch ends, and the next one goes elsewhere. A small test fits into one batch and never shows it.

What it breaks, `no_order_is_paid_before_it_is_created`:
Events of one key take effect in the order in which they were sent.

Not a fault: without a key nothing is promised. What has to stay in order needs a key.""",
    ),
)

GROUP_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "group",
        "member_receive_heartbeat_of_any_generation",
        "late_refusal_ended_a_good_generation",
        title="a late answer of an old generation makes a member give up the new one",
        cites="KAFKA-9823",
        number="G37",
        states=19,
        cure="Cured by KAFKA-9823: a member remembers in which generation it asked.",
    ),
    story_of_mutant(
        "group_offsets",
        "coordinator_commit_and_refuse_the_sender",
        "late_refusal_of_a_commit_ended_a_tenure",
        title="a late refusal of an old commit makes the owner give the partition up",
        cites="KAFKA-9823",
        number="G37",
        states=9,
        cure="Cured by KAFKA-9823: a consumer remembers in which generation it committed.",
    ),
    story_of_mutant(
        "group",
        "coordinator_fail_over_to_an_empty_group",
        "new_coordinator_knew_no_group",
        title="a new coordinator answers before it has read the offsets log",
        cites="KAFKA-5600",
        number="near G40",
        states=9,
        cure="Prevented by COORDINATOR_LOAD_IN_PROGRESS until all is read. In KAFKA-5600 the "
        "reading itself went wrong and left stale metadata.",
    ),
    story_of_mutant(
        "group",
        "leader_sync_before_storing",
        "generation_was_used_twice",
        title="an assignment is handed out before it is stored, and the coordinator fails",
        cites="",
        states=16,
        cure="Prevented by storing first: SyncGroup is answered when the offsets log has it.",
    ),
    story_of_mutant(
        "group",
        "member_receive_join_and_object",
        "group_rebalanced_without_end",
        title="each rebalance gives a member a reason for the next",
        cites="",
        number="G46",
        states=10,
        cure="Prevented by joining again only for a change of members, subscriptions or "
        "metadata. KAFKA-12495 is near, and another matter: Connect's workers were left with "
        "uneven work because no round of revocation might follow another.",
    ),
    story_of_mutant(
        "group",
        "may_keep_what_it_remembers",
        "two_members_claimed_one_partition",
        variant="sticky",
        title="a claim from an old generation counts like a fresh one",
        cites="KAFKA-7026, KIP-341, KAFKA-12984",
        number="G35",
        states=24,
        cure="Cured by KIP-341, and again by KAFKA-12984 for the cooperative assignor: a claim "
        "carries its generation, the highest wins, and of two equal ones neither counts.",
    ),
    story_of_mutant(
        "group",
        "member_is_unknown_and_reads_on",
        "expelled_member_kept_its_partitions",
        variant="cooperative",
        title="a member that was expelled joins again and still reads what it had",
        cites="KAFKA-12983, KAFKA-13406",
        number="G36",
        states=21,
        cure="Cured by KAFKA-12983: who loses its member id gives up its partitions before it "
        "joins.",
    ),
    story_of_mutant(
        "group",
        "leader_sync_at_once",
        "partition_was_handed_over_in_one_round",
        variant="cooperative",
        title="an eager assignor in a cooperative group",
        cites="KIP-429",
        states=17,
        cure="Prevented by KIP-429's two rounds: a partition is given up in one rebalance and "
        "given away in the next. All members have to have a cooperative assignor before any "
        "drops eager.",
    ),
    story_of_mutant(
        "group",
        "has_no_room_to_keep",
        "every_rebalance_moved_partitions",
        variant="cooperative",
        title="an assignor that forgets, in a group whose members rejoin to give up",
        cites="KIP-429",
        number="G46",
        states=27,
        cure="Prevented by sticky assignors: what need not move stays, so that the second round "
        "is the last.",
    ),
    story_of_mutant(
        "group_offsets",
        "is_accepted_from_anyone",
        "zombie_moved_the_offset_back",
        title="a commit from an expelled member is accepted",
        cites="",
        states=7,
        here="In this trace, the shortest, nobody owns the partition yet when the commit comes.",
        cure="Prevented by the fence: a commit names member and generation, and others are "
        "refused.",
    ),
    story_of_mutant(
        "group_offsets",
        "is_accepted_by_member",
        "commit_of_an_earlier_tenure_counted",
        title="a slow commit arrives when its sender owns the partition again",
        cites="",
        states=13,
        here="In this trace nobody else had the partition in between. The old commit covers more "
        "than its sender, who began anew, has read by now; its next commit takes the offset "
        "back.",
        cure="Prevented by the fence: the generation has to fit, and not only the member.",
    ),
    story_of_mutant(
        "group_offsets",
        "has_sent_a_commit",
        "read_on_behind_the_last_commit",
        title="the last commit before a revocation is not awaited",
        cites="KAFKA-14196, KAFKA-14024",
        number="G38",
        states=8,
        cure="Cured by KAFKA-14196: nothing is fetched of partitions that are to be revoked, and "
        "the member joins when its commit is answered.",
    ),
    story_of_mutant(
        "group_offsets",
        "may_expire_while_quiet",
        "offset_of_a_quiet_group_expired",
        title="committed offsets expire although the group is there",
        cites="KIP-211, KAFKA-4682",
        number="G41",
        states=7,
        cure="Cured by KIP-211: the clock starts when the group becomes empty.",
    ),
    story_of_mutant(
        "group_offsets",
        "coordinator_commit_before_storing",
        "acknowledged_commit_was_lost",
        title="a commit is acknowledged before it is stored, and the coordinator fails",
        cites="",
        states=7,
        cure="Prevented by acks=all for the offsets log: the answer waits until it is replicated.",
    ),
    story_of_mutant(
        "group_member_ids",
        "consumer_join_without_id",
        "phantom_member",
        title="a consumer that asks again is counted twice",
        cites="KIP-394, KAFKA-7610",
        number="G42",
        states=3,
        cure="Cured by KIP-394: MEMBER_ID_REQUIRED gives an id first, and only who returns with "
        "it is a member.",
    ),
    story_of_mutant(
        "group_member_ids",
        "consumer_come_back_without_leaving",
        "restart_left_a_member_behind",
        title="a consumer that restarts is a new member, and the old one still counts",
        cites="KIP-345",
        states=8,
        cure="Cured by KIP-345 for who uses it: with a `group.instance.id` the new process takes "
        "the place of the old one.",
    ),
    story_of_mutant(
        "group_member_ids",
        "is_replaced_when_stable",
        "two_members_with_one_instance_id",
        variant="static",
        title="two processes with one group.instance.id meet in a rebalance",
        cites="KAFKA-8500",
        number="G34",
        states=3,
        cure="Cured by KAFKA-8500: the member id is replaced in every state of the group, and "
        "the old one is fenced.",
    ),
    story_of_mutant(
        "group_settling",
        "has_session_after_the_first_heartbeat",
        "phantom_member_stopped_the_group",
        title="a member dies before its first heartbeat, and the group waits for it for ever",
        cites="KAFKA-7610, KIP-394",
        states=5,
        here="Nothing is possible after the last step, and nobody has anything to read.",
        cure="Cured by KAFKA-7610: a session begins with the first JoinGroup. After KIP-394 a "
        "client that never hears its member id is no member either.",
    ),
    story_of_mutant(
        "group_settling",
        "may_keep_nothing",
        "members_chased_each_others_revocations",
        title="each rebalance gives somebody a reason for the next one",
        cites="KIP-429",
        states=29,
        here="The steps after state 13 lead back to it.",
        cure="Prevented by stickiness: an owner keeps what balance lets it keep, so that each "
        "rebalance leaves less to move.",
    ),
)
