"""OffsetCommit, OffsetFetch, OffsetDelete, and when offsets expire."""

from typing import Any

import pytest

from impl_support.group_members import (
    SESSION_MS,
    Consumer,
    commit_request,
    committed,
    grouped,
    settle,
)
from impl_support.stepping import Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)


def codes(response: Any) -> list[int]:
    return [one.error_code for topic in response.topics for one in topic.partitions]


def simple_commit(broker: Stepper, offset: int = 5, topic: str = "orders", **other: Any) -> int:
    """A commit of somebody who is in no group."""
    response = broker.send(commit_request("g", {(topic, 0): offset}, **other))
    return codes(response)[0]


def fetched(broker: Stepper, group: str = "g") -> dict[tuple[str, int], int]:
    """All offsets of a group."""
    request = OffsetFetchRequest([OffsetFetchRequestGroup(group, topics=None)])
    answer = broker.send(request).groups[0]
    assert answer.error_code == 0
    return {
        (topic.name, one.partition_index): one.committed_offset
        for topic in answer.topics
        for one in topic.partitions
    }


# -- OffsetCommit ----------------------------------------------------------------------------------


def test_a_member_of_the_present_generation_commits() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    assert anna.commit(5, partition=0) == anna.commit(7, partition=2) == ErrorCode.NONE

    assert fetched(broker) == {("orders", 0): 5, ("orders", 2): 7}


@pytest.mark.parametrize("change", [-1, 1])
def test_a_commit_of_another_generation_is_fenced(change: int) -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    anna.commit(5)

    code = anna.commit(9, generation_id=anna.generation_id + change)

    assert code == ErrorCode.ILLEGAL_GENERATION
    assert committed(broker) == 5


def test_a_commit_of_an_expelled_member_is_refused() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker, session_ms=60_000)
    settle(anna, bert)
    broker.advance(SESSION_MS)

    assert anna.commit(5) == ErrorCode.UNKNOWN_MEMBER_ID
    bert.join()
    assert anna.commit(5) == ErrorCode.UNKNOWN_MEMBER_ID
    assert committed(broker) == -1


def test_a_member_commits_what_it_has_done_before_it_joins_again() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()

    assert anna.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    assert anna.commit(5) == ErrorCode.NONE


def test_nobody_commits_before_there_is_an_assignment() -> None:
    anna = Consumer(grouped())
    anna.enter()

    assert anna.commit(5) == ErrorCode.REBALANCE_IN_PROGRESS


def test_somebody_in_no_group_commits_while_the_group_has_no_members() -> None:
    broker = grouped()
    assert simple_commit(broker, 5) == ErrorCode.NONE
    assert broker.broker.groups.groups["g"].is_simple
    anna = Consumer(broker)
    settle(anna)

    assert simple_commit(broker, 6) == ErrorCode.UNKNOWN_MEMBER_ID
    anna.leave()
    assert simple_commit(broker, 7) == ErrorCode.NONE
    assert committed(broker) == 7


def test_a_group_that_is_not_there_has_no_generation_to_commit_in() -> None:
    broker = grouped()
    request = commit_request("g", {("orders", 0): 5}, 3, "anna")

    assert codes(broker.send(request, 8)) == [ErrorCode.ILLEGAL_GENERATION]
    assert codes(broker.send(request, 9)) == [ErrorCode.GROUP_ID_NOT_FOUND]
    assert not broker.broker.groups.groups


def test_a_commit_to_a_topic_or_partition_that_is_not_there_fails_and_the_others_do_not() -> None:
    broker = grouped()
    offsets = {("orders", 0): 5, ("orders", 3): 5, ("orders", -1): 5, ("payments", 0): 5}

    answer = broker.send(commit_request("g", offsets))

    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert codes(answer) == [ErrorCode.NONE, unknown, unknown, unknown]
    assert [topic.name for topic in answer.topics] == ["orders", "payments"]
    assert fetched(broker) == {("orders", 0): 5}


def test_a_commit_of_nothing_that_is_there_does_not_ask_who_it_comes_from() -> None:
    broker = grouped()

    answer = broker.send(commit_request("g", {("payments", 0): 5}, 99, "zombie"))

    assert codes(answer) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    assert broker.send(OffsetCommitRequest("g", 99, "zombie")).topics == []


