"""What goes wrong with a pool, each with a text for its user."""

from __future__ import annotations

from typing import Any


class PoolError(Exception):
    """Anything below."""


class ClientMissing(PoolError, ImportError):
    """The client library that was asked for is not installed."""


class ConfigRefused(PoolError, ValueError):
    """A setting that a pool cannot work with."""


class WrongThread(PoolError, RuntimeError):
    """A pool, or its consumer, is used from a second thread."""


class CommitRefused(PoolError):
    """A commit was not taken, or nobody knows: what it was for is committed later, or repeated."""


class HandlerFailed(PoolError):
    """A record could not be processed, and the pool was told to stop then.

    `message` is the client's record; the handler's exception is the cause.  Everything before the
    record is committed, if it is finished; the record itself is not.
    """

    def __init__(self, text: str, message: Any) -> None:
        super().__init__(text)
        self.message = message


class LedgerMisused(PoolError, RuntimeError):
    """The shell told the ledger what cannot be: a fault of this package."""
