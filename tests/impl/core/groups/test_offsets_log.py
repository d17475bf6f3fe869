"""`__consumer_offsets`: what is stored comes back, the log stays short, a disk may refuse."""

import pytest

from impl_support.compacted import records_in
from impl_support.group_members import (
    SESSION_MS,
    Consumer,
    commit_request,
    committed,
    grouped,
    settle,
)
from impl_support.stepping import Stepper
from kproof_impl.core.groups.group import Group
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import batch_of


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def test_the_topic_is_made_with_the_first_that_is_stored_as_kafka_makes_it() -> None:
    broker = grouped()
    assert committed(broker) == -1
    assert not broker.broker.topics.has_committed_offsets()

    broker.send(commit_request("g", {("orders", 0): 5}))

    topic = broker.broker.topics.by_name[CONSUMER_OFFSETS]
    assert topic.is_internal
    assert len(topic.partitions) == 4
    assert topic.configs["cleanup.policy"] == "compact"


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_group_is_after_a_restart_in_the_generation_it_was_in(is_clean: bool) -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    anna.commit(5)

    if is_clean:
        broker.restart()
    else:
        broker.crash()

    assert committed(broker) == 5
    assert group_of(anna).state.value == "Stable"
    assert anna.heartbeat() == bert.heartbeat() == ErrorCode.NONE
    assert anna.sync().assignment == anna.assignment
    assert anna.commit(6) == ErrorCode.NONE
    assert anna.commit(7, generation_id=anna.generation_id - 1) == ErrorCode.ILLEGAL_GENERATION


def test_members_have_a_whole_session_after_a_restart_and_then_they_are_expelled() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    broker.advance(SESSION_MS - 1)
    broker.restart()

    broker.advance(SESSION_MS - 1)
    assert anna.heartbeat() == ErrorCode.NONE
    broker.advance(1)

    assert list(group_of(anna).members) == [anna.member_id]
    assert anna.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    assert anna.join().generation_id == anna.generation_id


def test_a_rebalance_that_was_not_complete_is_not_remembered() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()
    anna.join()
    bert.late()
    assert group_of(anna).generation_id == 2

    broker.restart()

    assert group_of(anna).generation_id == 1
    assert list(group_of(anna).members) == [anna.member_id]
    assert anna.heartbeat() == ErrorCode.ILLEGAL_GENERATION
    assert bert.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_the_leader_after_a_restart_is_the_one_before_and_a_rebalance_goes_its_way() -> None:
    broker = grouped()
    consumers = [Consumer(broker) for _ in range(3)]
    settle(*consumers)
    leader = group_of(consumers[0]).leader

    broker.restart()

    for one in consumers:
        one.is_waiting = False
    assert group_of(consumers[0]).leader == leader
    settle(*consumers, Consumer(broker))
    assert group_of(consumers[0]).leader == leader


def test_a_group_that_is_empty_keeps_its_generation_over_a_restart() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    anna.leave()

    broker.restart()

    assert (group_of(anna).state.value, group_of(anna).generation_id) == ("Empty", 2)
    assert bert.enter().generation_id == 3


def test_a_deleted_group_does_not_come_back() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)
    anna.commit(5)
    anna.leave()
    broker.send(DeleteGroupsRequest(["g"]))

    broker.restart()

    assert not broker.broker.groups.groups
    assert committed(broker) == -1


def test_groups_of_all_partitions_of_the_log_come_back() -> None:
    broker = grouped()
    for number in range(20):
        broker.send(commit_request(f"group-{number}", {("orders", 0): number}))
    used = broker.broker.topics.by_name[CONSUMER_OFFSETS].partitions
    assert all(one.log_end_offset for one in used)

    broker.restart()

    assert [committed(broker, f"group-{number}") for number in range(20)] == list(range(20))


def test_one_request_is_one_batch() -> None:
    broker = grouped()
    broker.send(commit_request("g", {("orders", index): index for index in range(3)}))

    (partition,) = (
        one
        for one in broker.broker.topics.by_name[CONSUMER_OFFSETS].partitions
        if one.log_end_offset
    )
    data = partition.log.read(0, 1 << 20, partition.log_end_offset, at_least_one=True)

    header = header_at(data)
    assert (header.size_bytes, header.records_count) == (len(data), 3)
    assert header.base_timestamp == broker.now_ms


def test_what_is_no_record_of_a_group_is_passed_over() -> None:
    broker = grouped()
    broker.send(commit_request("g", {("orders", 0): 5}))
    for partition in broker.broker.topics.by_name[CONSUMER_OFFSETS].partitions:
        strange: list[tuple[bytes | None, bytes | None]] = [
            (b"\x00\x03newer", b"?"),
            (b"", b"?"),
            (None, b"no key"),
            (b"\x00\x02\x00\x01h", b"\x00\x63"),
        ]
        data = batch_of(strange, broker.now_ms)
        partition.append(header_at(data), data, broker.now_ms)

    broker.restart()

    assert committed(broker) == 5
    assert list(broker.broker.groups.groups) == ["g"]


def compacting(topics: dict[str, int] | None = None) -> Stepper:
    """A broker whose offsets log has small segments, so that the cleaner has something to do."""
    return grouped(topics, offsets_topic_segment_bytes=500)


def test_a_log_that_grows_long_is_compacted() -> None:
    broker = compacting()
    anna = Consumer(broker)
    settle(anna)
    for offset in range(200):
        assert anna.commit(offset, partition=offset % 3) == ErrorCode.NONE
        broker.advance(1_000)
        assert anna.heartbeat() == ErrorCode.NONE
        assert records_left(broker) <= 60
        assert committed(broker, partition=offset % 3) == offset

    broker.restart()
    assert [committed(broker, partition=index) for index in range(3)] == [198, 199, 197]
    assert anna.heartbeat() == ErrorCode.NONE


@pytest.mark.parametrize("is_clean", [True, False])
def test_after_any_slice_of_a_compaction_the_groups_are_the_same(
    is_clean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kproof_impl.storage.cleaning.SLICE_BYTES", 1)
    slices = 0
    while True:
        broker = compacting()
        anna, bert = Consumer(broker), Consumer(broker)
        settle(anna, bert)
        for offset in range(20):
            assert anna.commit(offset, partition=offset % 3) == ErrorCode.NONE
        bert.leave()
        broker.advance(1_100)
        before = image_of(broker)
        steps = [
            partition.clean(broker.now_ms, 1 << 20).is_done
            for partition in broker.broker.topics.by_name[CONSUMER_OFFSETS].partitions
            if partition.log.log_end_offset
            for _ in range(slices)
        ]
        if is_clean:
            broker.restart()
        else:
            broker.crash()
        assert image_of(broker) == before
        slices += 1
        if any(steps):
            break
    assert slices > 20


def records_left(broker: Stepper) -> int:
    partitions = broker.broker.topics.by_name[CONSUMER_OFFSETS].partitions
    return sum(
        len(records_in(one.log.read(facts.base_offset, 1 << 20, facts.end_offset, True)))
        for one in partitions
        for facts in one.log.segment_facts()
        if facts.size_bytes
    )


def image_of(broker: Stepper) -> dict[str, object]:
    """What the coordinator knows of its groups that outlives it."""
    return {
        name: (group.generation_id, group.stored_value, sorted(group.all_offsets()))
        for name, group in broker.broker.groups.groups.items()
    }
