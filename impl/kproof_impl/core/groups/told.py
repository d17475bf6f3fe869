"""What groups tell of themselves, if somebody observes the broker: an event for each step.

| action | parameters |
|---|---|
| `create` | none: a group without members has been stored |
| `member_join` | `member`, `instance`: its group.instance.id or None; its JoinGroup waits |
| `member_rejoin` | `member`, `reason`: `leader`, `protocols`, `replaced`; None at the barrier |
| `replace_static_member` | `member`, `new_member`: the id it has from now on, `is_stored` |
| `remove_member` | `member`, `reason`: `left`, `full`, `session`, `join` or `sync` timeout |
| `rebalance` | none: the join barrier is open |
| `complete_join` | `generation_id`, `leader`, `missing`: static members that are away |
| `become_empty`, then `store_empty` | `generation_id`; none, once it is stored |
| `receive_join` | `member`, `generation_id`: before JoinGroup is answered with a generation |
| `member_sync` | `member`, `generation_id`: its SyncGroup counts |
| `leader_sync` | `leader`, `assignments`: a checksum for each member; stored |
| `refuse_sync` | `error`: what the leader dealt could not be stored |
| `receive_assignment` | `member`, `generation_id`, `assignment`: a checksum; before the answer |
| `commit` | `member`, `instance`, `generation_id`, `offsets` by `topic-partition`; stored |
| `commit_refused` | `member`, `instance`, `generation_id`, `error` |
| `heartbeat` | the same, with the error that it is answered with |
| `remove_offsets` | `offsets`: a list of `topic-partition`, `reason`; stored |
| `lose_offsets` | the same, not stored: their topic is gone, and the disk refuses |
| `remove_group`, `resign` | none: it has been deleted, or has expired; its log is gone |
| `load` | `instances`: member ids by group.instance.id, `assignments`, `offsets`, `is_stored` |

The reason for a removal of offsets is `asked`, `topic`: it was deleted, `expired` in a group that
has no members, or `unsubscribed`: too old in a group of which no member reads the topic.

The state is `state`, `generation_id` and `leader`; where members may come or go also `members`, in
the order in which they came, and `topics`, which they read, or None where that is not known; after
`commit` also `offsets`, those of its partitions.

After the last `load` of a start, the model `groups` has the action `loaded`, with the number of
`groups`.  Where a change opens the join barrier, its event is told before, and `rebalance` right
after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

from kproof_impl.core.groups.member import NO_ASSIGNMENT

if TYPE_CHECKING:
    from kproof_impl.core.groups.group import Group
    from kproof_impl.core.groups.group_coordinator import GroupCoordinator
    from kproof_impl.core.groups.member import Member
    from kproof_impl.core.groups.offsets import CommittedOffset
    from kproof_impl.messages.heartbeat import HeartbeatRequest
    from kproof_impl.messages.offset_commit import OffsetCommitRequest


def _tell(
    coordinator: GroupCoordinator,
    group: Group,
    action: str,
    parameters: dict[str, Any],
    *,
    has_members: bool = True,
) -> None:
    state: dict[str, Any] = {
        "state": group.state.value,
        "generation_id": group.generation_id,
        "leader": group.leader,
    }
    if has_members:
        topics = group.subscribed_topics
        state["members"] = list(group.members)
        state["topics"] = None if topics is None else sorted(topics)
    coordinator.broker.tell("group", group.group_id, action, parameters, state)


def changed(coordinator: GroupCoordinator, group: Group, action: str, **parameters: Any) -> None:
    """A step that has no more to tell than its parameters."""
    if coordinator.broker.observe is not None:
        _tell(coordinator, group, action, parameters)


def joined(coordinator: GroupCoordinator, group: Group, member: Member) -> None:
    if coordinator.broker.observe is not None:
        parameters = {"member": member.member_id, "instance": member.group_instance_id}
        _tell(coordinator, group, "member_join", parameters)


def rejoined(
    coordinator: GroupCoordinator,
    group: Group,
    member: Member,
    protocols: Mapping[str, bytes] | None,
) -> None:
    """With the protocols it had before; None if it was another process."""
    if coordinator.broker.observe is not None:
        reason = _rebalance_reason(group, member, protocols)
        parameters = {"member": member.member_id, "reason": reason}
        _tell(coordinator, group, "member_rejoin", parameters)


def _rebalance_reason(
    group: Group, member: Member, protocols: Mapping[str, bytes] | None
) -> str | None:
    """Why a rebalance begins now; None if it has begun."""
    if not group.can_rebalance():
        return None
    if protocols is None:
        return "replaced"
    if not member.has_same_protocols(protocols):
        return "protocols"
    return "leader" if group.leader == member.member_id else "none"


def completed_join(coordinator: GroupCoordinator, group: Group) -> None:
    if coordinator.broker.observe is not None:
        parameters = {
            "generation_id": group.generation_id,
            "leader": group.leader,
            "missing": [one.member_id for one in group.members.values() if one.join_call is None],
        }
        _tell(coordinator, group, "complete_join", parameters)


def received_join(coordinator: GroupCoordinator, group: Group, member: Member) -> None:
    if coordinator.broker.observe is not None:
        parameters = {"member": member.member_id, "generation_id": group.generation_id}
        _tell(coordinator, group, "receive_join", parameters, has_members=False)


def accepted_sync(
    coordinator: GroupCoordinator, group: Group, member: Member, generation_id: int
) -> None:
    """With the generation that the request is about."""
    if coordinator.broker.observe is not None:
        parameters = {"member": member.member_id, "generation_id": generation_id}
        _tell(coordinator, group, "member_sync", parameters, has_members=False)


def synced(coordinator: GroupCoordinator, group: Group, assignments: Mapping[str, bytes]) -> None:
    """With what the leader's request says, not with what has become of it."""
    if coordinator.broker.observe is not None:
        shares = {name: crc32(assignments.get(name, NO_ASSIGNMENT)) for name in group.members}
        parameters = {"leader": group.leader, "assignments": shares}
        _tell(coordinator, group, "leader_sync", parameters)


