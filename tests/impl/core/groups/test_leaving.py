"""LeaveGroup: one or many, each with its own answer."""

from impl_support.group_members import Consumer, grouped, settle
from kproof_impl.core.groups.group import Group
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.leave_group import LeaveGroupRequest, MemberIdentity


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def test_who_leaves_is_no_member_and_the_others_rebalance() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)

    answer = anna.leave()

    assert (answer.error_code, answer.members[0].error_code) == (ErrorCode.NONE, ErrorCode.NONE)
    assert bert.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    assert [one.member_id for one in bert.join().members] == [bert.member_id]


def test_the_last_one_leaves_an_empty_group_in_a_generation_of_its_own() -> None:
    anna = Consumer(grouped())
    settle(anna)

    anna.leave()

    assert (group_of(anna).state.value, group_of(anna).generation_id) == ("Empty", 2)
    assert anna.leave().members[0].error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_many_leave_at_once_each_with_its_own_answer_and_one_rebalance() -> None:
    broker = grouped()
    anna, bert, cora = (Consumer(broker) for _ in range(3))
    settle(anna, bert, cora)
    before = group_of(anna).generation_id

    answer = broker.send(
        LeaveGroupRequest(
            "g",
            [
                MemberIdentity(anna.member_id),
                MemberIdentity("somebody"),
                MemberIdentity("", "no such instance"),
                MemberIdentity(bert.member_id, "no such instance"),
                MemberIdentity(bert.member_id),
                MemberIdentity(bert.member_id),
                MemberIdentity(""),
            ],
        )
    )

    unknown = ErrorCode.UNKNOWN_MEMBER_ID
    codes = [one.error_code for one in answer.members]
    assert codes == [0, unknown, unknown, unknown, 0, unknown, unknown]
    assert [one.member_id for one in cora.join().members] == [cora.member_id]
    assert group_of(cora).generation_id == before + 1


def test_nobody_leaves_a_group_that_is_not_there() -> None:
    broker = grouped()

    answer = broker.send(LeaveGroupRequest("g", [MemberIdentity("a"), MemberIdentity("b")]))
    nameless = broker.send(LeaveGroupRequest("", [MemberIdentity("a")]))

    assert [one.error_code for one in answer.members] == [ErrorCode.UNKNOWN_MEMBER_ID] * 2
    assert nameless.error_code == ErrorCode.INVALID_GROUP_ID


def test_a_member_id_that_was_handed_out_can_be_given_back() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.ask_for_id()

    assert bert.leave().members[0].error_code == ErrorCode.NONE

    assert not group_of(anna).pending_members
    assert anna.heartbeat() == ErrorCode.NONE, "it was no member, so nothing changes"
    assert bert.join().error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_giving_a_member_id_back_lets_the_barrier_be_passed() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.ask_for_id()
    assert anna.join() is None

    bert.leave()

    assert anna.late().generation_id == 2


def test_a_member_that_leaves_while_the_others_wait_lets_the_barrier_be_passed() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    leader, other = (anna, bert) if anna.leads else (bert, anna)
    assert leader.join() is None

    other.leave()

    assert [one.member_id for one in leader.late().members] == [leader.member_id]


def test_a_join_or_sync_that_waits_is_answered_when_somebody_else_removes_the_member() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    assert bert.enter() is None
    broker.send(LeaveGroupRequest("g", [MemberIdentity(bert.member_id)]))
    assert bert.late().error_code == ErrorCode.UNKNOWN_MEMBER_ID

    bert.member_id = ""
    bert.enter()
    anna.join()
    bert.late()
    assert bert.sync() is None
    broker.send(LeaveGroupRequest("g", [MemberIdentity(bert.member_id)]))

    assert bert.late().error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_the_initial_delay_goes_on_when_one_of_several_leaves() -> None:
    broker = grouped(group_initial_rebalance_delay_ms=3_000)
    anna, bert = Consumer(broker), Consumer(broker)
    assert anna.enter() is None
    assert bert.enter() is None

    broker.send(LeaveGroupRequest("g", [MemberIdentity(bert.member_id)]))
    assert anna.late() is None
    broker.advance(6_000)

    assert [one.member_id for one in anna.late().members] == [anna.member_id]


def test_a_group_that_everybody_leaves_during_the_initial_delay_is_empty_at_once() -> None:
    broker = grouped(group_initial_rebalance_delay_ms=3_000)
    anna = Consumer(broker)
    assert anna.enter() is None

    broker.send(LeaveGroupRequest("g", [MemberIdentity(anna.member_id)]))

    assert anna.late().error_code == ErrorCode.UNKNOWN_MEMBER_ID
    assert group_of(anna).state.value == "Empty"
    broker.advance(10_000)
    assert group_of(anna).generation_id == 1
