"""The worker pool's ledger on the model `worker_pool`.

A lane of the ledger, a key's queue, is a worker of the model: it processes one record at a time, by
offset.  How many threads take the lanes in turn is no matter of the model's, which has any number
of workers in its open scope.

| the ledger | the model |
|---|---|
| `consumer_assign` ... `worker_finish` | the action of that name |
| `commit_refused` | the commit never was |
| `poll_thread_abandon` | a commit, a loss at once (`is_assigned`), and `poll_thread_notice_loss` |
| `poll_thread_rewind` | nothing: logs of the model do not change behind a consumer |

**What is not in the events.**  The group: a loss that is noticed must have happened, so the map
lets it happen to the one partition (the model's `coordinator_expel` takes all of them at once, and
the client tells of each by itself).  Where a tenure begins is known with its first record: until
then the model's begins at the last commit that was seen, and what is between was processed by
others.  A gap in the offsets is, for the model that has none, a run of finished records.

**Keys.**  The model's offsets take `keys` keys in turn, so the records that are followed must do so
too: the key of offset `o` is `o % keys`.  1 is an order by partitions, `log_size` no order at all.
"""

from __future__ import annotations

from typing import Any

from kproof_impl.events import Event
from kproof_spec.consumer.pool_state import (
    Partition,
    PartitionId,
    end_of_finished_prefix,
    in_flight,
    is_window_full,
)
from kproof_spec.consumer.state import Ownership
from kproof_spec.consumer.worker_pool import model

from .lockstep import Follower


class PoolFollower(Follower):
    """The model of a pool, following a ledger.

    `log_size` is more than any offset; a step takes time in proportion to it, so this is for
    recordings of some hundreds of records.
    """

    def __init__(self, *, log_size: int, keys: int, max_in_flight: int) -> None:
        super().__init__(model, log_size=log_size, keys=keys, max_in_flight=max_in_flight)
        self._is_polling = False
        self._seen: set[str] = set()
        """Partitions of which a record was ever dispatched."""
        self._begun: set[str] = set()
        """Those of which one was in the present tenure."""
        self._committed_before: dict[str, int] = {}
        """What was committed before the last commit."""

    def summary(self) -> str:
        with self.machine.in_scope():
            return self._summary()

    def _summary(self) -> str:
        s = self.state
        lines = [f"in flight = {in_flight(s)}, is_polling = {s.is_polling}"]
        for partition in self.machine.scope.ids(PartitionId):
            it = s.partition[partition]
            lines.append(
                f"{partition}: {it.ownership.name}, committed = {it.committed}, "
                f"finished prefix ends at {end_of_finished_prefix(s, partition)}, "
                f"position = {it.position}, is_paused = {it.is_paused}"
            )
        return "\n".join(lines)

    def follow(self, event: Event) -> None:
        self.event = event
        step = getattr(self, f"_{event.action}", None)
        if step is None:
            raise self.diverged(f"no step of a pool is called {event.action}")
        with self.machine.in_scope():
            step(**event.parameters)

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

    def _poll_thread_abandon(self, partition: str, offset: int | None) -> None:
        self._require_prefix(partition, offset)
        it = self._partition(partition)
        self.require(
            it.ownership == Ownership.REVOKING, f"{partition} is abandoned, and is not revoked"
        )
        if offset is not None:
            self._committed_before[partition] = it.committed
            it.committed = offset
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
        it = self._partition(partition)
        if partition not in self._begun:
            self._begin(it, partition, offset)
        elif offset > it.position:
            for missing in range(it.position, offset):
                it.done.add(missing)
            it.position = offset
            self.machine.store_of(self.state).commit()
        self.take(
            "poll_thread_dispatch", partition=partition, offset=offset, worker=_worker(worker)
        )
        self.require(
            is_full == is_window_full(self.state),
            f"dispatched with is_full = {is_full}, and {in_flight(self.state)} are in flight",
        )

    def _begin(self, it: Partition, partition: str, offset: int) -> None:
        """The first record of a tenure tells where it begins."""
        self.require(
            it.ownership == Ownership.OWNED, f"{partition} is {it.ownership.name}, and not owned"
        )
        self.require(
            partition not in self._seen or offset >= it.committed,
            f"{partition} begins at {offset}, and {it.committed} was committed",
        )
        self._seen.add(partition)
        self._begun.add(partition)
        it.base = it.position = it.committed = offset
        self.machine.store_of(self.state).commit()

    def _poll_thread_resume(self, partition: str) -> None:
        self.take("poll_thread_resume", partition=partition)

    def _poll_thread_commit(self, partition: str, offset: int) -> None:
        self._require_prefix(partition, offset)
        self._committed_before[partition] = self._partition(partition).committed
        self.take("poll_thread_commit", partition=partition)

    def _commit_refused(self, partition: str) -> None:
        self.require(
            partition in self._committed_before, f"a commit of {partition} is refused, and none was"
        )
        self._partition(partition).committed = self._committed_before.pop(partition)
        self.machine.store_of(self.state).commit()

    # -- the workers ---------------------------------------------------------------------------

    def _worker_start(self, partition: str, offset: int, worker: int) -> None:
        self.take("worker_start", worker=_worker(worker), partition=partition)
        started = self.state.worker[self._id("worker_start", "worker", _worker(worker))].offset
        self.require(
            started == offset,
            f"offset {offset} is started, and the first of its worker is {started}",
        )

    def _worker_finish(self, partition: str, offset: int, worker: int) -> None:
        self.take("worker_finish", worker=_worker(worker), partition=partition, offset=offset)

    # -- within --------------------------------------------------------------------------------

    def _require_prefix(self, partition: str, offset: int | None) -> None:
        """What is committed is the end of the finished prefix; None if no record came."""
        if partition not in self._begun:
            self.require(offset is None, f"{partition} has no record, and {offset} is committed")
            return
        end_offset = end_of_finished_prefix(
            self.state, self._id("consumer_assign", "partition", partition)
        )
        self.require(
            offset == end_offset,
            f"{offset} of {partition} is committed, and its finished prefix ends at {end_offset}",
        )

    def _partition(self, name: str) -> Any:
        return self.state.partition[self._id("consumer_assign", "partition", name)]

    def _id(self, action: str, parameter: str, name: str) -> Any:
        sort = self.machine.model.actions[action].parameters[parameter]
        return self.machine._argument(parameter, sort, name)


def _worker(number: int) -> str:
    return f"lane {number}"
