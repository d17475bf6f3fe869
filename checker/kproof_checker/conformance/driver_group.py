"""The model `group`, variant `eager`, driven into a broker: the steps are the model's.

The broker is stepped by hand or serves on a socket (`driven_broker`); here is what is said to it.

| the model | the broker |
|---|---|
| `member_join` | JoinGroup without an id, MEMBER_ID_REQUIRED, JoinGroup with it, which waits |
| `member_rejoin` | JoinGroup with the member's id, which waits |
| `member_ask_for_rebalance` | a passer-by joins and leaves: the join barrier is open |
| `coordinator_complete_join`, `..._empty` | the gatekeeper, who has kept it open, goes |
| `member_receive_join` | the member takes the answer, which was held |
| `member_leave` | LeaveGroup |
| `coordinator_expel_member` | its session ends; those of the others are kept up by heartbeats |
| `leader_assign_partition`, `leader_sync` | the leader notes; SyncGroup with all it noted |
| `member_receive_assignment` | SyncGroup, or the leader's answer, which was held |
| `member_send_heartbeat` | a heartbeat that does not arrive yet |
| `coordinator_answer_heartbeat`, `member_receive_heartbeat` | it arrives; the answer does |
| `member_is_unknown` | JoinGroup or SyncGroup, answered with an error |
| `coordinator_fail_over` | the broker is killed and reads its log; who waited asks again at once |

**The join barrier.**  The model passes it in a step of its own, a broker as soon as all are there.
But a broker waits for member ids that it has handed out (KIP-394): the *gatekeeper* is a consumer
that has asked for one and does not join with it.  It gives the id back when the barrier is to be
passed, and asks for another.  So there are no states in between that would have to be skipped.

**Asking for a rebalance.**  In Kafka the JoinGroup that asks also joins, and the model has two
steps.  The passer-by does the first alone.  It leaves no trace but the open barrier.

**The last member's session.**  Where it ends, the broker passes the barrier in the same tick, as
the time to wait for nobody is 0.  So that the state in between is seen, the last member of a group
that does not rebalance is removed as an administrator does it, with LeaveGroup.

**SyncGroup** of a follower is on its way until its answer is wanted; it never waits in the broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.groups.group import GroupState as BrokerState
from kproof_impl.core.groups.offset_records import read_group
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproof_impl.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproof_impl.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment
from kproof_spec.group.state import GroupState, MemberState
from kproof_spec.lang import NONE

from .driven_broker import NewBroker, Parted, Undrivable, shown_sets
from .group_situation import Situation
from .stepped_broker import SteppedBroker

GROUP = "g"
PROTOCOL_TYPE, PROTOCOL = "consumer", "range"
SUBSCRIPTION = b"\x00\x01\x00\x00\x00\x01\x00\x06orders\xff\xff\xff\xff"
SESSION_MS = 1_000
LONG_MS = 1_500_000
"""What no driven run lasts."""
OF_CLIENTS = frozenset({"member_join", "member_rejoin", "leader_assign_partition", "leader_sync"})
"""Steps that a consumer decides on by itself, and a broker has no means to refuse: if the model
refuses them, the consumers here do too."""
GATEKEEPER, PASSER_BY, ADMINISTRATOR = "the gatekeeper", "a passer-by", "an administrator"
REFUSALS = {ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION}


@dataclass(slots=True)
class Client:
    """A consumer, and what it was told."""

    name: str
    member_id: str = ""
    state: MemberState = MemberState.UNJOINED
    generation_id: int = 0
    owned: set[str] = field(default_factory=set)
    join_number: int = 0
    """Its last JoinGroup."""
    sync_number: int = 0
    """Its SyncGroup as a leader, if the answer to that was not looked at yet."""

    def reset(self) -> None:
        self.state, self.generation_id, self.owned = MemberState.UNJOINED, 0, set()
        self.sync_number = 0


class GroupDriver:
    """One group of a fresh broker, and its members."""

    of_clients = OF_CLIENTS

    def __init__(self, observe: Any = None, new_broker: NewBroker = SteppedBroker) -> None:
        config = BrokerConfig(
            offsets_topic_num_partitions=1,
            group_initial_rebalance_delay_ms=LONG_MS,
            group_min_session_timeout_ms=1,
            log_flush_scheduler_interval_ms=LONG_MS,
        )
        self.host = new_broker(config, None, observe)
        self.situation = Situation()
        self.clients: dict[str, Client] = {}
        self._names: dict[str, str] = {}
        """The consumer behind each member id that was ever handed out."""
        self._gatekeeper = ""
        self._dealt: dict[str, set[str]] = {}
        self._heartbeat_number = 0
        self._heartbeat_generation_id = 0
        try:
            self._gatekeep()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.host.close()

    # -- what is asked for ---------------------------------------------------------------------

    def drive(
        self, s: Any, action: str, arguments: Mapping[str, Any], *, is_legal: bool = True
    ) -> None:
        """Brings the broker to take a step; `s` is the model's state before it.

        Raises `Undrivable` if it cannot be brought there, `Parted` if it does something else.  What
        is not legal is tried at any rate: no situation speaks of it.
        """
        reason = self.situation.refusal(s, action, arguments)
        if reason is not None and is_legal:
            raise Undrivable(reason)
        getattr(self, f"_{action}")(s, **arguments)
        self.situation = self.situation.after(s, action, arguments)

    def differences(self, s: Any) -> list[str]:
        """Where the broker, or what it told the members, is not what the model has."""
        theirs, mine = self.projection(), self._expected(s)
        return [
            f"{name} is {shown_sets(theirs[name])}, and was to be {shown_sets(value)}"
            for name, value in mine.items()
            if theirs[name] != value
        ]

    def projection(self) -> dict[str, Any]:
        """The broker's state in the model's words; each member's as far as it was told."""
        group = self.host.broker.groups.groups[GROUP]
        assert group.stored_value is not None
        stored = read_group(group.stored_value)
        names = self._names
        found: dict[str, Any] = {
            "state": group.state.value,
            "generation_id": group.generation_id,
            "members": {names[one] for one in group.members},
            "joined": {
                names[one] for one, member in group.members.items() if member.join_call is not None
            },
            "leader": names[group.leader] if group.leader else None,
            "assignment": {
                names[one]: _partitions(member.assignment) for one, member in group.members.items()
            },
            "stored.generation_id": stored.generation_id,
            "stored.members": {names[one.member_id] for one in stored.members},
            "stored.leader": names[stored.leader] if stored.leader else None,
            "stored.assignment": {
                names[one.member_id]: _partitions(one.assignment) for one in stored.members
            },
        }
        for name, client in self.clients.items():
            found[f"member {name}"] = (client.state.name, client.generation_id, client.owned)
        return found

    def _expected(self, s: Any) -> dict[str, Any]:
        members = {str(one) for one in s.members}
        mine: dict[str, Any] = {
            "state": BrokerState[s.state.name].value,
            "generation_id": s.generation_id,
            "members": members,
            "joined": {str(one) for one in s.joined},
            "stored.generation_id": s.stored.generation_id,
            "stored.members": {str(one) for one in s.stored.members},
            "stored.leader": _name(s.stored.leader),
            "stored.assignment": {
                str(one): {str(p) for p in s.stored.assignment[one]} for one in s.stored.members
            },
        }
        has_begun = s.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE)
        if has_begun or s.leader != NONE:  # Else the model has not chosen yet, and the broker has.
            mine["leader"] = _name(s.leader)
        if s.state == GroupState.STABLE:
            mine["assignment"] = {
                str(one): {str(p) for p in s.assignment[one]} for one in s.members
            }
        for one in s.member:
            name, me = str(one), s.member[one]
            if name in self.clients:
                owned = {str(p) for p in me.owned}
                mine[f"member {name}"] = (me.state.name, me.generation_id, owned)
        return mine

    # -- requests ------------------------------------------------------------------------------

    def _client(self, member: object) -> Client:
        return self.clients.setdefault(str(member), Client(str(member)))

    def _join_request(self, member_id: str, session_ms: int = SESSION_MS) -> JoinGroupRequest:
        return JoinGroupRequest(
            GROUP,
            session_ms,
            LONG_MS,
            member_id,
            None,
            PROTOCOL_TYPE,
            [JoinGroupRequestProtocol(PROTOCOL, SUBSCRIPTION)],
        )

    def _sync_request(self, client: Client, shares: Mapping[str, bytes]) -> SyncGroupRequest:
        return SyncGroupRequest(
            GROUP,
            client.generation_id,
            client.member_id,
            None,
            PROTOCOL_TYPE,
            PROTOCOL,
            assignments=[SyncGroupRequestAssignment(one, data) for one, data in shares.items()],
        )

    def _ask_for_id(self, by: str, session_ms: int = SESSION_MS) -> str:
        answer = self.host.ask(self._join_request("", session_ms), by=by)
        _check("JoinGroup without an id", answer.error_code, ErrorCode.MEMBER_ID_REQUIRED)
        member_id: str = answer.member_id
        return member_id

    def _send_away(self, member_id: str, by: str) -> None:
        answer = self.host.ask(LeaveGroupRequest(GROUP, [MemberIdentity(member_id, None)]), by=by)
        _check("LeaveGroup", answer.members[0].error_code, ErrorCode.NONE)

    def _gatekeep(self) -> None:
        self._gatekeeper = self._ask_for_id(GATEKEEPER, LONG_MS)

    def _open_gate(self) -> None:
        self._send_away(self._gatekeeper, GATEKEEPER)
        self._gatekeep()

    def _post_join(self, client: Client) -> None:
        client.join_number = self.host.post(self._join_request(client.member_id), by=client.name)

    def _ask_to_join(self, client: Client) -> Any:
        return self.host.ask(self._join_request(client.member_id), by=client.name)

    def _ask_to_sync(self, client: Client) -> Any:
        return self.host.ask(self._sync_request(client, {}), by=client.name)

    def _wait_at_barrier(self, client: Client) -> None:
        self._post_join(client)
        answer = self.host.answer(client.join_number)
        if answer is not None:
            raise Parted(f"JoinGroup was answered at once: {_answered(answer)}")
        client.state, client.owned = MemberState.PREPARING_REBALANCE, set()

    # -- steps: who comes and goes ---------------------------------------------------------------

    def _member_join(self, _: Any, member: object) -> None:
        client = self._client(member)
        client.member_id = self._ask_for_id(client.name)
        self._names[client.member_id] = str(member)
        self._wait_at_barrier(client)

    def _member_rejoin(self, _: Any, member: object) -> None:
        self._wait_at_barrier(self._client(member))

    def _member_ask_for_rebalance(self, _: Any, member: object) -> None:
        passer_by = self._ask_for_id(PASSER_BY)
        self._names[passer_by] = PASSER_BY
        self.host.post(self._join_request(passer_by), by=PASSER_BY)
        self._send_away(passer_by, PASSER_BY)

    def _member_leave(self, _: Any, member: object) -> None:
        client = self._client(member)
        self._send_away(client.member_id, client.name)
        client.reset()

    def _coordinator_expel_member(self, s: Any, member: object) -> None:
        ids = {self._names[one]: one for one in self.host.broker.groups.groups[GROUP].members}
        is_last = len(ids) == 1 and s.state != GroupState.PREPARING_REBALANCE
        if is_last:
            self._send_away(ids[str(member)], ADMINISTRATOR)
            return
        joined = {str(one) for one in s.joined}
        others = [i for name, i in ids.items() if name != str(member) and name not in joined]
        for part_ms in (SESSION_MS * 6 // 10, SESSION_MS * 4 // 10):
            for other in others:
                heartbeat = HeartbeatRequest(GROUP, s.generation_id, other, None)
                self.host.ask(heartbeat, by=self._names[other])
            self.host.advance(part_ms)

    def _coordinator_complete_join(self, _: Any, leader: object) -> None:
        self._open_gate()
        self._dealt = {}

    def _coordinator_complete_join_empty(self, _: Any) -> None:
        self.host.tick()  # The time to wait for nobody may be over already.
        self._open_gate()

    def _member_receive_join(self, s: Any, member: object) -> None:
        client = self._client(member)
        answer = self.host.answer(client.join_number)
        if answer is None or answer.error_code or answer.generation_id != s.generation_id:
            answer = self._ask_to_join(client)
        _check("JoinGroup", answer.error_code, ErrorCode.NONE)
        client.state = MemberState.COMPLETING_REBALANCE
        client.generation_id, client.sync_number = answer.generation_id, 0

    # -- steps: the assignment -------------------------------------------------------------------

    def _leader_assign_partition(self, _: Any, leader: object, member: object, p: object) -> None:
        self._dealt.setdefault(str(member), set()).add(str(p))

    def _leader_sync(self, _: Any, leader: object) -> None:
        client = self._client(leader)
        ids = {self._names[one]: one for one in self.host.broker.groups.groups[GROUP].members}
        shares = {
            ids[name]: " ".join(sorted(of_member)).encode()
            for name, of_member in self._dealt.items()
        }
        client.sync_number = self.host.post(self._sync_request(client, shares), by=client.name)
        if not self.host.is_answered(client.sync_number):
            raise Parted("the leader's SyncGroup was not answered: it waits")

    def _member_receive_assignment(self, _: Any, member: object) -> None:
        client = self._client(member)
        number, client.sync_number = client.sync_number, 0
        answer = self.host.answer(number) if number else self._ask_to_sync(client)
        _check("SyncGroup", answer.error_code, ErrorCode.NONE)
        client.state, client.owned = MemberState.STABLE, _partitions(answer.assignment)

    # -- steps: what is told late ----------------------------------------------------------------

    def _member_send_heartbeat(self, _: Any, member: object) -> None:
        client = self._client(member)
        heartbeat = HeartbeatRequest(GROUP, client.generation_id, client.member_id, None)
        self._heartbeat_number = self.host.send(heartbeat, by=client.name)
        self._heartbeat_generation_id = client.generation_id

    def _coordinator_answer_heartbeat(self, s: Any, member: object) -> None:
        is_current = member in s.members and s.heartbeat.generation_id == s.generation_id
        self.host.deliver(self._heartbeat_number)
        error = ErrorCode(self.host.answer(self._heartbeat_number).error_code)
        if (error in REFUSALS) is is_current:
            raise Parted(f"the heartbeat was answered with {error.name}")

    def _member_receive_heartbeat(self, _: Any, member: object) -> None:
        client = self._client(member)
        is_stable = client.state == MemberState.STABLE
        if is_stable and client.generation_id == self._heartbeat_generation_id:
            client.reset()

    def _member_is_unknown(self, _: Any, member: object) -> None:
        client = self._client(member)
        if client.state == MemberState.PREPARING_REBALANCE:
            answer = self._ask_to_join(client)
        else:
            answer = self._ask_to_sync(client)
        error = ErrorCode(answer.error_code)
        if error not in REFUSALS:
            raise Parted(f"{type(answer).__name__} has {error.name}, and should refuse")
        client.reset()

    def _coordinator_fail_over(self, s: Any) -> None:
        self.host.kill()
        self._gatekeep()
        for name in self.situation.asking_again(s):
            self._post_join(self.clients[name])


def _name(member: Any) -> str | None:
    return None if member == NONE else str(member)


def _partitions(assignment: bytes) -> set[str]:
    return set(bytes(assignment).decode().split())


def _check(what: str, error_code: int, expected: ErrorCode) -> None:
    if error_code != expected:
        raise Parted(
            f"{what} was answered with {ErrorCode(error_code).name}, expected {expected.name}"
        )


def _answered(answer: Any) -> str:
    error = ErrorCode(answer.error_code)
    return error.name if error else f"generation {answer.generation_id}"
