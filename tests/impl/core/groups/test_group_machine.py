"""Members that join, sync, commit, leave and die in any order, while time passes: what must hold.

The machine keeps what each consumer was told, and the offsets log on the side.  The shares that a
leader deals are partition numbers, so that it can be seen who was given what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from impl_support.group_members import SESSION_MS, Consumer, committed, grouped
from impl_support.list_log import ListLog, ListStore
from kproof_checker.conformance.court import Court
from kproof_impl.core.groups.group import GroupState
from kproof_impl.core.groups.offset_records import (
    GroupKey,
    group_key,
    offset_key,
    offset_value,
    read_group,
    read_key,
)
from kproof_impl.core.groups.offsets_log import fold
from kproof_impl.core.groups.rebalance import NEW_MEMBER_JOIN_TIMEOUT_MS
from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.messages.errors import ErrorCode

CONSUMERS = 4
PARTITIONS = 3
REBALANCE_MS = 30_000
ANSWERED_WITHIN_MS = NEW_MEMBER_JOIN_TIMEOUT_MS + 3 * REBALANCE_MS
"""A first JoinGroup waits five minutes at most, whatever the others do, and every other request
for a rebalance or two."""

Given = dict[tuple[int, int], str]


class Process(Consumer):
    """A consumer that knows which of its requests waits, and since when."""

    waits_since_ms: int | None = None
    is_connected = False


class GroupMachine(RuleBasedStateMachine):
    """One group with a static member and dynamic ones."""

    @initialize(delay_ms=st.sampled_from([0, 0, 3_000]), size_max=st.sampled_from([2, 10, 10]))
    def begin(self, delay_ms: int, size_max: int) -> None:
        self.broker = grouped(
            {"orders": PARTITIONS},
            store=ListStore(),
            observe=Court(),
            group_initial_rebalance_delay_ms=delay_ms,
            group_max_size=size_max,
        )
        self.processes = [
            Process(
                self.broker,
                instance_id="static" if number in (0, 1) else None,
                rebalance_ms=REBALANCE_MS,
            )
            for number in range(CONSUMERS)
        ]
        self.given: Given = {}
        self.acknowledged: dict[int, int] = {}
        self.generations: list[int] = [0]
        self.has_refused = False

    # -- what was told -------------------------------------------------------------------------

    @property
    def group(self) -> Any:
        return self.broker.broker.groups.groups.get("g")

    def told(self, process: Process, response: Any) -> None:
        """Checks what a process is told, and has it believe it."""
        if response is None:
            return
        process.waits_since_ms = None
        name = type(response).__name__
        code = response.error_code
        if name == "JoinGroupResponse" and code == ErrorCode.MEMBER_ID_REQUIRED:
            return
        if name == "JoinGroupResponse" and not code:
            assert not process.members or process.leads
        if name == "SyncGroupResponse" and not code:
            self.deal(process)
        if code in (ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID):
            process.member_id, process.generation_id = "", -1

    def deal(self, process: Process) -> None:
        """Nobody else was ever given the same partition in the same generation, not even by a
        broker that had been started again."""
        assert process.assignment is not None
        for partition in process.assignment:
            key = (process.generation_id, partition)
            owner = process.instance_id or process.member_id
            assert self.given.setdefault(key, owner) == owner

    def hear(self, process: Process) -> None:
        """The process takes the answer that has come, if one has."""
        self.told(process, process.late())

    def is_free(self, process: Process) -> bool:
        self.hear(process)
        return process.waits_since_ms is None

    def asked(self, process: Process, response: Any) -> None:
        process.is_connected = True
        process.waits_since_ms = self.broker.now_ms
        self.told(process, response)

    # -- steps ---------------------------------------------------------------------------------

    which = st.integers(0, CONSUMERS - 1)

    @rule(number=which, version=st.sampled_from([9, 9, 9, 5, 3, 0]))
    def join(self, number: int, version: int) -> None:
        process = self.processes[number]
        if self.is_free(process):
            oldest = 5 if process.instance_id else 0
            self.asked(process, process.join(max(version, oldest)))

    @rule(number=which, more=st.sampled_from(["range", "roundrobin"]))
    def subscribe_otherwise(self, number: int, more: str) -> None:
        process = self.processes[number]
        metadata = process.protocols[0][1]
        process.protocols = [(name, metadata) for name in dict.fromkeys((more, "range"))]

    @rule(number=which, deals=st.booleans())
    def sync(self, number: int, deals: bool) -> None:
        process = self.processes[number]
        if not process.member_id or not self.is_free(process):
            return
        shares: dict[str, bytearray] = {}
        if process.members and deals:
            for partition in range(PARTITIONS):
                member = process.members[partition % len(process.members)]
                shares.setdefault(member, bytearray()).append(partition)
        self.asked(process, process.sync({m: bytes(s) for m, s in shares.items()}))

    @rule(numbers=st.lists(which, min_size=1, max_size=8))
    def go_on(self, numbers: list[int]) -> None:
        """Some processes do what a consumer does next: join, sync, or beat."""
        for number in numbers:
            process = self.processes[number]
            if not self.is_free(process):
                continue
            code = ErrorCode.NONE if process.generation_id < 0 else process.heartbeat()
            if process.generation_id < 0 or code == ErrorCode.REBALANCE_IN_PROGRESS:
                self.join(number, 9)
            elif code != ErrorCode.NONE:
                process.member_id, process.generation_id = "", -1
            else:
                self.sync(number, deals=True)

    @rule(number=which)
    def heartbeat(self, number: int) -> None:
        process = self.processes[number]
        if process.member_id and self.is_free(process):
            group = self.group
            code = process.heartbeat()
            is_member = group is not None and process.member_id in group.members
            is_present = is_member and group.generation_id == process.generation_id
            assert (code in (ErrorCode.NONE, ErrorCode.REBALANCE_IN_PROGRESS)) == is_present

    @rule(number=which, partition=st.integers(0, PARTITIONS - 1), offset=st.integers(0, 99))
    def commit(self, number: int, partition: int, offset: int) -> None:
        process = self.processes[number]
        if not self.is_free(process):
            return
        group = self.group
        is_simple = process.generation_id < 0 and (group is None or not group.members)
        is_present = (
            group is not None
            and process.member_id in group.members
            and process.generation_id == group.generation_id
        )
        before = committed(self.broker, partition=partition)
        code = process.commit(offset, partition=partition)
        if code == ErrorCode.NONE:
            assert is_present or is_simple, "a fenced generation has committed"
            self.acknowledged[partition] = offset
            assert committed(self.broker, partition=partition) == offset
        else:
            assert committed(self.broker, partition=partition) == before

    @rule(number=which)
    def leave(self, number: int) -> None:
        process = self.processes[number]
        if process.member_id and self.is_free(process):
            process.leave()
            process.member_id, process.generation_id = "", -1

    @rule(number=which)
    def die(self, number: int) -> None:
        """The process is gone without a word, and another is started in its place."""
        process = self.processes[number]
        self.hear(process)
        if process.is_connected:
            self.broker.disconnect(process.connection)
        process.member_id, process.generation_id, process.members = "", -1, []
        process.is_connected, process.waits_since_ms = False, None

    @rule(number=which)
    def lose_the_connection(self, number: int) -> None:
        """The process goes on, and does not know what it was answered."""
        process = self.processes[number]
        self.hear(process)
        if process.is_connected:
            self.broker.disconnect(process.connection)
        process.is_connected, process.waits_since_ms = False, None

    @rule(milliseconds=st.sampled_from([1, 500, 2_999, SESSION_MS - 1, SESSION_MS, REBALANCE_MS]))
    def pass_time(self, milliseconds: int) -> None:
        self.broker.advance(milliseconds)

    @rule(refuses=st.booleans())
    def disk_refuses(self, refuses: bool) -> None:
        """From now on nothing can be stored, or again everything."""
        topic = self.broker.broker.topics.by_name.get("__consumer_offsets")
        for partition in [] if topic is None else topic.partitions:
            log = partition.log
            if isinstance(log, ObservedLog):
                log = log._log
            assert isinstance(log, ListLog)
            log.fails = refuses
            self.has_refused = self.has_refused or refuses

    @rule(is_clean=st.booleans())
    def restart(self, is_clean: bool) -> None:
        for process in self.processes:
            self.hear(process)
            process.is_connected, process.waits_since_ms = False, None
        if is_clean:
            self.broker.restart()
        else:
            self.broker.crash()
        self.disk_refuses(False)
        self.generations = [0 if self.group is None else self.group.generation_id]

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def generations_only_go_up(self) -> None:
        if self.group is None:  # It has been forgotten, with its numbers, and so have its members.
            self.generations, self.given = [0], {}
        else:
            self.generations.append(self.group.generation_id)
            assert self.generations[-1] >= self.generations[-2]

    @invariant()
    def whoever_waits_is_answered_in_time(self) -> None:
        for process in self.processes:
            self.hear(process)
            if process.waits_since_ms is not None:
                assert self.broker.now_ms - process.waits_since_ms <= ANSWERED_WITHIN_MS

    @invariant()
    def seen(self) -> None:
        """So that `--hypothesis-show-statistics` tells whether anything happens here."""
        if self.group is not None:
            event(f"{self.group.state.value} with {len(self.group.members)} members")

    @invariant()
    def acknowledged_offsets_are_there(self) -> None:
        for partition, offset in self.acknowledged.items():
            assert committed(self.broker, partition=partition) == offset

    @invariant()
    def the_log_folds_to_the_live_state(self) -> None:
        stored = dict(self.folded())
        live: dict[bytes, bytes] = {}
        for group in self.broker.broker.groups.groups.values():
            if group.stored_value is not None:
                live[group_key(group.group_id)] = group.stored_value
            for topic, partition, offset in group.all_offsets():
                live[offset_key(group.group_id, topic, partition)] = offset_value(offset)
        assert stored == live

    @invariant()
    def a_group_at_rest_is_stored_as_it_is(self) -> None:
        for key, value in self.folded():
            about = read_key(key)
            if isinstance(about, GroupKey) and not self.has_refused:
                group = self.broker.broker.groups.groups[about.group_id]
                stored = read_group(value)
                if group.state in (GroupState.STABLE, GroupState.EMPTY):
                    assert stored.generation_id == group.generation_id
                    assert [one.member_id for one in stored.members] == list(group.members)
                    assert stored.leader == group.leader
                    assert [one.assignment for one in stored.members] == [
                        one.assignment for one in group.members.values()
                    ]

    @invariant()
    def a_group_is_well_formed(self) -> None:
        group = self.group
        if group is None:
            return
        members = group.members
        assert [one.member_id for one in members.values()] == list(members)
        assert (group.state is GroupState.EMPTY) <= (not members)
        assert (group.leader in members) if members else group.leader is None
        assert list(group.static_members.values()) == [
            one.member_id for one in members.values() if one.is_static
        ]
        assert group.waiting_at_join == sum(one.join_call is not None for one in members.values())
        assert set(group.pending_sync) <= set(members)
        assert not set(group.pending_members) & set(members)
        assert len(group.static_members) <= 1
        for one in members.values():
            may_wait_forever = one.join_call is not None or one.sync_call is not None
            assert one.session_timer is not None or may_wait_forever
            assert one.sync_call is None or group.state is GroupState.COMPLETING_REBALANCE
            assert one.join_call is None or group.state is GroupState.PREPARING_REBALANCE

    def folded(self) -> Iterator[tuple[bytes, bytes]]:
        topic = self.broker.broker.topics.by_name.get("__consumer_offsets")
        for partition in [] if topic is None else topic.partitions:
            yield from fold(partition).items()

    def teardown(self) -> None:
        self.broker.broker.stop(self.broker.now_ms)


GroupMachine.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_group_in_any_order_of_events = GroupMachine.TestCase
