"""Where TLC's `generated` differs from ours, and by how much, as functions of a state.

Ours is the initial states and one for each action instance that is possible in a visited state.
TLC's differs in three models, and only there:

- `kip_320`: dropping a follower from the ISR is one step for us.  Its guard is "in another epoch,
  or behind", and TLC counts the step once for each half that is true.
- `kip_279`: so with the truncation of a follower, written as "its log is empty, or ...", whose
  second half allows an empty log too.
- `async_isr`: our bounds are guards.  TLC's is a constraint: steps that lead out of it are counted,
  and the states behind them are neither counted nor followed.

These functions read the state and call nothing of the specification, so that they are a second
opinion on when a step is possible.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from kproof_spec.lang import NONE, Machine
from kproof_spec.replication.async_isr import FollowerId


def extra_for(machine: Machine[Any]) -> Callable[[Any], int]:
    """How many more than we do TLC counts in one state of this machine."""
    constants = machine.scope.constants
    ids = list(machine.new_state().replica) if machine.model.name == "replication" else []
    match machine.model.variant or machine.model.name:
        case "kip_320":
            return lambda s: shrinks_for_two_reasons(s, ids)
        case "kip_279":
            return lambda s: truncations_of_an_empty_log(s, ids)
        case "async_isr":
            return lambda s: steps_out_of_bounds(
                s, constants["max_offset"], constants["max_version"]
            )
    return lambda s: 0


def shrinks_for_two_reasons(s: Any, ids: list[Any]) -> int:
    """Followers that can be dropped both for their epoch and for being behind."""
    found = 0
    for leader in ids:
        me = s.replica[leader]
        if not (s.quorum.leader == leader == me.leader and me.leader_epoch == s.requests.end - 1):
            continue
        for follower in me.in_sync_replicas:
            it = s.replica[follower]
            is_fenced = it.leader != leader or it.leader_epoch != me.leader_epoch
            found += follower != leader and is_fenced and it.log.end < me.log.end
    return found


def truncations_of_an_empty_log(s: Any, ids: list[Any]) -> int:
    """Requests that a replica with an empty log can take as a follower."""
    return sum(
        request.leader not in (NONE, replica) and epoch > s.replica[replica].leader_epoch
        for replica in ids
        if s.replica[replica].log.end == 0
        for epoch, request in enumerate(s.requests)
    )


def steps_out_of_bounds(s: Any, max_offset: int, max_version: int) -> int:
    """Steps that are possible but for a bound."""
    found = int(s.leader_end == max_offset)
    if s.controller.version == max_version:
        found += s.controller.in_sync_followers.size
        found += sum(request.version == max_version for request in s.requests)
    return found


def doubled_steps(machine: Machine[Any]) -> Iterator[tuple[Callable[..., bool], dict[str, Any]]]:
    """The same as predicates, each with its parameters: TLC counts one more where one is true.

    Each is asked of all states at once by an engine, so the large rows can be held against TLC too.
    """
    constants = machine.scope.constants
    match machine.model.variant or machine.model.name:
        case "kip_320":
            for leader, follower in itertools.permutations(machine.new_state().replica, 2):
                yield is_shrunk_for_two_reasons, {"leader": leader, "follower": follower}
        case "kip_279":
            for replica in machine.new_state().replica:
                for epoch in range(constants["max_leader_epoch"] + 1):
                    yield is_truncated_though_empty, {"replica": replica, "epoch": epoch}
        case "async_isr":
            offset, version = constants["max_offset"], constants["max_version"]
            yield is_at_the_end, {"offset": offset}
            for follower in machine.scope.ids(FollowerId):
                yield is_shrunk_at_the_end, {"follower": follower, "version": version}
            for request in machine.domain.fields["requests"].elements:  # type: ignore[attr-defined]
                if request.version == version:
                    yield is_answered_at_the_end, {"request": request, "version": version}


def is_shrunk_for_two_reasons(s: Any, leader: Any, follower: Any) -> bool:
    """The follower can be dropped both for its epoch and for being behind."""
    me, it = s.replica[leader], s.replica[follower]
    if not (s.quorum.leader == leader and me.leader == leader):
        return False
    if not (me.leader_epoch == s.requests.end - 1 and follower in me.in_sync_replicas):
        return False
    is_fenced = it.leader != leader or it.leader_epoch != me.leader_epoch
    return is_fenced and bool(it.log.end < me.log.end)


def is_truncated_though_empty(s: Any, replica: Any, epoch: int) -> bool:
    """The replica has an empty log and can take this request as a follower."""
    it = s.replica[replica]
    if not (epoch < s.requests.end and it.log.end == 0 and epoch > it.leader_epoch):
        return False
    leader = s.requests[epoch].leader
    return leader != NONE and bool(leader != replica)


def is_at_the_end(s: Any, offset: int) -> bool:
    """The leader could write but for the bound."""
    return bool(s.leader_end == offset)


def is_shrunk_at_the_end(s: Any, follower: Any, version: int) -> bool:
    """The controller could drop the follower but for the bound."""
    return s.controller.version == version and follower in s.controller.in_sync_followers


def is_answered_at_the_end(s: Any, request: Any, version: int) -> bool:
    """The controller could grant the request but for the bound."""
    return s.controller.version == version and request in s.requests
