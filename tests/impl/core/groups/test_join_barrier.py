"""The join barrier: how long it waits, for whom, and who leads when it is passed."""

from impl_support.group_members import REBALANCE_MS, SESSION_MS, Consumer, grouped, settle
from kproof_impl.core.groups.group import Group
from kproof_impl.core.groups.rebalance import NEW_MEMBER_JOIN_TIMEOUT_MS
from kproof_impl.messages.errors import ErrorCode


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def state_of(consumer: Consumer) -> str:
    return group_of(consumer).state.value


def test_kip134_an_empty_group_waits_for_more_members() -> None:
    broker = grouped(group_initial_rebalance_delay_ms=3_000)
    anna, bert = Consumer(broker), Consumer(broker)
    assert anna.enter() is None
    broker.advance(2_999)
    assert bert.enter() is None

    broker.advance(1)
    assert anna.late() is None, "somebody came, so it is worth waiting on"
    broker.advance(3_000)

    assert anna.late().generation_id == bert.late().generation_id == 1


def test_kip134_the_wait_for_more_members_ends_with_the_rebalance_timeout() -> None:
    broker = grouped(group_initial_rebalance_delay_ms=3_000)
    first = Consumer(broker, rebalance_ms=7_000)
    assert first.enter() is None

    for _ in range(6):
        broker.advance(1_000)
        assert Consumer(broker, rebalance_ms=7_000).enter() is None
    assert first.late() is None
    broker.advance(1_000)

    assert len(first.late().members) == 7


def test_without_delay_the_first_generation_begins_at_once() -> None:
    assert Consumer(grouped()).enter().generation_id == 1


def test_who_does_not_join_within_the_rebalance_timeout_is_expelled() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, session_ms=1_000_000), Consumer(broker, session_ms=1_000_000)
    settle(anna, bert)
    leader, other = (anna, bert) if anna.leads else (bert, anna)
    assert leader.join() is None

    broker.advance(REBALANCE_MS - 1)
    assert leader.late() is None
    assert other.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    broker.advance(1)

    assert [one.member_id for one in leader.late().members] == [leader.member_id]
    assert other.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_if_the_leader_does_not_come_another_that_has_joined_leads() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, session_ms=1_000_000), Consumer(broker, session_ms=1_000_000)
    settle(anna, bert)
    leader, other = (anna, bert) if anna.leads else (bert, anna)
    other.protocols = [("range", b"another")]
    assert other.join() is None

    broker.advance(REBALANCE_MS)

    assert other.late().leader == other.member_id != leader.member_id


def test_the_longest_rebalance_timeout_of_any_member_counts() -> None:
    broker = grouped()
    anna = Consumer(broker, session_ms=1_000_000, rebalance_ms=100)
    bert = Consumer(broker, session_ms=1_000_000, rebalance_ms=50_000)
    settle(anna, bert)
    (anna if anna.leads else bert).join()

    broker.advance(49_999)
    assert state_of(anna) == "PreparingRebalance"
    broker.advance(1)
    assert state_of(anna) == "CompletingRebalance"


def test_version_0_has_one_timeout_for_both() -> None:
    broker = grouped()
    anna = Consumer(broker, session_ms=7_000, rebalance_ms=-1)

    anna.join(0)

    assert group_of(anna).members[anna.member_id].rebalance_timeout_ms == 7_000


def test_a_joining_member_whose_connection_is_gone_does_not_hold_up_the_others() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()

    broker.disconnect(bert.connection)
    anna.heartbeat()
    joined = anna.join()

    assert [one.member_id for one in joined.members] == [anna.member_id, bert.member_id]
    shares = {anna.member_id: b"all"}
    assert anna.sync(shares).assignment == b"all"
    for _ in range(3):
        broker.advance(SESSION_MS // 2)
        anna.heartbeat()
    assert state_of(anna) == "PreparingRebalance", "its session is over"
    assert list(group_of(anna).members) == [anna.member_id]


def test_a_new_member_that_nobody_hears_of_is_expelled_after_five_minutes_at_the_barrier() -> None:
    broker = grouped()
    anna = Consumer(broker, session_ms=1_800_000, rebalance_ms=1_800_000)
    bert = Consumer(broker, rebalance_ms=1_800_000)
    settle(anna)
    assert bert.enter() is None
    broker.disconnect(bert.connection)

    broker.advance(NEW_MEMBER_JOIN_TIMEOUT_MS - 1)
    assert bert.member_id in group_of(anna).members
    broker.advance(1)

    assert bert.member_id not in group_of(anna).members
    assert anna.join().error_code == ErrorCode.NONE


def test_a_second_join_of_a_member_answers_the_one_that_waits() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    assert bert.enter() is None
    twin = Consumer(broker)
    twin.member_id = bert.member_id

    assert twin.join() is None

    assert bert.late().error_code == ErrorCode.REBALANCE_IN_PROGRESS
    anna.join()
    assert twin.late().member_id == bert.member_id
    assert bert.late() is None


def test_a_client_id_too_long_for_a_member_id_is_refused() -> None:
    broker = grouped()
    anna = Consumer(broker, client_id="x" * 32_767)

    assert anna.join().error_code == ErrorCode.INVALID_REQUEST
    assert not broker.broker.groups.groups


def test_a_protocol_that_is_named_twice_counts_once_with_its_first_metadata() -> None:
    broker = grouped()
    anna = Consumer(broker, protocols=[("range", b"first"), ("range", b"second")])

    joined = anna.enter()

    assert [one.metadata for one in joined.members] == [b"first"]
