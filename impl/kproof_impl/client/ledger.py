"""The books of a worker pool: what is in flight, what may be started, what may be committed.

Pure: no thread, no clock, no client.  The shell (`consumer.py`) tells it what happens, one thing at
a time, and asks it what may be done.  The methods are named for the actions of the specification's
model `worker_pool`, and each tells its observer the same name, so that the model can follow.

**Rules** (those of the model, which this package does not import):

1. What is committed of a partition is the end of its finished prefix and nothing higher.
2. Records in flight are bounded.  When the window is full, every partition is paused; they are
   resumed when half of it is free again, so that a client need not pause for each record.
3. Records of a lane (a key of a partition) are started one after the other, by offset.  A lane is
   what the model calls a worker; threads take lanes as they come, so no key waits for the record
   of another while a thread is idle.
4. On revocation nothing more is dispatched, what is in flight is awaited, and then the prefix is
   committed.  Past its deadline a partition is abandoned: its prefix is committed, what waits is
   dropped, and what is being processed is an orphan, whose result is ignored.  After a loss the
   same, but nothing is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Any

from kproof_impl.client.errors import LedgerMisused
from kproof_impl.client.tenure import Lane, Order, Tenure, Ticket, TopicPartition

Tell = Callable[[str, dict[str, Any]], None]
"""Takes the name of a step and its parameters."""


class Ledger:
    """The state of a pool.  Not safe for use by several threads at once: the shell has a lock."""

    def __init__(
        self, max_in_flight: int, order: Order = Order.KEY, tell: Tell | None = None
    ) -> None:
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight is {max_in_flight}: expected at least 1")
        self.max_in_flight = max_in_flight
        self.order = order
        self.is_polling = False
        self.in_flight_count = 0
        self._tell = tell
        self._tenures: dict[TopicPartition, Tenure] = {}
        self._lanes: dict[TopicPartition, dict[Hashable, Lane]] = {}
        self._ready: deque[Lane] = deque()
        self._free_numbers: list[int] = []
        self._numbers_count = 0
        self._say("open", max_in_flight=max_in_flight)

    # -- questions -----------------------------------------------------------------------------

    @property
    def owned(self) -> list[TopicPartition]:
        """The partitions that are owned, in the order of their assignment."""
        return list(self._tenures)

    @property
    def paused(self) -> list[TopicPartition]:
        """Those of them of which nothing may be dispatched for want of room."""
        return [tenure.partition for tenure in self._tenures.values() if tenure.is_paused]

    @property
    def room(self) -> int:
        """How many records may be dispatched before the window is full."""
        return self.max_in_flight - self.in_flight_count

    @property
    def may_resume(self) -> bool:
        """Whether there is room enough for paused partitions to go on."""
        return self.in_flight_count <= self.max_in_flight // 2 and self.room > 0

    def may_dispatch(self, partition: TopicPartition) -> bool:
        """Whether a record of the partition may be dispatched."""
        tenure = self._tenures.get(partition)
        return tenure is not None and not tenure.is_paused and not tenure.is_revoking

    def position(self, partition: TopicPartition) -> int | None:
        """The least offset that the next record may have; None if no record came so far."""
        return self._tenure(partition).position

    def end_of_finished_prefix(self, partition: TopicPartition) -> int | None:
        """What may be committed of a partition; None if no record of it came so far."""
        return self._tenure(partition).end_of_finished_prefix

    def uncommitted_prefix(self, partition: TopicPartition) -> int | None:
        """The same, if the coordinator has not taken it yet; else None."""
        tenure = self._tenure(partition)
        end_offset = tenure.end_of_finished_prefix
        return end_offset if end_offset != tenure.confirmed else None

    def is_in_use(self, partition: TopicPartition) -> bool:
        """Whether a record of the partition is in flight."""
        return bool(self._tenure(partition).in_flight)

    def is_awaited(self, partition: TopicPartition) -> bool:
        """Whether one of them may still be finished: it neither failed nor waits for one that did.

        False of a partition that is not owned.
        """
        tenure = self._tenures.get(partition)
        return tenure is not None and any(
            not ticket.lane.is_blocked for ticket in tenure.in_flight.values()
        )

    def is_orphan(self, ticket: Ticket) -> bool:
        """Whether the record's partition was given up since it was dispatched."""
        return self._tenures.get(ticket.tenure.partition) is not ticket.tenure

    # -- the group -----------------------------------------------------------------------------

    def consumer_assign(self, partition: TopicPartition) -> None:
        """The consumer gets a partition, paused if the window is full."""
        self._demand(partition not in self._tenures, f"{partition} is assigned twice")
        is_paused = self.room <= 0
        self._tenures[partition] = Tenure(partition, is_paused=is_paused)
        self._say("consumer_assign", partition, is_paused=is_paused)

    def poll_thread_begin_revocation(self, partition: TopicPartition) -> None:
        """The group wants a partition back: nothing more of it is dispatched."""
        tenure = self._tenure(partition)
        self._demand(self.is_polling, f"{partition} is revoked outside poll")
        if tenure.is_revoking:
            return  # It was begun before, and something went wrong.
        tenure.is_revoking = True
        tenure.is_paused = False
        self._say("poll_thread_begin_revocation", partition)

    def poll_thread_finish_revocation(self, partition: TopicPartition) -> None:
        """All of it is finished and committed: the partition is given back."""
        tenure = self._tenure(partition)
        self._demand(tenure.is_revoking, f"{partition} is given back, and nobody wants it back")
        self._demand(not tenure.in_flight, f"{partition} is given back with records in flight")
        end_offset = tenure.end_of_finished_prefix
        self._give_up(tenure)
        self._say("poll_thread_finish_revocation", partition, offset=end_offset)

    def poll_thread_abandon(self, partition: TopicPartition) -> int | None:
        """The time for a revocation is over.  Gives what may still be committed, or None."""
        tenure = self._tenure(partition)
        self._demand(tenure.is_revoking, f"{partition} is abandoned, and nobody wants it back")
        offset = self.uncommitted_prefix(partition)
        self._give_up(tenure)
        self._say("poll_thread_abandon", partition, offset=tenure.end_of_finished_prefix)
        return offset

    def poll_thread_notice_loss(self, partition: TopicPartition) -> None:
        """The partition is somebody else's by now: nothing of it is committed."""
        tenure = self._tenure(partition)
        self._demand(self.is_polling, f"the loss of {partition} is noticed outside poll")
        self._give_up(tenure)
        self._say("poll_thread_notice_loss", partition)

    # -- the poll thread -----------------------------------------------------------------------

    def poll_thread_enter(self) -> None:
        """The poll thread calls poll."""
        self._demand(not self.is_polling, "poll is called within poll")
        self.is_polling = True
        self._say("poll_thread_enter")

    def poll_thread_return(self) -> None:
        """Poll returns, and there is no record for the workers."""
        self._demand(self.is_polling, "poll returns that was not called")
        self.is_polling = False
        self._say("poll_thread_return")

    def poll_thread_dispatch(
        self, partition: TopicPartition, offset: int, key: Hashable, record: Any
    ) -> None:
        """Poll returns a record, and it joins its lane.  Pauses everything if that was the last
        room."""
        tenure = self._tenure(partition)
        self._demand(self.is_polling, f"{partition} offset {offset} comes from outside poll")
        self._demand(
            not tenure.is_paused and not tenure.is_revoking,
            f"{partition} offset {offset} is dispatched while the partition is paused or revoked",
        )
        if tenure.position is None:
            tenure.committed = tenure.confirmed = offset
        else:
            self._demand(
                offset >= tenure.position,
                f"{partition} offset {offset} comes after offset {tenure.position - 1}",
            )
        lane = self._lane(partition, self._lane_key(key, offset))
        ticket = Ticket(tenure, lane, offset, record)
        self.is_polling = False
        tenure.position = offset + 1
        tenure.in_flight[offset] = ticket
        self.in_flight_count += 1
        lane.waiting.append(ticket)
        self._queue(lane)
        if self.room <= 0:
            for other in self._tenures.values():
                other.is_paused = not other.is_revoking
        self._say(
            "poll_thread_dispatch",
            partition,
            offset=offset,
            worker=lane.number,
            is_full=self.room <= 0,
        )

    def poll_thread_rewind(self, partition: TopicPartition) -> None:
        """The client reads from lower offsets again: its position was reset, since the log is not
        the one it was.  The tenure begins anew; what is in flight of it is dropped."""
        tenure = self._tenure(partition)
        is_paused = tenure.is_paused
        self._give_up(tenure)
        self._tenures[partition] = Tenure(partition, is_paused=is_paused)
        self._say("poll_thread_rewind", partition)

    def poll_thread_resume(self) -> list[TopicPartition]:
        """Resumes all paused partitions, if there is room enough; those it resumed."""
        self._demand(not self.is_polling, "partitions are resumed within poll")
        if not self.may_resume:
            return []
        resumed = self.paused
        for partition in resumed:
            self._tenures[partition].is_paused = False
            self._say("poll_thread_resume", partition)
        return resumed

    def poll_thread_commit(self) -> dict[TopicPartition, int]:
        """What is to be sent to the coordinator: prefixes that are longer than what was sent.

        `commit_taken` or `commit_refused` has to follow, before anything else of the poll thread.
        """
        self._demand(not self.is_polling, "a commit within poll")
        offsets = {}
        for partition, tenure in self._tenures.items():
            end_offset = tenure.end_of_finished_prefix
            if end_offset is not None and end_offset != tenure.committed:
                tenure.committed = offsets[partition] = end_offset
                self._say("poll_thread_commit", partition, offset=end_offset)
        return offsets

    def commit_taken(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The coordinator has taken what `poll_thread_commit` gave."""
        for partition, offset in offsets.items():
            self._tenure(partition).confirmed = offset

    def commit_refused(self, partitions: Iterable[TopicPartition]) -> None:
        """It has not, or nobody knows; also of what `poll_thread_abandon` gave."""
        for partition in partitions:
            if (tenure := self._tenures.get(partition)) is not None:
                tenure.committed = tenure.confirmed
            self._say("commit_refused", partition)

    # -- the workers ---------------------------------------------------------------------------

    def worker_start(self) -> Ticket | None:
        """A thread takes the next record that may be started; None if there is none."""
        while self._ready:
            lane = self._ready.popleft()
            lane.is_ready = False
            if lane.waiting and not lane.is_blocked:
                lane.running = ticket = lane.waiting.popleft()
                self._say("worker_start", lane.partition, offset=ticket.offset, worker=lane.number)
                return ticket
        return None

    def worker_finish(self, ticket: Ticket) -> None:
        """A thread is done with a record, which need not be processed again."""
        lane = self._leave(ticket)
        if not self.is_orphan(ticket):
            del ticket.tenure.in_flight[ticket.offset]
            self.in_flight_count -= 1
        self._say("worker_finish", lane.partition, offset=ticket.offset, worker=lane.number)
        self._settle(lane)

    def worker_fail(self, ticket: Ticket) -> None:
        """A record failed for good: nothing from it on is committed, nor is its lane processed."""
        if self.is_orphan(ticket):
            self.worker_finish(ticket)
            return
        self._demand(ticket.lane.running is ticket, f"offset {ticket.offset} fails, not started")
        ticket.lane.is_blocked = True  # It stays at its worker, for the model too.

    # -- within --------------------------------------------------------------------------------

    def _lane_key(self, key: Hashable, offset: int) -> Hashable:
        if self.order is Order.PARTITION:
            return ()
        return ("offset", offset) if self.order is Order.NONE or key is None else ("key", key)

    def _lane(self, partition: TopicPartition, key: Hashable) -> Lane:
        lanes = self._lanes.setdefault(partition, {})
        lane = lanes.get(key)
        if lane is None:
            lane = lanes[key] = Lane(self._number(), partition, key)
        return lane

    def _number(self) -> int:
        if self._free_numbers:
            return heappop(self._free_numbers)
        self._numbers_count += 1
        return self._numbers_count - 1

    def _queue(self, lane: Lane) -> None:
        if lane.waiting and lane.running is None and not lane.is_ready:
            lane.is_ready = True
            self._ready.append(lane)

    def _leave(self, ticket: Ticket) -> Lane:
        lane = ticket.lane
        self._demand(lane.running is ticket, f"offset {ticket.offset} is finished, not started")
        lane.running = None
        return lane

    def _settle(self, lane: Lane) -> None:
        """The next of the lane may start, or the lane ends."""
        if lane.waiting:
            self._queue(lane)
        elif lane.running is None:
            lanes = self._lanes[lane.partition]
            del lanes[lane.key]
            if not lanes:
                del self._lanes[lane.partition]
            heappush(self._free_numbers, lane.number)

    def _give_up(self, tenure: Tenure) -> None:
        """Forgets a partition: what waits is dropped, what is being processed is an orphan."""
        del self._tenures[tenure.partition]
        self.in_flight_count -= len(tenure.in_flight)
        for lane in list(self._lanes.get(tenure.partition, {}).values()):
            lane.waiting.clear()
            self._settle(lane)

    def _tenure(self, partition: TopicPartition) -> Tenure:
        tenure = self._tenures.get(partition)
        if tenure is None:
            raise LedgerMisused(f"{partition} is not owned; owned are {self.owned}")
        return tenure

    def _demand(self, condition: bool, reason: str) -> None:
        if not condition:
            raise LedgerMisused(reason)

    def _say(self, action: str, partition: TopicPartition | None = None, **parameters: Any) -> None:
        if self._tell is not None:
            if partition is not None:
                parameters["partition"] = str(partition)
            self._tell(action, parameters)
