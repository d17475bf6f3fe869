"""A broker in the hand of a driver, over all its lives: what is asked of it, whatever the way.

There are two ways to it.  `stepped_broker` hands requests to its core; `socket_broker` serves on a
port, and a gate stands before it.  On both the driver chooses when a request arrives, when its
answer does, and what time it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from uuid import UUID

from kproof_impl.core.broker import Broker
from kproof_impl.core.config import BrokerConfig
from kproof_impl.events import Observer
from kproof_impl.storage.files import Files
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.wire.apis import APIS, Api

START_MS = 1_000_000
DATA_DIRECTORY = "/data"
CLIENT_ID = "driver"
_BY_REQUEST = {f"{api.name}Request": api for api in APIS.values()}


class Undrivable(Exception):
    """The broker cannot be brought to a step, right or wrong; the text says why."""


class Parted(Exception):
    """The broker did something else than the step; the text says what."""


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


class DrivenBroker(ABC):
    """A broker's core with its storage in memory; how requests come to it is the subclass's."""

    def __init__(
        self, config: BrokerConfig, files: Files | None = None, observe: Observer | None = None
    ) -> None:
        config.raises = True
        self.config = config
        self.files = MemoryFiles() if files is None else files
        self._observe = observe
        self._identifiers = Identifiers()
        self.begin_life()

    @property
    @abstractmethod
    def now_ms(self) -> int:
        """The broker's time, which stands still unless the driver moves it."""

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

    @abstractmethod
    def kill(self) -> None:
        """The process dies, and the next life begins.  Answers that were sent still arrive."""

    @abstractmethod
    def close(self) -> None:
        """The end: whatever the way to the broker needs is given back."""

    # -- requests ------------------------------------------------------------------------------

    @abstractmethod
    def send(self, request: object, version: int | None = None, by: str = "") -> int:
        """`by`, whoever that is, sends a request, which does not arrive yet; its number."""

    @abstractmethod
    def deliver(self, number: int) -> None:
        """A request that was sent arrives, and the broker does what it does at once."""

    @abstractmethod
    def answer(self, number: int) -> Any:
        """The answer to a request arrives, once; None if there is none yet."""

    @abstractmethod
    def is_answered(self, number: int) -> bool:
        """Whether the broker has answered a request, and nobody has looked at the answer."""

    def post(self, request: object, version: int | None = None, by: str = "") -> int:
        """Sends a request, which arrives at once; its number."""
        number = self.send(request, version, by)
        self.deliver(number)
        return number

    def ask(self, request: object, version: int | None = None, by: str = "") -> Any:
        """The answer that comes at once.  Raises `Parted` if none does."""
        answer = self.answer(self.post(request, version, by))
        if answer is None:
            raise Parted(f"the broker did not answer {type(request).__name__}: it waits")
        return answer

    # -- time ----------------------------------------------------------------------------------

    @abstractmethod
    def tick(self) -> None:
        """What is due now happens."""

    @abstractmethod
    def advance(self, milliseconds: int) -> None:
        """Lets time pass; what is due on the way happens when it is due."""


NewBroker = Callable[[BrokerConfig, Files | None, Observer | None], DrivenBroker]
"""`SteppedBroker` or `SocketBroker`."""


def api_of(request: object) -> Api:
    """Which of Kafka's messages a request is."""
    return _BY_REQUEST[type(request).__name__]


def shown_sets(value: Any) -> str:
    """A value for a report, with sets and tables in order."""
    if isinstance(value, set):
        return "{" + ", ".join(sorted(value)) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {shown_sets(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown_sets, value)) + ")"
    return str(value)
