"""A broker inside a program, for as long as a `with` lasts.

    async with Broker() as broker:            # On the running event loop,
        ...broker.bootstrap_servers...
    with Broker() as broker:                  # or with a loop in a thread of its own.
        ...

Clients connect to it as to any broker, from this process or another.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import threading
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kproof_impl.core.broker import Broker as Core
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.ports import Identifiers, LogStore
from kproof_impl.events import Observer
from kproof_impl.shell.clock import Clock
from kproof_impl.shell.identifiers import RandomIdentifiers
from kproof_impl.shell.limits import Limits
from kproof_impl.shell.listener import WILDCARDS, bind
from kproof_impl.shell.local_requests import create_topics
from kproof_impl.shell.notices import Tell, tell_logging
from kproof_impl.shell.server import Server
from kproof_impl.shell.settings import parse_settings

if TYPE_CHECKING:
    from kproof_impl.storage.files import Files

MEMORY_DIR = "/memory"
"""What clients are told to be the log directory of a broker without files."""


class Broker:
    """A single-node broker on a port of this machine.

    port        0 is any free one; `broker.port` tells which.
    data_dir    Where the logs are; they are there again when a broker is started on it anew.
                None: a temporary directory, deleted at the end.
    in_memory   No files at all; nothing is kept.  Not together with `data_dir`.
    topics      Names, or names and numbers of partitions, of topics to be there at the start.
    configs     Settings by Kafka's names, such as {"num.partitions": "3"}: the broker's, the
                defaults of its topics, the limits of its sockets.  They go over those that
                `settings` and `limits` give as objects.

    observe     Called with each step that the specification has a name for (`kproof_impl.events`),
                in the broker's thread, before the answer leaves.  If it raises, the broker serves
                nobody any more, and `stop()`, which ends every `with`, raises that.

    It is started by `with` or `async with`, or by `start()` and `stop()`; one object is started
    once.  It raises `SettingRefused`, and starting raises `PortRefused`, `LogFailed` or
    `TopicRefused`, each with a text for a user.
    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        *,
        port: int = 0,
        data_dir: str | Path | None = None,
        in_memory: bool = False,
        topics: Iterable[str] | Mapping[str, int] = (),
        host: str = "127.0.0.1",
        advertised_host: str | None = None,
        configs: Mapping[str, str] | None = None,
        settings: BrokerConfig | None = None,
        limits: Limits | None = None,
        identifiers: Identifiers | None = None,
        tell: Tell = tell_logging,
        observe: Observer | None = None,
    ) -> None:
        if in_memory and data_dir is not None:
            raise ValueError(
                f"in_memory keeps nothing, and data_dir={data_dir} is there to keep: give one"
            )
        self.host = host
        self.port = port
        self.advertised_host = advertised_host or _reachable(host)
        self.data_dir = None if data_dir is None else Path(data_dir)
        """Where the logs are; None in memory, and before the start of one in a temporary place."""
        self._in_memory = in_memory
        self.is_temporary = False
        """Whether `data_dir` is deleted at the end."""
        self._topics = topics
        self._settings, self._limits = parse_settings(configs or {}, settings, limits)
        self._identifiers = identifiers or RandomIdentifiers()
        self._tell = tell
        self._observe = observe
        self._server: Server | None = None
        self._thread: _LoopThread | None = None

    @property
    def bootstrap_servers(self) -> str:
        """What clients want under this name: the address as `host:port`."""
        host = self.advertised_host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def server(self) -> Server:
        """Its sockets and its core, for the thread of its event loop.  Only while it runs."""
        if self._server is None:
            raise RuntimeError("the broker does not run: use it inside `with`")
        return self._server

    # -- on an event loop ----------------------------------------------------------------------

    async def start(self) -> None:
        """Binds the port, recovers the logs, and serves on the running event loop."""
        if self._server is not None:
            raise RuntimeError("the broker runs already")
        sockets = bind(self.host, self.port)
        try:
            self.port = int(sockets[0].getsockname()[1])
            await self._start_on(sockets)
        except BaseException:
            for each in sockets:
                each.close()
            self._remove_temporary()
            raise

    async def _start_on(self, sockets: list[socket.socket]) -> None:
        limits, warning = self._limits.within_open_files()
        store = self._store()
        settings = replace(
            self._settings, advertised_host=self.advertised_host, advertised_port=self.port
        )
        clock = Clock()
        core = Core(settings, store, self._identifiers, self._observe)
        try:
            core.start(clock.now_ms())
            create_topics(core, self._topics, clock.now_ms())
            server = Server(core, limits, self._tell, clock)
            await server.start(sockets)
        except BaseException:
            store.close(is_clean=False)
            raise
        self._server = server
        if warning:
            server.warn(warning)

    async def stop(self) -> None:
        """Ends its connections and closes its logs.  One that does not run stays so."""
        server, self._server = self._server, None
        if server is None:
            return
        try:
            await server.stop(is_kept=not self.is_temporary)
        finally:
            self._remove_temporary()

    async def __aenter__(self) -> Broker:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # -- in a thread of its own ----------------------------------------------------------------

    def __enter__(self) -> Broker:
        thread = _LoopThread(f"kproof-broker-{self.port or 'any'}")
        try:
            thread.run_until_done(self.start())
        except BaseException:
            thread.end()
            raise
        self._thread = thread
        thread.loop.call_soon_threadsafe(thread.loop.set_exception_handler, self.server.loop_failed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            thread.run_until_done(self.stop())
        finally:
            thread.end()

    # -- within --------------------------------------------------------------------------------

    def _store(self) -> LogStore:
        from kproof_impl.storage.log_store import FileLogStore

        directory = MEMORY_DIR
        files: Files
        if self._in_memory:
            from kproof_impl.storage.memory_files import MemoryFiles

            files = MemoryFiles()
        else:
            from kproof_impl.storage.real_files import RealFiles

            if self.data_dir is None:
                self.data_dir = Path(tempfile.mkdtemp(prefix="kproof-"))
                self.is_temporary = True
            files = RealFiles(is_forcing=not self.is_temporary)
            directory = str(self.data_dir.absolute())
        return FileLogStore(
            files,
            directory,
            cluster_id=self._settings.cluster_id,
            node_id=self._settings.node_id,
            producer_expiration_ms=self._settings.producer_id_expiration_ms,
        )

    def _remove_temporary(self) -> None:
        if self.is_temporary and self.data_dir is not None:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            self.is_temporary = False
            self.data_dir = None


def _reachable(host: str) -> str:
    """What clients are told to connect to: a broker at every address has none that says so."""
    return socket.gethostname() if host in WILDCARDS else host


class _LoopThread:
    """An event loop in a thread.  A daemon: a program that ends does not wait for a broker."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    def run_until_done(self, work: Coroutine[object, object, None]) -> None:
        """Runs work on the loop and waits for it; raises what it raises."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def end(self) -> None:
        """Ends the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
