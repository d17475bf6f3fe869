"""Brokers whose groups go wrong on purpose, each by a slip in one function's text."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType

import pytest

from impl_support.group_members import SESSION_MS, Consumer, committed, settle
from impl_support.slips import slip
from impl_support.stepping import Stepper
from kproof_impl.core.groups import (
    group_coordinator,
    member_requests,
    offset_requests,
    rebalance,
)

Program = Callable[[Stepper], None]


@dataclass(frozen=True, slots=True)
class GroupFault:
    """`says` is a part of what the specification says to it."""

    name: str
    module: ModuleType
    function: str
    right: str
    wrong: str
    program: Program
    says: str

    def install(self, patch: pytest.MonkeyPatch) -> None:
        slip(patch, self.module, self.function, self.right, self.wrong)


# -- programs: a sound broker goes through each ------------------------------------------------


def members(broker: Stepper) -> tuple[Consumer, Consumer]:
    """The leader and the follower of a group that is stable, with a session that is long."""
    anna, bert = (Consumer(broker, session_ms=10 * SESSION_MS) for _ in range(2))
    anna.enter()
    bert.enter()
    broker.advance(10_000)
    settle(anna, bert)
    return (anna, bert) if anna.leads else (bert, anna)


def third_joins(broker: Stepper) -> None:
    leader, follower = members(broker)
    third = Consumer(broker, session_ms=10 * SESSION_MS)
    third.enter()
    leader.join()
    follower.join()
    settle_if_possible(leader, follower, third)


def settle_if_possible(*consumers: Consumer) -> None:
    for one in consumers:
        one.late()
    for one in consumers:
        one.sync({each.member_id: b"x" for each in consumers} if one.leads else None)


def one_stays_away(broker: Stepper) -> None:
    """It is alive, and does not join again."""
    leader, follower = members(broker)
    Consumer(broker, session_ms=10 * SESSION_MS).enter()
    leader.join()
    follower.heartbeat()
    broker.advance(leader.rebalance_ms)


def follower_syncs_first(broker: Stepper) -> None:
    leader, follower = members(broker)
    third = Consumer(broker, session_ms=10 * SESSION_MS)
    third.enter()
    leader.join()
    follower.join()
    follower.late()
    follower.sync()


def commit_late(broker: Stepper) -> None:
    """A member commits with the generation before the present one."""
    leader, follower = members(broker)
    follower.commit(3)
    leader.join()
    follower.join()
    settle_if_possible(leader, follower)
    follower.commit(4, generation_id=1)


def commit_expelled(broker: Stepper) -> None:
    leader, follower = members(broker)
    follower.commit(3)
    follower.leave()
    leader.join()
    leader.late()
    leader.sync({leader.member_id: b"all"})
    follower.commit(1, generation_id=leader.generation_id)


def commit_and_restart(broker: Stepper) -> None:
    leader, _ = members(broker)
    leader.commit(3)
    broker.restart()


def all_leave(broker: Stepper) -> None:
    for one in members(broker):
        one.leave()
    broker.advance(100_000)
    Consumer(broker).enter()
    broker.advance(10_000)


def commit_and_look(broker: Stepper) -> None:
    leader, _ = members(broker)
    leader.commit(3)
    committed(broker)
    committed(broker, "another")


def grow_quiet(broker: Stepper) -> None:
    """Its members go on, and commit no more."""
    config = broker.broker.config
    broker.broker.config = replace(config, offsets_retention_ms=SESSION_MS)
    leader, follower = members(broker)
    leader.commit(3)
    for _ in range(2 + config.offsets_retention_check_interval_ms // (5 * SESSION_MS)):
        broker.advance(5 * SESSION_MS)
        leader.heartbeat()
        follower.heartbeat()


FAULTS = (
    GroupFault(
        "a generation keeps its number",
        rebalance,
        "begin_generation",
        "group.generation_id += 1",
        "group.generation_id = max(group.generation_id, 1)",
        third_joins,
        "generation_id = 1, and the specification has 2",
    ),
    GroupFault(
        "the join barrier is passed without a member that is in the group",
        rebalance,
        "complete_join",
        "if member.join_call is None and not member.is_static:",
        "if False:",
        one_stays_away,
        "it is no static member",
    ),
    GroupFault(
        "an assignment is given before the leader has dealt",
        member_requests,
        "sync_group",
        "if group.state is GroupState.STABLE:",
        "if group.leader != member.member_id:",
        follower_syncs_first,
        "member_receive_assignment",
    ),
    GroupFault(
        "a commit of an old generation counts",
        offset_requests,
        "_check_commit",
        "if generation_id != group.generation_id:",
        "if generation_id > group.generation_id:",
        commit_late,
        "in generation 1 was accepted",
    ),
    GroupFault(
        "a commit of a member that is gone counts",
        offset_requests,
        "_check_commit",
        "error = group.check_member(request.member_id, request.group_instance_id)",
        "error = ErrorCode.NONE",
        commit_expelled,
        "should have been answered with UNKNOWN_MEMBER_ID",
    ),
    GroupFault(
        "a commit is acknowledged and not stored",
        offset_requests,
        "_commit",
        "coordinator.log.append(group_id, records)",
        "pass",
        commit_and_restart,
        "the broker has offsets = {}",
    ),
    GroupFault(
        "a generation is told and not stored",
        rebalance,
        "leader_sync",
        "coordinator.store_group(group)",
        "pass",
        commit_and_restart,
        "the broker has assignments = {}",
    ),
    GroupFault(
        "an empty group is no generation of its own",
        rebalance,
        "become_empty",
        "group.generation_id += 1",
        "pass",
        all_leave,
        "generation_id = 2, and the specification has 3",
    ),
    GroupFault(
        "a commit is one too high",
        offset_requests,
        "offset_commit",
        "one.committed_offset,",
        "one.committed_offset + 1,",
        commit_and_look,
        "asked for the offsets {'orders-0': 3} to be committed",
    ),
    GroupFault(
        "a commit is acknowledged and nothing is done",
        offset_requests,
        "_commit",
        "coordinator = broker.groups",
        "return _NONE",
        commit_and_look,
        "asked for the offsets {'orders-0': 3} to be committed",
    ),
    GroupFault(
        "a client is told another committed offset",
        offset_requests,
        "_fetched_partition",
        "offset.offset,",
        "offset.offset + 3,",
        commit_and_look,
        "the specification has {'orders-0': 3}",
    ),
    GroupFault(
        "members are given each other's shares",
        rebalance,
        "leader_sync",
        "assignments.get(member.member_id, NO_ASSIGNMENT)",
        "assignments[next(one for one in assignments if one != member.member_id)]",
        commit_and_look,
        "another assignment than the leader dealt",
    ),
    GroupFault(
        "offsets expire that are in use",
        group_coordinator,
        "_has_expired",
        "if group.is_subscribed_to(topic):",
        "if False:",
        grow_quiet,
        "its members read ['orders']",
    ),
)
