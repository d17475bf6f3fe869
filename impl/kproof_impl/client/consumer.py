"""A Kafka consumer whose records are processed by a pool of threads.

    pool = WorkerPoolConsumer(config, ["orders"], handle, workers=16)
    pool.run()          # until pool.stop(), from any thread

One thread owns the consumer: the one that calls `run`.  It polls, dispatches to the pool, pauses
when the window is full and goes on polling, so that it stays a member however slow the handlers
are, and commits the finished prefix of each partition.  What may be done when is the ledger's to
say (`ledger.py`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any

from kproof_impl.client.clients import Client, Polled, client_of, key_of_record
from kproof_impl.client.crew import Crew
from kproof_impl.client.errors import CommitRefused, ConfigRefused, WrongThread
from kproof_impl.client.failures import FailurePolicy, OnFailure
from kproof_impl.client.ledger import Ledger
from kproof_impl.client.pausing import Pausing
from kproof_impl.client.telling import events_of
from kproof_impl.client.tenure import Order, TopicPartition
from kproof_impl.events import Observer

LOG = logging.getLogger("kproof.client")

POLL_S = 0.1
"""The longest poll: a stop is noticed after as long."""
ROUND_RECORDS_MAX = 500
"""Records between two looks at the clock."""


class WorkerPoolConsumer:
    """Processes the records of some topics, at least once, in a bounded pool of threads.

    consumer    A confluent_kafka.Consumer or a kafka.KafkaConsumer that nobody else uses, with
                automatic commits off; or the config of one, with automatic commits off or unsaid.
    topics      To subscribe to.
    handler     Called with the client's record, in a worker's thread.  When it returns, the record
                is processed.

    workers             Threads.
    order               "key", "partition" or "none": see `Order`.
    key_of              What of a record is its key, hashable; the record's key if not given.
    max_in_flight       Records that are dispatched and not finished, at most.
    retries, backoff_s, on_failure
                        What happens when the handler raises: see `FailurePolicy`.
    commit_interval_s   Between two commits.
    revoke_deadline_s   How long a partition that the group wants back is kept for its records in
                        flight.  It has to be well below the client's max.poll.interval.ms.
    stop_deadline_s     How long the end waits for the records in flight.
    observe             Called with each step (`kproof_impl.events`), under the pool's lock: it
                        must be quick and may not use the pool.

    Raises `ConfigRefused`, `ClientMissing`.  Each pool is run once.
    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        consumer: Any,
        topics: Iterable[str],
        handler: Callable[[Any], object],
        *,
        workers: int = 8,
        order: str | Order = Order.KEY,
        key_of: Callable[[Any], Hashable] | None = None,
        max_in_flight: int = 1000,
        retries: int = 0,
        backoff_s: float = 0.1,
        on_failure: OnFailure = "stop",
        commit_interval_s: float = 1.0,
        revoke_deadline_s: float = 10.0,
        stop_deadline_s: float = 30.0,
        observe: Observer | None = None,
    ) -> None:
        if workers < 1 or max_in_flight < 1:
            raise ConfigRefused(
                f"workers={workers}, max_in_flight={max_in_flight}: expected at least 1 of each"
            )
        if iscoroutinefunction(handler):
            raise ConfigRefused(
                "the handler is a coroutine function, and the workers are threads: expected a "
                "function that is done when it returns"
            )
        if isinstance(topics, str):
            raise ConfigRefused(f"topics={topics!r}: expected a list of names")
        policy = FailurePolicy(retries, backoff_s, on_failure)
        try:
            order = Order(order)
        except ValueError as unknown:
            raise ConfigRefused(f"{unknown}: expected 'key', 'partition' or 'none'") from None
        self._topics = list(topics)
        self._client: Client = client_of(consumer)
        self._key_of = key_of
        self._commit_interval_s = commit_interval_s
        self._revoke_deadline_s = revoke_deadline_s
        self._stop_deadline_s = stop_deadline_s
        tell = None if observe is None else events_of(self._client.group, observe)
        self._ledger = Ledger(max_in_flight, order, tell)
        self._crew = Crew(self._ledger, handler, policy, workers)
        self._lock, self._finished = self._crew.lock, self._crew.finished
        self._owner: threading.Thread | None = None
        self._background: threading.Thread | None = None
        self._background_error: BaseException | None = None
        self._stop = threading.Event()
        self._held: list[Polled] = []
        """Records that poll returned when there was no room: of partitions just assigned."""
        self._pausing = Pausing(self._client)
        self._next_commit = 0.0

    # -- for users -----------------------------------------------------------------------------

    def run(self) -> None:
        """Consumes until `stop`, then finishes what is in flight, commits and leaves the group.

        Raises `HandlerFailed` if a record failed and the pool was told to stop then, `WrongThread`
        if it runs already, the errors of the client, and whatever `observe` raised.
        """
        self._claim()
        self._crew.start()
        deadline_s = 0.0  # After an error of the client there is nothing to wait for.
        try:
            self._client.subscribe(self._topics, self)
            self._next_commit = time.monotonic() + self._commit_interval_s
            while not self._is_stopping():
                self._round()
            deadline_s = self._stop_deadline_s
        except KeyboardInterrupt:
            deadline_s = self._stop_deadline_s
            raise
        finally:
            self._end(deadline_s)
        if self._crew.failure is not None:
            raise self._crew.failure

    def stop(self) -> None:
        """Lets `run` end; at once, and from any thread: a handler's, or a signal's."""
        self._stop.set()

    def start(self) -> WorkerPoolConsumer:
        """Runs in a thread of its own, until `stop` and `join`."""
        if self._background is not None:
            raise WrongThread("this pool was started already: make another one")
        self._background = threading.Thread(target=self._run_here, name="kproof-poll", daemon=True)
        self._background.start()
        return self

    def join(self) -> None:
        """Waits for the end of a pool that was started.  Raises what `run` would."""
        if self._crew.is_member(threading.current_thread()):
            raise WrongThread("join was called from a handler, and would wait for itself")
        if self._background is not None:
            self._background.join()
        if (error := self._background_error) is not None:
            self._background_error = None
            raise error

    def __enter__(self) -> WorkerPoolConsumer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.join()

    @property
    def in_flight_count(self) -> int:
        """Records that are dispatched and not finished."""
        return self._ledger.in_flight_count

    @property
    def assignment(self) -> list[TopicPartition]:
        """The partitions that it owns now."""
        with self._lock:
            return self._ledger.owned

    # -- the poll thread -----------------------------------------------------------------------

    def _claim(self) -> None:
        here = threading.current_thread()
        with self._lock:
            if self._owner is None:
                self._owner = here
                return
        raise WrongThread(
            f"run was called in thread {here.name!r}, and thread {self._owner.name!r} owns this "
            "pool and its consumer: one thread runs a pool, once; only stop() may be called from "
            "others"
        )

    def _run_here(self) -> None:
        try:
            self.run()
        except BaseException as error:  # For `join`.
            self._background_error = error

    def _is_stopping(self) -> bool:
        return self._stop.is_set() or self._crew.failure is not None

    def _round(self) -> None:
        """Makes room if there is none, polls, and commits if it is time."""
        with self._lock:
            is_full = bool(self._ledger.paused)
            if is_full:
                self._finished.wait_for(lambda: self._ledger.may_resume, POLL_S)
                is_full = not self._ledger.poll_thread_resume()
        if is_full:
            self._dispatch(self._poll_paused())
        else:
            self._pausing.resume()
            self._poll_many()
        if time.monotonic() >= self._next_commit:
            self._commit()

    def _poll_many(self) -> None:
        held, self._held = self._held, []
        is_more = self._dispatch(held)
        timeout_s = min(POLL_S, max(self._next_commit - time.monotonic(), 0.001))
        for _ in range(ROUND_RECORDS_MAX):
            if not is_more:
                return
            with self._lock:
                self._ledger.poll_thread_enter()
                room = self._ledger.room
            polled = self._client.poll(timeout_s, max(min(room, ROUND_RECORDS_MAX), 1))
            is_more = self._dispatch(polled) and bool(polled)
            timeout_s = 0.0

    def _poll_paused(self) -> list[Polled]:
        """Polls with everything paused: it stays a member, and learns of rebalances."""
        with self._lock:
            owned = self._ledger.owned
            self._ledger.poll_thread_enter()
        self._pausing.pause(owned)
        return self._client.poll(0.0, 1)  # One may come, of a partition just assigned.

    def _dispatch(self, polled: list[Polled]) -> bool:
        """Gives records to the pool, as far as there is room; ends the poll.  Whether there is."""
        with self._lock:
            for record in polled:
                if record.partition not in self._ledger.owned:
                    continue  # Poll's own callback gave it up; its next owner has the record too.
                if not self._ledger.may_dispatch(record.partition):
                    self._held.append(record)
                    continue
                if not self._ledger.is_polling:
                    self._ledger.poll_thread_enter()
                self._dispatch_one(record)
            if self._ledger.is_polling:
                self._ledger.poll_thread_return()
            return not self._ledger.paused

    def _dispatch_one(self, record: Polled) -> None:
        position = self._ledger.position(record.partition)
        if position is not None and record.offset < position:
            LOG.warning("%s: back from offset %d to %d", record.partition, position, record.offset)
            self._ledger.poll_thread_rewind(record.partition)
        key = key_of_record(record, self._key_of)
        self._ledger.poll_thread_dispatch(record.partition, record.offset, key, record)
        self._crew.notice_work()

    def _commit(self) -> None:
        with self._lock:
            offsets = self._ledger.poll_thread_commit()
        is_taken = self._send_commit(offsets)
        with self._lock:
            if is_taken:
                self._ledger.commit_taken(offsets)
            else:
                self._ledger.commit_refused(offsets)
        self._next_commit = time.monotonic() + self._commit_interval_s

    def _send_commit(self, offsets: dict[TopicPartition, int]) -> bool:
        """Whether the coordinator took it."""
        if not offsets:
            return True
        try:
            self._client.commit(offsets)
        except CommitRefused as refused:
            LOG.warning("a commit was not taken: %s", refused)
            return False
        return True

    # -- rebalances, within poll or close ------------------------------------------------------

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """The group has given partitions to the consumer."""
        with self._lock:
            for partition in partitions:
                self._pausing.assigned(partition)
                self._ledger.consumer_assign(partition)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """The group wants partitions back."""
        self._give_back(partitions, self._revoke_deadline_s)

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """The group has given partitions to others."""
        with self._lock:
            for partition in self._forget(partitions):
                self._ledger.poll_thread_notice_loss(partition)

    def _forget(self, partitions: Collection[TopicPartition]) -> list[TopicPartition]:
        """Those of them that it owns; what is held of them is dropped."""
        self._held = [record for record in self._held if record.partition not in partitions]
        self._pausing.forget(partitions)
        return [p for p in self._ledger.owned if p in partitions]

    def _give_back(self, partitions: Collection[TopicPartition], seconds: float) -> None:
        offsets: dict[TopicPartition, int] = {}
        with self._lock:
            owned = self._forget(partitions)
            for partition in owned:
                self._ledger.poll_thread_begin_revocation(partition)
            self._finished.wait_for(
                lambda: not any(self._ledger.is_awaited(p) for p in owned), seconds
            )
            finished = [p for p in owned if not self._ledger.is_in_use(p)]
            for partition in owned:
                if partition in finished:
                    offset = self._ledger.uncommitted_prefix(partition)
                else:
                    LOG.warning("%s is given back with records in flight", partition)
                    offset = self._ledger.poll_thread_abandon(partition)
                if offset is not None:
                    offsets[partition] = offset
        is_taken = self._send_commit(offsets)
        with self._lock:
            for partition in finished:
                if is_taken:
                    self._ledger.poll_thread_finish_revocation(partition)
                else:  # It was somebody else's already, as far as anyone can know.
                    self._ledger.poll_thread_notice_loss(partition)
            if not is_taken:
                self._ledger.commit_refused(p for p in offsets if p not in finished)

    # -- the end -------------------------------------------------------------------------------

    def _end(self, seconds: float) -> None:
        try:
            with self._lock:
                if self._ledger.is_polling:  # Poll has raised.
                    self._ledger.poll_thread_return()
            self._drain(time.monotonic() + seconds)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Gives everything back and closes the client, whatever goes wrong on the way.

        Whatever is revoked from here on, by `close` too, is not waited for.
        """
        self._revoke_deadline_s = 0.0
        try:
            self._enter_poll()
            self._give_back(self.assignment, 0.0)
        finally:
            try:
                busy = self._crew.end()
                if busy:
                    LOG.warning("%d handlers still run; their records will be repeated", busy)
            finally:
                self._enter_poll()
                self._client.close()
                with self._lock:
                    self._ledger.poll_thread_return()

    def _enter_poll(self) -> None:
        """What comes now is as if within poll."""
        with self._lock:
            if not self._ledger.is_polling:
                self._ledger.poll_thread_enter()

    def _drain(self, deadline: float) -> None:
        """Finishes what is in flight, as a member of the group, and dispatches nothing."""
        while time.monotonic() < deadline:
            with self._lock:
                self._finished.wait_for(self._is_drained, POLL_S)
                if self._is_drained():
                    return
            self._poll_paused()  # What comes nevertheless is neither dispatched nor committed.
            with self._lock:
                self._ledger.poll_thread_return()
            if time.monotonic() >= self._next_commit:
                self._commit()

    def _is_drained(self) -> bool:
        return not any(self._ledger.is_awaited(p) for p in self._ledger.owned)
