"""SyncGroup and Heartbeat: the sync barrier, sessions, and the fence between generations."""

import pytest

from impl_support.group_members import REBALANCE_MS, SESSION_MS, Consumer, grouped, settle
from kproof_impl.core.groups.group import Group
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.sync_group import SyncGroupRequest


def group_of(consumer: Consumer) -> Group:
    return consumer.broker.broker.groups.groups[consumer.group]


def completing(*consumers: Consumer) -> tuple[Consumer, Consumer]:
    """Two consumers that have joined and not synced: the leader and the other."""
    anna, bert = consumers
    settle(anna)
    bert.enter()
    anna.heartbeat()
    anna.join()
    bert.late()
    return anna, bert


def test_everyone_waits_for_the_leader_and_then_gets_its_own_share() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))

    assert other.sync() is None
    shares = {leader.member_id: b"one", other.member_id: b"two"}
    to_leader = leader.sync(shares)

    assert (to_leader.assignment, other.late().assignment) == (b"one", b"two")
    assert (to_leader.protocol_type, to_leader.protocol_name) == ("consumer", "range")
    assert group_of(leader).state.value == "Stable"


def test_who_syncs_after_the_leader_is_answered_at_once() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))
    leader.sync({other.member_id: b"two"})

    assert other.sync().assignment == b"two"


def test_a_member_that_the_leader_has_forgotten_gets_nothing() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))

    leader.sync({"somebody else": b"x"})

    assert (leader.assignment, other.sync().assignment) == (b"", b"")


def test_a_leader_that_syncs_again_changes_nothing() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    assert anna.sync({anna.member_id: b"more"}).assignment == b"0"


def test_sync_is_refused_while_the_group_waits_at_the_join_barrier() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))
    other.protocols = [("range", b"another")]
    other.join()

    assert leader.sync().error_code == ErrorCode.REBALANCE_IN_PROGRESS


@pytest.mark.parametrize("change", [-1, 1])
def test_sync_of_another_generation_is_fenced(change: int) -> None:
    anna = Consumer(grouped())
    anna.enter()

    refused = anna.sync({}, generation_id=anna.generation_id + change)

    assert refused.error_code == ErrorCode.ILLEGAL_GENERATION


def test_sync_of_somebody_unknown_is_refused() -> None:
    broker = grouped()
    anna, zombie = Consumer(broker), Consumer(broker)
    anna.enter()
    zombie.generation_id, zombie.member_id = 1, "somebody"
    zombie.protocol_name = "range"

    assert zombie.sync().error_code == ErrorCode.UNKNOWN_MEMBER_ID
    zombie.group = "another"
    assert zombie.sync().error_code == ErrorCode.UNKNOWN_MEMBER_ID
    zombie.group = ""
    assert zombie.sync().error_code == ErrorCode.INVALID_GROUP_ID


@pytest.mark.parametrize(
    ("protocol_type", "protocol_name", "code"),
    [
        ("consumer", "range", ErrorCode.NONE),
        (None, "range", ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ("consumer", None, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ("consumer", "sticky", ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ("connect", "range", ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    ],
)
def test_kip559_sync_says_which_protocol_it_is_about(
    protocol_type: str | None, protocol_name: str | None, code: int
) -> None:
    anna = Consumer(grouped())
    anna.enter()

    answer = anna.sync({}, protocol_type=protocol_type, protocol_name=protocol_name)

    assert answer.error_code == code


def test_before_version_5_sync_does_not_say_which_protocol_it_is_about() -> None:
    anna = Consumer(grouped())
    anna.enter()

    answer = anna.sync({}, 4, protocol_type=None, protocol_name=None)

    assert answer.error_code == ErrorCode.NONE


def test_a_rebalance_sends_those_away_that_wait_for_the_leader() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))
    assert other.sync() is None

    leader.leave()

    assert other.late().error_code == ErrorCode.REBALANCE_IN_PROGRESS
    assert other.join().leader == other.member_id


def test_kafka_9752_who_does_not_sync_in_time_is_expelled() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, session_ms=1_000_000), Consumer(broker, session_ms=1_000_000)
    leader, other = completing(anna, bert)
    assert other.sync() is None

    broker.advance(REBALANCE_MS - 1)
    assert other.late() is None
    broker.advance(1)

    assert other.late().error_code == ErrorCode.REBALANCE_IN_PROGRESS
    assert leader.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID
    assert other.join().leader == other.member_id


def test_kafka_9752_a_follower_that_does_not_sync_in_time_is_expelled_from_a_stable_group() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, session_ms=1_000_000), Consumer(broker, session_ms=1_000_000)
    leader, other = completing(anna, bert)
    leader.sync({})

    broker.advance(REBALANCE_MS)

    assert other.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID
    assert leader.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS


