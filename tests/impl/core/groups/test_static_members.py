"""Static members: a process that is started again takes its old place (KIP-345, KIP-814)."""

import pytest

from impl_support.group_members import SESSION_MS, Consumer, grouped, settle
from impl_support.stepping import Stepper
from kproof_impl.core.groups.group import Group
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.leave_group import LeaveGroupRequest, MemberIdentity


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def stable(broker: Stepper) -> tuple[Consumer, Consumer]:
    """A stable group of a leader and a follower, both static."""
    pair = Consumer(broker, instance_id="one"), Consumer(broker, instance_id="two")
    settle(*pair)
    return pair if pair[0].leads else (pair[1], pair[0])


def again(consumer: Consumer) -> Consumer:
    """The same instance, started again: it has no member id."""
    return Consumer(consumer.broker, instance_id=consumer.instance_id)


def test_kip345_a_static_member_needs_no_member_id_to_join() -> None:
    anna = Consumer(grouped(), instance_id="one")

    joined = anna.join()

    assert joined.error_code == ErrorCode.NONE
    assert joined.member_id.startswith("one-")
    assert joined.members[0].group_instance_id == "one"


def test_kip345_a_follower_started_again_takes_its_place_without_a_rebalance() -> None:
    leader, follower = stable(grouped())
    generation_id = follower.generation_id
    new = again(follower)

    joined = new.join()

    assert (joined.error_code, joined.generation_id) == (ErrorCode.NONE, generation_id)
    assert joined.member_id not in ("", follower.member_id)
    assert (joined.leader, joined.members, joined.skip_assignment) == (leader.member_id, (), False)
    assert new.sync().assignment == follower.assignment
    assert group_of(leader).state.value == "Stable"
    assert leader.heartbeat() == ErrorCode.NONE


def test_kip814_a_leader_started_again_leads_and_is_told_not_to_deal_again() -> None:
    leader, follower = stable(grouped())
    new = again(leader)

    joined = new.join(9)

    assert joined.skip_assignment
    assert joined.leader == new.member_id
    told = [one.member_id for one in joined.members]
    assert sorted(told) == sorted([new.member_id, follower.member_id])
    assert new.sync().assignment == leader.assignment
    assert group_of(leader).leader == new.member_id


@pytest.mark.parametrize("version", [5, 6, 7, 8])
def test_before_kip814_a_leader_started_again_is_told_that_its_old_id_leads(version: int) -> None:
    leader, _ = stable(grouped())
    new = again(leader)

    joined = new.join(version)

    assert (joined.leader, joined.members) == (leader.member_id, ())
    assert not joined.skip_assignment
    assert group_of(leader).leader == new.member_id


def test_kip345_the_old_member_id_is_fenced_everywhere() -> None:
    _, follower = stable(grouped())
    again(follower).join()
    fenced = ErrorCode.FENCED_INSTANCE_ID

    assert follower.heartbeat() == fenced
    assert follower.sync().error_code == fenced
    assert follower.commit(1) == fenced
    assert follower.join().error_code == fenced
    assert follower.leave().members[0].error_code == fenced


def test_the_old_member_id_without_its_instance_is_unknown() -> None:
    _, follower = stable(grouped())
    again(follower).join()
    follower.instance_id = None

    assert follower.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_an_instance_that_is_not_there_is_unknown() -> None:
    leader, _ = stable(grouped())
    leader.instance_id = "three"

    assert leader.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_kip345_a_static_member_may_be_named_by_its_member_id_alone() -> None:
    leader, _ = stable(grouped())
    leader.instance_id = None

    assert leader.heartbeat() == ErrorCode.NONE


def test_a_process_that_waits_at_the_join_barrier_is_fenced_when_it_is_replaced() -> None:
    leader, follower = stable(grouped())
    follower.protocols = [("range", b"another")]
    assert follower.join() is None
    new = again(follower)

    assert new.join() is None

    assert follower.late().error_code == ErrorCode.FENCED_INSTANCE_ID
    leader.join()
    assert new.late().generation_id == leader.generation_id


