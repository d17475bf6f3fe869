"""JoinGroup: who is let in, with which id, and for whom the group rebalances."""

import pytest

from impl_support.group_members import SESSION_MS, Consumer, grouped, settle
from kproof_impl.core.groups.group import Group
from kproof_impl.messages.errors import ErrorCode


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def state_of(consumer: Consumer) -> str:
    return group_of(consumer).state.value


def test_kip394_a_first_join_is_answered_with_a_member_id_to_come_back_with() -> None:
    anna = Consumer(grouped(), client_id="anna")

    refused = anna.join()

    assert refused.error_code == ErrorCode.MEMBER_ID_REQUIRED
    assert refused.member_id.startswith("anna-")
    assert refused.generation_id == -1
    assert not group_of(anna).members
    joined = anna.join()
    assert (joined.error_code, joined.generation_id) == (ErrorCode.NONE, 1)
    assert joined.member_id == joined.leader == refused.member_id


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_before_version_4_a_first_join_makes_a_member_at_once(version: int) -> None:
    anna = Consumer(grouped())

    assert anna.join(version).error_code == ErrorCode.NONE
    assert list(group_of(anna).members) == [anna.member_id]


def test_a_member_id_that_nobody_came_back_with_is_forgotten_after_the_session_timeout() -> None:
    broker = grouped()
    anna = Consumer(broker)
    anna.ask_for_id()

    broker.advance(SESSION_MS - 1)
    assert anna.member_id in group_of(anna).pending_members
    broker.advance(1)

    assert not group_of(anna).pending_members
    assert anna.join().error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_the_join_barrier_waits_for_a_member_id_that_was_handed_out() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.ask_for_id()
    anna.protocols = [("range", b"another")]

    assert anna.join() is None
    assert bert.join() is not None
    assert anna.late().generation_id == bert.generation_id == 2


def test_the_barrier_is_passed_when_a_member_id_that_it_waits_for_is_forgotten() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.ask_for_id()
    anna.protocols = [("range", b"another")]
    assert anna.join() is None

    broker.advance(SESSION_MS)

    assert anna.late().generation_id == 2


def test_a_member_id_that_the_group_does_not_know_is_refused() -> None:
    broker = grouped()
    anna, zombie = Consumer(broker), Consumer(broker)
    settle(anna)
    zombie.member_id = "somebody"

    refused = zombie.join()

    assert (refused.error_code, refused.member_id) == (ErrorCode.UNKNOWN_MEMBER_ID, "somebody")


def test_a_member_id_of_a_group_that_is_not_there_is_refused_and_makes_none() -> None:
    broker = grouped()
    zombie = Consumer(broker)
    zombie.member_id = "somebody"

    assert zombie.join().error_code == ErrorCode.UNKNOWN_MEMBER_ID
    assert not broker.broker.groups.groups


def test_a_group_id_must_not_be_empty() -> None:
    assert Consumer(grouped(), "").join().error_code == ErrorCode.INVALID_GROUP_ID


@pytest.mark.parametrize("session_ms", [0, -1, 5_999, 1_800_001])
def test_a_session_timeout_out_of_bounds_is_refused(session_ms: int) -> None:
    broker = grouped()
    anna = Consumer(broker, session_ms=session_ms)

    assert anna.join().error_code == ErrorCode.INVALID_SESSION_TIMEOUT
    assert not broker.broker.groups.groups


@pytest.mark.parametrize("session_ms", [6_000, 1_800_000])
def test_the_bounds_of_the_session_timeout_are_allowed(session_ms: int) -> None:
    assert Consumer(grouped(), session_ms=session_ms).enter().error_code == ErrorCode.NONE


def test_a_group_needs_a_protocol_type_and_a_protocol() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    anna.protocols = []
    bert.protocol_type = ""

    assert anna.join().error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert bert.join().error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert not broker.broker.groups.groups


def test_a_member_must_have_the_type_and_one_protocol_of_all_others() -> None:
    broker = grouped()
    anna = Consumer(broker, protocols=[("range", b""), ("sticky", b"")])
    bert = Consumer(broker, protocols=[("sticky", b"")])
    cora = Consumer(broker, protocols=[("range", b"")])
    dave = Consumer(broker, protocols=[("sticky", b"")])
    dave.protocol_type = "connect"
    settle(anna, bert)

    assert cora.join().error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert dave.join().error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert state_of(anna) == "Stable"