def test_metadata_may_have_4096_characters_and_no_more() -> None:
    broker = grouped()

    def commit(metadata: str) -> int:
        return codes(broker.send(commit_request("g", {("orders", 0): 5}, metadata=metadata)))[0]

    assert commit("x" * 4_097) == ErrorCode.OFFSET_METADATA_TOO_LARGE
    assert committed(broker) == -1
    assert commit("\N{EURO SIGN}" * 4_096) == ErrorCode.NONE
    broker.restart()
    request = OffsetFetchRequest([OffsetFetchRequestGroup("g", topics=None)])
    partition = broker.send(request).groups[0].topics[0].partitions[0]
    assert partition.metadata == "\N{EURO SIGN}" * 4_096


def test_a_fenced_commit_says_so_for_each_partition_that_is_there() -> None:
    broker = grouped()
    settle(Consumer(broker))
    large = [OffsetCommitRequestPartition(0, 1, -1, "x" * 5_000), OffsetCommitRequestPartition(1)]
    other = [OffsetCommitRequestPartition(9)]
    request = OffsetCommitRequest(
        "g", 1, "zombie", None, [OffsetCommitRequestTopic("orders", [*large, *other])]
    )

    unknown = ErrorCode.UNKNOWN_MEMBER_ID
    answer = broker.send(request)

    assert codes(answer) == [unknown, unknown, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_the_leader_epoch_and_the_metadata_come_back_as_they_were_committed() -> None:
    broker = grouped()
    one = OffsetCommitRequestPartition(1, 5, 3, "a note")
    broker.send(OffsetCommitRequest("g", topics=[OffsetCommitRequestTopic("orders", [one])]))

    for _ in range(2):
        request = OffsetFetchRequest([OffsetFetchRequestGroup("g", topics=None)])
        found = broker.send(request).groups[0].topics[0].partitions[0]
        assert (found.partition_index, found.committed_offset) == (1, 5)
        assert (found.committed_leader_epoch, found.metadata) == (3, "a note")
        broker.restart()


def test_a_group_id_may_be_empty_for_somebody_in_no_group() -> None:
    broker = grouped()

    assert codes(broker.send(commit_request("", {("orders", 0): 5}))) == [ErrorCode.NONE]
    assert committed(broker, "") == 5


def test_a_group_id_that_cannot_be_stored_is_refused() -> None:
    broker = grouped()

    answer = broker.send(commit_request("g" * 32_768, {("orders", 0): 5}))

    assert codes(answer) == [ErrorCode.INVALID_GROUP_ID]


# -- OffsetFetch -----------------------------------------------------------------------------------


def test_what_is_not_known_has_offset_minus_1_and_no_error() -> None:
    broker = grouped()
    simple_commit(broker, 5)
    topics = [OffsetFetchRequestTopics("orders", [1, 99]), OffsetFetchRequestTopics("none", [0])]

    for group in ("g", "another", ""):
        request = OffsetFetchRequest([OffsetFetchRequestGroup(group, topics=topics)])
        answer = broker.send(request).groups[0]
        assert answer.error_code == 0
        for topic in answer.topics:
            for one in topic.partitions:
                assert (one.error_code, one.committed_offset) == (ErrorCode.NONE, -1)
                assert (one.committed_leader_epoch, one.metadata) == (-1, "")


def test_all_offsets_of_a_group_that_is_not_there_are_none() -> None:
    assert fetched(grouped()) == {}


def test_kip709_several_groups_are_answered_at_once_in_their_order() -> None:
    broker = grouped()
    for number, group in enumerate("abc"):
        broker.send(commit_request(group, {("orders", 0): number}))
    wanted = [OffsetFetchRequestTopics("orders", [0])]
    request = OffsetFetchRequest(
        [OffsetFetchRequestGroup("c", topics=wanted), OffsetFetchRequestGroup("a", topics=None)],
        require_stable=True,
    )

    answer = broker.send(request)

    told = [(g.group_id, g.topics[0].partitions[0].committed_offset) for g in answer.groups]
    assert told == [("c", 2), ("a", 0)]


def test_groups_know_nothing_of_each_other() -> None:
    broker = grouped()
    broker.send(commit_request("a", {("orders", 0): 1}))
    broker.send(commit_request("b", {("orders", 0): 2}))

    assert (committed(broker, "a"), committed(broker, "b")) == (1, 2)
