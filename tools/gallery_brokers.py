"""Stories of brokers: replication and the log of one partition, each told by a mutant."""

from __future__ import annotations

from gallery_types import Story, story_of_mutant

REPLICATION_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "replication",
        "end_of_shorter_log",
        "same_offset_different_records",
        title="two leaders in turn wrote different records at one offset, and nobody compares",
        cites="KIP-101, KAFKA-3919",
        number="G2",
        states=9,
        cure="Cured by KIP-101: a new follower truncates where its epochs and its leader's part.",
    ),
    story_of_mutant(
        "replication",
        "leader_expand_isr_at_once",
        "joined_the_isr_before_the_leader_knew_what_is_committed",
        title="a new leader's high watermark lags, and a follower has to reach no more than that",
        cites="KAFKA-7128",
        number="G7",
        states=12,
        cure="Cured by KAFKA-7128: to join the ISR a follower must also have reached the offset "
        "at which the leader's own epoch starts; all that was committed earlier is below "
        "it.",
    ),
    story_of_mutant(
        "replication",
        "controller_elect_leader_unclean",
        "unclean_leader",
        title="a replica that is not in sync is elected",
        cites="KIP-106",
        states=7,
        cure="Prevented by `unclean.leader.election.enable=false`, the default since KIP-106. "
        "Who sets it to true chooses this loss.",
    ),
    story_of_mutant(
        "replication",
        "is_leader_by_its_own_word",
        "deposed_leader_changed_the_isr",
        title="a leader that was deposed takes the true leader out of the ISR",
        cites="KIP-497",
        states=5,
        cure="Prevented by a conditional change: the one who asks names the version of the ISR "
        "that it knows, and an older one is refused.",
    ),
    story_of_mutant(
        "replication",
        "become_follower_of_whoever_is_named",
        "truncated_against_a_leader_that_did_not_know_it",
        title="a follower truncates against a leader that has not taken up its epoch yet",
        cites="KIP-320",
        states=14,
        cure="Prevented by KIP-320, where both have to be in the same epoch. This hole was found "
        "by leaving that half of the rule out; we know of no report from practice.",
    ),
    story_of_mutant(
        "replication_settling",
        "leader_raise_high_watermark_in_a_fetch",
        "nobody_looked_at_the_high_watermark",
        title="the last follower leaves the ISR, and nobody looks whether that commits anything",
        cites="KAFKA-13091",
        number="G14",
        states=6,
        here="The record is on all of the ISR, which is the leader alone, and is never committed.",
        cure="Cured by KAFKA-13091: the high watermark is looked at after every change of the ISR.",
    ),
    story_of_mutant(
        "replication_settling",
        "become_follower_of_another_only",
        "follower_stayed_in_an_old_epoch",
        title="a follower takes no notice of a new epoch under the same leader",
        states=8,
        here="b0 is in epoch 0 and is fenced by its leader in epoch 1, for ever.",
        cure="Prevented by taking every newer epoch for news, whoever leads in it: KIP-320 fences "
        "by epoch, so whoever follows has to be in the leader's.",
    ),
    story_of_mutant(
        "replication_settling",
        "has_session_while_it_leads",
        "dead_leader_was_waited_for",
        title="the controller waits for a leader to resign, and it is dead",
        states=3,
        here="b1 lives and is in sync, and nobody elects it.",
        cure="Prevented by sessions: a broker's ends by itself when its heartbeats stay away, "
        "whether it leads or not.",
    ),
)

COMPACTION_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "compaction",
        "cleaner_begin_past_the_high_watermark",
        "cleaned_past_the_high_watermark",
        title="compaction removes a committed value for one that is not committed, and is lost",
        cites="KAFKA-13194",
        number="G57",
        states=7,
        cure="Cured by KAFKA-13194: what may be cleaned ends at the last stable offset, and where "
        "that is not known, at the high watermark.",
    ),
    story_of_mutant(
        "compaction",
        "cleaner_step_in_the_second_round",
        "tombstone_was_removed_too_early",
        title="a tombstone is gone before a reader that has read the value comes by",
        cites="KIP-534",
        states=14,
        here="In this trace the reader has read the value before the rounds begin, and no time has "
        "passed when it arrives.",
        cure="Prevented by delete.retention.ms, which since KIP-534 counts from the first round "
        "that meets a tombstone; a reader that is slower than that still keeps the key.",
    ),
    story_of_mutant(
        "compaction",
        "cleaner_step_forgets_producers",
        "producer_was_forgotten_by_compaction",
        title="compaction removes the last batch of a producer, and with it its sequence number",
        cites="KAFKA-8335",
        states=8,
        cure="Cured by KAFKA-8335: the last batch of each producer that the log knows stays, "
        "without its records.",
    ),
)

