"""What becomes of a record whose handler raises: tried again, skipped, set aside, or a stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kproof_impl.client.errors import ConfigRefused, HandlerFailed

LOG = logging.getLogger("kproof.client")

BACKOFF_MAX_S = 30.0

SetAside = Callable[[Any, Exception], object]
"""Takes the record and what its handler raised, in the worker's thread.

When it returns, the record counts as processed; if it raises, the pool stops.
"""

OnFailure = Literal["stop", "skip"] | SetAside


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """How often a record is tried again, and what then."""

    retries: int = 0
    backoff_s: float = 0.1
    """Before the first retry; twice as long before each further one, up to `BACKOFF_MAX_S`."""
    on_failure: OnFailure = "stop"

    def __post_init__(self) -> None:
        if self.retries < 0 or self.backoff_s < 0:
            raise ConfigRefused(
                f"retries={self.retries}, backoff_s={self.backoff_s}: expected no negative number"
            )
        if self.on_failure not in ("stop", "skip") and not callable(self.on_failure):
            raise ConfigRefused(
                f"on_failure={self.on_failure!r}: expected 'stop', 'skip', or a function of the "
                "record and the exception"
            )

    def backoff_before(self, retry: int) -> float:
        """Seconds before a retry; the first is 1."""
        return float(min(self.backoff_s * 2 ** min(retry - 1, 30), BACKOFF_MAX_S))

    def give_up(self, message: Any, name: str, error: Exception) -> None:
        """The last try failed.  Returns if the record is settled, or raises `HandlerFailed`."""
        if self.on_failure == "skip":
            LOG.error("%s is skipped: its handler raised %r", name, error)
            return
        if self.on_failure == "stop":
            raise HandlerFailed(
                f"{name}: its handler raised {error!r}, {self.retries + 1} times of "
                f"{self.retries + 1}; the pool stops, and the record is not committed",
                message,
            ) from error
        try:
            self.on_failure(message, error)
        except Exception as second:
            raise HandlerFailed(
                f"{name}: its handler raised {error!r}, and setting it aside raised {second!r}; "
                "the pool stops, and the record is not committed",
                message,
            ) from second


class DeadLetterTopic:
    """Sends records that could not be processed to a topic; for `on_failure`.

    producer    A confluent_kafka.Producer or a kafka.KafkaProducer; several workers use it at once.
    topic       Where the records go, with their keys, values and headers, and three headers more:
                where they came from and what their handler raised.

    It returns when the record is acknowledged, and raises if that takes longer than `timeout_s`.
    """

    def __init__(self, producer: Any, topic: str, timeout_s: float = 30.0) -> None:
        self._producer = producer
        self._topic = topic
        self._timeout_s = timeout_s

    def __call__(self, message: Any, error: Exception) -> None:
        if callable(getattr(message, "value", None)):
            self._send_confluent(message, error)
        else:
            headers = self._headers(message.headers, message, error)
            sent = self._producer.send(
                self._topic, value=message.value, key=message.key, headers=headers
            )
            sent.get(timeout=self._timeout_s)

    def _send_confluent(self, message: Any, error: Exception) -> None:
        answered = threading.Event()
        failures: list[Any] = []

        def answer(failure: Any, _: Any) -> None:
            if failure is not None:
                failures.append(failure)
            answered.set()

        self._producer.produce(
            self._topic,
            value=message.value(),
            key=message.key(),
            headers=self._headers(message.headers(), message, error),
            on_delivery=answer,
        )
        deadline = time.monotonic() + self._timeout_s
        while not answered.is_set():
            self._producer.poll(0.05)
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"no acknowledgement from {self._topic} within {self._timeout_s} seconds"
                )
        if failures:
            raise RuntimeError(f"{self._topic} did not take it: {failures[0]}")

    @staticmethod
    def _headers(
        theirs: list[tuple[str, bytes]] | None, message: Any, error: Exception
    ) -> list[tuple[str, bytes]]:
        where = [
            each() if callable(each) else each
            for each in (message.topic, message.partition, message.offset)
        ]
        return [
            *(theirs or []),
            ("dead-letter-source", f"{where[0]}-{where[1]}".encode()),
            ("dead-letter-offset", str(where[2]).encode()),
            ("dead-letter-error", repr(error).encode()),
        ]
