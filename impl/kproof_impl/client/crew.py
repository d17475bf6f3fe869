"""The worker threads: each takes a record that may be started, handles it, and reports.

They share the ledger with the poll thread, under one lock.  They never touch the consumer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import Enum
from inspect import iscoroutine
from typing import Any

from kproof_impl.client.clients import Polled
from kproof_impl.client.errors import HandlerFailed
from kproof_impl.client.failures import FailurePolicy
from kproof_impl.client.ledger import Ledger
from kproof_impl.client.tenure import Ticket

LOG = logging.getLogger("kproof.client")

JOIN_S = 1.0
"""How long the end waits for a thread whose record was given up already."""


class Outcome(Enum):
    """What became of a record, unless it failed for good."""

    SETTLED = 0
    GIVEN_UP = 1
    """It is not processed, and will not be here."""


class Crew:
    """A bounded number of threads around a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        handler: Callable[[Any], object],
        policy: FailurePolicy,
        threads_count: int,
    ) -> None:
        self.lock = threading.Lock()
        """Held for every use of the ledger."""
        self.finished = threading.Condition(self.lock)
        """Notified when a record leaves the pool, or failed."""
        self.failure: BaseException | None = None
        """Why the pool has to stop: the first record that failed for good, or what was raised by
        somebody whom a worker had called."""
        self._ledger = ledger
        self._handler = handler
        self._policy = policy
        self._startable = threading.Condition(self.lock)
        self._is_ending = False
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"kproof-worker-{i}", daemon=True)
            for i in range(threads_count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def notice_work(self) -> None:
        """A record was dispatched.  The lock is held."""
        self._startable.notify()

    def end(self) -> int:
        """No record is started any more, and no retry.  How many threads are still busy.

        A thread cannot be stopped in the middle of a handler: such threads end with it.
        """
        with self.lock:
            self._is_ending = True
            self._startable.notify_all()
        self._ended.set()
        for thread in self._threads:
            thread.join(JOIN_S if thread.is_alive() else 0)
        return sum(thread.is_alive() for thread in self._threads)

    def is_member(self, thread: threading.Thread) -> bool:
        """Whether a thread is one of the workers."""
        return thread in self._threads

    # -- in the worker's thread ----------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (ticket := self._next()) is not None:
                outcome = self._process(ticket)
                with self.lock:
                    if outcome is Outcome.SETTLED:
                        self._ledger.worker_finish(ticket)
                    else:
                        self._ledger.worker_fail(ticket)
                        if isinstance(outcome, HandlerFailed):
                            self.failure = self.failure or outcome
                    self.finished.notify_all()
        except BaseException as raised:  # By an observer, or `on_failure` that wants to exit.
            with self.lock:
                self.failure = self.failure or raised
                self.finished.notify_all()

    def _next(self) -> Ticket | None:
        with self.lock:
            while not self._is_ending:
                ticket = self._ledger.worker_start()
                if ticket is not None:
                    return ticket
                self._startable.wait()
        return None

    def _process(self, ticket: Ticket) -> Outcome | HandlerFailed:
        polled: Polled = ticket.record
        name = f"{polled.partition} offset {polled.offset}"
        retry = 0
        while True:
            try:
                answer = self._handler(polled.message)
                if not iscoroutine(answer):
                    return Outcome.SETTLED
                answer.close()
                return HandlerFailed(
                    f"{name}: its handler returned a coroutine, which nobody awaits: expected a "
                    "function that is done when it returns",
                    polled.message,
                )
            except Exception as raised:
                error = raised
            except BaseException as raised:  # A thread that is told to exit: not to be tried again.
                failure = HandlerFailed(f"{name}: its handler raised {raised!r}", polled.message)
                failure.__cause__ = raised
                return failure
            if retry < self._policy.retries:
                retry += 1
                LOG.warning("%s is tried again: its handler raised %r", name, error)
                if self._is_given_up(ticket, self._policy.backoff_before(retry)):
                    return Outcome.GIVEN_UP
                continue
            try:
                self._policy.give_up(polled.message, name, error)
            except HandlerFailed as failed:
                return failed
            return Outcome.SETTLED

    def _is_given_up(self, ticket: Ticket, seconds: float) -> bool:
        """Waits; whether meanwhile the record became somebody else's, or the pool ended."""
        is_ended = self._ended.wait(seconds)
        with self.lock:
            return is_ended or self._ledger.is_orphan(ticket)