def test_a_process_that_waits_for_its_assignment_is_fenced_when_it_is_replaced() -> None:
    leader, follower = stable(grouped())
    leader.join()
    follower.heartbeat()
    follower.join()
    leader.late()
    assert follower.sync() is None
    new = again(follower)

    assert new.join() is None, "before there is an assignment, a rebalance begins"

    assert follower.late().error_code == ErrorCode.FENCED_INSTANCE_ID
    assert leader.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS


def test_a_replacement_with_other_protocols_rebalances_if_another_protocol_wins() -> None:
    broker = grouped()
    both = [("range", b""), ("sticky", b"")]
    leader = Consumer(broker, instance_id="one", protocols=both)
    follower = Consumer(broker, instance_id="two", protocols=both)
    settle(leader, follower)
    new = again(follower)
    new.protocols = [("sticky", b"")]

    assert new.join() is None

    assert group_of(leader).state.value == "PreparingRebalance"


def test_a_replacement_that_leaves_the_protocol_as_it_is_does_not_rebalance() -> None:
    leader, follower = stable(grouped())
    new = again(follower)
    new.protocols = [("range", b"another")]

    assert new.join().generation_id == leader.generation_id
    assert group_of(leader).state.value == "Stable"


def test_a_static_member_that_stops_is_not_missed_before_its_session_ends() -> None:
    broker = grouped()
    leader, follower = stable(broker)
    broker.disconnect(follower.connection)

    for _ in range(3):
        broker.advance(SESSION_MS // 4)
        assert leader.heartbeat() == ErrorCode.NONE
    broker.advance(SESSION_MS // 4)

    assert leader.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS


def test_a_static_member_that_misses_a_rebalance_stays_until_its_session_ends() -> None:
    broker = grouped()
    leader = Consumer(broker, instance_id="one", session_ms=1_000_000)
    follower = Consumer(broker, instance_id="two", session_ms=1_000_000)
    settle(leader, follower)
    leader, follower = (leader, follower) if leader.leads else (follower, leader)
    assert leader.join() is None

    broker.advance(leader.rebalance_ms)

    told = [one.member_id for one in leader.late().members]
    assert sorted(told) == sorted([leader.member_id, follower.member_id])


def test_if_no_static_member_comes_back_the_barrier_stays_until_one_does() -> None:
    broker = grouped()
    one = Consumer(broker, instance_id="one", session_ms=1_000_000)
    two = Consumer(broker, instance_id="two", session_ms=1_000_000)
    guest = Consumer(broker)
    settle(one, two, guest)
    guest.leave()
    generation_id = one.generation_id

    broker.advance(one.rebalance_ms)
    assert group_of(one).state.value == "PreparingRebalance"
    assert group_of(one).generation_id == generation_id
    assert two.join() is None
    broker.advance(one.rebalance_ms)

    assert two.late().leader == two.member_id
    assert len(group_of(one).members) == 2


def test_an_administrator_removes_a_static_member_by_its_instance() -> None:
    broker = grouped()
    leader, follower = stable(broker)

    answer = broker.send(LeaveGroupRequest("g", [MemberIdentity("", follower.instance_id)]))

    assert [(one.group_instance_id, one.error_code) for one in answer.members] == [
        (follower.instance_id, ErrorCode.NONE)
    ]
    assert leader.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    assert list(group_of(leader).static_members) == [leader.instance_id]


def test_a_replacement_survives_a_restart_of_the_broker() -> None:
    broker = grouped()
    leader, follower = stable(broker)
    new = again(follower)
    new.join()

    broker.restart()

    assert new.heartbeat() == leader.heartbeat() == ErrorCode.NONE
    assert follower.heartbeat() == ErrorCode.FENCED_INSTANCE_ID
    assert new.sync().assignment == follower.assignment


def test_kafka_8500_two_processes_of_one_instance_that_start_at_once_are_one_member() -> None:
    broker = grouped(group_initial_rebalance_delay_ms=3_000)
    first, second = Consumer(broker, instance_id="one"), Consumer(broker, instance_id="one")

    assert first.join() is None
    assert second.join() is None

    assert first.late().error_code == ErrorCode.FENCED_INSTANCE_ID
    broker.advance(3_000)
    assert [one.member_id for one in second.late().members] == [second.member_id]
