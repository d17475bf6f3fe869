"""A Hypothesis machine that uses a real broker through a real client, and kills it.

The rules are the actions of the specification's models of logs, groups and consumers, as far as a
user can take them: produce, poll, commit, join, leave, die, be stopped and go on, kill the broker,
delete records, let time pass.  `real_client_model` judges what the clients are given and told, the
broker itself is held to the specification, and in the end everything is read back.

Time is real: the moments of background work are not Hypothesis's to choose, so a failure may need
several tries to be seen again.  The recordings that are kept tell what happened when it was seen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

from confluent_kafka import KafkaError, Message, Producer
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
)

from impl_support.clients_broker import eventually
from impl_support.real_client_model import Group, Records, Sent
from impl_support.real_client_steps import (
    MEMBERS_MAX,
    OPTIONS,
    PRODUCERS,
    RETENTION_LATE_MS,
    RETENTION_MS,
    SESSION_MS,
    SETTLE_SECONDS,
    SLACK_MS,
    TOPICS,
    Member,
    step,
)
from impl_support.real_cluster import KPROOF, QUICK, RealCluster, now_ms

keys = st.lists(st.sampled_from([None, b"anna", b"ben", b"cleo"]), min_size=1, max_size=5)
producers = st.sampled_from(sorted(PRODUCERS))
numbers = st.integers(0, MEMBERS_MAX - 1)


class RealClientMachine(RuleBasedStateMachine):
    """Producers, a group of up to three, a group of one, and a broker that may die."""

    command: ClassVar[Sequence[str]] = KPROOF
    """What starts the broker."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.cluster = self.stack.enter_context(RealCluster(TOPICS, *OPTIONS, command=self.command))
        self.records = Records()
        self.deleted = dict.fromkeys(self.cluster.places, 0)
        """The start of each log as DeleteRecords left it."""
        self.starts = dict.fromkeys(self.cluster.places, 0)
        """The start of each log as it was seen last."""
        self.ends = dict.fromkeys(self.cluster.places, 0)
        self.group = Group("workers", self.records, self.log_start)
        self.other_group = Group("audit", self.records, self.log_start)
        self.members: list[Member] = []
        self.members_count = 0
        self.assignor = "range"
        self.producers: dict[str, Producer] = {}

    @initialize(
        assignor=st.sampled_from(["range", "cooperative-sticky"]),
        members=st.integers(0, MEMBERS_MAX),
    )
    def begin(self, assignor: str, members: int) -> None:
        self.cluster.program.append(f"begin(assignor={assignor!r}, members={members})")
        self.assignor = assignor
        self.other = self.new_member(self.other_group, "range", 20_000, commits=False)
        for _ in range(members):
            self.member_join(commits=True)

    # -- helpers ---------------------------------------------------------------------------------

    def log_start(self, place: tuple[str, int]) -> int:
        """What retention and DeleteRecords have left; both only as they may."""
        start, end = self.cluster.watermarks(place)
        now = now_ms()
        before, self.starts[place] = self.starts[place], start
        assert start >= before, f"the start of {place} went back from {before} to {start}"
        assert end >= self.ends[place], f"{place} ends at {end}, before at {self.ends[place]}"
        self.ends[place] = end
        assert start >= self.deleted[place], f"{place} has deleted records again: {start}"
        if place[0] == "orders":
            assert start == self.deleted[place], f"{place} starts at {start}: nobody asked for it"
        for sent in self.records.sent.values():
            if sent.place == place and self.deleted[place] <= sent.offset < start:
                age = now - sent.timestamp_ms
                assert age > RETENTION_MS - SLACK_MS, f"{sent} was deleted at an age of {age} ms"
        return start

    def new_member(self, group: Group, assignor: str, session_ms: int, *, commits: bool) -> Member:
        self.members_count += 1
        config = self.cluster.new_consumer_config(
            group.name,
            **{
                "partition.assignment.strategy": assignor,
                "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": 200,
                "max.poll.interval.ms": 60_000,
            },
        )
        process = self.cluster.nursery.new_member(
            config, sorted(TOPICS), commits_when_revoked=commits
        )
        self.stack.callback(process.kill)
        return Member(self.members_count, group, process, self.cluster)

    def poll_one(self, member: Member, seconds: float, records_max: int = 1_000) -> None:
        member.take(member.process.do("poll", records_max=records_max, seconds=seconds))

    def awake(self) -> list[Member]:
        return [member for member in self.members if not member.process.is_stopped]

    def send(self, kind: str, topic: str, keys_of: list[bytes | None]) -> Producer:
        if kind not in self.producers:
            config = {
                **QUICK,
                "bootstrap.servers": self.cluster.address,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "message.timeout.ms": 0,  # Never: a broker that is killed all the time is no fault.
                **PRODUCERS[kind],
            }
            self.producers[kind] = Producer(config)
        producer = self.producers[kind]
        for key in keys_of:
            sent = self.records.send(kind, topic, key)
            producer.produce(topic, sent.value, key, on_delivery=self.on_delivery(sent))
        return producer

    def on_delivery(self, sent: Sent) -> Any:
        def note(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                sent.error = error.name()
                return
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            place = (topic, partition)
            self.records.acknowledge(sent, place, offset, message.timestamp()[1])

        return note

    def check_sent(self, producer: Producer) -> None:
        """All of a producer's records are acknowledged: the broker is there, and time enough."""
        left = producer.flush(SETTLE_SECONDS)
        self.cluster.check_runs()
        assert not left, f"{left} records were not acknowledged within {SETTLE_SECONDS} seconds"
        failed = [sent for sent in self.records.sent.values() if sent.error]
        assert not failed, f"a producer gave up: {failed}"

    def check_committed(self) -> None:
        for group in (self.group, self.other_group):
            group.check_committed(self.cluster.committed(group.name))

    # -- producers -------------------------------------------------------------------------------

    @step(kind=producers, topic=st.sampled_from(sorted(TOPICS)), keys_of=keys)
    def produce_and_wait(self, kind: str, topic: str, keys_of: list[bytes | None]) -> None:
        self.check_sent(self.send(kind, topic, keys_of))

    @step(kind=producers, topic=st.sampled_from(sorted(TOPICS)), keys_of=keys)
    def produce(self, kind: str, topic: str, keys_of: list[bytes | None]) -> None:
        self.send(kind, topic, keys_of)

    # -- the members of a group ------------------------------------------------------------------

    @precondition(lambda self: len(self.members) < MEMBERS_MAX)
    @step(commits=st.booleans())
    def member_join(self, commits: bool) -> None:
        member = self.new_member(self.group, self.assignor, SESSION_MS, commits=commits)
        self.members.append(member)
        self.poll_one(member, 0.01)

    @precondition(lambda self: self.awake())
    @step(number=numbers, records_max=st.integers(1, 5))
    def member_poll(self, number: int, records_max: int) -> None:
        awake = self.awake()
        self.poll_one(awake[number % len(awake)], 0.1, records_max)

    @precondition(lambda self: self.awake())
    @step(number=numbers, is_waiting=st.booleans())
    def member_commit(self, number: int, is_waiting: bool) -> None:
        awake = self.awake()
        member = awake[number % len(awake)]
        member.take(member.process.do("commit", is_waiting=is_waiting))

    @precondition(lambda self: self.awake())
    @step(number=numbers)
    def member_leave(self, number: int) -> None:
        awake = self.awake()
        member = awake[number % len(awake)]
        self.members.remove(member)
        member.take(member.process.close())
        self.group.end(member.number)

    @precondition(lambda self: self.members)
    @step(number=numbers)
    def member_die(self, number: int) -> None:
        member = self.members.pop(number % len(self.members))
        member.process.kill()
        self.group.end(member.number)

    @precondition(lambda self: len(self.awake()) > 1)
    @step(number=numbers)
    def member_is_stopped(self, number: int) -> None:
        """A long pause, as a garbage collection: whoever commits after it may be a zombie."""
        awake = self.awake()
        awake[number % len(awake)].process.stop()

    @precondition(lambda self: len(self.awake()) < len(self.members))
    @step(commits=st.booleans())
    def member_goes_on(self, commits: bool) -> None:
        member = next(member for member in self.members if member.process.is_stopped)
        member.process.go_on()
        if commits:
            member.take(member.process.do("commit", is_waiting=True))

    @step()
    def group_settles(self) -> None:
        """Who is alive soon has all partitions, each has one owner, and nobody else believes so."""
        awake = self.awake()
        if not awake:
            return

        def is_settled() -> bool:
            for member in awake:
                self.poll_one(member, 0.03)
            owners = [self.group.owners.get(place) for place in self.cluster.places]
            zombies = {number for number, _ in self.group.zombies}
            alive = {member.number for member in awake}
            return set(owners) <= alive and not zombies & alive

        eventually(
            is_settled, lambda: f"every partition has an owner: {self.group}", SETTLE_SECONDS
        )
        self.check_committed()

    @step(records_max=st.integers(1, 20), is_committing=st.booleans())
    def other_group_reads(self, records_max: int, is_committing: bool) -> None:
        """A group of one has its partitions from the first poll on, whatever the others do."""
        self.poll_one(self.other, 0.05, records_max)
        if is_committing:
            self.other.take(self.other.process.do("commit", is_waiting=True))

    # -- the broker ------------------------------------------------------------------------------

    @step(
        kind=producers,
        in_flight=keys,
        wait_ms=st.integers(0, 5),
        down_ms=st.sampled_from([0, 400]),
        is_killed=st.booleans(),
    )
    def broker_ends_and_starts(
        self,
        kind: str,
        in_flight: list[bytes | None],
        wait_ms: int,
        down_ms: int,
        is_killed: bool,
    ) -> None:
        """By kill -9 or in a clean way, while records are on their way."""
        self.send(kind, "orders", in_flight)
        time.sleep(wait_ms / 1000)
        self.records.interruptions += 1
        if is_killed:
            self.cluster.kill()
        else:
            self.cluster.stop()
        time.sleep(down_ms / 1000)
        self.cluster.launch()
        self.check_committed()

    @step(
        place=st.sampled_from([("orders", 0), ("orders", 1), ("events", 0)]), part=st.integers(0, 4)
    )
    def delete_records(self, place: tuple[str, int], part: int) -> None:
        start, end = self.cluster.watermarks(place)
        offset = max(start, end * part // 4)
        if place[0] == "events":
            self.deleted[place] = offset  # Retention may be there first.
        found = self.cluster.delete_records(place, offset)
        assert found >= offset, f"{place} starts at {found}: records below {offset} were deleted"
        self.deleted[place] = offset
        self.log_start(place)

    @step(ms=st.sampled_from([50, 300, 1_500]))
    def time_passes(self, ms: int) -> None:
        time.sleep(ms / 1000)
        for producer in self.producers.values():
            producer.poll(0)
        self.check_retention()

    def check_retention(self) -> None:
        """What is old enough goes, as soon as nothing younger is in its segment."""
        place = ("events", 0)
        sent = [each for each in self.records.sent.values() if each.topic == "events"]
        is_known = all(each.acknowledged_at >= 0 for each in sent)
        youngest = max((each.timestamp_ms for each in sent), default=0)
        if not is_known or now_ms() - youngest <= RETENTION_MS + SLACK_MS:
            self.log_start(place)
            return
        before = max(youngest + RETENTION_MS, self.cluster.started_ms)

        def is_empty() -> bool:
            self.log_start(place)
            return self.starts[place] == self.ends[place]

        late = (before + RETENTION_LATE_MS - now_ms()) / 1000
        eventually(is_empty, f"retention empties {place}", max(late, 0.5))

    def has_read_something(self, member: Member) -> bool:
        """Polls; whether it has been given records of a partition that it has now."""
        self.poll_one(member, 0.05)
        tenures = member.group.tenures.items()
        return any(
            number == member.number and tenure.next_offset > 0 for (number, _), tenure in tenures
        )

    # -- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Whatever is on its way arrives, the broker dies once more, and all is read back."""
        wrong = sys.exc_info()
        with self.stack:
            if wrong[1] is not None:
                raise wrong[1]
            if not hasattr(self, "other"):
                return
            self.check_end()

    def check_end(self) -> None:
        for producer in self.producers.values():
            self.check_sent(producer)
        for member in self.members:
            if member.process.is_stopped:
                member.process.go_on()
        self.group_settles()
        for member in [*self.awake(), self.other]:
            self.check_reads_to_the_end(member)
        self.cluster.kill()
        self.cluster.launch()
        self.check_committed()
        for place in self.cluster.places:
            start = self.log_start(place)
            read = self.cluster.read(place, start, self.ends[place])
            for offset, content in read:
                self.records.note(place, offset, content)
            offsets = [offset for offset, _ in read]
            end = self.ends[place]
            first = self.log_start(place)  # Retention may have been there in the meantime.
            missing = set(range(start, end)) - set(offsets)
            is_right = offsets == sorted(set(offsets)) and all(each < first for each in missing)
            assert is_right, f"{place} has {offsets} of {start} to {end}; it starts at {first}"
        self.records.check_orders()
        self.cluster.stop()

    def check_reads_to_the_end(self, member: Member) -> None:
        """A member is given all there is of its partitions: nothing is kept from it."""

        def has_all() -> bool:
            self.poll_one(member, 0.05)
            for (number, place), tenure in list(member.group.tenures.items()):
                if number == member.number:
                    self.log_start(place)
                    is_empty = self.starts[place] == self.ends[place]
                    position = max(tenure.next_offset, *tenure.starts)
                    if not is_empty and position < self.ends[place]:
                        return False
            return any(number == member.number for number, _ in member.group.tenures) or (
                member is not self.other
            )

        eventually(
            has_all, lambda: f"member {member.number} reads all: {member.group}", SETTLE_SECONDS
        )
