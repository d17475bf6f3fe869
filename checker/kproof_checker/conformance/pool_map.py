"""The worker pool's ledger on the model `worker_pool`.

A lane of the ledger, a key's queue, is a worker of the model: it processes one record at a time, by
offset.  How many threads take the lanes in turn is no matter of the model's, which has any number
of workers in its open scope.

| the ledger | the model |
|---|---|
| `open` | nothing: it has the size of the window of records in flight |
| `consumer_assign` ... `worker_finish` | the action of that name |
| `commit_refused` | the commit never was |
| `poll_thread_abandon` | a commit, a loss at once (`is_assigned`), and `poll_thread_notice_loss` |
| `poll_thread_rewind` | nothing: logs of the model do not change behind a consumer |

**What is not in the events.**  The group: a loss that is noticed must have happened, so the map
lets it happen to the one partition (the model's `coordinator_expel` takes all of them at once, and
the client tells of each by itself).  Where a tenure begins is known with its first record: until
then the model's begins at the last commit that was seen, and what is between was processed by
others.  A gap in the offsets is, for the model that has none, a run of finished records.

**Offsets.**  The model's log has a first and a last offset and a pool's goes on for ever, so the
model sees a window of it (`pool_window`), which begins near the end of the finished prefix and is
as wide as what is in flight wants: a step costs by that and not by how long the pool has run.

**Keys.**  The model's offsets take `keys` keys in turn, so where a number of them is given the
records that are followed must do so too: the key of offset `o` is `o % keys`, and 1 is an order by
partitions.  Without it every record is taken to have a key of its own: events do not tell which it
has, and so that the records of a key share a lane is not looked at.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_spec.consumer.pool_state import (
    PartitionId,
    end_of_finished_prefix,
    in_flight,
    is_window_full,
)
from kproof_spec.consumer.state import Ownership
from kproof_spec.consumer.worker_pool import model

from .lockstep import Follower
from .pool_window import WIDTH_MAX, WIDTH_MIN, Window, resized


class PoolFollower(Follower):
    """The model of a pool, following a ledger.  `keys` is 0 where they are not known."""

    def __init__(self, *, keys: int = 0) -> None:
        self._window = Window(WIDTH_MIN, keys)
        super().__init__(model, **self._window.constants)
        self._max_in_flight = 0
        """0 until the pool has told it."""
        self._is_polling = False
        self._seen: set[str] = set()
        """Partitions of which a record was ever dispatched."""
        self._begun: set[str] = set()
        """Those of which one was in the present tenure."""
        self._committed: dict[str, int] = {}
        """What is committed; of the log, and not of the window, as all offsets here."""
        self._committed_before: dict[str, int] = {}
        """What was committed before the last commit."""
        self._started: dict[int, int] = {}
        """The record that each lane is processing."""

    def restarted(self) -> bool:
        """A pool is a client, and outlives the broker."""
        return True

    def summary(self) -> str:
        with self.machine.in_scope():
            return self._summary()

    def _summary(self) -> str:
        s = self.state
        lines = [f"in flight = {in_flight(s)}, is_polling = {s.is_polling}"]
        for partition in self._partition_ids():
            it = s.partition[partition]
            zero = self._window.zero(str(partition))
            lines.append(
                f"{partition}: {it.ownership.name}, committed = {zero + it.committed}, "
                f"finished prefix ends at {zero + end_of_finished_prefix(s, partition)}, "
                f"position = {zero + it.position}, is_paused = {it.is_paused}"
            )
        return "\n".join(lines)

    def follow(self, event: Event) -> None:
        self.event = event
        step = getattr(self, f"_{event.action}", None)
        if step is None:
            raise self.diverged(f"no step of a pool is called {event.action}")
        if event.action == "open":
            self._open(**event.parameters)
            return
        self.require(self._max_in_flight > 0, "a pool begins with `open`, and this one did not")
        if event.action == "poll_thread_dispatch":
            self._make_room(event.parameters["partition"], event.parameters["offset"])
        with self.machine.in_scope():
            step(**event.parameters)

    def _open(self, max_in_flight: int) -> None:
        """The pool tells how many may be in flight, before anything else."""
        self.require(
            self._max_in_flight == 0,
            f"a pool of {max_in_flight} begins within one of {self._max_in_flight}",
        )
        self.require(max_in_flight > 0, f"max_in_flight is {max_in_flight}")
        self._max_in_flight = max_in_flight
        self._resize(1)

    # -- the group -----------------------------------------------------------------------------

    def _consumer_assign(self, partition: str, is_paused: bool) -> None:
        self.require(
            is_paused == is_window_full(self.state),
            f"assigned with is_paused = {is_paused}, and {in_flight(self.state)} are in flight",
        )
        self._begun.discard(partition)
        self.take("consumer_assign", partition=partition)
        if self._is_polling and not self.state.is_polling:
            self.take("poll_thread_enter")  # It was called before anything was owned.

    def _poll_thread_begin_revocation(self, partition: str) -> None:
        self.take("poll_thread_begin_revocation", partition=partition)

    def _poll_thread_finish_revocation(self, partition: str, offset: int | None) -> None:
        self._require_prefix(partition, offset)
        self.take("poll_thread_finish_revocation", partition=partition)
        if offset is not None:
            self._note_commit(partition, offset)

    def _poll_thread_abandon(self, partition: str, offset: int | None) -> None:
        self._require_prefix(partition, offset)
        it = self._partition(partition)
        self.require(
            it.ownership == Ownership.REVOKING, f"{partition} is abandoned, and is not revoked"
        )
        if offset is not None:
            self._note_commit(partition, offset)
            it.committed = self._window.of_log(partition, offset)
        self._lose(partition)

    def _poll_thread_notice_loss(self, partition: str) -> None:
        self._lose(partition)

    def _lose(self, partition: str) -> None:
        self._partition(partition).is_assigned = False
        self.machine.store_of(self.state).commit()
        self.take("poll_thread_notice_loss", partition=partition)

    # -- the poll thread -----------------------------------------------------------------------

    def _poll_thread_enter(self) -> None:
        self.require(not self._is_polling, "poll is called within poll")
        self._is_polling = True
        self.can("poll_thread_enter")  # Unless nothing is owned: of such polls it knows nothing.

    def _poll_thread_return(self) -> None:
        self.require(self._is_polling, "poll returns that was not called")
        self._is_polling = False
        if self.state.is_polling:
            self.take("poll_thread_return")

    def _poll_thread_dispatch(
        self, partition: str, offset: int, worker: int, is_full: bool
    ) -> None:
        self._is_polling = False
        if partition not in self._begun:
            self._begin(partition, offset)
        else:
            self._skip_to(partition, offset)
        self.take(
            "poll_thread_dispatch",
            partition=partition,
            offset=self._window.of_log(partition, offset),
            worker=_worker(worker),
        )
        self.require(
            is_full == is_window_full(self.state),
            f"dispatched with is_full = {is_full}, and {in_flight(self.state)} are in flight",
        )

    def _begin(self, partition: str, offset: int) -> None:
        """The first record of a tenure tells where it begins."""
        it = self._partition(partition)
        self.require(
            it.ownership == Ownership.OWNED, f"{partition} is {it.ownership.name}, and not owned"
        )
        committed = self._committed.get(partition, 0)
        self.require(
            partition not in self._seen or offset >= committed,
            f"{partition} begins at {offset}, and {committed} was committed",
        )
        self._seen.add(partition)
        self._begun.add(partition)
        self._committed[partition] = offset
        self._window.begin(it, partition, offset)
        it.committed = it.base
        self.machine.store_of(self.state).commit()

    def _skip_to(self, partition: str, offset: int) -> None:
        """What the log lacks before a record counts as finished."""
        it, at = self._partition(partition), self._window.of_log(partition, offset)
        if at > it.position:
            for missing in range(it.position, at):
                it.done.add(missing)
            it.position = at
            self.machine.store_of(self.state).commit()

    def _make_room(self, partition: str, offset: int) -> None:
        """A record is about to come: the window moves up to the finished prefix, and gets as wide
        as it then has to be."""
        is_within = self._window.of_log(partition, offset) < self._window.width
        if is_within or partition not in self._begun:
            return
        with self.machine.in_scope():
            it, end = self._partition(partition), self._end_of_prefix(partition)
            if end == self._window.zero(partition) + it.position:
                committed = self._committed.get(partition, 0)
                self._window.begin(it, partition, offset)
                it.committed = max(self._window.of_log(partition, committed), 0)
            else:
                self._window.move(self.state, self._partition_id(partition), partition, end)
            self.machine.store_of(self.state).commit()
        wanted = self._window.of_log(partition, offset) + 1
        self.require(
            wanted <= WIDTH_MAX,
            f"offset {offset} is dispatched and {end} is not finished: a pool is followed over "
            f"{WIDTH_MAX} offsets at the most",
        )
        if not self._window.fits(wanted):
            others = [self.state.partition[one] for one in self._partition_ids()]
            self._resize(max(wanted, *(max(one.position, one.committed) for one in others)))

    def _resize(self, wanted: int) -> None:
        window = self._window.of_width(wanted)
        machine = model.open(**window.constants, max_in_flight=self._max_in_flight)
        self.state = resized(self.machine, self.state, machine)
        self.machine, self._window = machine, window

    def _poll_thread_resume(self, partition: str) -> None:
        self.take("poll_thread_resume", partition=partition)

    def _poll_thread_commit(self, partition: str, offset: int) -> None:
        self._require_prefix(partition, offset)
        self.take("poll_thread_commit", partition=partition)
        self._note_commit(partition, offset)

    def _commit_refused(self, partition: str) -> None:
        self.require(
            partition in self._committed_before, f"a commit of {partition} is refused, and none was"
        )
        before = self._committed[partition] = self._committed_before.pop(partition)
        self._partition(partition).committed = max(self._window.of_log(partition, before), 0)
        self.machine.store_of(self.state).commit()

    def _note_commit(self, partition: str, offset: int) -> None:
        self._committed_before[partition] = self._committed.get(partition, 0)
        self._committed[partition] = offset

    # -- the workers ---------------------------------------------------------------------------

    def _worker_start(self, partition: str, offset: int, worker: int) -> None:
        self.take("worker_start", worker=_worker(worker), partition=partition)
        started = self._window.zero(partition) + self._at_work(worker).offset
        self.require(
            started == offset,
            f"offset {offset} is started, and the first of its worker is {started}",
        )
        self._started[worker] = offset

    def _worker_finish(self, partition: str, offset: int, worker: int) -> None:
        started = self._started.pop(worker, None)
        self.require(
            started == offset, f"offset {offset} is finished, and its worker has begun {started}"
        )
        at = self._at_work(worker).offset  # An orphan's is not of this window any more.
        self.take("worker_finish", worker=_worker(worker), partition=partition, offset=at)

    # -- within --------------------------------------------------------------------------------

    def _require_prefix(self, partition: str, offset: int | None) -> None:
        """What is committed is the end of the finished prefix; None if no record came."""
        if partition not in self._begun:
            self.require(offset is None, f"{partition} has no record, and {offset} is committed")
            return
        end_offset = self._end_of_prefix(partition)
        self.require(
            offset == end_offset,
            f"{offset} of {partition} is committed, and its finished prefix ends at {end_offset}",
        )

    def _end_of_prefix(self, partition: str) -> int:
        end = end_of_finished_prefix(self.state, self._partition_id(partition))
        return self._window.zero(partition) + end

    def _partition(self, name: str) -> Any:
        return self.state.partition[self._partition_id(name)]

    def _partition_id(self, name: str) -> Any:
        return self._id("consumer_assign", "partition", name)

    def _partition_ids(self) -> list[Any]:
        return list(self.machine.scope.ids(PartitionId))

    def _at_work(self, number: int) -> Any:
        return self.state.worker[self._id("worker_start", "worker", _worker(number))]

    def _id(self, action: str, parameter: str, name: str) -> Any:
        sort = self.machine.model.actions[action].parameters[parameter]
        return self.machine._argument(parameter, sort, name)


def _worker(number: int) -> str:
    return f"lane {number}"
