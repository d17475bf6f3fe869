"""A broker that serves on a port of this machine, a gate before it, and its clock in our hand.

It is the server that `kproof serve` runs, on an event loop that turns while the driver waits for
something; only its clock is another.  Every request and every answer is bytes on TCP connections,
two in a row: from who sends it to the gate, and from the gate to the broker.

**Connections.**  Whoever sends has one connection, as a Kafka client has one to the coordinator.
Where it sends again before it was answered, it opens another, as clients do that have given up on
the first; the first stays open in the gate, and what stopped there may still arrive, later than
what was sent after it.

**A kill** closes the broker's end of each connection.  A request that was stopped in the gate then
is sent again by the client, to the broker's next life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from kproof_impl.core.config import BrokerConfig
from kproof_impl.events import Observer
from kproof_impl.shell.limits import Limits
from kproof_impl.shell.listener import bind
from kproof_impl.shell.notices import Notice
from kproof_impl.shell.server import Server
from kproof_impl.storage.files import Files
from kproof_impl.wire.apis import Api

from .client_frames import read_response, request_frame
from .driven_broker import CLIENT_ID, START_MS, DrivenBroker, Parted, api_of
from .gate import HOST, PATIENCE_SECONDS, Gate, Line
from .held_clock import HeldClock


@dataclass(slots=True)
class Sent:
    """A request that somebody has sent."""

    api: Api
    version: int
    frame: bytes
    by: str
    line: Line
    life: int


class SocketBroker(DrivenBroker):
    """A broker on a socket.  It has to be closed."""

    def __init__(
        self, config: BrokerConfig, files: Files | None = None, observe: Observer | None = None
    ) -> None:
        self.clock = HeldClock(START_MS)
        self.gate = Gate()
        self._loop = asyncio.new_event_loop()
        self._notices: list[Notice] = []
        self._requests_count = 0
        self._sent: dict[int, Sent] = {}
        self._current: dict[str, Line] = {}
        """The connection that each sender uses."""
        self._unanswered: dict[Line, int] = {}
        """The request that each connection waits with."""
        self._lives = 0
        self._server: Server | None = None
        try:
            super().__init__(config, files, observe)
        except BaseException:
            self.close()
            raise

    # -- life ----------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    @property
    def connections_count(self) -> int:
        """How many connections were made through the gate."""
        return len(self.gate.lines)

    def begin_life(self) -> None:
        super().begin_life()
        self._lives += 1
        self._server = Server(self.broker, Limits(), self._notices.append, self.clock)
        sockets = bind(HOST, 0)
        self._port = int(sockets[0].getsockname()[1])
        self._run(self._server.start(sockets))

    def kill(self) -> None:
        self._end_life()
        self.gate.look()
        self._current.clear()
        self.begin_life()

    def close(self) -> None:
        try:
            self._end_life()
        finally:
            self.gate.close()
            self._loop.close()

    def _end_life(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            try:
                self._run(server.stop(is_kept=False))
            except Exception as error:
                if error is not self.broker.failure:  # That was raised where it happened.
                    raise
        self.clock.forget()

    # -- requests ------------------------------------------------------------------------------

    def send(self, request: object, version: int | None = None, by: str = "") -> int:
        self._requests_count += 1
        number = self._requests_count
        api = api_of(request)
        version = api.max_version if version is None else version
        frame = request_frame(api, request, version, number, CLIENT_ID)
        self._sent[number] = Sent(api, version, frame, by, self._line_of(by), self._lives)
        self._write(number)
        return number

    def _line_of(self, by: str) -> Line:
        line = self._current.get(by)
        if line is None or line in self._unanswered:
            line = self._current[by] = self.gate.connect(self._port)
        return line

    def _write(self, number: int) -> None:
        sent = self._sent[number]
        self._unanswered[sent.line] = number
        sent.line.send(sent.frame)

    def deliver(self, number: int) -> None:
        sent = self._sent[number]
        if sent.life != self._lives:
            sent.line, sent.life = self._line_of(sent.by), self._lives
            self._write(number)
        before = self.broker.requests_count
        sent.line.let_in()
        is_taken = self._until(
            lambda: self.broker.requests_count > before, f"takes {sent.api.name}"
        )
        self._run(is_taken)
        self._look()

    def answer(self, number: int) -> Any:
        if not self.is_answered(number):
            return None
        sent = self._sent[number]
        correlation_id, response = read_response(sent.api, sent.version, sent.line.let_out())
        if correlation_id != number:
            raise Parted(f"request {number} was answered as request {correlation_id}")
        del self._sent[number], self._unanswered[sent.line]
        return response

    def is_answered(self, number: int) -> bool:
        return number in self._sent and bool(self._sent[number].line.replies)

    # -- time ----------------------------------------------------------------------------------

    def tick(self) -> None:
        self.advance(0)

    def advance(self, milliseconds: int) -> None:
        async def pass_time() -> None:
            self.clock.advance(milliseconds)

        self._run(pass_time())
        self._look()

    # -- the event loop ------------------------------------------------------------------------

    async def _until(self, is_done: Callable[[], bool], what: str) -> None:
        """Turns the loop until something is done."""
        end = self._loop.time() + PATIENCE_SECONDS
        while not is_done() and self.broker.failure is None and not self._notices:
            if self._loop.time() > end:
                raise Parted(f"expected that the broker {what} within {PATIENCE_SECONDS} seconds")
            await asyncio.sleep(0)

    def _look(self) -> None:
        """What the broker has sent is in the gate; what has gone wrong in it is raised."""
        if self.broker.failure is not None:
            raise self.broker.failure
        if self._notices:
            raise Parted(f"the broker says: {'; '.join(map(str, self._notices))}")
        self.gate.look()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop.run_until_complete(work)
