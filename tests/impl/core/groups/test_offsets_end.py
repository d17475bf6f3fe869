"""The end of committed offsets: OffsetDelete, expiry, topics that are deleted."""

from collections.abc import Mapping
from typing import Any

import pytest

from impl_support.group_members import (
    Consumer,
    commit_request,
    committed,
    grouped,
    settle,
    subscription,
)
from impl_support.stepping import Stepper
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
)

RETENTION_MS = 100_000
CHECK_MS = 10_000


def expiring(topics: Mapping[str, int] | None = None) -> Stepper:
    """A broker that forgets offsets soon."""
    return grouped(
        topics, offsets_retention_ms=RETENTION_MS, offsets_retention_check_interval_ms=CHECK_MS
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


# -- OffsetDelete ----------------------------------------------------------------------------------


def delete(broker: Stepper, *partitions: tuple[str, int], group: str = "g") -> Any:
    topics = [
        OffsetDeleteRequestTopic(topic, [OffsetDeleteRequestPartition(index)])
        for topic, index in partitions
    ]
    return broker.send(OffsetDeleteRequest(group, topics))


def test_kip496_offsets_of_a_group_without_members_are_deleted() -> None:
    broker = grouped()
    simple_commit(broker)

    answer = delete(broker, ("orders", 0), ("orders", 1), ("payments", 0))

    assert answer.error_code == ErrorCode.NONE
    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert codes(answer) == [ErrorCode.NONE, ErrorCode.NONE, unknown]
    broker.restart()
    assert fetched(broker) == {}


def test_kip496_offsets_of_a_topic_that_a_member_reads_are_kept() -> None:
    broker = grouped({"orders": 1, "payments": 1})
    anna = Consumer(broker, topics=["orders"])
    settle(anna)
    anna.commit(1, "orders")
    anna.commit(2, "payments")

    answer = delete(broker, ("orders", 0), ("payments", 0))

    assert codes(answer) == [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE]
    assert fetched(broker) == {("orders", 0): 1}


def test_kip496_if_it_cannot_be_told_what_the_members_read_everything_is_kept() -> None:
    broker = grouped()
    anna = Consumer(broker, protocols=[("range", b"not a subscription")])
    settle(anna)
    anna.commit(1)

    assert codes(delete(broker, ("orders", 0))) == [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]


def test_kip496_a_group_of_something_else_with_members_keeps_its_offsets() -> None:
    broker = grouped()
    worker = Consumer(broker)
    worker.protocol_type = "connect"
    settle(worker)

    assert delete(broker, ("orders", 0)).error_code == ErrorCode.NON_EMPTY_GROUP
    assert delete(broker, group="another").error_code == ErrorCode.GROUP_ID_NOT_FOUND
    assert delete(broker, group="").error_code == ErrorCode.INVALID_GROUP_ID


# -- the end of offsets ----------------------------------------------------------------------------


def test_kip211_offsets_of_somebody_in_no_group_expire_from_their_commit() -> None:
    broker = expiring()
    simple_commit(broker)
    broker.advance(RETENTION_MS - CHECK_MS)
    assert committed(broker) == 5

    broker.advance(2 * CHECK_MS)

    assert committed(broker) == -1
    assert not broker.broker.groups.groups, "a group without offsets and members is dead"
    broker.restart()
    assert not broker.broker.groups.groups


def test_kip211_offsets_of_a_group_expire_from_when_its_last_member_left() -> None:
    broker = expiring()
    anna = Consumer(broker, session_ms=1_800_000)
    settle(anna)
    anna.commit(5)
    for _ in range(RETENTION_MS // 20_000 + 1):
        broker.advance(20_000)
        assert anna.heartbeat() == ErrorCode.NONE
    assert committed(broker) == 5
    anna.leave()

    broker.advance(RETENTION_MS - CHECK_MS)
    assert committed(broker) == 5
    broker.advance(2 * CHECK_MS)

    assert committed(broker) == -1


def test_kip211_the_time_that_a_group_is_empty_survives_a_restart() -> None:
    broker = expiring()
    anna = Consumer(broker)
    settle(anna)
    anna.commit(5)
    anna.leave()
    broker.advance(RETENTION_MS - CHECK_MS)
    broker.restart()

    broker.advance(2 * CHECK_MS)

    assert committed(broker) == -1


def test_offsets_of_a_topic_that_no_member_reads_any_more_expire_in_a_stable_group() -> None:
    broker = expiring({"orders": 1, "payments": 1})
    anna = Consumer(broker, topics=["orders", "payments"], session_ms=1_800_000)
    settle(anna)
    anna.commit(1, "orders")
    anna.commit(2, "payments")
    anna.protocols = [("range", subscription("orders"))]
    anna.join()
    anna.sync({})

    for _ in range(RETENTION_MS // 20_000 + 2):
        broker.advance(20_000)
        assert anna.heartbeat() == ErrorCode.NONE

    assert fetched(broker) == {("orders", 0): 1}


def test_a_client_of_version_4_or_older_says_how_long_an_offset_is_kept() -> None:
    broker = expiring()
    request = commit_request("g", {("orders", 0): 5})
    request.retention_time_ms = CHECK_MS
    broker.send(request, 4)
    broker.restart()
    assert committed(broker) == 5

    broker.advance(2 * CHECK_MS)

    assert committed(broker) == -1


@pytest.mark.parametrize("retention_time_ms", [(1 << 63) - 1, -(1 << 63)])
def test_a_retention_time_beyond_all_time_is_no_fault(retention_time_ms: int) -> None:
    broker = expiring()
    request = commit_request("g", {("orders", 0): 5})
    request.retention_time_ms = retention_time_ms

    assert codes(broker.send(request, 4)) == [ErrorCode.NONE]
    assert committed(broker) == 5
    broker.advance(CHECK_MS)
    assert committed(broker) == (5 if retention_time_ms > 0 else -1)


def test_an_empty_group_that_has_handed_out_a_member_id_is_not_forgotten() -> None:
    broker = expiring()
    anna = Consumer(broker, session_ms=1_800_000)
    anna.ask_for_id()

    broker.advance(CHECK_MS)

    assert anna.join().error_code == ErrorCode.NONE


def test_the_offsets_of_a_topic_that_is_deleted_are_gone_for_all_groups() -> None:
    broker = expiring({"orders": 2, "payments": 1})
    for group in "ab":
        broker.send(commit_request(group, {("orders", 1): 5, ("payments", 0): 6}))

    broker.broker.topics.delete([broker.broker.topics.by_name["orders"]])
    broker.broker.groups.topic_deleted("orders")

    for _ in range(2):
        assert fetched(broker, "a") == fetched(broker, "b") == {("payments", 0): 6}
        broker.restart()


def test_offsets_of_a_topic_that_was_deleted_just_before_a_crash_are_gone_after_it() -> None:
    broker = expiring({"orders": 1, "payments": 1})
    simple_commit(broker)
    simple_commit(broker, 6, "payments")
    broker.broker.topics.delete([broker.broker.topics.by_name["orders"]])

    broker.crash()

    assert fetched(broker) == {("payments", 0): 6}
    broker.topic("orders")
    broker.restart()
    assert fetched(broker) == {("payments", 0): 6}
