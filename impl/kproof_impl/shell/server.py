"""A broker on sockets: its core, the connections to it, and the time.

One thread, one event loop: an input is handed to the core, its effects are performed, and the
buffers they wrote leave at the end of the same turn of the loop.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from traceback import format_exception
from typing import Any

from kproof_impl.core.broker import Broker
from kproof_impl.core.effects import Close, Effect, Pause, Report, Resume, Send, SendProduced
from kproof_impl.core.inputs import Connected, Disconnected, Input, Tick
from kproof_impl.shell.clock import Time, Wake
from kproof_impl.shell.connection import Connection
from kproof_impl.shell.limits import Limits
from kproof_impl.shell.notices import CLOSED, FAULT, REFUSED, WARNING, Notices, Tell
from kproof_impl.wire.frame_memory import FrameMemory
from kproof_impl.wire.responses import encode_response

LAST_WORDS_SECONDS = 1.0
"""How long a stopping broker waits for its clients to take their last answers."""


class Server:
    """A started broker.  All its methods are for the thread of its event loop."""

    def __init__(self, broker: Broker, limits: Limits, tell: Tell, clock: Time) -> None:
        self.broker = broker
        self.limits = limits
        self.notices = Notices(tell)
        self.clock = clock
        self.seconds: Callable[[], float] = time.monotonic
        self.connections: dict[int, Connection] = {}
        self.unflushed: list[Connection] = []
        self.bytes_in = 0
        self.bytes_out = 0
        self.accepted_count = 0
        self.on_failure: Callable[[], None] | None = None
        """Called when the broker's observer has raised: then it serves nobody any more."""
        self.frame_memory = FrameMemory()
        self._write_full: dict[int, Connection] = {}
        self._long_count = 0
        """Who was served for long in this turn of the event loop."""
        self._light: dict[Connection, None] = {}
        self._heavy: dict[Connection, None] = {}
        """Who waits for a turn, in order."""
        self._unfinished_bytes = 0
        self._servers: list[asyncio.Server] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: Wake | None = None
        self._timer_due_ms = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Event | None = None
        self._is_stopping = False

    # -- life --------------------------------------------------------------------------------

    async def start(self, sockets: list[socket.socket]) -> None:
        """Listens on bound sockets, which are the server's from now on."""
        self._loop = asyncio.get_running_loop()
        self._all_gone = asyncio.Event()
        for each in sockets:
            self._servers.append(
                await self._loop.create_server(
                    partial(Connection, self), sock=each, backlog=self.limits.listen_backlog
                )
            )
        self._set_timer()
        self._sweeper = self._loop.call_later(self.limits.sweep_ms / 1000, self._sweep)

    async def stop(self, *, is_kept: bool = True) -> None:
        """Answers no more, lets what is on its way out leave, and closes the logs.

        Logs that are not kept are left as they are, which takes no time; so are those of a broker
        whose observer has raised, which is raised here.
        """
        self._is_stopping = True
        for server in self._servers:
            server.close()
        for timer in (self._timer, self._sweeper):
            if timer is not None:
                timer.cancel()
        for connection in list(self.connections.values()):
            connection.close()
        if self.connections and self._all_gone is not None:
            try:
                await asyncio.wait_for(self._all_gone.wait(), LAST_WORDS_SECONDS)
            except TimeoutError:
                for connection in list(self.connections.values()):
                    connection.abort()
                await asyncio.sleep(0)
        try:
            if is_kept and self.broker.failure is None:
                self.broker.stop(self.clock.now_ms())
            else:
                self.broker.store.close(is_clean=False)
        finally:
            self.notices.close()
        if self.broker.failure is not None:
            raise self.broker.failure

    # -- what connections call -----------------------------------------------------------------

    def accept(self, connection: Connection, host: str) -> None:
        """A connection has been made: numbers it, or ends it if there are too many."""
        if self._is_stopping or self.broker.failure is not None:
            connection.abort()
            return
        if len(self.connections) >= self.limits.max_connections:
            connection.abort(REFUSED, f"{len(self.connections)} connections are the limit")
            return
        self.accepted_count += 1
        connection.connection_id = self.accepted_count
        self.connections[connection.connection_id] = connection
        # As Java shows an address, and so as clients are shown it by DescribeGroups.
        self.feed(Connected(connection.connection_id, f"/{host}"), self.clock.now_ms())
        self.flush()

    def lost(self, connection: Connection) -> None:
        """A connection is gone, whoever closed it."""
        if self.connections.pop(connection.connection_id, None) is None:
            return
        self._write_full.pop(connection.connection_id, None)
        self._light.pop(connection, None)
        self._heavy.pop(connection, None)
        self._unfinished_bytes -= connection.unfinished_bytes
        self.feed(Disconnected(connection.connection_id), self.clock.now_ms())
        self.flush()
        if self._is_stopping and not self.connections and self._all_gone is not None:
            self._all_gone.set()

    def write_full(self, connection: Connection) -> None:
        """A client does not take its answers as fast as they come.

        Each may have some that wait; but where all of them together are more than this process
        should hold, the one that has taken nothing for the longest time ends.
        """
        waiting = self._write_full
        waiting[connection.connection_id] = connection
        unsent = sum(each.unsent_bytes for each in waiting.values())
        while unsent > self.limits.unsent_bytes_max and waiting:
            slowest = min(waiting.values(), key=lambda each: each.write_progress)
            del waiting[slowest.connection_id]
            size = slowest.unsent_bytes
            slowest.abort(
                CLOSED,
                f"{unsent} bytes of answers are not taken by their clients, and "
                f"{self.limits.unsent_bytes_max} is the limit; this one is the slowest",
            )
            unsent -= size

    def write_free(self, connection: Connection) -> None:
        """A client has taken most of its answers."""
        self._write_full.pop(connection.connection_id, None)

    def unfinished(self, connection: Connection, size: int) -> None:
        """So many bytes have come of a large request that is not whole yet.

        Where all such requests together are more than this process should hold, the one of which
        nothing has come for the longest time ends.
        """
        self._unfinished_bytes += size - connection.unfinished_bytes
        connection.unfinished_bytes = size
        if self._unfinished_bytes > self.limits.unfinished_bytes_max:
            begun = [each for each in self.connections.values() if each.unfinished_bytes]
            min(begun, key=lambda each: each.last_read).abort(
                CLOSED,
                f"{self._unfinished_bytes} bytes of requests are begun and not whole, and "
                f"{self.limits.unfinished_bytes_max} is the limit; this one is the slowest",
            )

    def is_crowded(self, connection: Connection) -> bool:
        """Whether this turn has served so much that a connection has to wait for its own."""
        if not self._long_count:
            return False
        queue = self._heavy if connection.is_heavy else self._light
        queue[connection] = None
        return True

    def served_long(self, connection: Connection) -> None:
        """A connection has had a long time: the others have theirs in the turns to come.

        Those that have had little so far come first, so that somebody who asks for little is not
        behind many who ask for much.
        """
        connection.is_heavy = True
        self._long_count += 1
        if self._long_count == 1:
            self.soon(self._next_turn)

    def _next_turn(self) -> None:
        self._long_count = 0
        while not self._long_count and (queue := self._light or self._heavy):
            connection = next(iter(queue))
            del queue[connection]
            connection.go_on()

    def soon(self, action: Callable[[], object]) -> None:
        """Calls `action` in a later turn of the loop."""
        if self._loop is not None:
            self._loop.call_soon(action)

    def flush(self) -> None:
        """Ends a turn: answers leave their connections, and the timer is set for what is next."""
        while self.unflushed:
            unflushed, self.unflushed = self.unflushed, []
            for connection in unflushed:
                connection.flush()
        self._set_timer()

    # -- the core ------------------------------------------------------------------------------

    def feed(self, event: Input, now_ms: int) -> None:
        """Hands the core an input, and does what it wants done.  `flush` ends the turn."""
        self.feed_all((event,), now_ms)

    def feed_all(self, events: Iterable[Input], now_ms: int) -> None:
        """As `feed`, of some inputs at once."""
        if self.broker.failure is not None:
            return
        try:
            effects = self.broker.receive_all(events, now_ms)
        except Exception as error:
            if self.broker.failure is not None:
                self._fail()
                return
            # The core reports its own faults in requests; this one was in a timer or a clean-up.
            self._report(error)
            return
        for effect in effects:
            if type(effect) is SendProduced:
                connection = self.connections.get(effect.connection_id)
                if connection is not None:
                    connection.send_one(
                        effect.route.answer(
                            effect.correlation_id,
                            effect.base_offset,
                            effect.log_append_time_ms,
                            effect.log_start_offset,
                        )
                    )
            elif type(effect) is Send:
                connection = self.connections.get(effect.connection_id)
                if connection is None:
                    continue
                try:
                    buffers = encode_response(effect.header, effect.response)  # type: ignore[arg-type] # As it came in.
                except Exception as error:
                    self._report(error, f"; answering {effect.header}")
                    connection.close(CLOSED, "the broker failed to write its answer")
                else:
                    connection.send(buffers)
            else:
                self._perform(effect)

    def _fail(self) -> None:
        """The observer has raised: nobody is served any more, and nothing more leaves."""
        for server in self._servers:
            server.close()
        self.unflushed.clear()
        for connection in list(self.connections.values()):
            connection.abort()
        if self.on_failure is not None:
            self.on_failure()

    def _perform(self, effect: Effect) -> None:
        """Anything but an answer."""
        if isinstance(effect, Report):
            self.notices(FAULT if effect.is_fault else WARNING, effect.text)
            return
        connection = self.connections.get(effect.connection_id)
        if connection is None:
            return
        if isinstance(effect, Close):
            connection.close(REFUSED, effect.reason)
        elif isinstance(effect, Pause):
            connection.hold()
        elif isinstance(effect, Resume):
            connection.release()

    def _report(self, error: Exception, what: str = "") -> None:
        where = "".join(format_exception(error)).strip().splitlines()[-3:]
        self.notices(FAULT, f"{error!r}: {' '.join(line.strip() for line in where)}{what}")

    def loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Takes what an event loop would print a traceback for: for a loop that is the broker's."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self.warn(f"no file is left for another connection: {error.strerror}")
        elif isinstance(error, Exception):
            self._report(error, f"; {context.get('message', '')}")
        else:
            self.notices(FAULT, str(context.get("message", context)))

    # -- the time ------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        due_ms = self.broker.next_deadline_ms()
        if due_ms is None or self._loop is None or self._is_stopping:
            return
        if self.broker.failure is not None:
            return
        if self._timer is not None:
            if self._timer_due_ms <= due_ms:
                return  # It comes early enough, and looks again then.
            self._timer.cancel()
        self._timer_due_ms = due_ms
        self._timer = self.clock.wake(due_ms, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.feed(Tick(), self.clock.now_ms())
        self.flush()

    def _sweep(self) -> None:
        """Ends connections that are stalled or idle."""
        assert self._loop is not None
        self._sweeper = self._loop.call_later(self.limits.sweep_ms / 1000, self._sweep)
        now = self.seconds()
        for connection in list(self.connections.values()):
            reason = connection.stalled(now)
            if reason:
                connection.abort(CLOSED, reason)

    def warn(self, text: str) -> None:
        """Tells whoever runs the broker."""
        self.notices(WARNING, text)
