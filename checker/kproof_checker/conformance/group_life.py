"""The life of a group under the map: how it comes to be known, is loaded again, and ends.

Also what each of its events is held to, whatever it is: `group_map` has the steps themselves.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_spec.group.eager import model
from kproof_spec.group.state import GroupState, MemberId, MemberState
from kproof_spec.lang import NONE

from .group_fold import Members, Offsets
from .lockstep import Follower

NAMES = {
    GroupState.EMPTY: "Empty",
    GroupState.PREPARING_REBALANCE: "PreparingRebalance",
    GroupState.COMPLETING_REBALANCE: "CompletingRebalance",
    GroupState.STABLE: "Stable",
}
OPENING = {"member_join", "member_rejoin", "replace_static_member", "remove_member", "refuse_sync"}
"""What may open the join barrier; then `rebalance` has to follow."""
READ_ANEW = {"complete_join", "become_empty", "load", "replace_static_member"}
"""When the broker looks anew at what the members read."""
FIRST = {"create", "commit", "load"}
"""How a group comes to be known."""
DEPARTED_MAX = 100
"""So many members that are gone are remembered before they are forgotten together."""
Parameters = dict[str, Any]


class GroupLife(Follower):
    """The model of one group and what is kept beside it."""

    def __init__(self) -> None:
        super().__init__(model)
        self.members = Members()
        self.stored = Members()
        self.offsets = Offsets()
        self.topics: list[str] | None = None
        """What its members read, as the broker takes it from their JoinGroups; None: not known."""
        self._is_known = False
        self._is_stored = False
        """Whether the log has a record of the group itself."""
        self._broker_state = "Empty"
        self._is_opening = False
        self._syncing: set[str] = set()
        """Whose SyncGroup counts and has not been answered with a share, in this generation."""
        self._has_to_rejoin: str | None = None
        """A member that has taken the place of one in a group that is not at rest."""

    # -- lives -----------------------------------------------------------------------------------

    def restarted(self) -> bool:
        self.is_loaded = self._is_opening = False
        self._has_to_rejoin = None
        self._syncing.clear()
        return self._is_stored or bool(self.offsets.stored)

    def summary(self) -> str:
        s = self.state
        return (
            f"state = {NAMES[s.state]}, generation_id = {s.generation_id}, "
            f"leader = {self.members.leader}, members = {list(self.members.instances)}, "
            f"waiting at the join barrier = {[one.name for one in s.joined]}, "
            f"offsets = {self.offsets.committed}"
        )

    def _on_create(self, _: Parameters) -> None:
        self.require(not self._is_stored, "the group was there already")
        self._is_stored = True

    def _on_load(self, parameters: Parameters) -> None:
        if self._is_known:
            self.require(not self.is_loaded, "a group was loaded that is there")
            self.take("coordinator_fail_over")
            self.members = self.stored.copied()
            self.offsets.load()
            if not self._is_as_told(parameters) and self.untold and self.untold.take_group():
                self._begin_anew(parameters)
        else:
            self._begin(parameters)
        self.is_loaded = True
        self.compare(parameters, **self._stored_facts())

    def _stored_facts(self) -> Parameters:
        return {
            "instances": self.members.by_instance(),
            "assignments": self.members.assignments,
            "offsets": self.offsets.committed,
            "is_stored": self._is_stored,
        }

    def _is_as_told(self, parameters: Parameters) -> bool:
        assert self.event is not None
        is_same_generation = self.event.state["generation_id"] == self.state.generation_id
        facts = self._stored_facts()
        return is_same_generation and all(parameters[name] == facts[name] for name in facts)

    def _begin_anew(self, parameters: Parameters) -> None:
        """The broker was killed between a step that it stored and the event of it."""
        self.state = self.machine.initial_state()
        self.offsets = Offsets()
        self._broker_state = "Empty"
        self._begin(parameters)

    def _begin(self, parameters: Parameters) -> None:
        """A group that was there before anybody looked: the model is brought to where it is."""
        assert self.event is not None
        theirs, s = self.event.state, self.state
        instances = {member: instance for instance, member in parameters["instances"].items()}
        self.members = Members(
            {member: instances.get(member) for member in theirs["members"]},
            theirs["leader"],
            dict(parameters["assignments"]),
        )
        self.offsets.commit(parameters["offsets"])
        s.generation_id = theirs["generation_id"]
        for member in theirs["members"]:
            s.members.add(self._id(member))
            self._grant(member, MemberState.STABLE)
        s.leader = NONE if theirs["leader"] is None else self._id(theirs["leader"])
        s.state = GroupState.STABLE if theirs["members"] else GroupState.EMPTY
        self._store()
        self._is_stored = parameters["is_stored"]
        self._commit()

    def _store(self) -> None:
        s = self.state
        s.stored.generation_id, s.stored.members = s.generation_id, s.members
        s.stored.leader = s.leader
        self.stored = self.members.copied()
        self._is_stored = True

    def _on_remove_group(self, _: Parameters) -> None:
        self.require(
            self.state.state == GroupState.EMPTY and not self.offsets.committed,
            "a group was removed that has members or offsets",
        )
        self.is_gone = True

    def _on_resign(self, _: Parameters) -> None:
        self.is_gone = True

    # -- one event -------------------------------------------------------------------------------

    def follow(self, event: Event) -> None:
        self.event = event
        if event.model == "groups":
            self._answered(event.action, event.parameters)
            return
        action = event.action
        step = getattr(self, f"_on_{action}", None)
        if step is None:
            raise self.diverged(f"no step of a group is called {action}")
        self._check_life(action)
        self.require(
            not self._is_opening or action in OPENING or action == "rebalance",
            f"{action} came where the join barrier was to open",
        )
        rejoins, self._has_to_rejoin = self._has_to_rejoin, None
        if rejoins is not None:
            self.require(
                action == "member_rejoin" and event.parameters["member"] == rejoins,
                f"{action} came where {rejoins} was to wait at the join barrier",
            )
        step(event.parameters)
        self._is_known = True
        self._compare(action, event.state)

    def _answered(self, action: str, parameters: Parameters) -> None:
        """A client is about to be told that offsets are stored, or what they are."""
        offsets, mine = parameters["offsets"], self.offsets.committed
        if action == "answer_offset_commit":
            self.require(
                all(mine.get(name) == offset for name, offset in offsets.items()),
                f"a client asked for the offsets {offsets} to be committed, and was told that they "
                f"are",
            )
            return
        self.require(action == "answer_offset_fetch", f"no step of a group is called {action}")
        names = mine if parameters["is_all"] else offsets
        self.compare(parameters, offsets={name: mine.get(name, -1) for name in names})

    def _check_life(self, action: str) -> None:
        self.require(
            self._is_known or action in FIRST,
            f"{action} of a group that nobody has created, loaded or committed for",
        )
        self.require(self.is_loaded or action == "load", f"{action} of a group that was not loaded")

    def _compare(self, action: str, theirs: Parameters) -> None:
        s, mine = self.state, self.members
        was_preparing = self._broker_state == "PreparingRebalance"
        self._is_opening = (
            s.state == GroupState.PREPARING_REBALANCE
            and not was_preparing
            and action != "rebalance"
        )
        expected = self._broker_state if self._is_opening else NAMES[s.state]
        self._broker_state = expected
        if (
            theirs["state"] != expected
            or theirs["generation_id"] != s.generation_id
            or theirs["leader"] != mine.leader
        ):
            self.compare(theirs, state=expected, generation_id=s.generation_id, leader=mine.leader)
        if action in READ_ANEW:
            self.topics = theirs.get("topics")
        elif "topics" in theirs:
            self.compare(theirs, topics=self.topics)
        if "members" in theirs:
            self.compare(theirs, members=list(mine.instances))
            self.require(len(mine.instances) == len(s.members), "the model has other members")

    def _check_generation(self, parameters: Parameters) -> None:
        self.compare(parameters, generation_id=self.state.generation_id)

    def _check_invariant(self, name: str, member: str) -> None:
        claim = model.properties[name]
        self.require(
            self.machine.holds(self.state, claim.definition, {"member": self._id(member)}),
            f"{name} does not hold for {member}",
        )

    def _require_member(self, member: str) -> None:
        self.require(member in self.members.instances, f"{member} is no member")

    # -- the model's state, where the map writes it ----------------------------------------------

    def _id(self, member: str) -> MemberId:
        return self.machine.scope.id(MemberId, member)

    def _commit(self) -> None:
        self.machine.store_of(self.state).commit()

    def _grant(self, member: str, state: MemberState) -> None:
        """The member believes to be there, in the present generation: nobody can know better."""
        me = self.state.member[self._id(member)]
        if me.state != state or me.generation_id != self.state.generation_id:
            me.state, me.generation_id = state, self.state.generation_id
            self._commit()

    def _open_barrier(self) -> None:
        """The join barrier opens for a reason that the model does not have."""
        self.state.state = GroupState.PREPARING_REBALANCE
        self.state.history_rebalances = 0
        self._commit()

    def _forget_departed(self) -> None:
        """What those believe who have gone is nobody's concern, once they are many."""
        s = self.state
        if len(s.member._items) > 2 * len(s.members) + DEPARTED_MAX:
            for table in (s.member, s.assignment, s.stored.assignment):
                for one in list(table._items):
                    if one not in s.members and one not in s.stored.members:
                        del table._items[one]
