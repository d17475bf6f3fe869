"""A worker pool's ledger driven by hand, next to the plainest account of what must be true of it.

`PoolBench` is the world: logs with gaps, a group that remembers commits, threads that are tickets
in a list.  `PoolMachine` lets Hypothesis take its steps, in any order.
"""

from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kproof_impl.client.ledger import Ledger, Tell
from kproof_impl.client.tenure import Order, Ticket, TopicPartition

PARTITIONS = [TopicPartition("orders", number) for number in range(2)]
WORKERS = 3


class PoolBench:
    """A ledger, and everything around it."""

    ledger_type: type[Ledger] = Ledger

    def __init__(
        self,
        *,
        max_in_flight: int = 3,
        order: Order = Order.KEY,
        keys: int = 2,
        log: tuple[int, ...] = tuple(range(12)),
        tell: Tell | None = None,
    ) -> None:
        self.ledger = self.ledger_type(max_in_flight, order, tell)
        self.order = order
        self.keys = keys
        self.log = log
        """The offsets that there are in each partition."""
        self.committed = dict.fromkeys(PARTITIONS, 0)
        self.processed: dict[TopicPartition, set[int]] = {p: set() for p in PARTITIONS}
        self.owned: dict[TopicPartition, list[int]] = {}
        """For each owned partition, what was dispatched in this tenure."""
        self.finished: dict[TopicPartition, set[int]] = {}
        """And what of it is finished."""
        self.revoking: set[TopicPartition] = set()
        self.running: list[Ticket] = []

    def next_offset(self, partition: TopicPartition) -> int | None:
        """The record that poll returns next."""
        dispatched = self.owned[partition]
        after = dispatched[-1] + 1 if dispatched else self.committed[partition]
        return next((offset for offset in self.log if offset >= after), None)

    def prefix(self, partition: TopicPartition) -> int | None:
        """The end of the finished prefix, as one would say it."""
        dispatched = self.owned[partition]
        if not dispatched:
            return None
        for offset in dispatched:
            if offset not in self.finished[partition]:
                return offset
        return dispatched[-1] + 1

    @property
    def in_flight_count(self) -> int:
        return sum(len(sent) - len(self.finished[p]) for p, sent in self.owned.items())

    # -- steps ---------------------------------------------------------------------------------

    def assign(self, partition: TopicPartition) -> None:
        self.ledger.consumer_assign(partition)
        self.owned[partition] = []
        self.finished[partition] = set()

    def poll(self, partition: TopicPartition) -> bool:
        """Poll returns a record of the partition, or nothing; whether it did."""
        self.ledger.poll_thread_enter()
        offset = self.next_offset(partition) if partition in self.owned else None
        if offset is None or not self.ledger.may_dispatch(partition):
            self.ledger.poll_thread_return()
            return False
        self.ledger.poll_thread_dispatch(partition, offset, offset % self.keys, (partition, offset))
        self.owned[partition].append(offset)
        return True

    def start(self) -> bool:
        ticket = self.ledger.worker_start()
        if ticket is not None:
            self.running.append(ticket)
        return ticket is not None

    def finish(self, ticket: Ticket) -> None:
        is_orphan = self.ledger.is_orphan(ticket)
        self.ledger.worker_finish(ticket)
        self.running.remove(ticket)
        partition = ticket.tenure.partition
        self.processed[partition].add(ticket.offset)
        if not is_orphan:
            self.finished[partition].add(ticket.offset)

    def commit(self, is_taken: bool) -> None:
        offsets = self.ledger.poll_thread_commit()
        if is_taken:
            self.ledger.commit_taken(offsets)
            self.committed.update(offsets)
        else:
            self.ledger.commit_refused(offsets)

    def begin_revocation(self, partition: TopicPartition) -> None:
        self.ledger.poll_thread_enter()
        self.ledger.poll_thread_begin_revocation(partition)
        self.revoking.add(partition)

    def end_revocation(self, partition: TopicPartition, is_taken: bool) -> None:
        """Given back if nothing of it is in flight, abandoned else."""
        if self.ledger.is_in_use(partition):
            offset = self.ledger.poll_thread_abandon(partition)
            if offset is not None and not is_taken:
                self.ledger.commit_refused([partition])
        else:
            offset = self.ledger.end_of_finished_prefix(partition)
            if is_taken:
                self.ledger.poll_thread_finish_revocation(partition)
            else:
                self.ledger.poll_thread_notice_loss(partition)
        if is_taken and offset is not None:
            self.committed[partition] = offset
        self._forget(partition)
        self.ledger.poll_thread_return()

    def lose(self, partition: TopicPartition, others_count: int) -> None:
        """Others have it, and process some records of it before this consumer knows."""
        for offset in [o for o in self.log if o >= self.committed[partition]][:others_count]:
            self.processed[partition].add(offset)
            self.committed[partition] = offset + 1
        self.ledger.poll_thread_enter()
        self.ledger.poll_thread_notice_loss(partition)
        self._forget(partition)
        self.ledger.poll_thread_return()

    def _forget(self, partition: TopicPartition) -> None:
        self.revoking.discard(partition)
        del self.owned[partition], self.finished[partition]

    def drain(self) -> None:
        """Everything comes to its end, without another rebalance."""
        for partition in sorted(self.revoking):
            self.end_revocation(partition, True)
        for partition in PARTITIONS:
            if partition not in self.owned:
                self.assign(partition)
        is_moving = True
        while is_moving:
            is_moving = bool(self.ledger.poll_thread_resume())
            is_moving |= sum(self.poll(partition) for partition in PARTITIONS) > 0
            is_moving |= self.start()
            if self.running:
                self.finish(self.running[0])
                is_moving = True
        self.commit(True)

    # -- what must hold ------------------------------------------------------------------------

    def check(self) -> None:
        for partition, end in self.committed.items():
            below = {offset for offset in self.log if offset < end}
            assert below <= self.processed[partition], "committed above an unfinished record"
        for partition in self.owned:
            assert self.ledger.end_of_finished_prefix(partition) == self.prefix(partition)
        assert self.ledger.in_flight_count == self.in_flight_count <= self.ledger.max_in_flight
        lanes = [self._lane(ticket) for ticket in self.running]
        assert len(lanes) == len(set(lanes)), "two records of a key at once"
        for ticket in self.running:
            earlier = self.owned.get(ticket.tenure.partition, [])
            if not self.ledger.is_orphan(ticket):
                before = {o for o in earlier if o < ticket.offset and self._same(o, ticket.offset)}
                assert before <= self.finished[ticket.tenure.partition], "out of order"

    def check_end(self) -> None:
        for partition in PARTITIONS:
            assert self.processed[partition] == set(self.log)
            assert self.committed[partition] == self.log[-1] + 1
        assert self.ledger.in_flight_count == 0
        assert self.ledger._lanes == {}
        assert not self.ledger._ready

    def _same(self, a: int, b: int) -> bool:
        if self.order is Order.KEY:
            return a % self.keys == b % self.keys
        return self.order is Order.PARTITION or a == b

    def _lane(self, ticket: Ticket) -> object:
        if self.order is Order.PARTITION:
            return ticket.tenure.partition
        rest = ticket.offset % self.keys if self.order is Order.KEY else ticket.offset
        return (ticket.tenure.partition, rest)

    # -- at random -----------------------------------------------------------------------------

    def walk(self, random: Random, steps_count: int) -> None:
        """Any steps, then the end."""
        for _ in range(steps_count):
            partition = random.choice(PARTITIONS)
            kind = random.choices(
                ["poll", "start", "finish", "commit", "resume", "revoke", "lose"],
                [8, 8, 7, 3, 3, 1, 0.5],
            )[0]
            if kind == "start" and len(self.running) < WORKERS:
                self.start()
            elif kind == "finish" and self.running:
                self.finish(random.choice(self.running))
            elif self.revoking:
                if kind == "poll" and random.random() < 0.3:
                    self.end_revocation(min(self.revoking), random.random() < 0.8)
            elif kind == "commit":
                self.commit(random.random() < 0.8)
            elif kind == "resume":
                self.ledger.poll_thread_resume()
            elif partition not in self.owned:
                self.assign(partition)
            elif kind == "poll":
                self.poll(partition)
            elif kind == "revoke":
                self.begin_revocation(partition)
            elif kind == "lose":
                self.lose(partition, random.randrange(3))
            self.check()
        self.drain()
        self.check()
        self.check_end()


