"""The broker: it speaks Kafka's protocol, and unmodified Kafka clients work with it.

    from kproof_impl import Broker

    with Broker() as broker:  # or `async with`
        ...  # clients connect to broker.bootstrap_servers

It never imports `kproof_spec` or `kproof_checker`: it is a witness of its own, which reports what
it did as events that the checker holds against the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kproof_impl.shell.embedded import Broker

__all__ = ["Broker"]


def __getattr__(name: str) -> object:
    # Sockets and threads are imported by those only who want them: the core has none.
    if name == "Broker":
        from kproof_impl.shell.embedded import Broker

        return Broker
    raise AttributeError(f"module {__name__} has no attribute {name}")
