"""The life of a group: who comes and goes, the join barrier, the sync barrier, the sessions.

Each change of a group happens here, in a function named for it, and in this order: what has to
outlive the broker is stored, the group changes, whoever waited for it is answered.

**The join barrier.**  In PreparingRebalance nobody's JoinGroup is answered before all members have
sent theirs.  Dynamic members that have not within the rebalance timeout are expelled.  An empty
group waits for `group.initial.rebalance.delay.ms`, and again as long as others keep coming.

**The sync barrier.**  In CompletingRebalance each SyncGroup waits for the leader's, which brings
everybody's assignment.  Who has not sent one within the rebalance timeout is expelled (KAFKA-9752).

**Sessions.**  A member of which nothing is heard for its session timeout is expelled, unless it
waits at a barrier: that counts as a sign of life, whatever became of its connection, as the answer
will start its session anew.  A new member's first wait does not count, and may take five minutes.

REF   KIP-62, KIP-134 (the initial delay), KIP-345, KIP-394; Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.groups import told
from kproof_impl.core.groups.answers import answer_sync, join_refused, joined, synced
from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.member import NO_ASSIGNMENT, Member
from kproof_impl.core.groups.offsets_log import StoreRefused
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.sync_group import SyncGroupResponse

if TYPE_CHECKING:
    from kproof_impl.core.groups.group_coordinator import GroupCoordinator

NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000
"""How long a member waits for its first generation; Kafka has the number in its code."""
STORE_AGAIN_MS = 10_000
"""How long after a disk has refused to store what nobody waits for."""


# -- members -------------------------------------------------------------------------------------


def promise_member_id(
    coordinator: GroupCoordinator, group: Group, member_id: str, session_timeout_ms: int
) -> None:
    """A member id is handed out, for a member that will come back with it (KIP-394)."""
    group.pending_members[member_id] = coordinator.broker.timers.at(
        coordinator.broker.now_ms + session_timeout_ms,
        lambda _: expire_pending(coordinator, group, member_id),
    )


def forget_pending(group: Group, member_id: str) -> bool:
    """A member id that was handed out is so no more.  False if it was not."""
    timer = group.pending_members.pop(member_id, None)
    if timer is None:
        return False
    timer.cancel()
    return True


def add_member(
    coordinator: GroupCoordinator, group: Group, member: Member, protocol_type: str, call: Call
) -> None:
    """Somebody new joins, and a rebalance begins or goes on with one more."""
    forget_pending(group, member.member_id)
    if not group.members:
        group.protocol_type = protocol_type
    is_initial = group.previous_state is GroupState.EMPTY
    if group.state is GroupState.PREPARING_REBALANCE and is_initial:
        group.has_new_member = True
    member.is_new = True
    group.add(member)
    group.wait_at_join(member, call)
    told.joined(coordinator, group, member)
    keep_alive(coordinator, group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    rebalance_or_complete_join(coordinator, group)


def rejoin_member(
    coordinator: GroupCoordinator,
    group: Group,
    member: Member,
    protocols: Mapping[str, bytes],
    timeouts_ms: tuple[int, int],
    call: Call,
) -> None:
    """A member joins again, with the protocols and the two timeouts, rebalance and session, that
    it has by now; a rebalance begins or goes on."""
    former = member.protocols
    update_member(group, member, protocols, timeouts_ms)
    wait_at_join(group, member, call)
    told.rejoined(coordinator, group, member, former)
    rebalance_or_complete_join(coordinator, group)


def update_member(
    group: Group, member: Member, protocols: Mapping[str, bytes], timeouts_ms: tuple[int, int]
) -> None:
    group.set_protocols(member, protocols)
    member.rebalance_timeout_ms, member.session_timeout_ms = timeouts_ms


def wait_at_join(group: Group, member: Member, call: Call) -> None:
    """A member's JoinGroup waits.  One that waited before, on another connection, is answered."""
    earlier = group.take_join_call(member)
    if earlier is not None:
        earlier.answer(join_refused(ErrorCode.REBALANCE_IN_PROGRESS, member.member_id))
    group.wait_at_join(member, call)


def wait_at_sync(member: Member, call: Call) -> None:
    """A member's SyncGroup waits.  One that waited before, on another connection, is answered."""
    answer_sync(member, SyncGroupResponse(error_code=ErrorCode.REBALANCE_IN_PROGRESS))
    member.sync_call = call


def replace_static_member(group: Group, member: Member, new_member_id: str) -> None:
    """Another process takes a static member's place; who still waits under the old id is fenced."""
    fenced = ErrorCode.FENCED_INSTANCE_ID
    call = group.take_join_call(member)
    if call is not None:
        call.answer(join_refused(fenced, member.member_id))
    answer_sync(member, SyncGroupResponse(error_code=fenced))
    group.rename_static(member, new_member_id)
    member.is_new = False