class PoolMachine(RuleBasedStateMachine):
    """Any steps of a pool, each followed by the account of it."""

    bench: PoolBench

    def tell(self, action: str, parameters: dict[str, Any]) -> None:
        """What the ledger tells; nothing becomes of it here."""

    def begin(self, keys: int, max_in_flight: int, log: tuple[int, ...]) -> None:
        """Before the first step, for those who follow."""

    @initialize(
        order=st.sampled_from(list(Order)),
        keys=st.integers(1, 3),
        max_in_flight=st.integers(1, 5),
        gaps=st.lists(st.integers(0, 2), min_size=6, max_size=14),
    )
    def make(self, order: Order, keys: int, max_in_flight: int, gaps: list[int]) -> None:
        log = tuple(sum(gaps[: i + 1]) + i for i in range(len(gaps)))
        model_keys = {Order.KEY: keys, Order.PARTITION: 1, Order.NONE: log[-1] + 1}[order]
        self.begin(model_keys, max_in_flight, log)
        self.bench = PoolBench(
            max_in_flight=max_in_flight, order=order, keys=keys, log=log, tell=self.tell
        )

    def is_calm(self) -> bool:
        """Whether no partition is being given back, so that the poll thread is free."""
        return not self.bench.revoking

    @precondition(lambda self: self.is_calm())
    @rule(partition=st.sampled_from(PARTITIONS))
    def assign_or_poll(self, partition: TopicPartition) -> None:
        if partition in self.bench.owned:
            self.bench.poll(partition)
        else:
            self.bench.assign(partition)

    @precondition(lambda self: len(self.bench.running) < WORKERS)
    @rule()
    def start(self) -> None:
        self.bench.start()

    @precondition(lambda self: bool(self.bench.running))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        which = data.draw(st.integers(0, len(self.bench.running) - 1))
        self.bench.finish(self.bench.running[which])

    @precondition(lambda self: self.is_calm())
    @rule(is_taken=st.booleans())
    def commit(self, is_taken: bool) -> None:
        self.bench.commit(is_taken)

    @precondition(lambda self: self.is_calm())
    @rule()
    def resume(self) -> None:
        self.bench.ledger.poll_thread_resume()

    @precondition(lambda self: self.is_calm() and bool(self.bench.owned))
    @rule(data=st.data())
    def begin_revocation(self, data: st.DataObject) -> None:
        self.bench.begin_revocation(data.draw(st.sampled_from(sorted(self.bench.owned))))

    @precondition(lambda self: bool(self.bench.revoking))
    @rule(is_taken=st.booleans())
    def end_revocation(self, is_taken: bool) -> None:
        self.bench.end_revocation(min(self.bench.revoking), is_taken)

    @precondition(lambda self: self.is_calm() and bool(self.bench.owned))
    @rule(data=st.data(), others_count=st.integers(0, 3))
    def lose(self, data: st.DataObject, others_count: int) -> None:
        self.bench.lose(data.draw(st.sampled_from(sorted(self.bench.owned))), others_count)

    @invariant()
    def the_account_is_right(self) -> None:
        if hasattr(self, "bench"):
            self.bench.check()

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.drain()
            self.bench.check()
            self.bench.check_end()
