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

from collections.abc import Callable
from typing import Any

from kproof_spec.lang import NONE, Machine


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
