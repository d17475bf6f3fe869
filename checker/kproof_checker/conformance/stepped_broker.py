"""The broker's core stepped by hand: no socket, no bytes, and no thread.

Each request has a connection of its own, so that what was sent in an order may come in another, and
an answer is held until the driver takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.effects import Send
from kproof_impl.core.inputs import Connected, Input, Received, Tick
from kproof_impl.events import Observer
from kproof_impl.storage.files import Files

from .driven_broker import CLIENT_ID, START_MS, DrivenBroker, api_of


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a request, as the wire would bring it."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None


class SteppedBroker(DrivenBroker):
    """A broker whose core is handed its inputs, one by one."""

    def __init__(
        self, config: BrokerConfig, files: Files | None = None, observe: Observer | None = None
    ) -> None:
        self._now_ms = START_MS
        self._on_their_way: dict[int, tuple[Header, object]] = {}
        self._answers: dict[int, Any] = {}
        self._requests_count = 0
        super().__init__(config, files, observe)

    @property
    def now_ms(self) -> int:
        return self._now_ms

    def kill(self) -> None:
        self.store.close(is_clean=False)
        self.begin_life()

    def close(self) -> None:
        self._answers.clear()

    def _step(self, event: Input) -> None:
        for effect in self.broker.receive(event, self._now_ms):
            if isinstance(effect, Send):
                self._answers[effect.header.correlation_id] = effect.response

    # -- requests ------------------------------------------------------------------------------

    def send(self, request: object, version: int | None = None, by: str = "") -> int:
        self._requests_count += 1
        number = self._requests_count
        api = api_of(request)
        header = Header(api.key, api.max_version if version is None else version, number, CLIENT_ID)
        self._on_their_way[number] = header, request
        return number

    def deliver(self, number: int) -> None:
        header, request = self._on_their_way.pop(number)
        self._step(Connected(number, "127.0.0.1"))
        self._step(Received(number, header, request))

    def answer(self, number: int) -> Any:
        return self._answers.pop(number, None)

    def is_answered(self, number: int) -> bool:
        return number in self._answers

    # -- time ----------------------------------------------------------------------------------

    def tick(self) -> None:
        self._step(Tick())

    def advance(self, milliseconds: int) -> None:
        end_ms = self._now_ms + milliseconds
        while (due_ms := self.broker.next_deadline_ms()) is not None and due_ms <= end_ms:
            self._now_ms = max(self._now_ms, due_ms)
            self._step(Tick())
        self._now_ms = end_ms
