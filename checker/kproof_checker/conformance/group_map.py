"""A consumer group on the model `group`, variant `eager`.

| the broker | the model |
|---|---|
| `member_join` | `member_join` |
| `member_rejoin` of a stable group | `member_ask_for_rebalance`, `member_rejoin` |
| `member_rejoin` while the barrier is open | `member_rejoin`; nothing if it waits there already |
| `complete_join`, `become_empty` | `coordinator_complete_join`, `..._complete_join_empty` |
| `receive_join`, `receive_assignment` | `member_receive_join`, `member_receive_assignment` |
| `leader_sync` | `leader_sync` |
| `remove_member`, who left | `member_leave` where it is possible, else `coordinator_expel_member` |
| for any other reason | `coordinator_expel_member` |
| `load` | `coordinator_fail_over` |

**What is not looked at.**  Partitions are never named: what the leader deals is client code's
affair.  The map keeps a checksum of each share, and who asks has to be given the one that the
leader sent.  A heartbeat changes nothing: its answer is looked at, and that a timeout has passed by
the clock is not, as in the model any may fire at any time.  A machine that loses power loses what
was not forced to the disk, commits too: `load` would be refused.

**Members' beliefs.**  A request does not say what its sender believes, so where a guard asks for
no more than that, the belief is granted (`_grant`); what the coordinator knows is judged.

**The barrier opens in two events**, that which opens it and `rebalance` right after: in between
the broker's state is still the one before, and nothing else may happen but more of the same.

**Where the model has no such step:**

- Static members who are away when the barrier is passed: Kafka lets them stay, as their process
  may be about to come back.  They are counted as if their JoinGroup had come; and if the leader is
  away, another may lead.  Dynamic members have to be there or be gone.
- A static member under a new id: the new id has the old one's place everywhere.
- Changed protocols, or an assignment that cannot be stored, while the sync barrier is open: the
  join barrier opens; the broker has to say that one of them was the reason.
- Who waits at the barrier and leaves, by another connection or an administrator's hand, or is
  turned away because the group is full, waits no more; then it is expelled.  So is a new member
  whose first wait was too long: that one is no sign of life (KAFKA-7610).
- An answer given once more: no step, if it says what is so.
- An empty group is stored in the model as it becomes empty; the broker may have to try again.

**Offsets** are a fold of the commits that were accepted, and these have to come from a member of
the present generation that can know what it owns, or, without a generation, while there are no
members.  `load` has to show exactly that fold, and the group as it was stored last.
"""

from __future__ import annotations

from kproof_impl.messages.errors import ErrorCode
from kproof_spec.group.state import GroupState, MemberState, is_current
from kproof_spec.lang import NONE, SetOf

from .group_life import NAMES, GroupLife, Parameters

SYNCING = {"CompletingRebalance", "Stable"}
"""Where a member that has not sent SyncGroup in time may be expelled."""


