"""FindCoordinator, DescribeGroups, ListGroups, DeleteGroups."""

from typing import Any

import pytest

from impl_support.group_members import Consumer, commit_request, committed, grouped, settle
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.describe_groups import DescribeGroupsRequest
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.find_coordinator import FindCoordinatorRequest
from kproof_impl.messages.list_groups import ListGroupsRequest


def described(consumer: Consumer, version: int = 6, **other: Any) -> Any:
    request = DescribeGroupsRequest([consumer.group], **other)
    return consumer.broker.send(request, version).groups[0]


# -- FindCoordinator -------------------------------------------------------------------------------


def test_this_node_coordinates_all_groups() -> None:
    broker = grouped(advertised_host="example.org", advertised_port=1234, node_id=7)

    answer = broker.send(FindCoordinatorRequest(0, ["a", "b", ""]))

    assert [one.key for one in answer.coordinators] == ["a", "b", ""]
    for one in answer.coordinators:
        assert (one.node_id, one.host, one.port) == (7, "example.org", 1234)
        assert one.error_code == ErrorCode.NONE


def test_a_transactional_producer_is_told_at_once_and_for_good_that_there_are_none() -> None:
    (one,) = grouped().send(FindCoordinatorRequest(1, ["tx"])).coordinators

    assert one.error_code == ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    assert "transactional.id" in one.error_message
    assert (one.node_id, one.host, one.port) == (-1, "", -1)


@pytest.mark.parametrize("key_type", [2, 3, -1])
def test_a_coordinator_of_something_else_is_not_known(key_type: int) -> None:
    (one,) = grouped().send(FindCoordinatorRequest(key_type, ["x"])).coordinators

    assert one.error_code == ErrorCode.INVALID_REQUEST
    assert str(key_type) in one.error_message


# -- DescribeGroups --------------------------------------------------------------------------------


def test_a_stable_group_is_described_with_what_its_members_said_and_got() -> None:
    broker = grouped()
    anna = Consumer(broker, client_id="anna", protocols=[("range", b"A")])
    bert = Consumer(broker, instance_id="two", client_id="bert", protocols=[("range", b"B")])
    broker.connect(anna.connection, "192.0.2.1")
    broker.connect(bert.connection, "192.0.2.2")
    settle(anna, bert)

    group = described(anna)

    assert (group.error_code, group.group_id, group.group_state) == (0, "g", "Stable")
    assert (group.protocol_type, group.protocol_data) == ("consumer", "range")
    told = {
        one.client_id: (one.member_id, one.group_instance_id, one.client_host, one.member_metadata)
        for one in group.members
    }
    assert told["anna"] == (anna.member_id, None, "192.0.2.1", b"A")
    assert told["bert"] == (bert.member_id, "two", "192.0.2.2", b"B")
    shares = {one.member_id: one.member_assignment for one in group.members}
    assert shares == {anna.member_id: anna.assignment, bert.member_id: bert.assignment}


def test_a_group_in_a_rebalance_is_described_without_its_protocol() -> None:
    broker = grouped()
    anna, bert = Consumer(broker), Consumer(broker)
    settle(anna)
    bert.enter()

    preparing = described(anna)
    anna.join()
    completing = described(anna)

    assert (preparing.group_state, preparing.protocol_data) == ("PreparingRebalance", "")
    assert (completing.group_state, completing.protocol_data) == ("CompletingRebalance", "")
    assert [one.member_metadata for one in completing.members] == [b"", b""]


def test_an_empty_group_is_described_without_members() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)
    anna.leave()

    group = described(anna)

    assert (group.group_state, group.protocol_type, group.members) == ("Empty", "consumer", [])


def test_kip1043_a_group_that_is_not_there_is_dead_and_from_version_6_on_an_error() -> None:
    stranger = Consumer(grouped(), "nobody")

    old, new = described(stranger, 5), described(stranger, 6)

    assert (old.error_code, old.group_state) == (ErrorCode.NONE, "Dead")
    assert (new.error_code, new.group_state) == (ErrorCode.GROUP_ID_NOT_FOUND, "Dead")
    assert "nobody" in new.error_message


def test_kip430_the_allowed_operations_are_told_on_demand() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)

    assert described(anna).authorized_operations == -(1 << 31)
    allowed = described(anna, include_authorized_operations=True).authorized_operations
    assert allowed == sum(1 << operation for operation in (3, 6, 8, 10, 11))


# -- ListGroups ------------------------------------------------------------------------------------


def listed(consumer: Consumer, *, states: Any = (), types: Any = ()) -> dict[str, str]:
    answer = consumer.broker.send(ListGroupsRequest(states, types))
    assert {one.group_type for one in answer.groups} <= {"classic"}
    return {one.group_id: one.group_state for one in answer.groups}


def test_kip518_groups_are_listed_by_state_and_by_type() -> None:
    broker = grouped()
    anna, bert = Consumer(broker, "stable"), Consumer(broker, "empty")
    settle(anna)
    settle(bert)
    bert.leave()
    broker.send(commit_request("simple", {("orders", 0): 1}))

    assert listed(anna) == {"stable": "Stable", "empty": "Empty", "simple": "Empty"}
    assert listed(anna, states=["sTaBlE"]) == {"stable": "Stable"}
    assert listed(anna, states=[" Empty ", "Dead"]) == {"empty": "Empty", "simple": "Empty"}
    assert listed(anna, states=["Assigning"]) == {}
    assert listed(anna, types=["Classic"], states=["Stable"]) == {"stable": "Stable"}
    assert listed(anna, types=["consumer"]) == {}
    answer = broker.send(ListGroupsRequest())
    assert [one.protocol_type for one in answer.groups] == ["consumer", "consumer", ""]


# -- DeleteGroups ----------------------------------------------------------------------------------


def test_kip229_a_group_without_members_is_deleted_with_its_offsets() -> None:
    broker = grouped()
    anna = Consumer(broker)
    settle(anna)
    anna.commit(5)

    def delete(*groups: str) -> list[int]:
        answer = broker.send(DeleteGroupsRequest(groups))
        assert [one.group_id for one in answer.results] == list(groups)
        return [one.error_code for one in answer.results]

    not_found = ErrorCode.GROUP_ID_NOT_FOUND
    assert delete("g", "another") == [ErrorCode.NON_EMPTY_GROUP, not_found]
    assert committed(broker) == 5
    anna.leave()
    assert delete("g") == [ErrorCode.NONE]
    assert committed(broker) == -1
    assert delete("g") == [not_found]


def test_a_member_id_handed_out_by_a_group_that_was_deleted_is_unknown() -> None:
    broker = grouped()
    anna = Consumer(broker)
    anna.ask_for_id()
    broker.send(DeleteGroupsRequest(["g"]))

    assert anna.join().error_code == ErrorCode.UNKNOWN_MEMBER_ID
    broker.advance(60_000)
    assert not broker.broker.groups.groups