def remove_member(coordinator: GroupCoordinator, group: Group, member: Member, reason: str) -> None:
    """A member is none any more; what it waits for is answered with UNKNOWN_MEMBER_ID.

    The group does not react: that is for the caller, once it has removed all it wants to.
    """
    if member.session_timer is not None:
        member.session_timer.cancel()
        member.session_timer = None
    call = group.take_join_call(member)
    group.remove(member.member_id)
    told.changed(coordinator, group, "remove_member", member=member.member_id, reason=reason)
    if call is not None:
        call.answer(join_refused(ErrorCode.UNKNOWN_MEMBER_ID, ""))
    answer_sync(member, SyncGroupResponse(error_code=ErrorCode.UNKNOWN_MEMBER_ID))


# -- sessions ------------------------------------------------------------------------------------


def keep_alive(
    coordinator: GroupCoordinator, group: Group, member: Member, timeout_ms: int | None = None
) -> None:
    """Something was heard of a member: its session begins anew."""
    if timeout_ms is None:
        timeout_ms = member.session_timeout_ms
    deadline_ms = coordinator.broker.now_ms + timeout_ms
    is_later = deadline_ms >= member.session_deadline_ms
    member.session_deadline_ms = deadline_ms
    if member.session_timer is not None:
        if is_later:
            return  # The timer will see that it is too early.
        member.session_timer.cancel()
    _set_session_timer(coordinator, group, member)


def _set_session_timer(coordinator: GroupCoordinator, group: Group, member: Member) -> None:
    member.session_timer = coordinator.broker.timers.at(
        member.session_deadline_ms, partial(_on_session_timer, coordinator, group, member)
    )


def _on_session_timer(
    coordinator: GroupCoordinator, group: Group, member: Member, now_ms: int
) -> None:
    member.session_timer = None
    if now_ms < member.session_deadline_ms:
        _set_session_timer(coordinator, group, member)
    elif member.is_new or (member.join_call is None and member.sync_call is None):
        expire_session(coordinator, group, member)


def expire_session(coordinator: GroupCoordinator, group: Group, member: Member) -> None:
    """A member was silent for too long: it is expelled, and the others share out what it had."""
    remove_member(coordinator, group, member, "session")
    on_members_removed(coordinator, group)


def expire_pending(coordinator: GroupCoordinator, group: Group, member_id: str) -> None:
    """Nobody came back with a member id that was handed out."""
    if forget_pending(group, member_id):
        complete_join_if_all_are_there(coordinator, group)


def on_members_removed(coordinator: GroupCoordinator, group: Group) -> None:
    """What a group does when members have gone, whatever took them."""
    if group.state in (GroupState.STABLE, GroupState.COMPLETING_REBALANCE):
        prepare_rebalance(coordinator, group)
    else:
        complete_join_if_all_are_there(coordinator, group)


# -- the join barrier ----------------------------------------------------------------------------


def rebalance_or_complete_join(coordinator: GroupCoordinator, group: Group) -> None:
    if group.can_rebalance():
        prepare_rebalance(coordinator, group)
    elif group.previous_state is not GroupState.EMPTY:
        complete_join_if_all_are_there(coordinator, group)


def complete_join_if_all_are_there(coordinator: GroupCoordinator, group: Group) -> None:
    if group.state is GroupState.PREPARING_REBALANCE and group.has_all_joined:
        complete_join(coordinator, group)


def prepare_rebalance(coordinator: GroupCoordinator, group: Group) -> None:
    """The join barrier opens: every member has to join again.

    Those that wait for an assignment are told REBALANCE_IN_PROGRESS.
    """
    is_initial = group.state is GroupState.EMPTY
    was_completing = group.state is GroupState.COMPLETING_REBALANCE
    _stop_sync_timer(group)
    group.enter(GroupState.PREPARING_REBALANCE, coordinator.broker.now_ms)
    told.changed(coordinator, group, "rebalance")
    if was_completing:
        _refuse_assignments(coordinator, group, ErrorCode.REBALANCE_IN_PROGRESS)
    if is_initial:
        delay_ms = coordinator.broker.config.group_initial_rebalance_delay_ms
        remaining_ms = max(group.rebalance_timeout_ms - delay_ms, 0)
        _wait_for_more_members(coordinator, group, delay_ms, remaining_ms)
    elif group.has_all_joined:
        complete_join(coordinator, group)
    else:
        _set_join_timer(coordinator, group)


def _refuse_assignments(coordinator: GroupCoordinator, group: Group, error: ErrorCode) -> None:
    for member in group.members.values():
        member.assignment = NO_ASSIGNMENT
        if answer_sync(member, SyncGroupResponse(error_code=error)):
            keep_alive(coordinator, group, member)


def _wait_for_more_members(
    coordinator: GroupCoordinator, group: Group, delay_ms: int, remaining_ms: int
) -> None:
    """KIP-134: an empty group waits a moment, and once more as long as somebody comes meanwhile,
    at most for the rebalance timeout."""
    if delay_ms == 0:
        complete_join(coordinator, group)
        return
    group.has_new_member = False

    def on_delay_over(_: int) -> None:
        if group.has_new_member:
            next_delay_ms = min(
                coordinator.broker.config.group_initial_rebalance_delay_ms, remaining_ms
            )
            left_ms = max(remaining_ms - delay_ms, 0)
            _wait_for_more_members(coordinator, group, next_delay_ms, left_ms)
        else:
            complete_join(coordinator, group)

    _cancel_join_timer(group)
    group.join_timer = coordinator.broker.timers.at(
        coordinator.broker.now_ms + delay_ms, on_delay_over
    )