LOG_STORIES: tuple[Story, ...] = (
    story_of_mutant(
        "log",
        "leader_append_fails_and_goes_on",
        "failed_append_was_left_in_the_file",
        title="an append fails half-way, and the next batch takes the same offset",
        cites="KAFKA-10778, KAFKA-7866",
        number="G22",
        states=3,
        cure="Cured by KAFKA-10778, after which nothing is appended once an append has failed, "
        "and KAFKA-7866, after which the log end offset moves as soon as the batch is "
        "written.",
    ),
    story_of_mutant(
        "log",
        "leader_flush_without_directory",
        "directory_was_not_flushed",
        title="the data of a new file is flushed, its name is not",
        cites="KAFKA-3968",
        number="G23",
        states=7,
        cure="Cured by KAFKA-3968: the flush of a new segment flushes its directory too.",
    ),
    story_of_mutant(
        "log",
        "leader_checkpoint_without_flush",
        "recovery_point_was_ahead_of_the_disk",
        title="a checkpoint says that data is on disk, and it is not",
        cites="",
        number="near G23",
        states=5,
        cure="Prevented by the order of writes: the data first, and then what says that it is "
        "there. Two tickets are near, and neither is this: KAFKA-16541, a checkpoint of leader "
        "epochs that was not flushed and was damaged by a crash, and KAFKA-17181, a snapshot of "
        "producers of which a part might be written.",
    ),
    story_of_mutant(
        "log",
        "recovered_end_offset_by_length",
        "torn_record_was_kept",
        title="recovery believes the length of the file",
        cites="",
        states=3,
        cure="Prevented by the CRC of each batch, which recovery checks from the recovery point "
        "on.",
    ),
    story_of_mutant(
        "log",
        "broker_recover_without_log_start",
        "log_ended_below_its_start",
        title="after a crash the log ends below the offset that it starts at",
        cites="KAFKA-10101",
        states=6,
        cure="Prevented by recovery itself: a log that would end below its start is deleted and "
        "begins anew at its start. KAFKA-10101 mended what was still wrong in that case.",
    ),
    story_of_mutant(
        "log",
        "cleaner_delete_beyond_high_watermark",
        "retention_deleted_what_was_not_committed",
        title="retention deletes records that are not committed yet",
        cites="KAFKA-5634",
        number="G20",
        states=4,
        cure="Cured by KAFKA-5634: only segments below the high watermark are deleted.",
    ),
    story_of_mutant(
        "log",
        "last_timestamp_is_expired",
        "young_record_was_deleted_with_an_old_one",
        title="a late producer's old timestamp takes a young record with it",
        cites="KIP-33, KIP-32",
        states=7,
        cure="Cured by KIP-33: a segment is as old as its largest timestamp.",
    ),
    story_of_mutant(
        "log",
        "leader_delete_records_and_checkpoint_later",
        "deleted_records_came_back",
        title="DeleteRecords is answered before the new log start is on disk",
        cites="KIP-107",
        states=5,
        here="In this trace a failed append takes the broker down, before the log start is on "
        "disk.",
        cure="Not cured: Kafka does so to this day, and a crash of every replica within a minute "
        "brings the records back. The model here writes first and answers then.",
    ),
    story_of_mutant(
        "log",
        "reader_fetch_to_log_end",
        "uncommitted_record_was_read",
        title="a consumer is given a record beyond the high watermark",
        cites="KAFKA-9835",
        number="G18",
        states=3,
        cure="Cured by KAFKA-9835, where a read looked at the size of the file twice, and an "
        "append came in between: it looks once.",
    ),
    story_of_mutant(
        "log",
        "controller_recreate_topic_over_old_files",
        "new_topic_began_with_old_records",
        title="a topic is deleted and made again, and finds its predecessor's files",
        cites="KIP-516, KAFKA-13488",
        states=3,
        cure="Cured by KIP-516: a topic has an id, which its successor of the same name has not.",
    ),
    story_of_mutant(
        "log",
        "reader_fetch_by_name",
        "reader_went_on_in_another_topic",
        title="a reader takes its position from a topic to another of the same name",
        cites="KIP-516",
        states=5,
        here="In this trace, the shortest, it had read nothing yet, and is given a record of a "
        "topic that it has never heard of.",
        cure="Cured by KIP-516: a fetch names the topic's id, and an unknown one is refused.",
    ),
)
