"""A broker in the hand of a driver: its core, its storage in memory, its clock; no socket.

Each request has a connection of its own, so that what was sent in an order may come in another, and
an answer is held until the driver takes it.  Time stands still unless the driver moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kproof_impl.core.broker import Broker
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.effects import Send
from kproof_impl.core.inputs import Connected, Input, Received, Tick
from kproof_impl.storage.files import Files
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.wire.apis import APIS

START_MS = 1_000_000
DATA_DIRECTORY = "/data"
_KEYS = {f"{api.name}Request": api.key for api in APIS.values()}


class Undrivable(Exception):
    """The broker cannot be brought to a step, right or wrong; the text says why."""


class Parted(Exception):
    """The broker did something else than the step; the text says what."""


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a request, as the wire would bring it."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None


class Identifiers:
    """Identifiers in a row: the same ones in each run."""

    def __init__(self) -> None:
        self._count = 0

    def _next(self) -> int:
        self._count += 1
        return self._count

    def topic_id(self) -> UUID:
        return UUID(int=self._next())

    def member_id_suffix(self) -> str:
        return str(self._next())

    def session_id(self) -> int:
        return self._next()


class DrivenBroker:
    """A broker's core over all its lives."""

    def __init__(self, config: BrokerConfig, files: Files | None = None, observe: Any = None):
        config.raises = True
        self.config = config
        self.files = MemoryFiles() if files is None else files
        self.now_ms = START_MS
        self._observe = observe
        self._identifiers = Identifiers()
        self._answers: dict[int, Any] = {}
        self._requests_count = 0
        self.begin_life()

    def begin_life(self) -> None:
        """A broker starts on what is stored."""
        self.store = FileLogStore(
            self.files,
            DATA_DIRECTORY,
            cluster_id=self.config.cluster_id,
            node_id=self.config.node_id,
            producer_expiration_ms=self.config.producer_id_expiration_ms,
        )
        self.broker = Broker(self.config, self.store, self._identifiers, self._observe)
        self.broker.start(self.now_ms)

    def _step(self, event: Input) -> None:
        for effect in self.broker.receive(event, self.now_ms):
            if isinstance(effect, Send):
                self._answers[effect.header.correlation_id] = effect.response

    def post(self, request: object, version: int | None = None) -> int:
        """Brings a request to the broker; the number under which its answer will be."""
        self._requests_count += 1
        number = self._requests_count
        api_key = _KEYS[type(request).__name__]
        if version is None:
            version = APIS[api_key].max_version
        self._step(Connected(number, "127.0.0.1"))
        self._step(Received(number, Header(api_key, version, number, "driver"), request))
        return number

    def answer(self, number: int) -> Any:
        """The answer to a request, taken once; None if there is none yet."""
        return self._answers.pop(number, None)

    def ask(self, request: object, version: int | None = None) -> Any:
        """The answer that comes at once.  Raises `Parted` if none does."""
        answer = self.answer(self.post(request, version))
        if answer is None:
            raise Parted(f"the broker did not answer {type(request).__name__}: it waits")
        return answer

    def tick(self) -> None:
        """What is due now happens."""
        self._step(Tick())

    def advance(self, milliseconds: int) -> None:
        """Lets time pass; what is due on the way happens when it is due."""
        end_ms = self.now_ms + milliseconds
        while (due_ms := self.broker.next_deadline_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self._step(Tick())
        self.now_ms = end_ms

    def kill(self) -> None:
        """The process dies, and the next life begins.  Answers that were sent still arrive."""
        self.store.close(is_clean=False)
        self.begin_life()