def test_once_all_have_synced_nobody_is_expelled_for_it() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, session_ms=1_000_000), Consumer(broker, session_ms=1_000_000)
    settle(anna, bert)

    broker.advance(2 * REBALANCE_MS)

    assert anna.heartbeat() == bert.heartbeat() == ErrorCode.NONE


def test_a_syncing_member_whose_connection_is_gone_holds_up_nobody() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))
    assert other.sync() is None
    broker.disconnect(other.connection)

    assert leader.sync({leader.member_id: b"one"}).assignment == b"one"

    assert group_of(leader).members[other.member_id].sync_call is None


def test_a_second_sync_of_a_member_answers_the_one_that_waits() -> None:
    broker = grouped()
    leader, other = completing(Consumer(broker), Consumer(broker))
    assert other.sync() is None
    twin = Consumer(broker)
    twin.member_id, twin.generation_id = other.member_id, other.generation_id
    twin.protocol_name = other.protocol_name

    assert twin.sync() is None

    assert other.late().error_code == ErrorCode.REBALANCE_IN_PROGRESS
    leader.sync({other.member_id: b"two"})
    assert twin.late().assignment == b"two"


# -- heartbeats and sessions ---------------------------------------------------------------------


def test_a_heartbeat_tells_whether_the_generation_is_still_the_present_one() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    assert anna.heartbeat() == ErrorCode.NONE

    assert anna.heartbeat(anna.generation_id + 1) == ErrorCode.ILLEGAL_GENERATION
    assert anna.heartbeat(anna.generation_id - 1) == ErrorCode.ILLEGAL_GENERATION
    bert.enter()
    assert anna.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    anna.join()
    bert.late()
    assert anna.heartbeat() == bert.heartbeat() == ErrorCode.NONE, "while the leader is awaited"


def test_a_heartbeat_of_nobody_known_is_refused() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    def code(group: str, member: str) -> int:
        answer = broker.send(HeartbeatRequest(group, 1, member))
        return int(answer.error_code)

    assert code("g", "somebody") == ErrorCode.UNKNOWN_MEMBER_ID
    assert code("another", anna.member_id) == ErrorCode.UNKNOWN_MEMBER_ID
    assert code("", anna.member_id) == ErrorCode.INVALID_GROUP_ID
    anna.leave()
    assert code("g", anna.member_id) == ErrorCode.UNKNOWN_MEMBER_ID


def test_a_member_that_is_silent_for_its_session_is_expelled_and_the_others_rebalance() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker, session_ms=3 * SESSION_MS)
    settle(anna, bert)

    broker.advance(SESSION_MS - 1)
    assert anna.member_id in group_of(anna).members
    broker.advance(1)

    assert anna.member_id not in group_of(anna).members
    assert bert.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    assert [one.member_id for one in bert.join().members] == [bert.member_id]
    assert anna.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_heartbeats_keep_a_member() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    for _ in range(5):
        broker.advance(SESSION_MS - 1)
        assert anna.heartbeat() == ErrorCode.NONE


def test_heartbeats_during_a_rebalance_keep_a_member_until_the_rebalance_timeout() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()

    for _ in range(REBALANCE_MS // 5_000 - 1):
        broker.advance(5_000)
        assert anna.heartbeat() == ErrorCode.REBALANCE_IN_PROGRESS
    broker.advance(5_000)

    assert anna.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID
    assert bert.late().leader == bert.member_id


def test_commits_keep_a_member_as_heartbeats_do() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    for offset in range(5):
        broker.advance(SESSION_MS - 1)
        assert anna.commit(offset) == ErrorCode.NONE


def test_who_waits_at_a_barrier_is_alive_and_its_session_begins_with_the_answer() -> None:
    broker = grouped()
    anna = Consumer(broker, rebalance_ms=50_000)
    bert = Consumer(broker, session_ms=200_000, rebalance_ms=50_000)
    settle(anna, bert)
    anna.protocols = [("range", b"another")]
    assert anna.join() is None

    broker.advance(50_000)
    assert anna.late().error_code == ErrorCode.NONE
    broker.advance(SESSION_MS - 1)
    assert anna.heartbeat() == ErrorCode.NONE


def test_a_shorter_session_counts_from_the_join_that_asked_for_it() -> None:
    broker = grouped()
    anna = Consumer(broker, session_ms=60_000)
    settle(anna)
    anna.session_ms = 6_000
    anna.join()
    anna.sync({})

    broker.advance(6_000)

    assert anna.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_a_group_whose_members_all_die_is_empty_in_a_generation_of_its_own() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)
    before = group_of(anna).generation_id

    broker.advance(SESSION_MS)

    assert group_of(anna).state.value == "Empty"
    assert group_of(anna).generation_id == before + 1
    assert anna.sync().error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_an_unknown_generation_number_in_sync_is_answered_by_the_group_not_the_type() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    answer = broker.send(SyncGroupRequest("g", 99, anna.member_id, None, "connect", "x"))

    assert answer.error_code == ErrorCode.ILLEGAL_GENERATION
