"""Stories of consumers: what is committed and when, alone and with a pool of workers."""

from __future__ import annotations

from gallery_types import Story, story_of_mutant

CONSUMER_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "consumer",
        "may_poll_while_others_process",
        "polled_on_while_another_thread_processed",
        title="automatic commits, and the records are with another thread",
        cites="",
        states=8,
        cure="Prevented by committing what is finished, by hand: `worker_pool` models how.",
    ),
    story_of_mutant(
        "consumer",
        "consumer_close_with_records_in_hand",
        "closed_with_a_record_in_hand",
        title="processing fails, the consumer is closed, and the close commits the record",
        cites="",
        states=6,
        cure="Prevented by a seek back to the record that failed before the close, or by commits "
        "of what is processed: `enable.auto.commit=false`.",
    ),
    story_of_mutant(
        "consumer",
        "is_fetchable_while_revoking",
        "records_came_while_revoking",
        title="poll returns records of a partition that is being given back",
        cites="KAFKA-14196, KAFKA-14024",
        number="G38",
        states=10,
        cure="Cured by KAFKA-14196: nothing is returned of partitions that are to be revoked.",
    ),
    story_of_mutant(
        "consumer",
        "consumer_notice_loss_and_commit",
        "lost_partition_was_committed",
        title="a consumer commits a partition that it has lost",
        cites="KIP-429",
        states=6,
        cure="Cured by KIP-429: a lost partition has a callback of its own, in which nothing is "
        "committed.",
    ),
    story_of_mutant(
        "consumer",
        "application_commit_position",
        "whole_batch_was_committed_in_the_middle",
        variant="commit_after_processing",
        title="a commit without offsets covers records that are still in hand",
        cites="",
        states=6,
        cure="Prevented by naming the offsets: `commitSync(offsets)`.",
    ),
    story_of_mutant(
        "worker_pool",
        "poll_thread_commit_highest_finished",
        "committed_past_an_unfinished_record",
        title="a worker pool commits the highest finished offset",
        cites="",
        states=9,
        cure="Prevented by committing the finished prefix, and no more.",
    ),
    story_of_mutant(
        "worker_pool",
        "may_dispatch_in_turn",
        "two_workers_had_one_key",
        title="a worker pool deals records of one key to two workers",
        cites="",
        states=8,
        cure="Prevented by giving all of a key that is in flight to one worker.",
    ),
    story_of_mutant(
        "worker_pool",
        "poll_thread_finish_revocation_at_once",
        "partition_was_given_back_half_done",
        title="a partition is given back while a worker is in the middle of its record",
        cites="",
        states=8,
        cure="Prevented by waiting in the callback until the workers have finished.",
    ),
    story_of_mutant(
        "worker_pool",
        "consumer_assign_unpaused",
        "new_partition_was_not_paused",
        title="a partition is assigned while the pool is full, and nobody pauses it",
        cites="",
        states=7,
        cure="Prevented by pausing in the callback too.",
    ),
)

PICTURE_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "picture",
        "producer_retry_without_sequence",
        "record_was_sent_twice",
        title="a producer hears nothing, sends again, and the record is in the log twice",
        cites="KIP-98",
        states=4,
        cure="Cured by KIP-98 for producers with `enable.idempotence`: records have a sequence "
        "number, and the leader knows the ones that it has.",
    ),
    story_of_mutant(
        "picture",
        "leader_acknowledge_alone",
        "acknowledged_by_the_leader_alone",
        title="a record is acknowledged that the leader alone has",
        cites="",
        states=4,
        cure="Prevented by `acks=all` together with `min.insync.replicas`. Who sets `acks=1` "
        "chooses this loss.",
    ),
    story_of_mutant(
        "picture",
        "broker_die_last_in_sync",
        "nobody_was_left_in_sync",
        title="the last in-sync replica leaves the ISR when it dies",
        cites="",
        states=2,
        cure="Prevented by the controller, which leaves the last one in the ISR and the "
        "partition without a leader until that one is back.",
    ),
    story_of_mutant(
        "picture",
        "member_read_and_remove",
        "record_was_removed_when_read",
        title="reading takes the record away, as from a queue",
        cites="",
        states=7,
        cure="Prevented by the idea of a log: readers move their own position and nothing else.",
    ),
)