class GroupFollower(GroupLife):
    """The model of one group, following the broker's."""

    # -- who comes and goes --------------------------------------------------------------------

    def _on_member_join(self, parameters: Parameters) -> None:
        member, instance = parameters["member"], parameters["instance"]
        self.require(
            instance is None or member.startswith(f"{instance}-"),
            f"{member} is not what a member of the instance {instance} is called",
        )
        self.take("member_join", member=member)
        self.members.add(member, instance)

    def _on_member_rejoin(self, parameters: Parameters) -> None:
        member, reason = parameters["member"], parameters["reason"]
        self._require_member(member)
        s, me = self.state, self._id(member)
        allowed: set[str | None] = {"protocols"}
        if self.members.instances[member] is not None:
            allowed.add("replaced")
        if s.state == GroupState.PREPARING_REBALANCE:
            allowed = {None}
        elif s.state == GroupState.STABLE and member == self.members.leader:
            allowed.add("leader")
        self.require(
            reason in allowed,
            f"a rebalance began in {NAMES[s.state]} for {member}, and the reason was {reason!r}",
        )
        if s.state == GroupState.STABLE:
            self._grant(member, MemberState.STABLE)
            self.take("member_ask_for_rebalance", member=member)
        elif s.state == GroupState.COMPLETING_REBALANCE:
            self._open_barrier()
        if me not in s.joined:
            if s.member[me].state == MemberState.UNJOINED:
                self._grant(member, MemberState.STABLE)
            self.take("member_rejoin", member=member)

    def _on_remove_member(self, parameters: Parameters) -> None:
        member, reason = parameters["member"], parameters["reason"]
        self._require_member(member)
        s, me = self.state, self._id(member)
        is_first_wait = s.member[me].generation_id == 0
        if reason in ("left", "full") or (reason == "session" and is_first_wait):
            s.joined.remove(me)
            self._commit()
        elif reason == "join":
            self.require(
                self._broker_state == "PreparingRebalance" and not self.members.instances[member],
                f"{member} was expelled at the join barrier, in {self._broker_state}, and its "
                f"group.instance.id is {self.members.instances[member]}",
            )
        else:
            is_late = self._broker_state in SYNCING and s.member[me].state != MemberState.STABLE
            self.require(
                reason == "session" or (reason == "sync" and is_late),
                f"{member} was removed in {self._broker_state}, and the reason was {reason!r}",
            )
        if reason != "left" or not self.can("member_leave", member=member):
            self.take("coordinator_expel_member", member=member)
        self.members.remove(member)

    def _on_replace_static_member(self, parameters: Parameters) -> None:
        old, new = parameters["member"], parameters["new_member"]
        self._require_member(old)
        self.require(self.members.instances[old] is not None, f"{old} is no static member")
        self.require(new not in self.members.instances, f"{new} is a member already")
        s, before, after = self.state, self._id(old), self._id(new)
        s.members.remove(before)
        s.members.add(after)
        s.joined.remove(before)  # Who waited under the old id is fenced.
        if s.leader == before:
            s.leader = after
        s.member[after].state = MemberState.PREPARING_REBALANCE
        s.member[after].generation_id = s.member[before].generation_id
        self.members.rename(old, new)
        if parameters["is_stored"]:
            self.require(s.state == GroupState.STABLE, "a group was stored that is not at rest")
            s.stored.members = s.members
            s.stored.leader = s.leader
            self.stored = self.members.copied()
        else:
            self._has_to_rejoin = new
        self._commit()

    # -- the barriers --------------------------------------------------------------------------

    def _on_rebalance(self, _: Parameters) -> None:
        self.require(self._is_opening, "a rebalance began, and nothing was the reason")

    def _on_complete_join(self, parameters: Parameters) -> None:
        s = self.state
        leader = parameters["leader"]
        for member in parameters["missing"]:
            self._require_member(member)
            self.require(
                self.members.instances[member] is not None and self._id(member) not in s.joined,
                f"{member} was said to be away and to stay: it is no static member, or is here",
            )
        for member in parameters["missing"]:
            me = self._id(member)
            s.joined.add(me)
            if s.leader == me and member != leader:
                s.leader = NONE
        self.require(leader not in parameters["missing"], f"{leader} leads, and is away")
        self._syncing.clear()
        self.take("coordinator_complete_join", leader=leader)
        self.members.leader = leader
        self.members.assignments = {}
        self._check_generation(parameters)
        self._forget_departed()

    def _on_become_empty(self, parameters: Parameters) -> None:
        s = self.state
        stored = (s.stored.generation_id, SetOf(s.stored.members), s.stored.leader)
        self.take("coordinator_complete_join_empty")
        # The model stores it in this step, the broker in the next; it may have to try again.
        s.stored.generation_id, s.stored.members, s.stored.leader = stored
        self._commit()
        self._check_generation(parameters)

    def _on_store_empty(self, _: Parameters) -> None:
        s = self.state
        self.require(s.state == GroupState.EMPTY, "a group was stored as empty that is not")
        self._store()
        self._commit()

    def _on_receive_join(self, parameters: Parameters) -> None:
        member = parameters["member"]
        self._check_generation(parameters)
        self._require_member(member)
        s = self.state
        me = s.member[self._id(member)]
        if me.state == MemberState.PREPARING_REBALANCE:
            self.take("member_receive_join", member=member)
        elif me.generation_id != s.generation_id:
            self._grant(member, MemberState.COMPLETING_REBALANCE)
        self.require(
            s.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE),
            f"{member} was told a generation while the join barrier was open",
        )

    def _on_member_sync(self, parameters: Parameters) -> None:
        member, state = parameters["member"], self.state.state
        self._check_generation(parameters)
        self._require_member(member)
        self.require(
            state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE),
            f"{member} was let in to the sync barrier while the join barrier was open",
        )
        self._syncing.add(member)

    def _on_leader_sync(self, parameters: Parameters) -> None:
        self._require_sync(parameters["leader"])
        self.take("leader_sync", leader=parameters["leader"])
        assignments = parameters["assignments"]
        self.require(
            list(assignments) == list(self.members.instances), "the shares are not the members'"
        )
        self.members.assignments = dict(assignments)
        self.stored = self.members.copied()
        self._is_stored = True
        self._check_invariant("leader_is_a_member", parameters["leader"])

    def _on_refuse_sync(self, parameters: Parameters) -> None:
        self.require(
            self.state.state == GroupState.COMPLETING_REBALANCE,
            "an assignment could not be stored, and none was awaited",
        )
        self.require(
            parameters["error"] in (ErrorCode.NOT_COORDINATOR, ErrorCode.UNKNOWN_SERVER_ERROR),
            f"an assignment could not be stored, and the error was {parameters['error']}",
        )
        self._open_barrier()

    def _on_receive_assignment(self, parameters: Parameters) -> None:
        member = parameters["member"]
        self._check_generation(parameters)
        self._require_member(member)
        self._require_sync(member)
        self._syncing.remove(member)
        me = self.state.member[self._id(member)]
        is_known = me.state == MemberState.STABLE
        if not is_known or me.generation_id != self.state.generation_id:
            self._grant(member, MemberState.COMPLETING_REBALANCE)
            self.take("member_receive_assignment", member=member)
            self._check_invariant("nobody_is_ahead_of_the_coordinator", member)
        self.require(
            self.state.state == GroupState.STABLE,
            f"{member} was given an assignment in {NAMES[self.state.state]}",
        )
        self.require(
            parameters["assignment"] == self.members.assignments[member],
            f"{member} was given another assignment than the leader dealt",
        )

    def _require_sync(self, member: str) -> None:
        self.require(member in self._syncing, f"{member} has not sent SyncGroup")

    def _on_heartbeat(self, parameters: Parameters) -> None:
        error = self._identity_error(parameters)
        if not error and self.state.state == GroupState.PREPARING_REBALANCE:
            error = ErrorCode.REBALANCE_IN_PROGRESS
        self.compare(parameters, error=error)

    # -- offsets -------------------------------------------------------------------------------

    def _on_commit(self, parameters: Parameters) -> None:
        error = self._commit_error(parameters)
        self.require(
            error == ErrorCode.NONE,
            f"a commit of {parameters['member']!r} in generation {parameters['generation_id']} "
            f"was accepted, and should have been answered with {error.name}",
        )
        offsets = parameters["offsets"]
        self.offsets.commit(offsets)
        committed = self.offsets.committed
        assert self.event is not None
        self.compare(self.event.state, offsets={name: committed[name] for name in offsets})

    def _on_commit_refused(self, parameters: Parameters) -> None:
        self.compare(parameters, error=self._commit_error(parameters))

    def _commit_error(self, parameters: Parameters) -> ErrorCode:
        """How a commit has to be answered."""
        state = self.state.state
        if parameters["generation_id"] < 0 and state == GroupState.EMPTY:
            return ErrorCode.NONE
        error = self._identity_error(parameters)
        if not error and state == GroupState.COMPLETING_REBALANCE:
            error = ErrorCode.REBALANCE_IN_PROGRESS  # It cannot know what it owns by now.
        return error

    def _identity_error(self, parameters: Parameters) -> ErrorCode:
        """Whether a request is a member's, in the present generation."""
        member, instance = parameters["member"], parameters["instance"]
        if instance is not None and self.members.instances.get(member) != instance:
            is_there = instance in self.members.by_instance()
            return ErrorCode.FENCED_INSTANCE_ID if is_there else ErrorCode.UNKNOWN_MEMBER_ID
        if member not in self.members.instances:
            return ErrorCode.UNKNOWN_MEMBER_ID
        is_member = is_current(self.state, self._id(member), parameters["generation_id"])
        return ErrorCode.NONE if is_member else ErrorCode.ILLEGAL_GENERATION

    def _on_remove_offsets(self, parameters: Parameters) -> None:
        reason, state = parameters["reason"], self.state.state
        topics = {name.rpartition("-")[0] for name in parameters["offsets"]}
        is_unread = self.topics is not None and topics.isdisjoint(self.topics)
        self.require(
            reason in ("asked", "topic")
            or (reason == "expired" and state == GroupState.EMPTY)
            or (reason == "unsubscribed" and state == GroupState.STABLE and is_unread),
            f"offsets in {sorted(topics)} were removed, and the reason was {reason!r}: the group "
            f"is {NAMES[state]}, and its members read {self.topics}",
        )
        self.offsets.remove(self, parameters["offsets"], is_stored=True)

    def _on_lose_offsets(self, parameters: Parameters) -> None:
        self.offsets.remove(self, parameters["offsets"], is_stored=False)