def test_the_protocol_is_the_one_most_members_like_best_of_those_that_all_can() -> None:
    broker = grouped()
    anna = Consumer(broker, protocols=[("only-anna", b""), ("range", b"a"), ("sticky", b"A")])
    bert = Consumer(broker, protocols=[("sticky", b"B"), ("range", b"b")])
    cora = Consumer(broker, protocols=[("sticky", b"C"), ("range", b"c")])
    settle(anna, bert, cora)

    assert group_of(anna).protocol_name == "sticky"
    metadata = {m.member_id: m.protocols["sticky"] for m in group_of(anna).members.values()}
    assert metadata[anna.member_id] == b"A"


def test_the_leader_is_told_all_members_and_the_others_none() -> None:
    broker = grouped()
    anna = Consumer(broker, protocols=[("range", b"a")])
    bert = Consumer(broker, protocols=[("range", b"b")])
    settle(anna)
    bert.enter()
    anna.heartbeat()

    to_anna, to_bert = anna.join(), bert.late()

    assert to_bert.leader == to_anna.leader == anna.member_id
    assert to_bert.members == ()
    told = [(one.member_id, one.metadata) for one in to_anna.members]
    assert told == [(anna.member_id, b"a"), (bert.member_id, b"b")]
    assert (to_anna.protocol_type, to_anna.protocol_name) == ("consumer", "range")


def test_a_follower_that_joins_again_unchanged_is_told_the_present_generation() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    follower = bert if anna.leads else anna

    again = follower.join()

    assert (again.error_code, again.generation_id) == (ErrorCode.NONE, follower.generation_id)
    assert state_of(anna) == "Stable"
    assert follower.sync().assignment == follower.assignment


def test_a_follower_with_new_metadata_makes_the_group_rebalance() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    follower = bert if anna.leads else anna
    follower.protocols = [("range", b"something new")]

    assert follower.join() is None
    assert state_of(anna) == "PreparingRebalance"


def test_the_leader_makes_the_group_rebalance_by_joining_again_unchanged() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    leader = anna if anna.leads else bert

    assert leader.join() is None
    assert state_of(anna) == "PreparingRebalance"


def test_a_lost_answer_to_join_is_given_again_while_the_leader_is_awaited() -> None:
    broker = grouped()
    anna = Consumer(broker)
    first = anna.enter()

    again = anna.join()

    assert again == first
    assert state_of(anna) == "CompletingRebalance"


def test_new_metadata_while_the_leader_is_awaited_begins_another_rebalance() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()
    anna.heartbeat()
    anna.join()
    bert.late()
    assert bert.sync() is None
    anna.protocols = [("range", b"another")]

    assert anna.join() is None
    assert bert.late().error_code == ErrorCode.REBALANCE_IN_PROGRESS


def test_the_leader_of_the_generation_before_leads_again() -> None:
    broker = grouped()
    anna, bert, cora = (Consumer(broker) for _ in range(3))
    settle(anna, bert)
    before = anna.leader

    settle(anna, bert, cora)

    assert anna.leader == before


def test_kip389_a_group_takes_no_more_members_than_its_size() -> None:
    broker = grouped(group_max_size=1)
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)

    refused = bert.join()

    assert (refused.error_code, refused.member_id) == (ErrorCode.GROUP_MAX_SIZE_REACHED, "")
    assert list(group_of(anna).members) == [anna.member_id]


def test_kip389_a_member_that_comes_last_to_a_full_barrier_is_expelled() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna, bert)
    broker.config.group_max_size = 1
    leader, follower = (anna, bert) if anna.leads else (bert, anna)
    assert leader.join() is None

    assert follower.join().error_code == ErrorCode.GROUP_MAX_SIZE_REACHED

    assert leader.late().error_code == ErrorCode.NONE
    assert list(group_of(anna).members) == [leader.member_id]


def test_no_more_member_ids_are_handed_out_than_there_could_be_members() -> None:
    broker = grouped(group_max_size=2)
    consumers = [Consumer(broker) for _ in range(3)]

    codes = [one.join().error_code for one in consumers]

    assert codes == [ErrorCode.MEMBER_ID_REQUIRED] * 2 + [ErrorCode.GROUP_MAX_SIZE_REACHED]
