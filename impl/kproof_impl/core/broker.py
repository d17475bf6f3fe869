"""The broker: `receive(input, now_ms) -> effects`.

One input is dealt with wholly before the next; that is all the concurrency there is.  The time must
not go back between inputs: the caller brings a clock that does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kproof_impl.core.calls import NO_ANSWER, Call, CloseConnection, Connection
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.dispatch import HANDLERS_FOUND, handler_of
from kproof_impl.core.effects import Close, Effect, Pause, Report, Resume, Send
from kproof_impl.core.inputs import (
    Connected,
    Disconnected,
    Header,
    Input,
    Received,
    ReceivedBatch,
    Tick,
)
from kproof_impl.core.log_cleaner import LogCleaner
from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.core.ports import Identifiers, LogStore
from kproof_impl.core.timers import Timers
from kproof_impl.core.topics import Topics
from kproof_impl.core.waiting_fetches import WaitingFetches
from kproof_impl.events import Event, Observer

if TYPE_CHECKING:
    from kproof_impl.core.fetch_sessions import FetchSessions
    from kproof_impl.core.groups.group_coordinator import GroupCoordinator
    from kproof_impl.core.producer_ids import ProducerIds

REFUSAL_TOLD_MS = 60_000
"""So often it is told that the disk refuses, of each place."""
REFUSALS_MAX = 1_000


class Broker:
    """A single node, leader of all its partitions and coordinator of all groups.

    `observe` is called with each step that the specification has a name for, right after its
    effect and before its answer; None costs nothing.  What it raises is raised by `start` or
    `receive`, by every later call too, and is in `failure`: the step has happened, and none of its
    effects is done.
    """

    def __init__(
        self,
        config: BrokerConfig,
        store: LogStore,
        identifiers: Identifiers,
        observe: Observer | None = None,
    ) -> None:
        self.config = config
        self.store = store
        self.identifiers = identifiers
        self.observe = observe
        self.failure: Exception | None = None
        """What the observer has raised."""
        self.now_ms = 0
        self.timers = Timers()
        self.waiting_fetches = WaitingFetches(self)
        self.topics = Topics(self)
        self.requests_count = 0
        self._events_count = 0
        self._refusals_told: dict[str, int] = {}
        """By place, when somebody was told that the disk had refused."""
        self._connections: dict[int, Connection] = {}
        self._effects: list[Effect] = []
        self._ready: deque[Connection] = deque()
        self._groups: GroupCoordinator | None = None
        self._fetch_sessions: FetchSessions | None = None
        self._producer_ids: ProducerIds | None = None

    # -- parts that are made when they are first needed ----------------------------------------

    @cached_property
    def _produce_one_batch(self) -> Callable[[Broker, ReceivedBatch], Effect | None]:
        from kproof_impl.core.repeated_produce import produce_one_batch

        return produce_one_batch

    @property
    def groups(self) -> GroupCoordinator:
        if self._groups is None:
            from kproof_impl.core.groups.group_coordinator import GroupCoordinator

            self._groups = GroupCoordinator(self)
        return self._groups

    @property
    def fetch_sessions(self) -> FetchSessions:
        if self._fetch_sessions is None:
            from kproof_impl.core.fetch_sessions import FetchSessions

            self._fetch_sessions = FetchSessions(self.config, self.identifiers)
        return self._fetch_sessions

    @property
    def producer_ids(self) -> ProducerIds:
        if self._producer_ids is None:
            from kproof_impl.core.producer_ids import ProducerIds

            self._producer_ids = ProducerIds(self)
        return self._producer_ids

    def tell(
        self,
        model: str,
        subject: str,
        action: str,
        parameters: dict[str, Any],
        state: dict[str, Any],
    ) -> None:
        """Tells whoever observes the broker that a step has happened; to be called if somebody
        does (`observe` is not None)."""
        if self.failure is not None:
            raise self.failure
        if self.observe is not None:
            event = Event(
                self._events_count, self.now_ms, model, subject, action, parameters, state
            )
            self._events_count += 1
            try:
                self.observe(event)
            except Exception as error:
                self.failure = error
                raise

    # -- life --------------------------------------------------------------------------------

    def start(self, now_ms: int) -> None:
        """Reads what an earlier life has left.  Raises `LogFailed` where that cannot be read."""
        self.now_ms = now_ms
        self.topics.load()
        if self.topics.has_committed_offsets():
            self.groups.load()
        self._tick_logs(now_ms)
        self._apply_retention(now_ms)
        LogCleaner(self).start(now_ms)

    def stop(self, now_ms: int) -> None:
        """A clean end: what comes next starts without recovery.  No input may follow."""
        self.now_ms = max(self.now_ms, now_ms)
        self.store.close()
        for partition in self.topics.all_partitions():
            if isinstance(partition.log, ObservedLog):
                partition.log.tell_closed()

    def receive(self, event: Input, now_ms: int) -> list[Effect]:
        """What is to be done because of an input, at a time in milliseconds since 1970."""
        return self.receive_all((event,), now_ms)

    def receive_all(self, events: Iterable[Input], now_ms: int) -> list[Effect]:
        """What is to be done because of some inputs of one moment, one after the other."""
        if self.failure is not None:
            raise self.failure
        self.now_ms = max(self.now_ms, now_ms)
        ready = self._ready
        for event in events:
            if type(event) is ReceivedBatch:
                self._received_batch(event)
            elif type(event) is Received:
                self._received(event)
            elif type(event) is Tick:
                self.timers.run_due(self.now_ms)
            elif type(event) is Connected:
                self._connections[event.connection_id] = Connection(
                    event.connection_id, event.client_host
                )
            elif type(event) is Disconnected:
                self._gone(event.connection_id)
            while ready:
                self._serve_backlog(ready.popleft())
        if self.failure is not None:  # Even if something on the way has caught it.
            raise self.failure
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_ms(self) -> int | None:
        """When a `Tick` is due if nothing else comes; None: no time is."""
        return self.timers.next_due_ms()

    @property
    def connections_count(self) -> int:
        return len(self._connections)

    @property
    def groups_count(self) -> int:
        """How many groups there are, without making their coordinator."""
        return 0 if self._groups is None else len(self._groups.groups)

    # -- requests ----------------------------------------------------------------------------

    def _received(self, event: Received) -> None:
        connection = self._connections.get(event.connection_id)
        if connection is None:
            return  # It was closed, and what it had sent before came after.
        if connection.busy is None and not connection.backlog:
            self._handle(connection, event.header, event.request)
            return
        connection.backlog.append((event.header, event.request))
        if len(connection.backlog) >= self.config.backlog_max and not connection.is_paused:
            connection.is_paused = True
            self._effects.append(Pause(connection.connection_id))

    def _received_batch(self, event: ReceivedBatch) -> None:
        connection = self._connections.get(event.connection_id)
        if connection is None:
            return
        if connection.busy is None and not connection.backlog:
            try:
                effect = self._produce_one_batch(self, event)
            except Exception as error:
                self._failed(connection, event.route.header(event.correlation_id), error)
                return
            if effect is not None:
                self.requests_count += 1
                self._effects.append(effect)
                return
        self._received(event.in_full())

    def _handle(self, connection: Connection, header: object, request: object) -> None:
        call = Call(self, connection, header)  # type: ignore[arg-type] # As it came in.
        connection.busy = call
        self.requests_count += 1
        if self.observe is not None:
            call.request = request
        try:
            api_key = call.header.api_key
            handler = HANDLERS_FOUND.get(api_key) or handler_of(api_key)
            response = handler(self, call, request)
        except CloseConnection as closing:
            self.close(connection.connection_id, str(closing))
        except Exception as error:
            self._failed(connection, call.header, error)
        else:
            if response is NO_ANSWER:
                call.is_answered = True
                connection.busy = None
            elif response is not None:
                self.answer(call, response)

    def _failed(self, connection: Connection, header: Header, error: Exception) -> None:
        """A request could not be answered, by a fault of this broker."""
        if self.config.raises or self.failure is not None:
            raise error
        self._effects.append(Report(_fault(header, error)))
        self.close(connection.connection_id, "the broker failed to answer")

    def answer(self, call: Call, response: object) -> None:
        """Answers a call.  Raises `RuntimeError` at a second answer; drops one for nobody."""
        if call.is_answered:
            raise RuntimeError(f"request {call.header} was answered twice: {response}")
        call.is_answered = True
        connection = call.connection
        if not connection.is_open:
            return
        if self.observe is not None:
            from kproof_impl.core.told_answers import tell_answer

            tell_answer(self, call.header.api_key, call.request, response)
        self._effects.append(Send(connection.connection_id, call.header, response))
        connection.busy = None
        if connection.backlog:
            self._ready.append(connection)

    def _serve_backlog(self, connection: Connection) -> None:
        while connection.backlog and connection.busy is None and connection.is_open:
            header, request = connection.backlog.popleft()
            self._handle(connection, header, request)
        if connection.is_paused and len(connection.backlog) <= self.config.backlog_max // 2:
            connection.is_paused = False
            self._effects.append(Resume(connection.connection_id))

    def report(self, report: Report) -> None:
        """A line for whoever runs the broker."""
        self._effects.append(report)

    def report_refusal(self, where: str, failure: Exception) -> None:
        """The disk has refused something: a line, once a minute for each place."""
        told_ms = self._refusals_told.get(where)
        if told_ms is None or self.now_ms - told_ms >= REFUSAL_TOLD_MS:
            if len(self._refusals_told) >= REFUSALS_MAX:
                self._refusals_told.clear()
            self._refusals_told[where] = self.now_ms
            self.report(Report(f"{where} took nothing: {failure}", is_fault=False))

    def close(self, connection_id: int, reason: str) -> None:
        """Closes a connection, from this side."""
        self._effects.append(Close(connection_id, reason))
        self._gone(connection_id)

    def _gone(self, connection_id: int) -> None:
        connection = self._connections.pop(connection_id, None)
        if connection is None:
            return
        connection.is_open = False
        connection.backlog.clear()
        call = connection.busy
        if call is not None and call.on_gone is not None and not call.is_answered:
            call.on_gone()

    # -- what comes round --------------------------------------------------------------------

    def _tick_logs(self, now_ms: int) -> None:
        self.topics.tick(now_ms)
        self.store.tick(now_ms)
        self.timers.at(now_ms + self.config.log_flush_scheduler_interval_ms, self._tick_logs)

    def _apply_retention(self, now_ms: int) -> None:
        for partition in self.topics.all_partitions():
            partition.apply_retention(now_ms)
        self.timers.at(now_ms + self.config.log_retention_check_interval_ms, self._apply_retention)


def _fault(header: Header, error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"fault in the broker: {type(error).__name__}: {error}{where}; request {header}"
