"""`__consumer_offsets` when the disk refuses, or when the topic itself is changed."""

from impl_support.group_members import (
    Consumer,
    commit_request,
    committed,
    grouped,
    settle,
)
from impl_support.list_log import ListStore
from kproof_impl.core.groups.group import Group
from kproof_impl.core.groups.offsets_log import fold
from kproof_impl.core.groups.rebalance import STORE_AGAIN_MS
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


class Refusing:
    """A broker whose offsets log can be made to refuse."""

    def __init__(self) -> None:
        self.store = ListStore()
        self.broker = grouped(store=self.store)

    def refuses(self, fails: bool = True) -> None:
        topic = self.broker.broker.topics.by_name[CONSUMER_OFFSETS]
        for (topic_id, _), log in self.store.logs.items():
            if topic_id == topic.topic_id:
                log.fails = fails


# -- a disk that refuses -----------------------------------------------------------------------


def test_a_commit_that_cannot_be_stored_changes_nothing_and_says_so() -> None:
    refusing = Refusing()
    broker = refusing.broker
    anna = Consumer(broker)
    settle(anna)
    anna.commit(5)
    refusing.refuses()

    assert anna.commit(6) == ErrorCode.NOT_COORDINATOR
    assert committed(broker) == 5
    other = broker.send(commit_request("another", {("orders", 0): 5}))
    assert other.topics[0].partitions[0].error_code == ErrorCode.NOT_COORDINATOR
    assert "another" not in broker.broker.groups.groups
    refusing.refuses(False)
    assert anna.commit(7) == ErrorCode.NONE


def test_an_assignment_that_cannot_be_stored_is_given_to_nobody() -> None:
    refusing = Refusing()
    broker = refusing.broker
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()
    anna.join()
    bert.late()
    assert bert.sync() is None
    refusing.refuses()

    refused = anna.sync({anna.member_id: b"all"})

    assert refused.error_code == bert.late().error_code == ErrorCode.NOT_COORDINATOR
    assert group_of(anna).state.value == "PreparingRebalance"
    refusing.refuses(False)
    settle(anna, bert)


def test_an_assignment_too_large_to_be_stored_is_given_to_nobody() -> None:
    broker = grouped()
    anna = Consumer(broker)
    anna.enter()

    refused = anna.sync({anna.member_id: b"x" * 1_100_000})

    assert refused.error_code == ErrorCode.UNKNOWN_SERVER_ERROR
    settle(anna)


def test_a_commit_too_large_for_one_batch_is_refused_whole() -> None:
    broker = grouped({"orders": 300})
    partitions = [OffsetCommitRequestPartition(index, 5, -1, "x" * 4_096) for index in range(300)]
    request = OffsetCommitRequest("g", topics=[OffsetCommitRequestTopic("orders", partitions)])

    answer = broker.send(request)

    assert {one.error_code for one in answer.topics[0].partitions} == {
        ErrorCode.UNKNOWN_SERVER_ERROR
    }
    assert committed(broker) == -1


def test_a_static_member_whose_new_id_cannot_be_stored_stays_who_it_was() -> None:
    refusing = Refusing()
    broker = refusing.broker
    old = Consumer(broker, instance_id="one")
    settle(old)
    refusing.refuses()
    new = Consumer(broker, instance_id="one")

    assert new.join().error_code == ErrorCode.NOT_COORDINATOR

    assert old.heartbeat() == ErrorCode.NONE
    assert group_of(old).leader == old.member_id
    refusing.refuses(False)
    assert new.join().error_code == ErrorCode.NONE
    assert old.heartbeat() == ErrorCode.FENCED_INSTANCE_ID


def test_a_new_group_that_cannot_be_stored_is_none() -> None:
    refusing = Refusing()
    broker = refusing.broker
    broker.send(commit_request("first", {("orders", 0): 5}))
    refusing.refuses()
    anna = Consumer(broker)

    assert anna.join().error_code == ErrorCode.NOT_COORDINATOR
    assert "g" not in broker.broker.groups.groups


def test_that_a_group_is_empty_is_stored_when_the_disk_allows_it_again() -> None:
    refusing = Refusing()
    broker = refusing.broker
    anna = Consumer(broker)
    settle(anna)
    refusing.refuses()
    anna.leave()
    assert group_of(anna).state.value == "Empty"
    broker.advance(STORE_AGAIN_MS)
    refusing.refuses(False)
    broker.advance(STORE_AGAIN_MS)

    broker.crash()

    assert (group_of(anna).state.value, group_of(anna).generation_id) == ("Empty", 2)


def test_offsets_that_cannot_be_removed_are_still_there() -> None:
    refusing = Refusing()
    broker = refusing.broker
    broker.send(commit_request("g", {("orders", 0): 5}))
    refusing.refuses()

    answer = broker.send(DeleteGroupsRequest(["g"]))

    assert answer.results[0].error_code == ErrorCode.NOT_COORDINATOR
    assert committed(broker) == 5


def test_offsets_of_a_topic_deleted_while_the_log_refused_are_gone_after_the_next_start() -> None:
    refusing = Refusing()
    broker = refusing.broker
    broker.send(commit_request("g", {("orders", 0): 5}))
    refusing.refuses()
    broker.broker.topics.delete([broker.broker.topics.by_name["orders"]])
    assert committed(broker) == -1
    refusing.refuses(False)

    for _ in range(2):
        broker.crash()
        assert committed(broker) == -1
    topic = broker.broker.topics.by_name[CONSUMER_OFFSETS]
    assert not any(fold(partition) for partition in topic.partitions)


# -- the topic itself --------------------------------------------------------------------------


def test_if_the_log_is_deleted_its_groups_are_gone_and_who_waits_is_sent_away() -> None:
    broker = grouped()
    anna, bert, cora = Consumer(broker), Consumer(broker), Consumer(broker, "h")
    settle(anna)
    anna.commit(5)
    assert bert.enter() is None
    settle(cora)
    dave = Consumer(broker, "h")
    dave.enter()
    cora.join()
    dave.late()
    assert dave.sync() is None

    broker.broker.topics.delete([broker.broker.topics.by_name[CONSUMER_OFFSETS]])
    broker.advance(0)

    assert bert.late().error_code == dave.late().error_code == ErrorCode.NOT_COORDINATOR
    assert anna.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID
    assert committed(broker) == -1
    broker.advance(1_000_000)
    anna.member_id = ""
    settle(anna)
    assert anna.commit(6) == ErrorCode.NONE
    broker.restart()
    assert committed(broker) == 6


def test_more_partitions_of_the_log_do_not_move_a_group_in_this_life() -> None:
    broker = grouped()
    broker.send(commit_request("g", {("orders", 0): 5}))
    topic = broker.broker.topics.by_name[CONSUMER_OFFSETS]
    broker.broker.topics.add_partitions([(topic, 7)])

    broker.send(commit_request("g", {("orders", 0): 6}))

    assert not any(one.log_end_offset for one in topic.partitions[4:])
    broker.restart()
    assert committed(broker) == 6