def received_assignment(coordinator: GroupCoordinator, group: Group, member: Member) -> None:
    if coordinator.broker.observe is not None:
        parameters = {
            "member": member.member_id,
            "generation_id": group.generation_id,
            "assignment": crc32(member.assignment),
        }
        _tell(coordinator, group, "receive_assignment", parameters, has_members=False)


def committed(
    coordinator: GroupCoordinator,
    group: Group,
    request: OffsetCommitRequest,
    offsets: Sequence[tuple[str, int, CommittedOffset]],
) -> None:
    if coordinator.broker.observe is not None:
        parameters = _committer(request)
        parameters["offsets"] = {f"{topic}-{index}": one.offset for topic, index, one in offsets}
        state = {
            "state": group.state.value,
            "generation_id": group.generation_id,
            "leader": group.leader,
            "offsets": {
                f"{topic}-{index}": group.offsets[topic][index].offset
                for topic, index, _ in offsets
            },
        }
        coordinator.broker.tell("group", group.group_id, "commit", parameters, state)


def commit_refused(
    coordinator: GroupCoordinator, group: Group, request: OffsetCommitRequest, error: int
) -> None:
    if coordinator.broker.observe is not None:
        parameters = _committer(request)
        parameters["error"] = int(error)
        _tell(coordinator, group, "commit_refused", parameters, has_members=False)


def answered_heartbeat(
    coordinator: GroupCoordinator, group: Group, request: HeartbeatRequest, error: int
) -> None:
    if coordinator.broker.observe is not None:
        parameters = {
            "member": request.member_id,
            "instance": request.group_instance_id,
            "generation_id": request.generation_id,
            "error": int(error),
        }
        _tell(coordinator, group, "heartbeat", parameters, has_members=False)


def _committer(request: OffsetCommitRequest) -> dict[str, Any]:
    return {
        "member": request.member_id,
        "instance": request.group_instance_id,
        "generation_id": request.generation_id_or_member_epoch,
    }


def removed_offsets(
    coordinator: GroupCoordinator,
    group: Group,
    offsets: Sequence[tuple[str, int]],
    reason: str,
    is_stored: bool = True,
) -> None:
    if coordinator.broker.observe is not None:
        names = [f"{topic}-{partition}" for topic, partition in offsets]
        action = "remove_offsets" if is_stored else "lose_offsets"
        parameters = {"offsets": names, "reason": reason}
        _tell(coordinator, group, action, parameters, has_members=False)


def loaded(coordinator: GroupCoordinator) -> None:
    """All groups have been read from the log."""
    if coordinator.broker.observe is None:
        return
    for group in coordinator.groups.values():
        parameters = {
            "instances": dict(group.static_members),
            "assignments": _assignments(group),
            "offsets": {
                f"{topic}-{partition}": one.offset for topic, partition, one in group.all_offsets()
            },
            "is_stored": group.stored_value is not None,
        }
        _tell(coordinator, group, "load", parameters)
    count = {"groups": len(coordinator.groups)}
    coordinator.broker.tell("groups", "", "loaded", count, {})


def _assignments(group: Group) -> dict[str, int]:
    return {one.member_id: crc32(one.assignment) for one in group.members.values()}
