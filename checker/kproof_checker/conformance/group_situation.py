"""What the model `group` leaves open and a broker has decided: which steps it can be brought to.

The model has one name for a consumer and its member id, and lets anyone lead; it forgets in which
order members came and which answers are on their way.  A `Situation` is that rest: with the model's
state it says whether the broker can take a step, and why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kproof_spec.group.state import GroupState, MemberState

FORMER_ID = "the consumer came back under another member id, and the group has the former one"
FORMER_HEARTBEAT = "the heartbeat has the consumer's former member id, and the group the new one"
FIRST_LEADS = "the broker lets the member lead that has been there longest"
LEADER_REJOINS = "the leader's JoinGroup, sent again to a stable group, begins a rebalance"
WOULD_WAIT = "JoinGroup, sent again after a failover, would wait at the join barrier that is open"

Entry = tuple[str, int]
"""A consumer's name, and which of its member ids: they are counted as they are handed out."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The rest of the state, of a broker that is driven."""

    order: tuple[Entry, ...] = ()
    """The members in the order they came; the first leads."""
    stored: tuple[Entry, ...] = ()
    """The same of the last complete generation."""
    ids: tuple[Entry, ...] = ()
    """The member id that each consumer uses."""
    answers: tuple[Entry, ...] = ()
    """Whose JoinGroup has been answered, and with which generation; not yet looked at."""
    heartbeat: Entry | None = None
    """Under which member id the heartbeat was sent that is on its way."""

    # -- questions -----------------------------------------------------------------------------

    def refusal(self, s: Any, action: str, arguments: Mapping[str, Any]) -> str | None:
        """Why the broker cannot be brought to a step that is possible in `s`; None if it can."""
        question = getattr(self, f"_refusal_of_{action}", None)
        return question(s, **arguments) if question is not None else None

    def has_former_id(self, member: object) -> bool:
        """Whether the group counts a consumer under an id that it does not use any more."""
        return self._entry(member) not in (None, self._used(member))

    def _entry(self, member: object) -> Entry | None:
        return next((entry for entry in self.order if entry[0] == str(member)), None)

    def _used(self, member: object) -> Entry | None:
        return next((entry for entry in self.ids if entry[0] == str(member)), None)

    def _of_former_id(self, _: Any, member: object) -> str | None:
        return FORMER_ID if self.has_former_id(member) else None

    _refusal_of_member_rejoin = _of_former_id
    _refusal_of_member_ask_for_rebalance = _of_former_id
    _refusal_of_member_receive_assignment = _of_former_id
    _refusal_of_member_leave = _of_former_id

    def _refusal_of_leader_sync(self, _: Any, leader: object) -> str | None:
        return FORMER_ID if self.has_former_id(leader) else None

    def _refusal_of_coordinator_complete_join(self, _: Any, leader: object) -> str | None:
        return None if self.order and self.order[0][0] == str(leader) else FIRST_LEADS

    def _refusal_of_member_receive_join(self, s: Any, member: object) -> str | None:
        if self.has_former_id(member):
            return FORMER_ID
        if (str(member), s.generation_id) in self.answers:
            return None
        if s.state == GroupState.PREPARING_REBALANCE:
            return WOULD_WAIT
        if s.state == GroupState.STABLE and s.leader == member:
            return LEADER_REJOINS
        return None

    def _refusal_of_coordinator_answer_heartbeat(self, s: Any, member: object) -> str | None:
        is_same = self._entry(member) in (None, self.heartbeat)
        if is_same or s.heartbeat.generation_id != s.generation_id:
            return None
        return FORMER_HEARTBEAT

    # -- steps ---------------------------------------------------------------------------------

    def after(self, s: Any, action: str, arguments: Mapping[str, Any]) -> Situation:
        """The situation after a step that the broker takes; `s` is the state before it."""
        step = getattr(self, f"_after_{action}", None)
        return step(s, **arguments)._compacted() if step is not None else self

    def _without_answer(self, member: object) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.answers if entry[0] != str(member))

    def _after_member_join(self, _: Any, member: object) -> Situation:
        name = str(member)
        former = self._used(member)
        fresh = (name, 0 if former is None else former[1] + 1)
        ids = (*(entry for entry in self.ids if entry[0] != name), fresh)
        return replace(
            self,
            order=(*self.order, fresh),
            ids=tuple(sorted(ids)),
            answers=self._without_answer(member),
        )

    def _after_member_rejoin(self, _: Any, member: object) -> Situation:
        return replace(self, answers=self._without_answer(member))

    _after_member_receive_join = _after_member_rejoin
    _after_member_is_unknown = _after_member_rejoin

    def _after_coordinator_complete_join(self, s: Any, leader: object) -> Situation:
        answers = tuple(sorted((name, s.generation_id + 1) for name, _ in self.order))
        others = tuple(one for one in self.answers if one[0] not in dict(self.order))
        return replace(self, answers=tuple(sorted((*answers, *others))))

    def _after_coordinator_complete_join_empty(self, _: Any) -> Situation:
        return replace(self, stored=())

    def _after_leader_sync(self, _: Any, leader: object) -> Situation:
        return replace(self, stored=self.order)

    def _after_member_leave(self, _: Any, member: object) -> Situation:
        return replace(self, order=tuple(entry for entry in self.order if entry[0] != str(member)))

    _after_coordinator_expel_member = _after_member_leave

    def _after_member_send_heartbeat(self, _: Any, member: object) -> Situation:
        return replace(self, heartbeat=self._used(member))

    def _after_coordinator_answer_heartbeat(self, s: Any, member: object) -> Situation:
        return replace(self, heartbeat=None)

    def _after_coordinator_fail_over(self, s: Any) -> Situation:
        again = self.asking_again(s)
        answers = [entry for entry in self.answers if entry[0] not in again]
        answers += ((name, s.stored.generation_id) for name in again)
        return replace(self, order=self.stored, answers=tuple(sorted(answers)))

    def asking_again(self, s: Any) -> list[str]:
        """Who sends JoinGroup again as soon as there is another coordinator, and is answered.

        The leader does not: a rebalance would begin.
        """
        waiting = {
            str(one) for one in s.member if s.member[one].state == MemberState.PREPARING_REBALANCE
        }
        return [entry[0] for entry in self.stored[1:] if entry in self.ids and entry[0] in waiting]

    def _compacted(self) -> Situation:
        """With numbers that are as low as they can be: only which ids are the same matters."""
        heartbeat = () if self.heartbeat is None else (self.heartbeat,)
        used = sorted({*self.order, *self.stored, *self.ids, *heartbeat})
        number: dict[Entry, Entry] = {}
        for entry in used:
            rank = sum(one[0] == entry[0] for one in number)
            number[entry] = (entry[0], rank)
        if all(old == new for old, new in number.items()):
            return self
        return replace(
            self,
            order=tuple(number[entry] for entry in self.order),
            stored=tuple(number[entry] for entry in self.stored),
            ids=tuple(number[entry] for entry in self.ids),
            heartbeat=None if self.heartbeat is None else number[self.heartbeat],
        )