def _set_join_timer(coordinator: GroupCoordinator, group: Group) -> None:
    _cancel_join_timer(group)
    group.join_timer = coordinator.broker.timers.at(
        coordinator.broker.now_ms + group.rebalance_timeout_ms,
        lambda _: complete_join(coordinator, group),
    )


def _cancel_join_timer(group: Group) -> None:
    if group.join_timer is not None:
        group.join_timer.cancel()
        group.join_timer = None


def complete_join(coordinator: GroupCoordinator, group: Group) -> None:
    """The join barrier is passed, because all are there or because the time is over.

    Dynamic members that are missing are expelled; static ones stay, as their process may be about
    to come back.  The next generation begins with those that are left, or the group is empty.
    """
    _cancel_join_timer(group)
    for member in list(group.members.values()):
        if member.join_call is None and not member.is_static:
            remove_member(coordinator, group, member, "join")
    if not group.members:
        become_empty(coordinator, group)
    elif not group.elect_joined_leader():
        _set_join_timer(coordinator, group)  # Static members only, and none of them is back.
    else:
        begin_generation(coordinator, group)


def become_empty(coordinator: GroupCoordinator, group: Group) -> None:
    """The last member is gone.  That is a generation too, so that no later one has its number."""
    group.generation_id += 1
    group.protocol_name = None
    group.pending_sync.clear()
    group.enter(GroupState.EMPTY, coordinator.broker.now_ms)
    group.subscribed_topics = group.compute_subscribed_topics()
    told.changed(coordinator, group, "become_empty", generation_id=group.generation_id)
    store_empty(coordinator, group)


def store_empty(coordinator: GroupCoordinator, group: Group) -> None:
    """Stores that a group is empty; if the disk refuses, again a little later.

    Nobody waits for this.  If the broker ends before it is stored, the next life finds the members
    that have left, and expels them when their sessions end.
    """
    if coordinator.groups.get(group.group_id) is not group or group.state is not GroupState.EMPTY:
        return
    try:
        coordinator.store_group(group)
    except StoreRefused:
        coordinator.broker.timers.at(
            coordinator.broker.now_ms + STORE_AGAIN_MS, lambda _: store_empty(coordinator, group)
        )
    else:
        told.changed(coordinator, group, "store_empty")


def begin_generation(coordinator: GroupCoordinator, group: Group) -> None:
    """The next generation: all who joined are told, the leader also who they are."""
    group.generation_id += 1
    group.protocol_name = group.select_protocol()
    group.subscribed_topics = group.compute_subscribed_topics()
    _stop_sync_timer(group)
    group.pending_sync = dict.fromkeys(group.members)
    group.enter(GroupState.COMPLETING_REBALANCE, coordinator.broker.now_ms)
    told.completed_join(coordinator, group)
    for member in group.members.values():
        member.is_new = False
        call = group.take_join_call(member)
        keep_alive(coordinator, group, member)
        if call is not None:
            told.received_join(coordinator, group, member)
            call.answer(joined(group, member))
    group.sync_timer = coordinator.broker.timers.at(
        coordinator.broker.now_ms + group.rebalance_timeout_ms,
        lambda _: expire_pending_sync(coordinator, group),
    )


# -- the sync barrier ----------------------------------------------------------------------------


def leader_sync(
    coordinator: GroupCoordinator, group: Group, assignments: Mapping[str, bytes]
) -> None:
    """The leader has dealt: the generation is stored, and then everybody is told.

    If it cannot be stored, all who wait are told so, and a rebalance begins.
    """
    for member in group.members.values():
        member.assignment = assignments.get(member.member_id, NO_ASSIGNMENT)
    try:
        coordinator.store_group(group)
    except StoreRefused as refused:
        told.changed(coordinator, group, "refuse_sync", error=int(refused.error_code))
        _refuse_assignments(coordinator, group, refused.error_code)
        prepare_rebalance(coordinator, group)
        return
    group.enter(GroupState.STABLE, coordinator.broker.now_ms)
    told.synced(coordinator, group, assignments)
    for member in group.members.values():
        if member.sync_call is not None:
            told.received_assignment(coordinator, group, member)
        if answer_sync(member, synced(group, member)):
            keep_alive(coordinator, group, member)


def expire_pending_sync(coordinator: GroupCoordinator, group: Group) -> None:
    """Those that have not sent SyncGroup in time are expelled, and the others rebalance."""
    group.sync_timer = None
    late = [group.members[member_id] for member_id in group.pending_sync]
    for member in late:
        remove_member(coordinator, group, member, "sync")
    if late:
        on_members_removed(coordinator, group)


def _stop_sync_timer(group: Group) -> None:
    group.pending_sync.clear()
    if group.sync_timer is not None:
        group.sync_timer.cancel()
        group.sync_timer = None
